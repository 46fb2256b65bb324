"""Domain values to rows of the tables, and back. Exact both ways: `Decimal` is what NUMERIC looks like in Python."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping

from actors.bus.messages import LedgerLine
from actors.domain.bar import Bar
from actors.domain.events import OrderFilled, OrderRejected
from actors.domain.instrument import Instrument
from actors.domain.ledger import Posting
from actors.domain.money import SCALE_DIGITS, format_e8, minor_digits
from actors.domain.order import Conversion, Fill, Order, OrderReason, OrderStatus, OrderType, Position, Side
from actors.domain.quote import Tick

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


def order_row(event: OrderFilled | OrderRejected) -> Row:
    order = event.order
    code, detail = (event.code, event.detail) if isinstance(event, OrderRejected) else (None, None)
    return {
        "order_id": order.order_id,
        "account_id": order.account_id,
        "client_order_id": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "type": order.type.value,
        "reason": order.reason.value,
        "quantity": numeric_e8(order.quantity_e8),
        "stop_loss": _or_null(order.stop_loss_e8),
        "take_profit": _or_null(order.take_profit_e8),
        "status": order.status.value,
        "filled": numeric_e8(order.filled_e8),
        "average_price": _or_null(order.average_price_e8),
        "position_id": order.position_id or None,
        "code": code,
        "detail": detail,
        "created": moment(order.created_ns),
        "created_ns": order.created_ns,
    }


def order_of(row: Stored) -> Order:
    return Order(
        row["order_id"],
        row["account_id"],
        row["client_order_id"],
        row["symbol"],
        Side(row["side"]),
        OrderType(row["type"]),
        OrderReason(row["reason"]),
        e8(row["quantity"]),
        _or_zero(row["stop_loss"]),
        _or_zero(row["take_profit"]),
        OrderStatus(row["status"]),
        e8(row["filled"]),
        _or_zero(row["average_price"]),
        row["position_id"] or 0,
        row["created_ns"],
    )


def fill_row(fill: Fill, currency: str) -> Row:
    conversion = fill.conversion
    return {
        "fill_id": fill.fill_id,
        "order_id": fill.order_id,
        "account_id": fill.account_id,
        "position_id": fill.position_id,
        "symbol": fill.symbol,
        "side": fill.side.value,
        "price": numeric_e8(fill.price_e8),
        "quantity": numeric_e8(fill.quantity_e8),
        "profit": numeric_minor(fill.profit_minor, currency),
        "currency": currency,
        "conversion_symbol": conversion.symbol or None,
        "conversion_tick_seq": conversion.tick_seq,
        "conversion_multiplier": numeric_e8(conversion.multiplier_e8),
        "conversion_divisor": numeric_e8(conversion.divisor_e8),
        "tick_seq": fill.tick_seq,
        "time": moment(fill.time_ns),
        "time_ns": fill.time_ns,
    }


def fill_of(row: Stored) -> Fill:
    return Fill(
        row["fill_id"],
        row["order_id"],
        row["account_id"],
        row["position_id"],
        row["symbol"],
        Side(row["side"]),
        e8(row["price"]),
        e8(row["quantity"]),
        minor(row["profit"], row["currency"]),
        Conversion(
            row["conversion_symbol"] or "",
            row["conversion_tick_seq"],
            e8(row["conversion_multiplier"]),
            e8(row["conversion_divisor"]),
        ),
        row["tick_seq"],
        row["time_ns"],
    )


def position_row(position: Position, currency: str) -> Row:
    return {
        "position_id": position.position_id,
        "account_id": position.account_id,
        "symbol": position.symbol,
        "side": position.side.value,
        "quantity": numeric_e8(position.quantity_e8),
        "open_price": numeric_e8(position.open_price_e8),
        "margin": numeric_minor(position.margin_minor, currency),
        "currency": currency,
        "stop_loss": _or_null(position.stop_loss_e8),
        "take_profit": _or_null(position.take_profit_e8),
        "opened": moment(position.opened_ns),
        "opened_ns": position.opened_ns,
    }


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


def _or_null(value_e8: int) -> Decimal | None:
    return numeric_e8(value_e8) if value_e8 else None


def _or_zero(value: Decimal | None) -> int:
    return 0 if value is None else e8(value)
