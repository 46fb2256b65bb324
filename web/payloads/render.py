"""Domain to JSON: integers become decimal text here, and nowhere else in the web process."""

from collections.abc import Mapping
from typing import Any

from actors.bus.history_answers import LedgerLine
from actors.domain.account import AccountSummary
from actors.domain.instrument import Instrument
from actors.domain.money import format_e8, format_minor
from actors.domain.order import Fill, Order, Outcome, Position
from actors.domain.prices.bar import Bar
from actors.domain.quote import Tick
from actors.domain.risk.stop_out import level_e4
from web.payloads.bodies import (
    AccountBody,
    BarBody,
    EntryBody,
    ExecutionBody,
    FillBody,
    OrderBody,
    PositionBody,
    SymbolBody,
    TickBody,
)
from web.payloads.messages import AccountMessage, FillMessage, OrderMessage, PositionMessage, Quote
from web.payloads.times import format_ns


class Renderer:
    """Writes prices with the digits of their instrument; `instruments` is looked at anew each time."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments

    def symbol(self, instrument: Instrument, tick: Tick | None) -> SymbolBody:
        return SymbolBody(
            symbol=instrument.symbol,
            base=instrument.base,
            quote=instrument.quote,
            description=instrument.description,
            price_digits=instrument.price_digits,
            quantity_min=format_e8(instrument.quantity_min_e8),
            quantity_max=format_e8(instrument.quantity_max_e8),
            quantity_step=format_e8(instrument.quantity_step_e8),
            margin_rate=format_e8(instrument.margin_rate_e8),
            bid=self.price(tick.symbol, tick.bid_e8) if tick else None,
            ask=self.price(tick.symbol, tick.ask_e8) if tick else None,
            time=format_ns(tick.time_ns) if tick else None,
            seq=tick.seq if tick else None,
            live=tick is not None and tick.live,
        )

    def tick(self, tick: Tick) -> TickBody:
        return TickBody(**self._tick(tick))

    def quote(self, tick: Tick) -> Quote:
        return Quote(symbol=tick.symbol, **self._tick(tick))

    def order(self, order: Order) -> OrderBody:
        return OrderBody(type=order.terms.type.value, **self._order(order))

    def order_message(self, order: Order, seq: int, code: str = "", detail: str = "") -> OrderMessage:
        """`code` and `detail`: why it was rejected, or ended without being filled whole."""
        kind = order.terms.type.value
        return OrderMessage(order_type=kind, code=code or None, detail=detail or None, seq=seq, **self._order(order))

    def fill(self, fill: Fill, currency: str) -> FillBody:
        return FillBody(**self._fill(fill, currency))

    def fill_message(self, fill: Fill, currency: str, seq: int) -> FillMessage:
        return FillMessage(seq=seq, **self._fill(fill, currency))

    def execution(self, outcome: Outcome, currency: str) -> ExecutionBody:
        return ExecutionBody(
            order=self.order(outcome.order),
            fills=[self.fill(fill, currency) for fill in outcome.fills],
            code=outcome.code or None,
            detail=outcome.detail or None,
        )

    def position(self, position: Position, price_e8: int, profit_minor: int, currency: str) -> PositionBody:
        """`price_e8`: what it would close at; `profit_minor`: what that would bring."""
        return PositionBody(**self._position(position, price_e8, profit_minor, currency))

    def position_message(
        self, position: Position, price_e8: int, profit_minor: int, currency: str, seq: int
    ) -> PositionMessage:
        status = "open" if position.quantity_e8 else "closed"
        return PositionMessage(status=status, seq=seq, **self._position(position, price_e8, profit_minor, currency))

    def bar(self, bar: Bar, *, ask: bool) -> BarBody:
        """On the ask, or else on the bid."""
        prices = (
            (bar.ask_open_e8, bar.ask_high_e8, bar.ask_low_e8, bar.ask_close_e8)
            if ask
            else (bar.bid_open_e8, bar.bid_high_e8, bar.bid_low_e8, bar.bid_close_e8)
        )
        opened, high, low, close = (self.price(bar.symbol, price_e8) for price_e8 in prices)
        return BarBody(time=format_ns(bar.start_ns), open=opened, high=high, low=low, close=close, ticks=bar.ticks)

    def price(self, symbol: str, price_e8: int) -> str:
        instrument = self._instruments.get(symbol)
        return format_e8(price_e8, instrument.price_digits if instrument else 0)

    def _price_or_none(self, symbol: str, price_e8: int) -> str | None:
        return self.price(symbol, price_e8) if price_e8 else None

    def _tick(self, tick: Tick) -> dict[str, Any]:
        return {
            "seq": tick.seq,
            "time": format_ns(tick.time_ns),
            "bid": self.price(tick.symbol, tick.bid_e8),
            "ask": self.price(tick.symbol, tick.ask_e8),
            "lp_bid": tick.lp_bid,
            "lp_ask": tick.lp_ask,
            "live": tick.live,
        }

    def _order(self, order: Order) -> dict[str, Any]:
        terms = order.terms
        prices = {
            "limit_price": terms.limit_e8,
            "stop_price": terms.stop_e8,
            "trail": terms.trail_e8,
            "price_bound": terms.bound_e8,
            "stop_loss": terms.stop_loss_e8,
            "take_profit": terms.take_profit_e8,
            "trailing_stop": terms.trailing_stop_e8,
        }
        return {
            "id": str(order.order_id),
            "account_id": str(order.account_id),
            "client_order_id": order.client_order_id,
            "symbol": terms.symbol,
            "side": terms.side.value,
            "quantity": format_e8(terms.quantity_e8),
            "filled_quantity": format_e8(order.filled_e8),
            "average_price": self._price_or_none(terms.symbol, order.average_price_e8),
            **{field: self._price_or_none(terms.symbol, price_e8) for field, price_e8 in prices.items()},
            "time_in_force": terms.time_in_force.value,
            "expires": format_ns(terms.expires_ns) if terms.expires_ns else None,
            "reduce_only": terms.reduce_only,
            "oco": terms.oco or None,
            "status": order.status.value,
            "reason": order.reason.value,
            "position_id": str(order.position_id) if order.position_id else None,
            "created_at": format_ns(order.created_ns),
        }

    def _fill(self, fill: Fill, currency: str) -> dict[str, Any]:
        return {
            "id": str(fill.fill_id),
            "order_id": str(fill.order_id),
            "position_id": str(fill.position_id),
            "symbol": fill.symbol,
            "side": fill.side.value,
            "price": self.price(fill.symbol, fill.price_e8),
            "quantity": format_e8(fill.quantity_e8),
            "profit": format_minor(fill.profit_minor, currency),
            "commission": format_minor(fill.commission_minor, currency),
            "tick_seq": fill.tick_seq,
            "time": format_ns(fill.time_ns),
        }

    def _position(self, position: Position, price_e8: int, profit_minor: int, currency: str) -> dict[str, Any]:
        symbol = position.symbol
        return {
            "id": str(position.position_id),
            "symbol": symbol,
            "side": position.side.value,
            "quantity": format_e8(position.quantity_e8),
            "open_price": self.price(symbol, position.open_price_e8),
            "current_price": self.price(symbol, price_e8),
            "profit": format_minor(profit_minor, currency),
            "margin": format_minor(position.margin_minor, currency),
            "stop_loss": self._price_or_none(symbol, position.stop_loss_e8),
            "take_profit": self._price_or_none(symbol, position.take_profit_e8),
            "trailing_stop": self._price_or_none(symbol, position.trailing_stop_e8),
            "opened_at": format_ns(position.opened_ns),
        }


def account(summary: AccountSummary) -> AccountBody:
    return AccountBody(**_account(summary))


def account_message(summary: AccountSummary, seq: int) -> AccountMessage:
    return AccountMessage(seq=seq, **_account(summary))


def entry(line: LedgerLine) -> EntryBody:
    return EntryBody(
        id=str(line.entry_id),
        posting_id=str(line.posting_id),
        time=format_ns(line.time_ns),
        kind=line.kind,
        amount=format_minor(line.amount_minor, line.currency),
        currency=line.currency,
        balance_after=format_minor(line.balance_minor, line.currency),
        reference=line.reference,
    )


def margin_level(summary: AccountSummary) -> str | None:
    """As `level`, of an account as it is."""
    return level(summary.equity_minor, summary.maintenance_minor)


def level(equity_minor: int, maintenance_minor: int) -> str | None:
    """In percent, with two places; None where no margin is used."""
    ratio_e4 = level_e4(equity_minor, maintenance_minor)
    return None if ratio_e4 is None else format_e8(ratio_e4 * 10**6, 2)


def _account(summary: AccountSummary) -> dict[str, Any]:
    currency = summary.currency
    return {
        "account_id": str(summary.account_id),
        "currency": currency,
        "balance": format_minor(summary.balance_minor, currency),
        "equity": format_minor(summary.equity_minor, currency),
        "credit": format_minor(summary.credit_minor, currency),
        "open_profit": format_minor(summary.open_profit_minor, currency),
        "margin": format_minor(summary.margin_minor, currency),
        "free_margin": format_minor(summary.free_margin_minor, currency),
        "margin_level": margin_level(summary),
        "time": format_ns(summary.time_ns),
    }
