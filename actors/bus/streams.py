"""What is published, and what feeds send: nobody answers it."""

import msgspec

from actors.bus.message import Body, Message
from actors.domain.calendar import Sessions
from actors.domain.events.event import Event
from actors.domain.prices.book import Depth
from actors.domain.prices.lp_registry import Registry
from actors.domain.prices.lp_status import LpStatus
from actors.domain.quote import Ladder, Quote

# Feeds to the aggregator.


class QuoteBatch(Body, frozen=True):
    """Quotes of one LP, in the order in which they came."""

    venue: str
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
    misfits: dict[str, str] = msgspec.field(default_factory=dict)
    """Symbols whose terms the LP does not take, as far as it lists its own, and which."""


class StandingQuotes(Body, frozen=True):
    """The last quote of each symbol of an LP whose connection lives, as it stands at `time_ns`, whenever it was made.

    A feed sends them when the aggregator has started anew, or was at a standstill: a quote that was lost is made good.
    """

    venue: str
    time_ns: int
    quotes: list[Quote]


class LadderBatch(Body, frozen=True):
    """Order books of one LP, the last of each symbol."""

    venue: str
    ladders: list[Ladder]


FeedMessage = QuoteBatch | LadderBatch | FeedStatus | StandingQuotes


# The public streams (see topics.py for who publishes what).


class StreamAlive(Message, frozen=True):
    """The aggregator's heartbeat: the number of the last tick of each symbol. Who has another missed some."""

    time_ns: int
    last_seq: dict[str, int]


class StreamStatus(Message, frozen=True):
    """What the console shows of the LPs: what the feeds say of themselves, and what the aggregator sees of them."""

    time_ns: int
    feeds: list[FeedStatus]
    lps: tuple[LpStatus, ...] = ()


class StreamDepth(Message, frozen=True):
    """The book of a symbol after tick `tick_seq`. `number` rises with each change of the book; some are left out."""

    symbol: str
    number: int
    time_ns: int
    tick_seq: int
    depth: Depth


class LpsAnnounced(Message, frozen=True):
    """The LP registry, whole, and since when the aggregator hears without a break: feeds follow both."""

    started_ns: int
    """Its start, or the end of its last standstill. Where it changes, feeds say which quotes stand."""
    registry: Registry
    """Without symbols that are not traded any more."""
    sessions: dict[str, Sessions] = msgspec.field(default_factory=dict)
    """When each symbol is traded."""


class EventBatch(Message, frozen=True):
    """Events numbered from `first_seq`, committed together. Empty: a heartbeat that says which number is next."""

    first_seq: int
    time_ns: int
    events: list[Event]
