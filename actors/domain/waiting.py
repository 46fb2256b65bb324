"""What waits for a price or a time: orders and protections, taken up into the state's triggers and expiries."""

import heapq

import msgspec

from actors.domain.account import Account
from actors.domain.order import BUY, Order, OrderStatus, OrderType, Position, Side
from actors.domain.quote import Tick
from actors.domain.state import State
from actors.domain.trigger import SPARE_ENTRIES, Reached, Trail, Triggers, Waiting

LIMIT, STOP, STOP_LIMIT = OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT
TRAILING_STOP = OrderType.TRAILING_STOP
TRIGGERED = OrderStatus.TRIGGERED


def waits_for_e8(order: Order) -> int:
    """The price that a waiting order waits for; 0 for one that follows the price."""
    terms = order.terms
    if terms.type is LIMIT or order.status is TRIGGERED:
        return terms.limit_e8
    return terms.stop_e8


def see(state: State, tick: Tick) -> list[Reached]:
    """The price of its symbol from now on; gives what it reaches, in order of dealing.

    A protection that venues have refused to carry out waits again, without a try, until its pause is over; so does
    all that waits for a group that is halted.
    """
    reached = state.observe(tick)
    if not (state.books.refusals or state.halts.has_groups):
        return reached
    return [one for one in reached if not _put_back(state, one, tick.time_ns)]


def _put_back(state: State, one: Reached, now_ns: int) -> bool:
    account = state.accounts[one.account_id]
    is_halted = state.halts.stops_group(account.group.name)
    if one.what is Waiting.ORDER:
        order = account.orders.get(one.item_id)
        if is_halted and order is not None and one.mark == (order.trail_seq or waits_for_e8(order)):
            watch_price(state, order, trail_reached=True)
        return is_halted
    if not (is_halted or state.books.pauses(one.item_id, now_ns)):
        return False
    position = account.positions.get(one.item_id)
    if position is None:
        return True
    alone = {
        Waiting.STOP_LOSS: {"take_profit_e8": 0, "trailing_stop_e8": 0},
        Waiting.TAKE_PROFIT: {"stop_loss_e8": 0, "trailing_stop_e8": 0},
        Waiting.TRAILING_STOP: {"stop_loss_e8": 0, "take_profit_e8": 0},
    }[one.what]
    if one.mark == _mark(position, one.what):
        watch_position(state, msgspec.structs.replace(position, **alone), None, trail_reached=True)
    return True


def _mark(position: Position, what: Waiting) -> int:
    """What an entry for this protection of the position has as its mark."""
    if what is Waiting.STOP_LOSS:
        return position.stop_loss_e8
    return position.take_profit_e8 if what is Waiting.TAKE_PROFIT else position.trail_seq


def watch_order(state: State, order: Order, before: Order | None = None) -> None:
    """The order waits for its price from now on, if it did not before, and for its end if it has one.

    One at a venue waits for nothing but the venue.
    """
    if before is None or _ends_as(order) != _ends_as(before):
        watch_expiry(state, order)
    if before is None or _waits_as(order) != _waits_as(before):
        watch_price(state, order)


def watch_price(state: State, order: Order, *, trail_reached: bool = False) -> None:
    """`trail_reached`: a trailing stop that does not follow any more was reached: as in `watch_position`."""
    if order.at_venue_e8:
        return
    terms = order.terms
    account = state.accounts[order.account_id]
    triggers = _triggers(state, account, terms.symbol)
    buys = terms.side is BUY
    if terms.type is TRAILING_STOP:
        waiting = Reached(Waiting.ORDER, order.order_id, order.account_id, order.trail_seq)
        tick = account.ticks[terms.symbol]
        _follow(state, triggers, tick, terms.trail_e8, waiting, below_bid=not buys, is_reached=trail_reached)
        return
    price_e8 = waits_for_e8(order)
    waiting = Reached(Waiting.ORDER, order.order_id, order.account_id, price_e8)
    if terms.type is STOP or (terms.type is STOP_LIMIT and order.status is not TRIGGERED):
        (triggers.when_ask_rises if buys else triggers.when_bid_falls)(price_e8, waiting)
    else:
        (triggers.when_ask_falls if buys else triggers.when_bid_rises)(price_e8, waiting)


def watch_again(state: State, order: Order) -> None:
    """The order may have been reached while it was held for another of its mark: it waits for its price anew."""
    watch_price(state, order, trail_reached=True)


