"""A-book execution: what of an order goes to venues, and what their reports do to it.

A client's order for a venue stays WORKING (or TRIGGERED) with `at_venue_e8` above zero until the venues have answered
for all of it; `at_venue_e8` is always the sum of what is left of its child orders. Child orders are dealt at once or
come back (IOC, or FOK where the client says so): a limit order waits for its price with us. The client gets the
venue's price, as much worse as its group's was when the order was sent. What comes back goes to the next venue of the
list, and where there is none the order ends.
"""

import msgspec

from actors.domain.account import WAITING, Account
from actors.domain.commands import Mode
from actors.domain.dealing import oco
from actors.domain.dealing.covered import close_here, close_oldest, covered_e8, opposites
from actors.domain.dealing.fills import Deal
from actors.domain.dealing.free_margin import check_free_margin
from actors.domain.dealing.headroom import check_headroom
from actors.domain.dealing.lifecycle import Step, after
from actors.domain.events.event import Event
from actors.domain.events.orders import Cover, OrderAccepted, OrderEnded, OrderFilled, OrderModified
from actors.domain.events.venues import BreakFound, ChildChanged, ChildSent, InquiryDue
from actors.domain.money import CEILING, format_e8, mul_div
from actors.domain.order import BUY, Order, OrderReason, OrderTerms, OrderType, Position, TimeInForce
from actors.domain.risk import margin
from actors.domain.routing.books import SentChild
from actors.domain.routing.child import Break, ChildOrder, Effects, Inquiry, Rest, VenueFill, send
from actors.domain.routing.route import RouteRequest
from actors.domain.state import State

FINISH_LIMIT_NS = 5_000_000_000
"""A child order should be over by then; if it is not, its venue is asked."""
PROFESSIONAL, RETAIL = "professional", "retail"
"""What rules call a client class."""
CLIENT, CLOSE = OrderReason.CLIENT, OrderReason.CLOSE
FOK, IOC, NETTING = TimeInForce.FOK, TimeInForce.IOC, Mode.NETTING
LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT)


def routed(
    state: State, account: Account, order: Order, price_e8: int, now_ns: int
) -> tuple[Order, int, tuple[str, ...]]:
    """The order with the rule that it went by, how much of it goes to venues, and to which.

    What closes goes where it was opened, what opens where the rules say. Of a fill-or-kill order all or nothing.
    """
    books = state.books
    if books.is_plain and not books.rules.version:
        return order, 0, ()
    terms, group = order.terms, account.group
    left_e8, for_venues_e8 = terms.quantity_e8, 0
    venues: tuple[str, ...] = ()
    if account.mode is NETTING or terms.reduce_only:
        for position in opposites(account, terms):
            part_e8 = min(left_e8, position.quantity_e8)
            left_e8 -= part_e8
            covered_e8 = min(part_e8, position.a_book_e8)
            if covered_e8:
                for_venues_e8 += covered_e8
                venues = (*venues, position.venue)
    if left_e8 and not terms.reduce_only:
        client_class = RETAIL if group.retail else PROFESSIONAL
        request = RouteRequest(
            account.account_id, group.name, client_class, terms.symbol, terms.side, left_e8, price_e8, now_ns
        )
        routing = books.router(state.instruments).route(request)
        order = msgspec.structs.replace(order, routed_by=books.routed_by[routing.rule_id])
        for_venues_e8 += routing.a_book_e8
        venues += routing.venues
    elif for_venues_e8:
        venues += books.venues
    if for_venues_e8 and terms.time_in_force is FOK:
        for_venues_e8 = terms.quantity_e8
    return order, for_venues_e8, tuple(dict.fromkeys(venues))


