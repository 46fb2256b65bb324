"""Accounts come to see other prices, by other terms of their group or in another group: what waits goes with them."""

from typing import NamedTuple

import msgspec

from actors.domain.account import Account
from actors.domain.group import Group
from actors.domain.order import BUY, Order, OrderType, Position, Side
from actors.domain.state import State
from actors.domain.trigger import Followed, Reached, Waiting
from actors.domain.waiting import clear, rewatch, watch_position, watch_price

TRAILING_STOP = OrderType.TRAILING_STOP


class Withdrawn(NamedTuple):
    """Trailing stops of one symbol on their way from one price class to another."""

    symbol: str
    below_bid: list[Followed]
    above_ask: list[Followed]


def define_group(state: State, group: Group) -> None:
    """The group's terms from now on. What waits for its clients' prices waits for the same ones; trails keep their
    distance, and so move by as much as a price does."""
    before = state.groups.get(group.name, group)
    symbols = [symbol for symbol in state.prices if before.markup_of(symbol) != group.markup_of(symbol)]
    moving = _withdrawn(state, symbols, before)
    state.define_group(group)
    for withdrawn in moving:
        rewatch(state, withdrawn.symbol)
        _follow_on(state, withdrawn, before, group)


def join_group(state: State, account: Account, name: str) -> None:
    """The account is one of another group from now on: what waits for it waits for that group's prices."""
    before, after = account.group, state.groups[name]

    def moves(it: Position | Order) -> bool:
        return it.symbol in state.prices and before.markup_of(it.symbol) != after.markup_of(it.symbol)

    positions = [position for position in account.positions.values() if moves(position)]
    orders = [order for order in account.orders.values() if moves(order)]
    moving = _taken_out(state, account, positions, orders)
    state.join_group(account, name)
    for withdrawn in moving:
        _follow_on(state, withdrawn, before, after)
    for position in positions:
        watch_position(state, msgspec.structs.replace(position, trailing_stop_e8=0), None)
    for order in orders:
        if order.terms.type is not TRAILING_STOP:
            watch_price(state, order)


def _taken_out(state: State, account: Account, positions: list[Position], orders: list[Order]) -> list[Withdrawn]:
    """The trailing stops among what an account has."""
    withdrawn: dict[str, Withdrawn] = {}

    def take(symbol: str, side: Side, distance_e8: int, waiting: Reached) -> None:
        """`side`: the side that it deals on when it is reached."""
        triggers = state.price_classes(symbol).of(account.group).triggers
        kept = withdrawn.setdefault(symbol, Withdrawn(symbol, [], []))
        falls = side is not BUY
        followed = (triggers.below_bid if falls else triggers.above_ask).take_out(distance_e8, waiting)
        if followed is not None:
            (kept.below_bid if falls else kept.above_ask).append(followed)

    for it in positions:
        if it.trailing_stop_e8:
            waiting = Reached(Waiting.TRAILING_STOP, it.position_id, account.account_id, it.trail_seq)
            take(it.symbol, it.side.opposite, it.trailing_stop_e8, waiting)
    for order in orders:
        if order.terms.type is TRAILING_STOP:
            waiting = Reached(Waiting.ORDER, order.order_id, account.account_id, order.trail_seq)
            take(order.symbol, order.side, order.terms.trail_e8, waiting)
    return list(withdrawn.values())


def _withdrawn(state: State, symbols: list[str], before: Group) -> list[Withdrawn]:
    """Before a group comes to see other prices: takes out its accounts' trailing stops in these symbols."""

    def stays(one: Reached) -> bool:
        return state.accounts[one.account_id].group.name != before.name

    withdrawn = []
    for symbol in symbols:
        triggers = state.price_classes(symbol).of(before).triggers
        trails = triggers.below_bid, triggers.above_ask
        withdrawn.append(
            Withdrawn(symbol, *([one for one in trail.followed() if not stays(one.waiting)] for trail in trails))
        )
        for trail in trails:
            trail.keep(stays)
    return withdrawn


def _follow_on(state: State, withdrawn: Withdrawn, before: Group, after: Group) -> None:
    """Trailing stops follow the prices that the group sees now, at the distance from their peaks that they had."""
    symbol, below_bid, above_ask = withdrawn
    if not (below_bid or above_ask):
        return
    triggers, tick = state.prices[symbol].triggers(after), state.ticks[symbol]
    was, now = before.tick(tick), after.tick(tick)
    for trail, followed, moved_e8 in (
        (triggers.below_bid, below_bid, now.bid_e8 - was.bid_e8),
        (triggers.above_ask, above_ask, was.ask_e8 - now.ask_e8),
    ):
        clear(state, trail)
        trail.restore(followed, moved_e8)
