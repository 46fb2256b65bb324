"""Executions: what a fill at a price does to positions and money, decided on without changing the state."""

import msgspec

from actors.domain import ledger, margin
from actors.domain.account import Account
from actors.domain.commands import Mode
from actors.domain.events import Event, OrderFilled
from actors.domain.instrument import Instrument
from actors.domain.ledger import Posting, PostingKind
from actors.domain.lifecycle import Step, after
from actors.domain.money import Rounding, div, mul_div
from actors.domain.order import (
    Conversion,
    Fill,
    Order,
    OrderReason,
    OrderStatus,
    OrderTerms,
    OrderType,
    Position,
)
from actors.domain.quote import Tick
from actors.domain.state import State

FLOOR, HALF_EVEN = Rounding.FLOOR, Rounding.HALF_EVEN
FILL = Step.FILL


class Deal:
    """Executions of one step, collected: each is numbered after the one before, and the state is not touched."""

    def __init__(
        self, state: State, account: Account, tick: Tick, now_ns: int, following: "Deal | None" = None
    ) -> None:
        """`following`: another deal of the same step, whose numbers this one goes on from."""
        self.events: list[Event] = []
        self._state = state
        self._account = account
        self._tick = tick
        self._now_ns = now_ns
        self._instrument: Instrument = state.instruments[tick.symbol]
        self._fill_id: int = following._fill_id if following else state.last_fill_id
        self._position_id: int = following._position_id if following else state.last_position_id
        self._posting_id: int = following._posting_id if following else state.last_posting_id

    def execute(self, order: Order, price_e8: int) -> None:
        """Fills the order, whole, at a price: as the account's mode and the order's terms will have it."""
        account, terms = self._account, order.terms
        left_e8 = terms.quantity_e8
        if account.mode is Mode.NETTING or terms.reduce_only:
            for position in self._opposite(terms):
                if left_e8:
                    part_e8 = min(left_e8, position.quantity_e8)
                    left_e8 -= part_e8
                    order = self.close(order, position, part_e8, price_e8, is_last=left_e8 == 0)
        if not left_e8:
            return
        same = self._same(terms) if account.mode is Mode.NETTING else None
        if same is None:
            self.open(order, left_e8, price_e8)
        else:
            self._add(order, same, left_e8, price_e8)

    def close(self, order: Order, position: Position, quantity_e8: int, price_e8: int, *, is_last: bool) -> Order:
        """Closes a quantity of a position for an order; the profit is booked. Gives the order as it is then."""
        account = self._account
        amount_e16 = margin.part_profit_e16(position, quantity_e8, price_e8)
        by = self._conversion(gain=amount_e16 > 0)
        profit_minor = margin.to_minor(amount_e16, by, account.currency, HALF_EVEN)
        order = _filled(order, quantity_e8, price_e8, position.position_id, is_last)
        fill = self._fill(order, quantity_e8, price_e8, profit_minor, by)
        postings = self._profit(fill) if profit_minor else ()
        self.events.append(OrderFilled(order, fill, _without(position, quantity_e8), postings))
        return order

    def open(self, order: Order, quantity_e8: int, price_e8: int) -> None:
        terms, account = order.terms, self._account
        by = self._conversion(gain=False)
        self._position_id += 1
        position = Position(
            self._position_id,
            account.account_id,
            terms.symbol,
            terms.side,
            quantity_e8,
            price_e8,
            margin.required_minor(self._instrument, quantity_e8, price_e8, by, account.currency),
            terms.stop_loss_e8,
            terms.take_profit_e8,
            self._now_ns,
            terms.trailing_stop_e8,
            trail_seq=self._state.event_seq + 1 if terms.trailing_stop_e8 else 0,
        )
        order = _filled(order, quantity_e8, price_e8, self._position_id, is_last=True)
        self.events.append(OrderFilled(order, self._fill(order, quantity_e8, price_e8, 0, by), position, ()))

    def _add(self, order: Order, position: Position, quantity_e8: int, price_e8: int) -> None:
        """To the one position of a netting account: its price is the average, exact with what that leaves over."""
        by = self._conversion(gain=False)
        sum_e8 = position.quantity_e8 + quantity_e8
        cost_e16 = position.cost_e16 + price_e8 * quantity_e8
        average_e8, rest_e16 = divmod(cost_e16, sum_e8)
        more_minor = margin.required_minor(self._instrument, quantity_e8, price_e8, by, self._account.currency)
        terms = order.terms
        grown = msgspec.structs.replace(
            position,
            quantity_e8=sum_e8,
            open_price_e8=average_e8,
            open_rest_e16=rest_e16,
            margin_minor=position.margin_minor + more_minor,
            stop_loss_e8=terms.stop_loss_e8 or position.stop_loss_e8,
            take_profit_e8=terms.take_profit_e8 or position.take_profit_e8,
            trailing_stop_e8=terms.trailing_stop_e8 or position.trailing_stop_e8,
            trail_seq=self._state.event_seq + 1 if terms.trailing_stop_e8 else position.trail_seq,
        )
        order = _filled(order, quantity_e8, price_e8, position.position_id, is_last=True)
        self.events.append(OrderFilled(order, self._fill(order, quantity_e8, price_e8, 0, by), grown, ()))

    def _opposite(self, terms: OrderTerms) -> list[Position]:
        """What the order would close, oldest first."""
        return [
            position
            for position in self._account.positions.values()
            if position.symbol == terms.symbol and position.side is not terms.side
        ]

    def _same(self, terms: OrderTerms) -> Position | None:
        for position in self._account.positions.values():
            if position.symbol == terms.symbol and position.side is terms.side:
                return position
        return None

    def _conversion(self, *, gain: bool) -> Conversion:
        state = self._state
        return margin.conversion(state.crosses, state.ticks, self._instrument.quote, self._account.currency, gain=gain)

    def _fill(self, order: Order, quantity_e8: int, price_e8: int, profit_minor: int, by: Conversion) -> Fill:
        self._fill_id += 1
        return Fill(
            self._fill_id,
            order.order_id,
            order.account_id,
            order.position_id,
            order.terms.symbol,
            order.terms.side,
            price_e8,
            quantity_e8,
            profit_minor,
            by,
            self._tick.seq,
            self._now_ns,
        )

    def _profit(self, fill: Fill) -> tuple[Posting, ...]:
        self._posting_id += 1
        account = self._account
        return (
            ledger.transfer(
                self._posting_id,
                PostingKind.TRADE,
                f"fill:{fill.fill_id}",
                self._now_ns,
                ledger.TRADING,
                account.ledger_account,
                account.currency,
                fill.profit_minor,
            ),
        )


