"""Clients' limit orders that rest at a venue, as a dealing rule has it: sent at once, and changed and cancelled there.

What a venue is asked for (FIX 35=G, 35=F) holds when it says so; until then the order is as it was, and a fill that
comes first counts. One thing is asked of it at a time. An order that closes only, or that cancels others, waits with
us: what becomes of it hangs on more than its own price.
"""

from collections.abc import Iterable

import msgspec

from actors.domain.account import Account
from actors.domain.checks import check_limits, check_protection
from actors.domain.dealing.abook import EXPIRED, cost_minor, ended, markup_of
from actors.domain.dealing.abook import routing_of as rules_say
from actors.domain.dealing.fills import Deal
from actors.domain.dealing.free_margin import check_free_margin
from actors.domain.dealing.headroom import check_headroom
from actors.domain.events.event import Event
from actors.domain.events.orders import ChangeAsked, ChangeRefused, OrderAccepted, OrderModified
from actors.domain.events.venues import BreakFound, ChildChanged, ChildSent
from actors.domain.instrument import InstrumentState
from actors.domain.money import format_e8
from actors.domain.order import BUY, Order, OrderTerms, OrderType, TimeInForce
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.risk.requirement import NOTHING
from actors.domain.risk.stop_out import MarginStatus
from actors.domain.routing.books import CANCELLED, SentChild
from actors.domain.routing.child import (
    Break,
    BreakReason,
    ChildOrder,
    ChildState,
    ReportKind,
    VenueChange,
    VenueReport,
    child_id,
    send,
)
from actors.domain.routing.route import Routing
from actors.domain.state import State

GTC, LIMIT = TimeInForce.GTC, OrderType.LIMIT
STANDING = (GTC, TimeInForce.GTD, TimeInForce.DAY)
PAUSE_NS = 1_000_000_000
"""A venue that was asked for a change, or refuses to cancel, is asked to cancel again so much later; then after twice
as long, and so on."""
PAUSE_DOUBLINGS = 8
"""The longest pause is 2^8 times PAUSE_NS: 256 s. A venue may refuse for a whole weekend."""


def routing_of(state: State, account: Account, terms: OrderTerms, now_ns: int) -> Routing | None:
    """Where a new order is to rest; None where it is not to."""
    if terms.type is not LIMIT or terms.time_in_force not in STANDING or terms.reduce_only or terms.oco:
        return None
    if state.books.is_plain:
        return None
    routing = rules_say(state, account, terms, terms.quantity_e8, terms.limit_e8, now_ns)
    return routing if routing.rests else None


def place(state: State, account: Account, order: Order, routing: Routing, tick: Tick, now_ns: int) -> list[Event]:
    """Raises Refused where it could not be filled at its limit."""
    terms = order.terms
    check_limits(account, state.instruments[terms.symbol])
    _check_protection(terms, tick)
    order = msgspec.structs.replace(
        order, at_venue_e8=terms.quantity_e8, routed_by=state.books.routed_by[routing.rule_id]
    )
    order = _checked(state, account, order, now_ns)
    markup_e8 = markup_of(state, account, terms)
    bound_e8 = _bound_e8(state, terms, markup_e8)
    child = send(order.order_id, 1, routing.venues[0], terms.symbol, terms.side, terms.quantity_e8, bound_e8, 0, now_ns)
    return [OrderAccepted(order), ChildSent(SentChild(child, order.account_id, (), GTC, markup_e8))]


def sent_of(state: State, order: Order) -> SentChild | None:
    """The child order that rests for it, if one does."""
    sent = state.books.open.get(child_id(order.order_id, 1))
    return sent if sent is not None and sent.rests else None


def is_asked(state: State, order: Order) -> bool:
    """Whether the venue at which it rests is asked for something, and has not answered."""
    return child_id(order.order_id, 1) in state.books.changes


