"""What happens to orders and positions."""

import msgspec

from actors.domain.events.happened import (
    Happened,
)
from actors.domain.ledger import Posting
from actors.domain.order import Fill, Order, Position
from actors.domain.risk.requirement import Requirement


class OrderAccepted(Happened, frozen=True):
    """An order waits for its price."""

    order: Order


class OrderModified(Happened, frozen=True):
    """A waiting order is another than before: its terms, or its status (a stop-limit order whose stop was reached)."""

    order: Order


class Cover(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The venue that the broker dealt the same with, and its price."""

    venue: str
    price_e8: int
    markup_e8: int
    """How much worse the client's price is, per unit."""
    is_kept: bool = False
    """Nothing was sent: what the broker holds at the venue for the client is its own now, as bought at this price."""


class OrderFilled(Happened, frozen=True):
    """An execution: the order and the position as they are now, and the money that moved, if any did.

    An order that closes several positions has an event for each, and is filled with the last.
    """

    order: Order
    fill: Fill
    position: Position
    postings: tuple[Posting, ...]
    requirement: Requirement
    """Of all that the account has open in the symbol now."""
    cover: Cover | None = None
    """Of an A-book fill."""


class OrderEnded(Happened, frozen=True):
    """An order is over without being filled whole: cancelled or expired, by its client or by a rule (`code`)."""

    order: Order
    code: str
    detail: str


class OrderRejected(Happened, frozen=True):
    """A well-formed order that the rules refused. It is remembered: sent again, it gets this answer again."""

    order: Order
    code: str
    detail: str


class PositionModified(Happened, frozen=True):
    """A position has other protections."""

    position: Position