def watch_expiry(state: State, order: Order) -> None:
    if order.terms.expires_ns and not order.at_venue_e8:
        heapq.heappush(state.expiries, (order.terms.expires_ns, order.order_id, order.account_id))
        if len(state.expiries) > state.expiries_room:
            state.expiries = [one for one in dict.fromkeys(state.expiries) if _still_ends(state, one)]
            state.expiries_room = 2 * len(state.expiries) + SPARE_ENTRIES
            heapq.heapify(state.expiries)


def watch_position(state: State, position: Position, before: Position | None, *, trail_reached: bool = False) -> None:
    """Takes up the protections that are not those it had before.

    `trail_reached`: if its trailing stop does not follow any more, it was reached, and nobody has closed the position:
    it waits at the price of now.
    """
    stop_e8, profit_e8, trail_e8 = position.stop_loss_e8, position.take_profit_e8, position.trailing_stop_e8
    if not (stop_e8 or profit_e8 or trail_e8) or not position.quantity_e8:
        return
    account = state.accounts[position.account_id]
    triggers = _triggers(state, account, position.symbol)
    buys = position.side is BUY
    ids = (position.position_id, position.account_id)
    if stop_e8 and (before is None or before.stop_loss_e8 != stop_e8):
        reached = Reached(Waiting.STOP_LOSS, *ids, stop_e8)
        (triggers.when_bid_falls if buys else triggers.when_ask_rises)(stop_e8, reached)
    if profit_e8 and (before is None or before.take_profit_e8 != profit_e8):
        reached = Reached(Waiting.TAKE_PROFIT, *ids, profit_e8)
        (triggers.when_bid_rises if buys else triggers.when_ask_falls)(profit_e8, reached)
    if trail_e8 and (before is None or before.trail_seq != position.trail_seq):
        reached = Reached(Waiting.TRAILING_STOP, *ids, position.trail_seq)
        tick = account.ticks[position.symbol]
        _follow(state, triggers, tick, trail_e8, reached, below_bid=buys, is_reached=trail_reached)


def protect_again(state: State, account: Account, symbol: str, side: Side) -> None:
    """Venues close less of these positions than they were to: protections that were reached meanwhile wait again."""
    for position in account.positions.values():
        if position.symbol == symbol and position.side is side:
            watch_position(state, position, None, trail_reached=True)


def rewatch(state: State, symbol: str) -> None:
    """Builds a symbol's triggers anew, but for the trails."""
    classes = state.prices[symbol]
    for one in classes.by_markup.values():
        one.triggers = one.triggers.without_entries()
    for account in state.accounts.values():
        for position in account.positions.values():
            if position.symbol == symbol:
                watch_position(state, msgspec.structs.replace(position, trailing_stop_e8=0), None)
        for order in account.orders.values():
            if order.terms.symbol == symbol and order.terms.type is not TRAILING_STOP:
                watch_price(state, order)
    for one in classes.by_markup.values():
        one.triggers.room = 2 * len(one.triggers) + SPARE_ENTRIES


def still_follows(state: State, one: Reached) -> bool:
    """Whether whoever a trailing stop is for is still there and has not given it up for another."""
    account = state.accounts[one.account_id]
    if one.what is Waiting.TRAILING_STOP:
        position = account.positions.get(one.item_id)
        return position is not None and position.trailing_stop_e8 > 0 and position.trail_seq == one.mark
    order = account.orders.get(one.item_id)
    return order is not None and order.trail_seq == one.mark


def _follow(
    state: State,
    triggers: Triggers,
    tick: Tick,
    distance_e8: int,
    reached: Reached,
    *,
    below_bid: bool,
    is_reached: bool = False,
) -> None:
    trail = triggers.below_bid if below_bid else triggers.above_ask
    clear(state, trail)
    price_e8 = tick.bid_e8 if below_bid else -tick.ask_e8
    trail.add(price_e8 + distance_e8 if is_reached else price_e8, distance_e8, reached)


def clear(state: State, trail: Trail) -> None:
    """Where a trail has too many entries: what was given up leaves."""
    if len(trail) > trail.room:
        trail.keep(lambda one: still_follows(state, one))


def _triggers(state: State, account: Account, symbol: str) -> Triggers:
    classes = state.price_classes(symbol)
    found = classes.triggers(account.group)
    if len(found) > found.room:
        rewatch(state, symbol)
    return classes.triggers(account.group)


def _still_ends(state: State, one: tuple[int, int, int]) -> bool:
    expires_ns, order_id, account_id = one
    order = state.accounts[account_id].orders.get(order_id)
    return order is not None and order.terms.expires_ns == expires_ns


def _ends_as(order: Order) -> tuple[int, bool]:
    return order.terms.expires_ns, bool(order.at_venue_e8)


def _waits_as(order: Order) -> tuple[OrderStatus, int, int]:
    return order.status, waits_for_e8(order), order.trail_seq
