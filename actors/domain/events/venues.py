"""What happens between the broker and its venues: rules, hedges, orders there and breaks."""

from actors.domain.events.happened import (
    Happened,
)
from actors.domain.order import Side
from actors.domain.routing.books import SentChild
from actors.domain.routing.child import Break, ChildOrder, VenueFill
from actors.domain.routing.hedge import HedgeTerms
from actors.domain.routing.rulebook import RuleBook


class HedgeOrdered(Happened, frozen=True):
    """A person has a hedge sent: the child order follows."""

    key: str
    symbol: str
    side: Side
    quantity_e8: int
    venues: tuple[str, ...]
    actor: str
    reason: str


class BreakDismissed(Happened, frozen=True):
    child_id: str
    actor: str
    reason: str
    time_ns: int


class RulesDefined(Happened, frozen=True):
    rules: RuleBook
    venues: tuple[str, ...]


class HedgeDefined(Happened, frozen=True):
    terms: HedgeTerms


class HedgeRemoved(Happened, frozen=True):
    """The symbol is hedged no longer; as it was is in the event that defined it."""

    symbol: str


class ChildSent(Happened, frozen=True):
    """An order for a venue: its adapter follows this event."""

    sent: SentChild


class ChildChanged(Happened, frozen=True):
    """A child order as it is now, with the fill that changed it, if one did."""

    child: ChildOrder
    fill: VenueFill | None = None
    unsent_e8: int = 0
    """How much of the fill is neither a client's nor a hedge's: the broker's own."""
    actor: str = ""
    """Who settled it; empty where the venue said so."""


class BreakFound(Happened, frozen=True):
    """A report that was not followed: a person settles it."""

    found: Break


class InquiryDue(Happened, frozen=True):
    """The venue's adapter is to ask what became of an order."""

    child_id: str
    venue: str
