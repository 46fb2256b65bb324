"""Orders from their submission to their end: dealt at once, waiting, triggered, changed, cancelled, expired."""

import msgspec

from actors.domain.account import Account
from actors.domain.calendar import roll_after
from actors.domain.checks import (
    account_of,
    check_client_order_id,
    check_limits,
    check_protection,
    check_rate,
    check_size,
    check_terms,
    dealable_tick,
    instrument_of,
    is_within,
)
from actors.domain.commands import CancelOrder, ModifyOrder, SubmitOrder
from actors.domain.dealing import abook, oco, resting
from actors.domain.dealing.fills import Deal
from actors.domain.dealing.lifecycle import Step, after
from actors.domain.events.event import Event
from actors.domain.events.orders import OrderAccepted, OrderEnded, OrderModified, OrderRejected
from actors.domain.instrument import Instrument
from actors.domain.money import format_e8
from actors.domain.order import BUY, Order, OrderReason, OrderStatus, OrderTerms, OrderType, TimeInForce
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.state import State
from actors.domain.waiting import waits_for_e8

MARKET, LIMIT, STOP, STOP_LIMIT = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT
TRAILING_STOP = OrderType.TRAILING_STOP
AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)
CLIENT, WORKING, REJECTED = OrderReason.CLIENT, OrderStatus.WORKING, OrderStatus.REJECTED


def submit_order(state: State, command: SubmitOrder, now_ns: int) -> list[Event]:
    account = account_of(state, command.account_id)
    check_client_order_id(command.client_order_id)
    known = account.outcomes.get(command.client_order_id)
    if known is not None:
        same_request(known.asked, command.terms, command.client_order_id)
        return []
    terms = command.terms
    instrument = instrument_of(state, terms.symbol)
    check_terms(instrument, terms, now_ns)
    order = Order(
        state.last_order_id + 1,
        command.account_id,
        command.client_order_id,
        terms,
        "",
        CLIENT,
        WORKING,
        0,
        0,
        0,
        now_ns,
    )
    try:
        check_rate(account, now_ns)
        return _place(state, account, instrument, order, now_ns)
    except Refused as refusal:
        return [OrderRejected(_with_status(order, REJECTED), refusal.code.value, refusal.detail)]


def same_request(asked: OrderTerms | str, terms: OrderTerms | str, client_order_id: str) -> None:
    """Raises Refused where a client_order_id that is known comes with another request."""
    if asked != terms:
        raise Refused(
            Code.DUPLICATE_CLIENT_ORDER_ID,
            f"client_order_id {client_order_id!r} belongs to another request of this account",
            "client_order_id",
        )


def modify_order(state: State, command: ModifyOrder, now_ns: int) -> list[Event]:
    account = account_of(state, command.account_id)
    order = _waiting_order(state, account, command.order_id)
    old, new = order.terms, command.terms
    if (old.symbol, old.side, old.type) != (new.symbol, new.side, new.type):
        raise Refused(Code.BAD_TERMS, "symbol, side and type of an order stay as they are: cancel it", "type")
    if old == new and not resting.is_asked(state, order):
        return []
    if command.seen not in (None, old):
        raise Refused(Code.VERSION_MISMATCH, f"order {order.order_id} was changed in the meantime")
    if new.time_in_force is TimeInForce.DAY and new.expires_ns == old.expires_ns:
        # As it was read from the order: a day order's end is ours to name.
        new = msgspec.structs.replace(new, expires_ns=0)
    instrument = instrument_of(state, new.symbol)
    check_terms(instrument, new, now_ns)
    if new.time_in_force in AT_ONCE:
        raise Refused(Code.BAD_TERMS, "an order that waits cannot become one for at once", "time_in_force")
    check_size(account, instrument, new)
    tick = dealable_tick(state, account, new.symbol, now_ns)
    if order.at_venue_e8:
        return resting.change(state, account, order, _with_expiry(new, now_ns), tick, now_ns)
    follows_on = new.trail_e8 == old.trail_e8
    trail_seq = order.trail_seq if follows_on else state.event_seq + 1
    changed = msgspec.structs.replace(order, terms=_with_expiry(new, now_ns), trail_seq=trail_seq)
    if changed == order:
        return []
    if new.oco != old.oco:
        oco.check_free(account, changed)
    if _is_marketable(changed, tick):
        return [OrderModified(changed), *deal_order(state, account, instrument, changed, tick, now_ns)]
    _check_side_of_market(changed, tick)
    return [OrderModified(changed)]


