"""A desk for tests of orders that wait: what the market does to them, told in short."""

from typing import Any

from actors.domain.broker import apply
from actors.domain.commands import (
    CancelOrder,
    ClosePositionBy,
    ClosePositions,
    Input,
    Mode,
    ModifyOrder,
    ModifyPosition,
    ObserveStream,
    ObserveTicks,
    ReversePosition,
    SubmitOrder,
    Which,
)
from actors.domain.events.event import Event
from actors.domain.events.orders import OrderEnded, OrderFilled, OrderRejected
from actors.domain.money import format_e8
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Order, OrderTerms, OrderType, Position, Side
from actors.domain.quote import Tick
from tests.actors.domain.deals import NOW_NS
from tests.examples import ACCOUNT, EURUSD, terms, trading_state


class Desk:
    """One account of 10,000 USD with the prices of examples.py; EURUSD is at 1.10000/1.10020."""

    def __init__(self, mode: Mode = Mode.HEDGING, deposit: str = "10000.00", currency: str = "USD") -> None:
        self.state = trading_state(deposit, currency, mode)
        self.account = self.state.accounts[ACCOUNT]
        self.now_ns = NOW_NS
        self._sent = 0

    def tell(self, told: Input) -> list[Event]:
        return apply(self.state, told, self.now_ns)

    def submit(self, side: Side, kind: OrderType = OrderType.MARKET, quantity: str = "10000", **more: Any) -> list[str]:
        """An order of EURUSD; gives what came of it."""
        return self.send(terms("EURUSD", side, quantity, kind, **more))

    def send(self, asked: OrderTerms) -> list[str]:
        return told(self.tell(SubmitOrder(ACCOUNT, self.next_id(), asked)))

    def next_id(self) -> str:
        self._sent += 1
        return f"order-{self._sent}"

    def tick(self, bid: str, ask: str, *, live: bool = True) -> list[str]:
        seq = self.state.ticks["EURUSD"].seq + 1
        one = Tick("EURUSD", seq, self.now_ns, e8(bid), e8(ask), "A", "B", live)
        return told(self.tell(ObserveTicks((one,))))

    def later(self, now_ns: int) -> list[str]:
        """It is so late now; the stream is alive."""
        self.now_ns = now_ns
        return told(self.tell(ObserveStream(now_ns)))

    def modify(self, order_id: int, asked: OrderTerms) -> list[str]:
        return told(self.tell(ModifyOrder(ACCOUNT, order_id, asked)))

    def cancel(self, order_id: int) -> list[str]:
        return told(self.tell(CancelOrder(ACCOUNT, order_id)))

    def protect(self, position_id: int, stop: str = "0", profit: str = "0", trail: str = "0") -> list[str]:
        return told(self.tell(ModifyPosition(ACCOUNT, position_id, e8(stop), e8(profit), e8(trail))))

    def close_by(self, one: int, other: int) -> list[str]:
        return told(self.tell(ClosePositionBy(ACCOUNT, self.next_id(), one, other)))

    def close_many(self, which: Which, symbol: str = "") -> list[str]:
        return told(self.tell(ClosePositions(ACCOUNT, self.next_id(), which, symbol)))

    def reverse(self, position_id: int) -> list[str]:
        return told(self.tell(ReversePosition(ACCOUNT, self.next_id(), position_id)))

    def order(self, order_id: int) -> Order:
        return self.account.orders[order_id]

    def positions(self) -> list[str]:
        return [held(position) for position in self.account.positions.values()]

    def balance_minor(self) -> int:
        return self.state.balance_minor(self.account)


def held(position: Position) -> str:
    open_price = format_e8(position.open_price_e8, EURUSD.price_digits)
    return f"{position.position_id}: {position.side.value} {format_e8(position.quantity_e8)} at {open_price}"


def told(events: list[Event]) -> list[str]:
    """Each event in words: "1 accepted", "2 stop_loss: sells 10000 at 1.09000 (-112.00) of 1", "3 cancelled OCO"."""
    return [_told(event) for event in events]


def _told(event: Event) -> str:
    name = type(event).__name__.removeprefix("Order").lower()
    if isinstance(event, OrderFilled):
        fill = event.fill
        price = format_e8(fill.price_e8, EURUSD.price_digits)
        gain = f" ({fill.profit_minor / 100:+.2f})" if fill.side is not event.position.side else ""
        reason = event.order.reason.value
        return f"{fill.order_id} {reason}: {fill.side.value}s {format_e8(fill.quantity_e8)} at {price}{gain}"
    if isinstance(event, OrderEnded | OrderRejected):
        return f"{event.order.order_id} {event.order.status.value} {event.code}"
    order = getattr(event, "order", None)
    if isinstance(order, Order):
        return f"{order.order_id} {name} {order.status.value}"
    return name
