"""What becomes of a child order: `take(child, report, known) -> (child after, effects)`, and time-outs.

Whatever a venue reports, and in whichever order, quantity is never lost or doubled: `filled + left + given back =
ordered` at each moment. A report has an effect, repeats what is known, or contradicts it: then it is a break, which a
person settles. Nothing is guessed.
"""

from actors.domain import wide
from actors.domain.money import LIMIT_E8, format_e8
from actors.domain.order import BUY
from actors.domain.routing.child import (
    TABLE,
    UNSAID,
    Break,
    BreakReason,
    ChildOrder,
    ChildState,
    Effects,
    Inquiry,
    KnownFills,
    Move,
    ReportKind,
    Rest,
    VenueFill,
    VenueReport,
)

EXEC_IDS_LIMIT = 1_000
"""Fills of one child order that are known by their exec_id. One more is a break: no earlier one may be forgotten."""
EXEC_ID_LIMIT_CHARACTERS = 64
ANSWER_LIMIT_NS = 5_000_000_000
"""A venue that has not answered for so long is asked what became of the order; then after twice as long, and so on."""
ANSWER_LIMIT_DOUBLINGS = 6
"""The longest wait between two inquiries is 2^6 times ANSWER_LIMIT_NS: 320 s."""
INQUIRIES_BEFORE_BREAK = 4
"""With this inquiry (75 s after the order) a person is told; inquiries go on."""

_SENT, _WORKING, _PARTLY_FILLED = ChildState.SENT, ChildState.WORKING, ChildState.PARTLY_FILLED
_UNKNOWN, _ENDING, _FILLED, _CANCELLED = (
    ChildState.UNKNOWN,
    ChildState.ENDING,
    ChildState.FILLED,
    ChildState.CANCELLED,
)
_FILL, _COMPLETE, _NOT_KNOWN, _BUSTED = (
    ReportKind.FILL,
    ReportKind.COMPLETE,
    ReportKind.NOT_KNOWN,
    ReportKind.BUSTED,
)
_END_STATES = {
    ReportKind.CANCELLED: ChildState.CANCELLED,
    ReportKind.EXPIRED: ChildState.EXPIRED,
    ReportKind.REJECTED: ChildState.REJECTED,
    ReportKind.NOT_KNOWN: ChildState.REJECTED,
}
_NOT_REMEMBERED = (BreakReason.MALFORMED, BreakReason.EXEC_ID_REUSED, BreakReason.TOO_MANY_FILLS)


class CannotSettle(ValueError):
    """The person's figures do not fit what is left of the child order."""


def take(child: ChildOrder, report: VenueReport, known: KnownFills) -> tuple[ChildOrder, Effects]:
    """What a report changes, and what is to be done about it. No effects and the same child: it says nothing new.

    `known` are the fills of this child, as `remember` has kept them. Nothing is changed in place.
    """
    if report.child_id != child.child_id or report.venue != child.venue:
        return child, (_break(child, BreakReason.UNKNOWN_ORDER, "the report is of another order", report),)
    kind = report.kind
    if kind is _FILL or kind is _BUSTED:
        flaw = _identity_flaw(report)
        if flaw:
            return child, (_break(child, BreakReason.MALFORMED, flaw, report),)
        before = known.get(report.exec_id)
        if before == (report.quantity_e8, report.price_e8):
            return child, ()
        if before is not None:
            detail = f"exec_id {report.exec_id} was {format_e8(before[0])} at {format_e8(before[1])} before"
            return child, (_break(child, BreakReason.EXEC_ID_REUSED, detail, report),)
    move = TABLE[child.state, kind]
    if move is Move.FILL:
        return _fill(child, report, len(known))
    if move is Move.BREAK:
        if kind is _BUSTED:
            return child, (_break(child, BreakReason.BUSTED, "the venue takes a fill back or corrects it", report),)
        detail = f"{kind.value} of an order that is {child.state.value}"
        return child, (_break(child, BreakReason.CONTRADICTION, detail, report),)
    flaw = _figures_flaw(child, report)
    if flaw:
        return child, (_break(child, BreakReason.CONTRADICTION, flaw, report),)
    if move is Move.END:
        return _end(child, report)
    if move is Move.WORK:
        state = _PARTLY_FILLED if child.filled_e8 else _WORKING
        return _moved(child, state, child.filled_e8, child.cost_e16, child.given_back_e8), ()
    if move is Move.COMPARE:
        return child, _compare(child, report)
    return child, ()


def stray(report: VenueReport) -> Break:
    """A report of a child order that we never sent, or have long forgotten."""
    detail = f"no order {report.child_id[:EXEC_ID_LIMIT_CHARACTERS]!r} was sent to {report.venue}"
    return Break(report.child_id, BreakReason.UNKNOWN_ORDER, detail, report)


