"""Every message on the bus that is not a domain command or event. The wire itself is in PROTOCOL.md."""

import msgspec

from actors.domain.account import AccountSummary
from actors.domain.bar import Bar
from actors.domain.books import SentChild
from actors.domain.commands import (
    Adjust,
    CancelOrder,
    ClosePosition,
    ClosePositionBy,
    ClosePositions,
    DefineGroup,
    DefineHedge,
    DefineRules,
    Deposit,
    GrantCredit,
    Input,
    ModifyOrder,
    ModifyPosition,
    OpenAccount,
    ReportExecution,
    ReversePosition,
    SettleBreak,
    SubmitOrder,
    Withdraw,
)
from actors.domain.events import Event
from actors.domain.group import Group, Markup
from actors.domain.instrument import Instrument
from actors.domain.ledger import Posting
from actors.domain.order import Fill, Order, Outcome, Position
from actors.domain.quote import Quote, Tick
from actors.domain.requirement import Requirement


class Message(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The base of all of them: an array on the wire."""


class Body(Message, frozen=True, tag=True, tag_field="kind"):
    """The base of those that stand where one of several may: the class's name comes first."""


# Feeds to the aggregator.


class QuoteBatch(Body, frozen=True):
    """Quotes of one LP, in the order in which they came."""

    venue: str
    quotes: list[Quote]


class FeedStatus(Body, frozen=True):
    """How a feed is, once a second and at each change. The counters run from the start of its process."""

    venue: str
    connected: bool
    detail: str
    time_ns: int
    quotes: int
    dropped: dict[str, int]


FeedMessage = QuoteBatch | FeedStatus


# The public streams (see topics.py for who publishes what).


class StreamAlive(Message, frozen=True):
    """The aggregator's heartbeat: the number of the last tick of each symbol. Who has another missed some."""

    time_ns: int
    last_seq: dict[str, int]


class StreamStatus(Message, frozen=True):
    """What the console shows of the LPs."""

    time_ns: int
    feeds: list[FeedStatus]


class EventBatch(Message, frozen=True):
    """Events numbered from `first_seq`, committed together. Empty: a heartbeat that says which number is next."""

    first_seq: int
    time_ns: int
    events: list[Event]


# Questions. Who answers is in the comment; every answer comes back as a Reply with the request's id.


class Ping(Body, frozen=True):
    """Everybody answers Pong."""


class GetInstruments(Body, frozen=True):
    """The engine answers Instruments."""


class GetAccount(Body, frozen=True):
    """The engine answers AccountReport."""

    account_id: int


class GetExposure(Body, frozen=True):
    """The engine answers ExposureReport."""


class GetEvents(Body, frozen=True):
    """The engine answers Events, from number `first_seq` on."""

    first_seq: int


class GetExplanation(Body, frozen=True):
    """The engine answers Explanation, or Refusal UNKNOWN_FILL. Worked out beside the engine: it takes a while."""

    fill_id: int


class GetTicks(Body, frozen=True):
    """The aggregator answers Ticks: what it still has of a symbol after number `after_seq`."""

    symbol: str
    after_seq: int


class GetUser(Body, frozen=True):
    """Persistence answers UserReport, or Refusal UNKNOWN_USER."""

    username: str


class GetOrders(Body, frozen=True):
    """Persistence answers Orders, newest first, with ids below `before_id` (0: from the newest).

    `at_least_seq`: the answer waits, for a short while, until the events up to there are stored.
    """

    account_id: int
    limit: int
    before_id: int
    at_least_seq: int


class GetFills(Body, frozen=True):
    """Persistence answers Fills; as GetOrders."""

    account_id: int
    limit: int
    before_id: int
    at_least_seq: int


class GetEntries(Body, frozen=True):
    """Persistence answers Entries of one ledger account; as GetOrders."""

    account: str
    limit: int
    before_id: int
    at_least_seq: int


class GetTickHistory(Body, frozen=True):
    """Persistence answers Ticks: the newest `limit` with numbers below `before_seq` (0: no bound), oldest first."""

    symbol: str
    limit: int
    before_seq: int


class GetBars(Body, frozen=True):
    """Persistence answers Bars of `minutes` minutes: the newest `limit` that start before `before_ns` (0: no bound).

    Oldest first. Minutes are those of a timeframe: 1, 5, 15, 30, 60, 240 or 1440.
    """

    symbol: str
    minutes: int
    limit: int
    before_ns: int


EngineCommand = (
    OpenAccount
    | DefineGroup
    | DefineRules
    | DefineHedge
    | ReportExecution
    | SettleBreak
    | Deposit
    | Withdraw
    | GrantCredit
    | Adjust
    | SubmitOrder
    | ModifyOrder
    | CancelOrder
    | ModifyPosition
    | ClosePosition
    | ClosePositionBy
    | ClosePositions
    | ReversePosition
)
EngineQuery = Ping | GetInstruments | GetAccount | GetExposure | GetEvents | GetExplanation
HistoryQuery = Ping | GetUser | GetOrders | GetFills | GetEntries | GetTickHistory | GetBars
AggregatorQuery = Ping | GetTicks


class EngineRequest(Message, frozen=True):
    request_id: int
    body: EngineCommand | EngineQuery


class HistoryRequest(Message, frozen=True):
    request_id: int
    body: HistoryQuery


class AggregatorRequest(Message, frozen=True):
    request_id: int
    body: AggregatorQuery


# Answers.


class Pong(Body, frozen=True):
    """`ready` False: the process lives, but cannot do its work; `detail` says what it lacks."""

    ready: bool
    detail: str
    seq: int
    """The last event number that it has dealt with; 0 where it deals with none."""


class Refusal(Body, frozen=True):
    """No: a code, a sentence, and the field at fault if one is.

    Codes are those of actors/domain/refusal.py, and UNKNOWN_USER, UNKNOWN_FILL, UNAVAILABLE, BAD_REQUEST.
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
    instruments: list[Instrument]


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


class Ticks(Body, frozen=True):
    symbol: str
    ticks: list[Tick]


class User(Message, frozen=True):
    user_id: int
    username: str
    password_hash: str
    role: str
    """trader or admin."""
    account_id: int
    """The trading account; 0 where the user has none."""


class UserReport(Body, frozen=True):
    user: User


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
    | ExposureReport
    | Events
    | Explanation
    | Ticks
    | UserReport
    | Orders
    | Fills
    | Entries
    | Bars
)


class Reply(Message, frozen=True):
    request_id: int
    body: Answer
