"""What is published, and what feeds send: nobody answers it."""

import msgspec

from actors.bus.message import Body, Message
from actors.domain.events import Event
from actors.domain.lp_registry import Registry
from actors.domain.quote import Quote

# Feeds to the aggregator.


class QuoteBatch(Body, frozen=True):
    """Quotes of one LP, in the order in which they came."""

    venue: str
    quotes: list[Quote]


class QuotesStanding(Body, frozen=True):
    """The last quotes of one LP, by which it still stands at `time_ns`: for an aggregator that has just started."""

    venue: str
    time_ns: int
    quotes: list[Quote]


class StreamState(Message, frozen=True):
    """One of a feed's connections."""

    connected: bool
    detail: str
    symbols: int
    """How many it carries."""
    heard_ns: int
    """When something last came on it, be it a heartbeat; 0: nothing yet."""
    connections: int
    """How often it has been connected."""


class FeedStatus(Body, frozen=True):
    """How a feed is, once a second and at each change. The counters run from the start of its process."""

    venue: str
    connected: bool
    detail: str
    time_ns: int
    quotes: int
    dropped: dict[str, int]
    started_ns: int = 0
    streams: tuple[StreamState, ...] = ()
    quoted_ns: dict[str, int] = msgspec.field(default_factory=dict)
    """When each symbol that is asked for was last quoted; 0: not yet."""
    missing: dict[str, str] = msgspec.field(default_factory=dict)
    """Symbols that do not come, and why: unlisted, unaskable, silent."""
    clock_offset_ns: int | None = None
    """Our clock less the LP's, and the shortest way between; None where the LP sends no time (domain/latency.py)."""
    latency: tuple[int, ...] = ()
    """Quotes by how much longer than the shortest way they took; the bounds are those of domain/latency.py."""


FeedMessage = QuoteBatch | QuotesStanding | FeedStatus


# The public streams (see topics.py for who publishes what).


class StreamAlive(Message, frozen=True):
    """The aggregator's heartbeat: the number of the last tick of each symbol. Who has another missed some."""

    time_ns: int
    last_seq: dict[str, int]


class StreamStatus(Message, frozen=True):
    """What the console shows of the LPs."""

    time_ns: int
    feeds: list[FeedStatus]


class LpsAnnounced(Message, frozen=True):
    """The LP registry, whole, and when the aggregator that says so was started: feeds follow both."""

    started_ns: int
    registry: Registry


class EventBatch(Message, frozen=True):
    """Events numbered from `first_seq`, committed together. Empty: a heartbeat that says which number is next."""

    first_seq: int
    time_ns: int
    events: list[Event]