def change(state: State, account: Account, order: Order, terms: OrderTerms, tick: Tick, now_ns: int) -> list[Event]:
    """Other terms that have been checked as those of an order that waits. The same again changes nothing."""
    sent = _unasked(state, order, terms)
    if sent is None:
        return []
    if terms.reduce_only or terms.oco or terms.time_in_force not in STANDING:
        detail = f"order {order.order_id} rests at {sent.child.venue}: it cannot close only, nor cancel others"
        raise Refused(Code.AT_VENUE, detail, "reduce_only" if terms.reduce_only else "oco")
    if terms.quantity_e8 <= order.filled_e8:
        detail = f"{format_e8(order.filled_e8)} of it is filled: a change leaves more than that"
        raise Refused(Code.QUANTITY_OUT_OF_RANGE, detail, "quantity")
    _check_protection(terms, tick)
    changed = msgspec.structs.replace(order, terms=terms)
    if (terms.quantity_e8, terms.limit_e8) == (order.quantity_e8, order.terms.limit_e8):
        return [OrderModified(changed)] if changed != order else []
    needed = _checked(state, account, changed, now_ns)
    kept_minor = max(order.reserved_minor, needed.reserved_minor)
    order = msgspec.structs.replace(order, reserved_minor=kept_minor)
    return [_asked(order, sent, now_ns, terms, _bound_e8(state, terms, sent.markup_e8))]


def cancel(state: State, order: Order, now_ns: int) -> list[Event]:
    """For its client."""
    sent = _unasked(state, order, None)
    return [] if sent is None else [_asked(order, sent, now_ns, code=CANCELLED, detail="cancelled by its client")]


def endings(state: State, now_ns: int) -> list[list[Event]]:
    """A step for each that may rest no longer: its time is over, its account is stopped out, or its symbol is not
    traded."""
    resting = [sent for sent in state.books.open.values() if sent.rests]
    accounts = ((sent, state.accounts[sent.account_id]) for sent in resting)
    orders = ((account, account.orders[sent.child.parent_id]) for sent, account in accounts)
    return [[asked] for account, order in orders for asked in _ending(state, account, order, now_ns)]


def endings_of(state: State, account: Account, now_ns: int) -> list[Event]:
    """As `endings`, of one account."""
    return [asked for order in account.orders.values() for asked in _ending(state, account, order, now_ns)]


def answered(state: State, sent: SentChild, child: ChildOrder, report: VenueReport, now_ns: int) -> list[Event]:
    """A venue's word on what it was asked for: REPLACED or KEPT. `child`: as the report leaves it.

    Said again, or of what is not asked for any more, it says nothing new.
    """
    asked = state.books.changes.get(child.child_id)
    is_kept = report.kind is ReportKind.KEPT
    if asked is None or report.exec_id != str(asked.asked_ns) or child.state is ChildState.ENDING:
        # The venue has taken what it had not, or was not asked for.
        is_news = not is_kept and report.exec_id.isdecimal() and int(report.exec_id) > sent.child.sent_ns
        detail = "the venue has taken a change that is not asked for (any more)"
        return [BreakFound(Break(child.child_id, BreakReason.CONTRADICTION, detail, report))] if is_news else []
    account = state.accounts[sent.account_id]
    order = account.orders[child.parent_id]
    if is_kept or asked.terms is None:
        works: list[Event] = [ChildChanged(child)] if child != sent.child else []
        detail = report.text or f"{child.venue} has not done it"
        return [*works, ChangeRefused(_reserved(state, account, order, now_ns), asked, "VENUE_REJECTED", detail)]
    # What was filled in between is more than a change can take back.
    quantity_e8 = max(asked.terms.quantity_e8, child.filled_e8)
    child = msgspec.structs.replace(child, quantity_e8=quantity_e8, bound_e8=asked.bound_e8, sent_ns=asked.asked_ns)
    terms = msgspec.structs.replace(asked.terms, quantity_e8=quantity_e8)
    order = msgspec.structs.replace(order, terms=terms, at_venue_e8=child.left_e8)
    if child.is_over:
        child = msgspec.structs.replace(child, state=ChildState.FILLED)
        order = msgspec.structs.replace(order, reserved_minor=0)
        return [ChildChanged(child), ended(state, order, child)]
    return [ChildChanged(child), OrderModified(_reserved(state, account, order, now_ns))]