def cancel_order(state: State, command: CancelOrder, now_ns: int) -> list[Event]:
    order = _waiting_order(state, account_of(state, command.account_id), command.order_id)
    if order.at_venue_e8:
        return resting.cancel(state, order, now_ns)
    return [_ended(order, Step.CANCEL, "CANCELLED", "cancelled by its client")]


def expire_order(state: State, order_id: int, account_id: int, now_ns: int) -> list[Event]:
    """The time of an order has come, if it is still its time."""
    order = state.accounts[account_id].orders.get(order_id)
    if order is None or order.at_venue_e8 or not 0 < order.terms.expires_ns <= now_ns:
        return []
    return [_ended(order, Step.EXPIRE, abook.EXPIRED, "its time in force is over")]


def reach_order(state: State, account: Account, order_id: int, mark: int, now_ns: int) -> list[Event]:
    """The market is where an order waits for it, if it still waits there: it triggers, is dealt, or ends.

    One that is held for another of its mark (oco.py) does nothing.
    """
    order = account.orders.get(order_id)
    if (
        order is None
        or order.at_venue_e8
        or oco.is_held(account, order)
        or mark != (order.trail_seq if order.terms.type is TRAILING_STOP else waits_for_e8(order))
    ):
        return []
    tick = account.ticks[order.terms.symbol]
    if order.terms.type is STOP_LIMIT and order.status is WORKING:
        order = _with_status(order, after(order.status, Step.TRIGGER))
        if not _is_marketable(order, tick):
            return [OrderModified(order)]
    elif order.terms.type is STOP_LIMIT and not _is_marketable(order, tick):
        # Its stop, of a wait that was given up and taken up again: reached a second time, with the limit's price.
        return []
    try:
        return deal_order(state, account, state.instruments[order.terms.symbol], order, tick, now_ns)
    except Refused as refusal:
        return [_ended(order, Step.CANCEL, refusal.code.value, refusal.detail)]


def _place(state: State, account: Account, instrument: Instrument, order: Order, now_ns: int) -> list[Event]:
    """A new order: dealt now, or accepted to wait; raises Refused where the rules forbid it."""
    terms = order.terms
    if terms.oco:
        oco.check_free(account, order)
    check_size(account, instrument, terms)
    tick = dealable_tick(state, account, terms.symbol, now_ns)
    routing = resting.routing_of(state, account, terms, now_ns)
    if routing is not None:
        _check_room(account)
        order = msgspec.structs.replace(order, terms=_with_expiry(terms, now_ns))
        return resting.place(state, account, order, routing, tick, now_ns)
    if terms.type is MARKET or (terms.type is LIMIT and _is_marketable(order, tick)):
        return deal_order(state, account, instrument, order, tick, now_ns)
    if terms.time_in_force in AT_ONCE:
        return [_ended(order, Step.CANCEL, "NOT_MARKETABLE", "the market was not at the order's price")]
    _check_side_of_market(order, tick)
    _check_room(account)
    trail_seq = state.event_seq + 1 if terms.type is TRAILING_STOP else 0
    return [OrderAccepted(msgspec.structs.replace(order, terms=_with_expiry(terms, now_ns), trail_seq=trail_seq))]


def _check_room(account: Account) -> None:
    limit = account.limits.waiting_orders
    if limit and len(account.orders) >= limit:
        raise Refused(Code.TOO_MANY_ORDERS, f"{len(account.orders)} orders wait already, at most {limit} may", "")


