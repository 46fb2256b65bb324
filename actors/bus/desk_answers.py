"""What the engine answers its staff: terms, accounts, requests for money, the broker's books, how a fill came to be."""

from actors.bus.message import Body, Message
from actors.domain.account import AccountSummary
from actors.domain.approval import MoneyRequest
from actors.domain.changes import Change
from actors.domain.commands import Input, Mode
from actors.domain.events.orders import Cover
from actors.domain.group import Group, Markup
from actors.domain.halt import Halt
from actors.domain.instrument import Instrument
from actors.domain.ledger import Posting
from actors.domain.order import Fill, Order, Position
from actors.domain.quote import Tick
from actors.domain.risk.limits import Limits
from actors.domain.risk.stop_out import MarginStatus
from actors.domain.routing.books import FoundBreak, SentChild
from actors.domain.routing.hedge import HedgeTerms
from actors.domain.routing.route import Considered, Routing
from actors.domain.routing.rulebook import RuleBook


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
