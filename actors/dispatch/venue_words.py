"""Between the engine's words and those of an execution venue."""

from collections.abc import Mapping

from actors.domain.order import BUY, TimeInForce
from actors.domain.routing.books import SentChild
from actors.domain.routing.child import ReportKind, VenueReport
from actors.store.dispatch import Dispatched
from gateway.venues.execution import Said, VenueOrder


def client_id(sent: SentChild) -> str:
    """The order's name at the venue: the child's, and when the engine sent it.

    Of one journal the child's id would do; the time keeps an order from being taken for that of an earlier journal,
    which the venue's account remembers. It is in the engine's event, so it is the same after any loss of ours.
    """
    return f"{sent.child.child_id}-{sent.child.sent_ns}"


def order_of(it: Dispatched, names: Mapping[str, str]) -> VenueOrder:
    """`names`: from our symbol to the venue's name for it."""
    child = it.sent.child
    return VenueOrder(
        it.client_id,
        names.get(child.symbol, child.symbol),
        child.side is BUY,
        child.quantity_e8,
        "FOK" if it.sent.time_in_force is TimeInForce.FOK else "IOC",
        bound_e8=child.bound_e8,
    )


def report_of(venue: str, said: Said, child_id: str) -> VenueReport:
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


def unsaid_report(venue: str, child_id: str, kind: ReportKind, detail: str) -> VenueReport:
    """What we know ourselves of an order that never was at the venue."""
    return VenueReport(venue, child_id, "", kind, 0, 0, 0, 0, detail, 0)