def deal_order(
    state: State, account: Account, instrument: Instrument, order: Order, tick: Tick, now_ns: int
) -> list[Event]:
    """Deals an order, whole, at the tick, or sends it to venues; what is filled ends the others of its mark."""
    terms = order.terms
    if terms.oco:
        oco.check_free(account, order)
    price_e8 = tick.ask_e8 if terms.side is BUY else tick.bid_e8
    if terms.bound_e8 and not is_within(terms.side, price_e8, terms.bound_e8):
        raise Refused(Code.PRICE_BOUND, f"the price is beyond the order's bound {format_e8(terms.bound_e8)}", "bound")
    check_protection(terms, tick)
    if terms.reduce_only:
        order = _reduced(state, account, order)
    else:
        check_limits(account, instrument)
    order, for_venues_e8, venues = abook.routed(state, account, order, price_e8, now_ns)
    deal = Deal(state, account, tick, now_ns)
    deal.execute(order, price_e8)
    deal = abook.route(state, account, deal, order, price_e8, for_venues_e8, venues, now_ns)
    if terms.oco:
        deal.events += oco.others_cancelled(account, order, deal.events)
    return deal.events


def _reduced(state: State, account: Account, order: Order) -> Order:
    """A reduce-only order is cut to what there is to close; raises Refused where that is nothing."""
    terms = order.terms
    open_e8 = sum(
        position.quantity_e8
        for position in account.positions.values()
        if position.symbol == terms.symbol and position.side is not terms.side
    )
    if not state.books.is_plain:
        open_e8 -= sum(
            other.at_venue_e8
            for other in account.orders.values()
            if other.terms.reduce_only and other.symbol == terms.symbol and other.side is terms.side
        )
    if open_e8 <= 0:
        raise Refused(Code.NOTHING_TO_CLOSE, f"nothing of {terms.symbol} is open on the other side", "reduce_only")
    if open_e8 >= terms.quantity_e8:
        return order
    cut = msgspec.structs.replace(terms, quantity_e8=open_e8)
    return msgspec.structs.replace(order, terms=cut, asked_e8=terms.quantity_e8)


def _is_marketable(order: Order, tick: Tick) -> bool:
    """Whether a limit order's price is there."""
    terms = order.terms
    if terms.type is not LIMIT and order.status is WORKING:
        return False
    return tick.ask_e8 <= terms.limit_e8 if terms.side is BUY else tick.bid_e8 >= terms.limit_e8


def _check_side_of_market(order: Order, tick: Tick) -> None:
    """A stop must be worse than the market, a price to be touched better; a limit that waits is better by itself."""
    terms = order.terms
    market_e8 = tick.ask_e8 if terms.side is BUY else tick.bid_e8
    if not terms.stop_e8 or order.status is not WORKING:
        return
    is_worse = terms.stop_e8 > market_e8 if terms.side is BUY else terms.stop_e8 < market_e8
    if is_worse is (terms.type is OrderType.MARKET_IF_TOUCHED) or terms.stop_e8 == market_e8:
        raise Refused(
            Code.WRONG_SIDE_OF_MARKET,
            f"a {terms.type.value} to {terms.side.value} at {format_e8(terms.stop_e8)} is on the wrong side of "
            f"{format_e8(market_e8)}",
            "stop",
        )


def _with_expiry(terms: OrderTerms, now_ns: int) -> OrderTerms:
    if terms.time_in_force is not TimeInForce.DAY:
        return terms
    return msgspec.structs.replace(terms, expires_ns=roll_after(now_ns))


def _waiting_order(state: State, account: Account, order_id: int) -> Order:
    order = account.orders.get(order_id)
    if order is None:
        raise Refused(Code.UNKNOWN_ORDER, f"order {order_id} does not wait (any more)", "order_id")
    if order.at_venue_e8 and resting.sent_of(state, order) is None:
        raise Refused(Code.AT_VENUE, f"order {order_id} is with a venue, and ends with its answer", "order_id")
    return order


def _ended(order: Order, step: Step, code: str, detail: str) -> OrderEnded:
    return OrderEnded(_with_status(order, after(order.status, step)), code, detail)


def _with_status(order: Order, status: OrderStatus) -> Order:
    return msgspec.structs.replace(order, status=status)