def _unasked(state: State, order: Order, terms: OrderTerms | None) -> SentChild | None:
    """Its child, of which nothing is asked; None where just this is. Raises Refused where something else is."""
    sent = sent_of(state, order)
    assert sent is not None
    asked = state.books.changes.get(sent.child.child_id)
    if asked is None:
        return sent
    if asked.terms == terms:
        return None
    what = "cancel" if asked.terms is None else "change"
    raise Refused(Code.AT_VENUE, f"{asked.venue} is asked to {what} order {order.order_id}, and has not answered")


def _asked(
    order: Order,
    sent: SentChild,
    now_ns: int,
    terms: OrderTerms | None = None,
    bound_e8: int = 0,
    code: str = "",
    detail: str = "",
) -> ChangeAsked:
    child = sent.child
    asked_ns = max(now_ns, child.sent_ns + 1, child.asked_ns + 1)
    return ChangeAsked(order, VenueChange(child.child_id, child.venue, asked_ns, bound_e8, terms, code, detail))


def _ending(state: State, account: Account, order: Order, now_ns: int) -> Iterable[ChangeAsked]:
    """What asks the venue to cancel an order, where it rests there, may no longer, and nothing is asked of it."""
    sent = sent_of(state, order) if order.at_venue_e8 else None
    if sent is None or sent.child.child_id in state.books.changes or sent.child.state is ChildState.ENDING:
        return
    asked_ns, refusals = sent.child.asked_ns, state.books.cancel_refusals.get(sent.child.child_id, 0)
    pause_ns = PAUSE_NS << min(max(refusals - 1, 0), PAUSE_DOUBLINGS)
    if asked_ns > sent.child.sent_ns and now_ns - asked_ns < pause_ns:
        return
    why = _why_over(state, account, order, now_ns)
    if why is not None:
        yield _asked(order, sent, now_ns, code=why[0], detail=why[1])


def _why_over(state: State, account: Account, order: Order, now_ns: int) -> tuple[str, str] | None:
    symbol = order.symbol
    instrument = state.instruments[symbol]
    if 0 < order.terms.expires_ns <= now_ns:
        return EXPIRED, "its time in force is over"
    if account.status is MarginStatus.STOP_OUT:
        return "STOP_OUT", "the account fell below its stop-out level"
    if state.is_halted(instrument) or state.halts.stops(account.group.name, symbol):
        return Code.HALTED.value, f"trading in {symbol} is halted"
    if instrument.state is InstrumentState.CLOSE_ONLY:
        return Code.CLOSE_ONLY.value, f"positions in {symbol} can be closed only"
    return None


def _bound_e8(state: State, terms: OrderTerms, markup_e8: int) -> int:
    """The limit at the venue that keeps the client, with its markup, within its own: in whole steps of the price."""
    step_e8 = state.instruments[terms.symbol].price_step_e8
    if terms.side is BUY:
        return max(step_e8, (terms.limit_e8 - markup_e8) // step_e8 * step_e8)
    return max(step_e8, -(-(terms.limit_e8 + markup_e8) // step_e8) * step_e8)


def _check_protection(terms: OrderTerms, tick: Tick) -> None:
    """As it will be when the order is filled at its limit."""
    check_protection(terms, msgspec.structs.replace(tick, bid_e8=terms.limit_e8, ask_e8=terms.limit_e8))


def _checked(state: State, account: Account, order: Order, now_ns: int) -> Order:
    """With the margin that is kept for it; raises Refused where there is not so much, or too much would be open."""
    deal = _filled(state, account, order, now_ns)
    with account.without(order):
        check_headroom(state, account, deal, now_ns)
        check_free_margin(state, account, deal)
    return _reserved(state, account, order, now_ns)


def _reserved(state: State, account: Account, order: Order, now_ns: int) -> Order:
    """With the margin that is kept for what is left of it: what filling it at its limit would take of free margin."""
    deal = _filled(state, account, order, now_ns)
    known = account.requirements.get(order.symbol, NOTHING)
    needed_minor = max(0, deal.requirement.initial_minor - known.initial_minor) if deal.opens else 0
    return msgspec.structs.replace(order, reserved_minor=cost_minor(state, account, deal, needed_minor))


def _filled(state: State, account: Account, order: Order, now_ns: int) -> Deal:
    deal = Deal(state, account, account.ticks[order.symbol], now_ns)
    deal.execute(order, order.terms.limit_e8, order.quantity_e8 - order.filled_e8)
    return deal