def closing_order(
    order_id: int,
    position: Position,
    quantity_e8: int,
    client_order_id: str,
    request: str,
    reason: OrderReason,
    now_ns: int,
) -> Order:
    """The order that closes a quantity of a position, before its execution."""
    terms = OrderTerms(position.symbol, position.side.opposite, OrderType.MARKET, quantity_e8, reduce_only=True)
    return Order(
        order_id,
        position.account_id,
        client_order_id,
        terms,
        request,
        reason,
        OrderStatus.WORKING,
        0,
        0,
        position.position_id,
        now_ns,
    )


def _filled(order: Order, quantity_e8: int, price_e8: int, position_id: int, is_last: bool) -> Order:
    """The order after an execution. Built by hand: this is the hot path, and `replace` is slow."""
    before_e8 = order.filled_e8
    average_e8 = price_e8
    if before_e8:
        cost_e16 = order.average_price_e8 * before_e8 + price_e8 * quantity_e8
        average_e8 = div(cost_e16, before_e8 + quantity_e8, HALF_EVEN)
    return Order(
        order.order_id,
        order.account_id,
        order.client_order_id,
        order.terms,
        order.request,
        order.reason,
        after(order.status, FILL) if is_last else order.status,
        before_e8 + quantity_e8,
        average_e8,
        position_id,
        order.created_ns,
        order.trail_seq,
        order.asked_e8,
    )


def _without(position: Position, quantity_e8: int) -> Position:
    """The position after a quantity of it was closed; its margin shrinks in proportion, rounded up."""
    left_e8 = position.quantity_e8 - quantity_e8
    rest_e16 = position.open_rest_e16
    return msgspec.structs.replace(
        position,
        quantity_e8=left_e8,
        margin_minor=margin.left_minor(position, left_e8),
        open_rest_e16=rest_e16 - mul_div(rest_e16, quantity_e8, position.quantity_e8, FLOOR),
    )
