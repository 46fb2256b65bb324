"""Domain values to rows of the tables, and back. Exact both ways: `Decimal` is what NUMERIC looks like in Python."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping

from actors.bus.history_answers import LedgerLine
from actors.domain.calendar import date_of
from actors.domain.events.accounts import AccountOpened, DaySealed
from actors.domain.instrument import Instrument
from actors.domain.ledger import Posting
from actors.domain.money import SCALE_DIGITS, format_e8, minor_digits
from actors.domain.prices.bar import Bar
from actors.domain.quote import Tick
from actors.domain.risk.stop_out import MarginStatus

Row = dict[str, Any]
Stored = RowMapping

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(time_ns: int) -> datetime:
    """For timestamptz, which ends at microseconds: what is below is cut off."""
    return EPOCH + timedelta(microseconds=time_ns // 1_000)


def nanoseconds(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1) * 1_000


def numeric_e8(value_e8: int) -> Decimal:
    return Decimal(value_e8).scaleb(-SCALE_DIGITS)


def numeric_e16(value_e16: int) -> Decimal:
    return Decimal(value_e16).scaleb(-2 * SCALE_DIGITS)


def e8(value: Decimal) -> int:
    return int(value.scaleb(SCALE_DIGITS))


def numeric_minor(amount_minor: int, currency: str) -> Decimal:
    return Decimal(amount_minor).scaleb(-minor_digits(currency))


def minor(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(minor_digits(currency)))


def instrument_row(instrument: Instrument) -> Row:
    return {
        "symbol": instrument.symbol,
        "base": instrument.base,
        "quote": instrument.quote,
        "description": instrument.description,
        "price_digits": instrument.price_digits,
        "quantity_min": numeric_e8(instrument.quantity_min_e8),
        "quantity_max": numeric_e8(instrument.quantity_max_e8),
        "quantity_step": numeric_e8(instrument.quantity_step_e8),
        "margin_rate": numeric_e8(instrument.margin_rate_e8),
        "price_min": numeric_e8(instrument.price_min_e8),
        "price_max": numeric_e8(instrument.price_max_e8),
    }


def account_row(event: AccountOpened) -> Row:
    return {
        "account_id": event.account_id,
        "currency": event.currency,
        "mode": event.mode.value,
        "client_group": event.group,
        "margin_status": MarginStatus.NORMAL.value,
    }


def trial_balance_rows(event: DaySealed) -> list[Row]:
    day = date_of(event.trading_day).isoformat()
    return [
        {
            "trading_day": day,
            "account": entry.account,
            "currency": entry.currency,
            "balance": numeric_minor(entry.amount_minor, entry.currency),
        }
        for entry in event.balances
    ]


def posting_row(posting: Posting, actor: str | None) -> Row:
    return {
        "posting_id": posting.posting_id,
        "kind": posting.kind.value,
        "reference": posting.reference,
        "actor": actor,
        "time": moment(posting.time_ns),
        "time_ns": posting.time_ns,
    }


def line_of(row: Stored) -> LedgerLine:
    """Of an entry joined with its posting."""
    currency = row["currency"]
    return LedgerLine(
        row["entry_id"],
        row["posting_id"],
        row["kind"],
        row["reference"],
        row["time_ns"],
        row["account"],
        currency,
        minor(row["amount"], currency),
        minor(row["balance"], currency),
    )


def tick_fields(tick: Tick) -> tuple[Any, ...]:
    """For COPY, in the order of the table's columns."""
    return (
        tick.symbol,
        tick.seq,
        moment(tick.time_ns),
        tick.time_ns,
        format_e8(tick.bid_e8),
        format_e8(tick.ask_e8),
        tick.lp_bid,
        tick.lp_ask,
        tick.live,
    )


def tick_of(row: Stored) -> Tick:
    return Tick(
        row["symbol"],
        row["seq"],
        row["time_ns"],
        e8(row["bid"]),
        e8(row["ask"]),
        row["lp_bid"],
        row["lp_ask"],
        row["live"],
    )


def bar_row(bar: Bar) -> Row:
    return {
        "symbol": bar.symbol,
        "start": moment(bar.start_ns),
        "bid_open": numeric_e8(bar.bid_open_e8),
        "bid_high": numeric_e8(bar.bid_high_e8),
        "bid_low": numeric_e8(bar.bid_low_e8),
        "bid_close": numeric_e8(bar.bid_close_e8),
        "ask_open": numeric_e8(bar.ask_open_e8),
        "ask_high": numeric_e8(bar.ask_high_e8),
        "ask_low": numeric_e8(bar.ask_low_e8),
        "ask_close": numeric_e8(bar.ask_close_e8),
        "ticks": bar.ticks,
    }


def bar_of(symbol: str, row: Stored) -> Bar:
    return Bar(
        symbol,
        nanoseconds(row["start"]),
        e8(row["bid_open"]),
        e8(row["bid_high"]),
        e8(row["bid_low"]),
        e8(row["bid_close"]),
        e8(row["ask_open"]),
        e8(row["ask_high"]),
        e8(row["ask_low"]),
        e8(row["ask_close"]),
        int(row["ticks"]),
    )