def remember(known: dict[str, tuple[int, int]], effects: Effects) -> None:
    """Adds the fills that `take` took, or broke, to the known ones: said again, they say nothing new."""
    for effect in effects:
        if isinstance(effect, VenueFill):
            known[effect.exec_id] = (effect.quantity_e8, effect.price_e8)
        elif isinstance(effect, Break) and effect.report is not None and effect.reason not in _NOT_REMEMBERED:
            report = effect.report
            if (report.kind is _FILL or report.kind is _BUSTED) and len(known) < EXEC_IDS_LIMIT:
                known[report.exec_id] = (report.quantity_e8, report.price_e8)


def overdue(child: ChildOrder, now_ns: int) -> bool:
    """The venue should have answered, or the order should be over, and it is time to ask (again)."""
    state = child.state
    if state is _WORKING or state is _PARTLY_FILLED:
        if not child.finish_ns or now_ns <= child.finish_ns:
            return False
    elif not (state is _SENT or state is _UNKNOWN or state is _ENDING):
        return False
    wait_ns = ANSWER_LIMIT_NS << min(child.inquiries, ANSWER_LIMIT_DOUBLINGS)
    return now_ns - child.asked_ns > wait_ns


def time_out(child: ChildOrder, now_ns: int) -> tuple[ChildOrder, Effects]:
    """Of a child that is overdue, or whose venue is gone: UNKNOWN (or still ENDING), and the venue is asked.

    Nothing is given back: an unknown order is never assumed dead.
    """
    if child.is_over:
        return child, ()
    state = _ENDING if child.state is _ENDING else _UNKNOWN
    inquiries = child.inquiries + 1
    after = _moved(child, state, child.filled_e8, child.cost_e16, child.given_back_e8, now_ns, inquiries)
    inquiry = Inquiry(child.child_id)
    if inquiries != INQUIRIES_BEFORE_BREAK:
        return after, (inquiry,)
    detail = f"asked {inquiries} times what became of {format_e8(child.left_e8)}, without an answer that says it"
    return after, (inquiry, _break(child, BreakReason.STILL_UNKNOWN, detail, None))


def settle(child: ChildOrder, exec_id: str, filled_e8: int, price_e8: int) -> tuple[ChildOrder, Effects]:
    """A person has learnt what became of what is left: so much was filled (0: nothing), the rest comes back.

    The only way out of a break, and never taken by the engine itself. Raises CannotSettle.
    """
    left_e8 = child.left_e8
    if not left_e8 or not 0 <= filled_e8 <= left_e8:
        raise CannotSettle(f"{format_e8(filled_e8)} is not between 0 and the {format_e8(left_e8)} that are left")
    effects: list[VenueFill | Rest] = []
    if filled_e8:
        if not 0 < price_e8 < LIMIT_E8 or not 0 < len(exec_id) <= EXEC_ID_LIMIT_CHARACTERS:
            raise CannotSettle("a fill needs a price and an exec_id")
        effects.append(VenueFill(child.child_id, exec_id, filled_e8, price_e8))
    rest_e8 = left_e8 - filled_e8
    if rest_e8:
        effects.append(Rest(child.child_id, rest_e8))
    back_e8 = child.given_back_e8 + rest_e8
    cost_e16 = child.cost_e16 + filled_e8 * price_e8
    after = _moved(child, _CANCELLED if back_e8 else _FILLED, child.filled_e8 + filled_e8, cost_e16, back_e8)
    return after, tuple(effects)


def _fill(child: ChildOrder, report: VenueReport, fills: int) -> tuple[ChildOrder, Effects]:
    quantity_e8, price_e8, left_e8 = report.quantity_e8, report.price_e8, child.left_e8
    if quantity_e8 > left_e8:
        after_end = not left_e8 and child.given_back_e8
        reason = BreakReason.FILL_AFTER_END if after_end else BreakReason.OVERFILL
        detail = f"a fill of {format_e8(quantity_e8)}, and {format_e8(left_e8)} is left of {child.state.value}"
        return child, (_break(child, reason, detail, report),)
    flaw = _figures_flaw(child, report)
    if not flaw and UNSAID != report.cumulative_e8 < quantity_e8:
        flaw = "the venue counts less filled than this fill alone"
    if flaw:
        return child, (_break(child, BreakReason.CONTRADICTION, flaw, report),)
    bound_e8 = child.bound_e8
    if bound_e8 and (price_e8 > bound_e8 if child.side is BUY else price_e8 < bound_e8):
        detail = f"a {child.side.value} at {format_e8(price_e8)}, beyond {format_e8(bound_e8)}"
        return child, (_break(child, BreakReason.BEYOND_BOUND, detail, report),)
    if fills >= EXEC_IDS_LIMIT:
        detail = f"more than {EXEC_IDS_LIMIT} fills"
        return child, (_break(child, BreakReason.TOO_MANY_FILLS, detail, report),)
    if quantity_e8 < left_e8:
        state = _ENDING if child.state is _ENDING else _PARTLY_FILLED
    else:
        # The last fill that an end had counted: what is not filled was given back then.
        state = _CANCELLED if child.given_back_e8 else _FILLED
    after = _moved(
        child, state, child.filled_e8 + quantity_e8, child.cost_e16 + quantity_e8 * price_e8, child.given_back_e8
    )
    return after, (VenueFill(child.child_id, report.exec_id, quantity_e8, price_e8),)