def route(
    state: State,
    account: Account,
    deal: Deal,
    order: Order,
    price_e8: int,
    for_venues_e8: int,
    venues: tuple[str, ...],
    now_ns: int,
    following: Deal | None = None,
) -> Deal:
    """What becomes of an order that `deal` has dealt at a price of the broker's own: that, or what venues get.

    `for_venues_e8` and `venues` are those of `routed`.

    Raises Refused where free margin does not suffice, or too much would be open. `following`: what has really been
    done before, in the same step.
    """
    check_headroom(state, account, deal, now_ns)
    needed_minor = check_free_margin(state, account, deal)
    if not for_venues_e8 and following is None:
        return deal
    real = Deal(state, account, account.ticks[order.symbol], now_ns, following)
    if not for_venues_e8:
        real.execute(order, price_e8)
        return real
    reserved_minor = mul_div(_cost_minor(state, account, deal, needed_minor), for_venues_e8, order.quantity_e8, CEILING)
    order = msgspec.structs.replace(order, at_venue_e8=for_venues_e8, reserved_minor=reserved_minor)
    real.events.append(OrderAccepted(order) if order.order_id > state.last_order_id else OrderModified(order))
    if order.quantity_e8 > for_venues_e8:
        real.execute(order, price_e8, order.quantity_e8 - for_venues_e8)
    real.events.append(_sent(state, account, order, venues, now_ns))
    return real


def close(
    state: State,
    account: Account,
    deal: Deal,
    order: Order,
    position: Position,
    price_e8: int,
    now_ns: int,
) -> None:
    """Closes as much of a position as the order says: at a price, or at venues what venues have opened.

    Where venues have refused a protection too often, the broker closes the position and keeps what it has there.
    """
    for_venues_e8 = covered_e8(account, position, order.quantity_e8)
    if for_venues_e8 and order.reason is not CLOSE and state.books.has_given_up(position.position_id):
        close_here(deal, order, position, price_e8, for_venues_e8)
        return
    if not for_venues_e8:
        deal.close(order, position, order.quantity_e8, price_e8)
        return
    order = msgspec.structs.replace(order, at_venue_e8=for_venues_e8)
    deal.events.append(OrderAccepted(order))
    if order.quantity_e8 > for_venues_e8:
        deal.close(order, position, order.quantity_e8 - for_venues_e8, price_e8)
    venues = tuple(dict.fromkeys((position.venue, *state.books.venues)))
    deal.events.append(_sent(state, account, order, venues, now_ns))


def carry(
    state: State, sent: SentChild, child: ChildOrder, effects: Effects, now_ns: int, actor: str = ""
) -> list[Event]:
    """What it means to a child order's client, and to the next venue, that it is another now."""
    account = state.accounts.get(sent.account_id)
    order = account.orders.get(child.parent_id) if account is not None else None
    told = order
    fill = next((effect for effect in effects if isinstance(effect, VenueFill)), None)
    unsent_e8 = 0
    dealt: list[Event] = []
    if fill is not None and sent.account_id:
        unsent_e8 = fill.quantity_e8
        if account is not None and order is not None:
            deal = _deal(state, account, order, child, sent.markup_e8, fill, now_ns)
            for event in deal.events:
                if isinstance(event, OrderFilled):
                    order = told = event.order
                    unsent_e8 -= event.fill.quantity_e8
            dealt = deal.events + oco.others_cancelled(account, order, deal.events)
            order = _back(order, unsent_e8)
    events: list[Event] = []
    if child is not sent.child:
        events = [ChildChanged(child, fill, unsent_e8, actor), *dealt]
    for effect in effects:
        if isinstance(effect, Rest):
            if sent.venues:
                events.append(_sent_on(sent, child, effect.quantity_e8, now_ns))
            elif order is not None:
                order = _back(order, effect.quantity_e8)
        elif isinstance(effect, Inquiry):
            events.append(InquiryDue(child.child_id, child.venue))
        elif isinstance(effect, Break):
            events.append(BreakFound(effect))
    if order is not None and order.status in WAITING:
        if not order.at_venue_e8:
            events.append(_ended(order, child))
        elif order is not told:
            events.append(OrderModified(order))
    return events


