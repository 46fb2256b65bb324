"""Orders that wait, change and end."""

from actors.domain.dealing import oco
from actors.domain.events.orders import (
    ChangeAsked,
    ChangeRefused,
    OrderAccepted,
    OrderEnded,
    OrderModified,
    OrderRejected,
)
from actors.domain.evolution.table import Evolutions
from actors.domain.order import OrderReason
from actors.domain.state import State
from actors.domain.waiting import protect_again, watch_again, watch_order

PROTECTING = (OrderReason.STOP_LOSS, OrderReason.TAKE_PROFIT, OrderReason.TRAILING_STOP, OrderReason.STOP_OUT)
"""Closings that the engine asks for itself, and asks for again."""


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
    if event.order.terms.oco != before.terms.oco:
        watch_again(state, event.order)
    if event.order.at_venue_e8 < before.at_venue_e8:
        protect_again(state, account, event.order.symbol, event.order.side.opposite)


def _change_asked(state: State, event: ChangeAsked) -> None:
    state.accounts[event.order.account_id].take(event.order)
    state.books.ask(event.change)


def _change_refused(state: State, event: ChangeRefused) -> None:
    state.accounts[event.order.account_id].take(event.order)
    state.books.keep(event.change)


def _end(state: State, event: OrderEnded) -> None:
    order = event.order
    if order.order_id > state.last_order_id:
        state.last_order_id = order.order_id
    account = state.accounts[order.account_id]
    was_sent = order.order_id in account.orders and not state.books.is_plain
    account.take(order, None, event.code, event.detail)
    if was_sent:
        for other in oco.others(account, order):
            watch_again(state, other)
        protect_again(state, account, order.symbol, order.side.opposite)
        if order.reason in PROTECTING and not order.filled_e8 and order.position_id in account.positions:
            state.books.refuse(order.position_id, order.created_ns)


EVOLVE: Evolutions = {
    OrderAccepted: _accepted,
    OrderModified: _modified,
    ChangeAsked: _change_asked,
    ChangeRefused: _change_refused,
    OrderEnded: _end,
    OrderRejected: _end,
}
