"""What comes back: a Reply to each request."""

import msgspec

from actors.bus.desk_answers import (
    AccountRows,
    Breaks,
    Changes,
    Explanation,
    ExposureReport,
    MoneyReport,
    MoneyRequests,
    RoutePreview,
    Terms,
)
from actors.bus.fix_sessions import FixSessions
from actors.bus.history_answers import Bars, Entries, Fills, Orders, Transactions
from actors.bus.message import Body, Message
from actors.bus.people import PeopleAnswer
from actors.bus.streams import EventBatch
from actors.domain.account import AccountSummary
from actors.domain.dealing.preview import LotSize, Preview
from actors.domain.group import Group
from actors.domain.instrument import Instrument
from actors.domain.order import Order, Outcome, Position
from actors.domain.prices.book import Depth, Sweep
from actors.domain.prices.evidence import Source
from actors.domain.prices.lp_registry import Registry
from actors.domain.quote import Tick
from actors.domain.risk.limits import Limits
from actors.domain.risk.requirement import Requirement


class Pong(Body, frozen=True):
    """`ready` False: the process lives, but cannot do its work; `detail` says what it lacks."""

    ready: bool
    detail: str
    seq: int
    """The last event number that it has dealt with; 0 where it deals with none."""
    counters: dict[str, int] = msgspec.field(default_factory=dict)
    """What it has counted since its start, apart from zeros."""


class Refusal(Body, frozen=True):
    """No: a code, a sentence, and the field at fault if one is.

    Codes are those of actors/domain/refusal.py, and UNKNOWN_USER, UNKNOWN_FILL, UNKNOWN_TICK, UNAVAILABLE, BAD_REQUEST.
    """

    code: str
    detail: str
    field: str = ""


class Done(Body, frozen=True):
    """A command without a result of its own was carried out."""

    seq: int


class OrderReport(Body, frozen=True):
    """What became of a request of an account; `seq` numbers the event that says so, `repeated`: it was done before.

    The answer to every command that has a client_order_id; others are answered by Done.
    """

    seq: int
    outcome: Outcome
    repeated: bool


class Instruments(Body, frozen=True):
    """All of them, retired ones too; empty where the asker has this version already."""

    instruments: list[Instrument]
    version: int = 0
    """Of the one that was changed last."""


class PositionReport(Message, frozen=True):
    position: Position
    price_e8: int
    """What it would close at now."""
    profit_minor: int


class AccountReport(Body, frozen=True):
    """An account as it is after event `seq`."""

    seq: int
    summary: AccountSummary
    positions: list[PositionReport]
    orders: list[Order]
    """Those that wait."""
    group: Group
    """The terms that it deals on."""
    requirements: dict[str, Requirement]
    """Its margin, by symbol."""
    limits: Limits = Limits()
    """In force: its own, and where it has none its group's."""


class PreviewReport(Body, frozen=True):
    currency: str
    preview: Preview


class LotSizeReport(Body, frozen=True):
    currency: str
    size: LotSize


class Events(Body, frozen=True):
    """Whole batches; empty where there is nothing at or after the number asked for."""

    batches: list[EventBatch]


class Ticks(Body, frozen=True):
    symbol: str
    ticks: list[Tick]


class Lps(Body, frozen=True):
    registry: Registry


class DepthReport(Body, frozen=True):
    """The book of a symbol, and what the quantity that was asked about costs in it."""

    symbol: str
    depth: Depth
    buy: Sweep
    sell: Sweep


class Sources(Body, frozen=True):
    """What stood behind a tick: the live quote of each LP, then the last ones that were dropped, and why."""

    tick: Tick
    sources: list[Source]


Answer = (
    Pong
    | Refusal
    | Done
    | OrderReport
    | Instruments
    | AccountReport
    | PreviewReport
    | LotSizeReport
    | ExposureReport
    | Terms
    | Changes
    | AccountRows
    | MoneyReport
    | MoneyRequests
    | Breaks
    | RoutePreview
    | Events
    | Explanation
    | Ticks
    | Lps
    | DepthReport
    | Sources
    | PeopleAnswer
    | Orders
    | Fills
    | Entries
    | Transactions
    | Bars
    | FixSessions
)


class Reply(Message, frozen=True):
    request_id: int
    body: Answer
