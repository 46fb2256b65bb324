"""Between the engine's words and those of an execution venue."""

from collections.abc import Mapping

import msgspec

from actors.domain.order import BUY, TimeInForce
from actors.domain.routing.child import UNSAID, ChildOrder, ReportKind, VenueChange, VenueReport
from actors.store.dispatch import Dispatched
from gateway.venues import execution
from gateway.venues.execution import Said, VenueOrder

_TIMES_IN_FORCE: dict[TimeInForce, execution.TimeInForce] = {
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.GTC: "GTC",
}


CANCELS = "x"
"""Before the name of a cancel."""


def client_id(child: ChildOrder) -> str:
    """The order's name at the venue: the child's, and when the engine sent it, or a change of it that was taken.

    Of one journal the child's id would do; the time keeps an order from being taken for that of an earlier journal,
    which the venue's account remembers. It is in the engine's event, so it is the same after any loss of ours.
    """
    return f"{child.child_id}-{child.sent_ns}"


def change_id(change: VenueChange) -> str:
    """The name of a change or cancel."""
    return f"{'' if change.terms else CANCELS}{change.child_id}-{change.asked_ns}"


def asked_ns(name: str) -> int:
    """When the engine asked for what has this name; 0 where it is none of ours."""
    number = name.rpartition("-")[2]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 20 else 0


def order_of(it: Dispatched, names: Mapping[str, str]) -> VenueOrder:
    """`names`: from our symbol to the venue's name for it by now; what rests has that under which it was sent."""
    child = it.sent.child
    return VenueOrder(
        it.client_id,
        it.instrument or names.get(child.symbol, child.symbol),
        child.side is BUY,
        child.quantity_e8,
        _TIMES_IN_FORCE[it.sent.time_in_force],
        limit_e8=child.bound_e8 if it.sent.rests else 0,
        bound_e8=child.bound_e8,
    )


def changed_order(order: VenueOrder, change: VenueChange) -> VenueOrder | None:
    """What is to take the order's place; None where it is to be cancelled."""
    if change.terms is None:
        return None
    return msgspec.structs.replace(
        order,
        client_id=change_id(change),
        quantity_e8=change.terms.quantity_e8,
        limit_e8=change.bound_e8,
        bound_e8=change.bound_e8,
    )


def report_of(venue: str, said: Said, child_id: str, rests: bool = False) -> VenueReport:
    """`rests`: its figures may be those of before a change, and what works is no news."""
    if rests:
        cumulative_e8 = UNSAID if said.kind == "accepted" else said.cumulative_e8
        leaves_e8 = min(said.leaves_e8, 0)
        said = msgspec.structs.replace(said, cumulative_e8=cumulative_e8, leaves_e8=leaves_e8)
    return VenueReport(
        venue,
        child_id,
        said.exec_id,
        ReportKind(said.kind),
        said.quantity_e8,
        said.price_e8,
        said.cumulative_e8,
        said.leaves_e8,
        said.text,
        said.time_ns,
    )


def answer_of(venue: str, child_id: str, kind: ReportKind, change_ns: int, detail: str = "") -> VenueReport:
    """What became of a change: REPLACED or KEPT."""
    return VenueReport(venue, child_id, str(change_ns), kind, 0, 0, UNSAID, UNSAID, detail, 0)


def unsaid_report(venue: str, child_id: str, kind: ReportKind, detail: str) -> VenueReport:
    """What we know ourselves of an order that never was at the venue."""
    return VenueReport(venue, child_id, "", kind, 0, 0, 0, 0, detail, 0)
