"""What comes back: a Reply to each request."""

import msgspec

from actors.bus.fix_sessions import FixSessions
from actors.bus.message import Body, Message
from actors.bus.people import PeopleAnswer
from actors.bus.streams import EventBatch
from actors.domain.account import AccountSummary
from actors.domain.approval import MoneyRequest
from actors.domain.bar import Bar
from actors.domain.book import Depth, Sweep
from actors.domain.books import FoundBreak, SentChild
from actors.domain.changes import Change
from actors.domain.commands import Input, Mode
from actors.domain.events import Cover
from actors.domain.evidence import Source
from actors.domain.group import Group, Markup
from actors.domain.halt import Halt
from actors.domain.hedge import HedgeTerms
from actors.domain.instrument import Instrument
from actors.domain.ledger import Posting
from actors.domain.limits import Limits
from actors.domain.lp_registry import Registry
from actors.domain.order import Fill, Order, Outcome, Position
from actors.domain.preview import LotSize, Preview
from actors.domain.quote import Tick
from actors.domain.requirement import Requirement
from actors.domain.routing import Considered, Routing
from actors.domain.rulebook import RuleBook
from actors.domain.stop_out import MarginStatus


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


class DeskReport(Message, frozen=True):
    """The broker's books in one symbol (hedge.Desk has the signs). Amounts, in its quote currency, are in two parts
    (actors/domain/wide.py): price times quantity, on the 10^-16 scale."""

    symbol: str
    exposure_e8: int
    coverage_e8: int
    hedging_e8: int
    """Hedges on their way."""
    open_e8: int
    at_venues_e8: dict[str, int]
    b_book_profit: tuple[int, int]
    a_book_profit: tuple[int, int]
    markup: tuple[int, int]
    """As much of the A-book profit is markup."""
    hedge_profit: tuple[int, int]


class ExposureReport(Body, frozen=True):
    """The broker's books after event `seq`, at the last ticks, by symbol; and the child orders that are not over."""

    seq: int
    desks: list[DeskReport]
    children: list[SentChild]


class Terms(Body, frozen=True):
    """The terms after event `seq`, and the version of each (actors/domain/changes.py), by subject."""

    seq: int
    instruments: list[Instrument]
    groups: list[Group]
    rules: RuleBook
    venues: tuple[str, ...]
    hedges: list[HedgeTerms]
    holidays: dict[str, tuple[int, ...]]
    halts: list[Halt]
    approval_limits: dict[str, int]
    versions: dict[str, int]


class Changes(Body, frozen=True):
    changes: list[Change]


class AccountRow(Message, frozen=True):
    """An account in a list: what can be said without looking at prices."""

    account_id: int
    currency: str
    mode: Mode
    group: str
    balance_minor: int
    credit_minor: int
    positions: int
    orders: int
    status: MarginStatus
    limits: Limits
    """Of its own."""
    limits_version: int
    group_version: int = 0


class AccountRows(Body, frozen=True):
    seq: int
    accounts: list[AccountRow]


class MoneyReport(Body, frozen=True):
    """A request for money as it is by now: the answer to RequestMoney and DecideRequest."""

    seq: int
    request: MoneyRequest


class MoneyRequests(Body, frozen=True):
    requests: list[MoneyRequest]


class Breaks(Body, frozen=True):
    """Those that wait for a person, newest first."""

    breaks: list[FoundBreak]


class RoutePreview(Body, frozen=True):
    """Where an order would go at `price_e8`, and what each rule says of it: the first that matches decides."""

    version: int
    price_e8: int
    routing: Routing
    considered: list[Considered]


class Events(Body, frozen=True):
    """Whole batches; empty where there is nothing at or after the number asked for."""

    batches: list[EventBatch]


class JournalPlace(Message, frozen=True):
    """Where in the journal something happened."""

    batch_seq: int
    event_seq: int
    first_event_seq: int
    """Of the events that were committed together with it, the first and (`last_event_seq`) the last."""
    last_event_seq: int
    committed_ns: int
    snapshot_batch_seq: int
    """The state was worked out from the snapshot of this batch; 0: from the first record."""


class Explanation(Body, frozen=True):
    """All that led to a fill and what came of it, as the journal has it. Further fields go to the end."""

    fill: Fill
    order: Order
    position: Position
    """After the fill."""
    instrument: Instrument
    currency: str
    """The account's."""
    cause: Input
    """What the engine was told: the client's command, or (of several ticks the one) the tick that set it off."""
    tick: Tick | None
    """What it was dealt on, with the LP of each side."""
    conversion_tick: Tick | None
    """The cross by which the amount became one in the account's currency; None where they are the same."""
    before: AccountSummary
    after: AccountSummary
    postings: tuple[Posting, ...]
    place: JournalPlace
    markup: Markup
    """What the broker's terms for the account's group added to the tick."""
    cover: Cover | None = None
    """The venue's part in it; None where the broker dealt it itself. The rule is in the order."""


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


class Orders(Body, frozen=True):
    orders: list[Order]


class Fills(Body, frozen=True):
    fills: list[Fill]


class LedgerLine(Message, frozen=True):
    """One entry of a ledger account, with what was there after it."""

    entry_id: int
    posting_id: int
    kind: str
    reference: str
    time_ns: int
    account: str
    currency: str
    amount_minor: int
    balance_minor: int


class Entries(Body, frozen=True):
    lines: list[LedgerLine]


class Transactions(Body, frozen=True):
    """Entries of a ledger account, oldest first, and what was there before the first that was asked for."""

    opening_minor: int
    lines: list[LedgerLine]


class Bars(Body, frozen=True):
    symbol: str
    minutes: int
    bars: list[Bar]


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