def _deal(
    state: State, account: Account, order: Order, child: ChildOrder, markup_e8: int, fill: VenueFill, now_ns: int
) -> Deal:
    """The client's part of a venue's fill. What it has nothing to close with any more is not dealt."""
    sign = 1 if child.side is BUY else -1
    price_e8 = max(1, fill.price_e8 + sign * markup_e8)
    cover = Cover(child.venue, fill.price_e8, sign * (price_e8 - fill.price_e8))
    deal = Deal(state, account, account.ticks[child.symbol], now_ns, cover=cover)
    quantity_e8 = fill.quantity_e8
    if not order.terms.reduce_only:
        deal.execute(order, price_e8, quantity_e8)
    elif order.reason is CLIENT:
        close_oldest(deal, account, order, quantity_e8, price_e8)
    else:
        position = account.positions.get(order.position_id)
        if position is not None:
            deal.close(order, position, min(quantity_e8, position.quantity_e8), price_e8)
    return deal


def _sent(state: State, account: Account, order: Order, venues: tuple[str, ...], now_ns: int) -> ChildSent:
    """The first child of an order, for all of it that goes to venues."""
    terms = order.terms
    seen, market = account.ticks[terms.symbol], state.ticks[terms.symbol]
    markup_e8 = seen.ask_e8 - market.ask_e8 if terms.side is BUY else market.bid_e8 - seen.bid_e8
    child = send(
        order.order_id,
        1,
        venues[0],
        terms.symbol,
        terms.side,
        order.at_venue_e8,
        _bound_e8(terms, markup_e8),
        now_ns + FINISH_LIMIT_NS,
        now_ns,
    )
    time_in_force = FOK if terms.time_in_force is FOK else IOC
    return ChildSent(SentChild(child, order.account_id, venues[1:], time_in_force, markup_e8))


def _sent_on(sent: SentChild, child: ChildOrder, quantity_e8: int, now_ns: int) -> ChildSent:
    """What came back, for the next venue."""
    onward = send(
        child.parent_id,
        child.attempt + 1,
        sent.venues[0],
        child.symbol,
        child.side,
        quantity_e8,
        child.bound_e8,
        now_ns + FINISH_LIMIT_NS,
        now_ns,
    )
    return ChildSent(SentChild(onward, sent.account_id, sent.venues[1:], sent.time_in_force, sent.markup_e8))


def _bound_e8(terms: OrderTerms, markup_e8: int) -> int:
    """The worst price at a venue that keeps the client, with its markup, within its own; 0 where there is none."""
    bound_e8 = terms.limit_e8 if terms.type in LIMITED else terms.bound_e8
    if not bound_e8:
        return 0
    return max(1, bound_e8 - markup_e8 if terms.side is BUY else bound_e8 + markup_e8)


def _cost_minor(state: State, account: Account, deal: Deal, needed_minor: int) -> int:
    """What a deal would take of free margin: margin, spread and commission."""
    if not needed_minor:
        return 0
    at_prices = (account.exposures, state.crosses, account.ticks, account.currency, account.converted)
    before_minor = margin.open_profit_minor(*at_prices)
    after_minor = margin.open_profit_minor(*at_prices, (deal.symbol, deal.exposure))
    return max(needed_minor, needed_minor + before_minor - after_minor - deal.moved_minor)


def _back(order: Order, quantity_e8: int) -> Order:
    """The order after a quantity came back from venues; what is reserved for it shrinks in proportion."""
    if not quantity_e8:
        return order
    left_e8 = order.at_venue_e8 - quantity_e8
    reserved_minor = mul_div(order.reserved_minor, left_e8, order.at_venue_e8, CEILING)
    return msgspec.structs.replace(order, at_venue_e8=left_e8, reserved_minor=reserved_minor)


def _ended(order: Order, child: ChildOrder) -> OrderEnded:
    """The order ends with what it has; the code is that of the last venue's answer."""
    left_e8 = order.quantity_e8 - order.filled_e8
    return OrderEnded(
        msgspec.structs.replace(order, status=after(order.status, Step.CANCEL)),
        f"VENUE_{child.state.name}",
        f"{format_e8(left_e8)} of it was not filled; {child.venue} was the last to answer",
    )