def _end(child: ChildOrder, report: VenueReport) -> tuple[ChildOrder, Effects]:
    """No more will be filled than the venue has counted; what it has counted and not reported is waited for."""
    filled_e8, counted_e8 = child.filled_e8, _counted_e8(child, report)
    if counted_e8 == UNSAID:
        counted_e8 = filled_e8
    if counted_e8 < filled_e8:
        detail = f"it counts {format_e8(counted_e8)} filled, and has reported {format_e8(filled_e8)}"
        return child, (_break(child, BreakReason.CONTRADICTION, detail, report),)
    rest_e8 = child.quantity_e8 - counted_e8
    state = _ENDING if counted_e8 > filled_e8 else _END_STATES[report.kind]
    after = _moved(child, state, filled_e8, child.cost_e16, rest_e8)
    return after, (Rest(child.child_id, rest_e8),) if rest_e8 else ()


def _compare(child: ChildOrder, report: VenueReport) -> Effects:
    counted_e8, ours_e8 = _counted_e8(child, report), child.quantity_e8 - child.given_back_e8
    if counted_e8 in (UNSAID, ours_e8):
        return ()
    detail = f"it counts {format_e8(counted_e8)} filled, and had counted or reported {format_e8(ours_e8)}"
    return (_break(child, BreakReason.CONTRADICTION, detail, report),)


def _counted_e8(child: ChildOrder, report: VenueReport) -> int:
    if report.kind is _COMPLETE:
        return child.quantity_e8
    return 0 if report.kind is _NOT_KNOWN else report.cumulative_e8


def _identity_flaw(report: VenueReport) -> str:
    if not 0 < len(report.exec_id) <= EXEC_ID_LIMIT_CHARACTERS:
        return f"an exec_id has 1 to {EXEC_ID_LIMIT_CHARACTERS} characters"
    if report.kind is _FILL and not (0 < report.quantity_e8 < LIMIT_E8 and 0 < report.price_e8 < LIMIT_E8):
        return "a fill has a quantity and a price above zero and within bounds"
    return ""


def _figures_flaw(child: ChildOrder, report: VenueReport) -> str:
    """What no order of reports could make true."""
    counted_e8, leaves_e8 = report.cumulative_e8, report.leaves_e8
    if counted_e8 < UNSAID or leaves_e8 < UNSAID:
        return "a figure is below zero"
    if max(counted_e8, 0) + max(leaves_e8, 0) > child.quantity_e8:
        return f"filled and working are more than the {format_e8(child.quantity_e8)} ordered"
    if leaves_e8 > 0 and (report.kind in _END_STATES or report.kind is _COMPLETE):
        return f"{report.kind.value}, and {format_e8(leaves_e8)} still works"
    return ""


def _break(child: ChildOrder, reason: BreakReason, detail: str, report: VenueReport | None) -> Break:
    return Break(child.child_id, reason, detail, report)


def _moved(
    child: ChildOrder,
    state: ChildState,
    filled_e8: int,
    cost_e16: int,
    given_back_e8: int,
    asked_ns: int = 0,
    inquiries: int = 0,
) -> ChildOrder:
    """The child as it is now; an `asked_ns` of 0 leaves the inquiries as they are. By hand: `replace` is slow."""
    cost_high, cost_low = wide.part(cost_e16)
    return ChildOrder(
        child.child_id,
        child.parent_id,
        child.attempt,
        child.venue,
        child.symbol,
        child.side,
        child.quantity_e8,
        child.bound_e8,
        filled_e8,
        cost_high,
        cost_low,
        given_back_e8,
        state,
        child.sent_ns,
        child.finish_ns,
        asked_ns or child.asked_ns,
        inquiries or child.inquiries,
    )
