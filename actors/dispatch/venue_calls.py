"""What an execution process tells its dispatcher, and what that wants to be done."""

from typing import NamedTuple

from gateway.venues.execution import Heard, Holdings, Said, VenueOrder


class BusHeard(NamedTuple):
    """Frames of the engine's event stream, and of its answers."""

    now_ns: int
    events: list[bytes]
    replies: list[bytes]


class Linked(NamedTuple):
    """The venue's record is followed live, or no longer; `detail` is a sentence for the operator."""

    now_ns: int
    up: bool
    detail: str
    arrival_limit_ns: int = 0
    """Where it is up: as `ExecutionVenue` has it."""


class RecordHeard(NamedTuple):
    now_ns: int
    heard: Heard


class Placed(NamedTuple):
    """The venue's answer to an order. None: none came, and whether the order arrived is not known."""

    now_ns: int
    child_id: str
    said: list[Said] | None


class NotPlaced(NamedTuple):
    """An order has certainly not reached the venue; `for_good`: it never can."""

    now_ns: int
    child_id: str
    detail: str
    for_good: bool


class Inquired(NamedTuple):
    """The venue's answer to an inquiry. `answered` False: none came. None: no such order there now."""

    now_ns: int
    child_id: str
    said: list[Said] | None
    answered: bool = True


class HoldingsHeard(NamedTuple):
    now_ns: int
    holdings: Holdings | None
    """None: no answer came."""


class Registered(NamedTuple):
    """What the LP registry has of the venue from now on."""

    now_ns: int
    names: dict[str, str]
    """The venue's names of our symbols."""
    takes_orders: bool
    """It is there, and enabled."""


class Beat(NamedTuple):
    now_ns: int


class Place(NamedTuple):
    child_id: str
    order: VenueOrder


class Inquire(NamedTuple):
    child_id: str
    client_id: str
    cursor: str


class Cancel(NamedTuple):
    """An order that should be over still works there. What comes of it is said in the venue's record."""

    child_id: str
    order: VenueOrder


class AskHoldings(NamedTuple):
    pass


Told = BusHeard | Linked | RecordHeard | Placed | NotPlaced | Inquired | HoldingsHeard | Registered | Beat
VenueCall = Place | Inquire | Cancel | AskHoldings


class Work(NamedTuple):
    """What is to be done now: frames for the engine, and calls at the venue."""

    frames: list[bytes]
    calls: list[VenueCall]
