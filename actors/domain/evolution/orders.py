"""Orders that wait, change and end."""

from actors.domain.events import OrderAccepted, OrderEnded, OrderModified, OrderRejected
from actors.domain.evolution.table import Evolutions
from actors.domain.state import State
from actors.domain.waiting import watch_order, watch_position


def _accepted(state: State, event: OrderAccepted) -> None:
    order = event.order
    state.last_order_id = order.order_id
    state.accounts[order.account_id].take(order)
    watch_order(state, order)


def _modified(state: State, event: OrderModified) -> None:
    account = state.accounts[event.order.account_id]
    before = account.orders[event.order.order_id]
    account.take(event.order)
    watch_order(state, event.order, before)


def _end(state: State, event: OrderEnded) -> None:
    order = event.order
    if order.order_id > state.last_order_id:
        state.last_order_id = order.order_id
    account = state.accounts[order.account_id]
    was_sent = order.order_id in account.orders and not state.books.is_plain
    account.take(order, None, event.code, event.detail)
    if was_sent:
        # No venue closed them: protections that were reached, or may have been meanwhile, wait again.
        for position in account.positions.values():
            if position.symbol == order.symbol and position.side is not order.side:
                watch_position(state, position, None)


EVOLVE: Evolutions = {
    OrderAccepted: _accepted,
    OrderModified: _modified,
    OrderEnded: _end,
    OrderRejected: _end,
}
