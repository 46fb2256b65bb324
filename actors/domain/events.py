"""What has happened: the only way in which the engine's state changes, and what history is made of.

Events carry the state after them (the order, the position), so whoever follows can keep a copy without the rules.
"""

import msgspec

from actors.domain.approval import MoneyRequest
from actors.domain.books import SentChild
from actors.domain.child import Break, ChildOrder, VenueChange, VenueFill
from actors.domain.commands import Mode
from actors.domain.group import STANDARD, Group
from actors.domain.halt import Halt
from actors.domain.hedge import HedgeTerms
from actors.domain.instrument import Instrument
from actors.domain.ledger import Entry, Posting
from actors.domain.limits import Limits
from actors.domain.order import Fill, Order, Position, Side
from actors.domain.requirement import Requirement
from actors.domain.rulebook import RuleBook
from actors.domain.stop_out import MarginStatus


class Happened(msgspec.Struct, frozen=True, array_like=True, tag=True, tag_field="kind", gc=False):
    """The base of all events: an array on the wire, the name of its class first."""


class InstrumentDefined(Happened, frozen=True):
    instrument: Instrument


class AccountOpened(Happened, frozen=True):
    account_id: int
    currency: str
    mode: Mode = Mode.HEDGING
    group: str = STANDARD


class GroupAssigned(Happened, frozen=True):
    """An account deals on the terms of this group; its margin by symbol is as they ask."""

    account_id: int
    group: Group
    requirements: dict[str, Requirement]


class MarginRevised(Happened, frozen=True):
    """What an account has open in a symbol asks for this margin by the terms of now."""

    account_id: int
    symbol: str
    requirement: Requirement


class GroupDefined(Happened, frozen=True):
    group: Group


class LimitsSet(Happened, frozen=True):
    """An account has these limits of its own."""

    account_id: int
    limits: Limits
    actor: str


class HolidaysDefined(Happened, frozen=True):
    currency: str
    days: tuple[int, ...]


class TermsChanged(Happened, frozen=True):
    """A person has changed the terms that the event before says."""

    subject: str
    actor: str
    reason: str
    time_ns: int


class TradingHalted(Happened, frozen=True):
    halt: Halt


class TradingResumed(Happened, frozen=True):
    """The halt that is over; who ended it is in the TermsChanged that follows."""

    halt: Halt


class ApprovalLimitsSet(Happened, frozen=True):
    limits_minor: dict[str, int]


class MoneyRequested(Happened, frozen=True):
    """Of a request that needs nobody else, the movement follows."""

    request: MoneyRequest


class RequestDecided(Happened, frozen=True):
    """Of one that was approved, the movement follows."""

    request: MoneyRequest


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


class MoneyMoved(Happened, frozen=True):
    account_id: int
    key: str
    actor: str
    posting: Posting


class OrderAccepted(Happened, frozen=True):
    """An order waits for its price."""

    order: Order


class OrderModified(Happened, frozen=True):
    """A waiting order is another than before: its terms, or its status (a stop-limit order whose stop was reached)."""

    order: Order


class ChangeAsked(Happened, frozen=True):
    """The venue at which an order rests is asked to change or cancel it; until it answers the order is as it was."""

    order: Order
    change: VenueChange


class ChangeRefused(Happened, frozen=True):
    """The venue has not done what it was asked for: the order rests there as it did."""

    order: Order
    change: VenueChange
    code: str
    detail: str


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


class MarginStatusChanged(Happened, frozen=True):
    """An account fell below its margin call or stop-out level, or came back, with the numbers that decided it."""

    account_id: int
    status: MarginStatus
    equity_minor: int
    maintenance_minor: int


class NegativeBalanceForgiven(Happened, frozen=True):
    """An account with nothing open owed money, and need not pay it."""

    account_id: int
    posting: Posting


class SwapCharged(Happened, frozen=True):
    """A position was kept over a roll: what that costs its client, or brings it, for so many nights."""

    position: Position
    nights: int
    posting: Posting


class DaySealed(Happened, frozen=True):
    """The trial balance at the end of a trading day: every ledger account, and all currencies sum to zero."""

    trading_day: int
    balances: tuple[Entry, ...]


class PositionModified(Happened, frozen=True):
    """A position has other protections."""

    position: Position


Event = (
    InstrumentDefined
    | GroupDefined
    | GroupAssigned
    | MarginRevised
    | LimitsSet
    | HolidaysDefined
    | RulesDefined
    | HedgeDefined
    | HedgeRemoved
    | ChildSent
    | ChildChanged
    | BreakFound
    | BreakDismissed
    | HedgeOrdered
    | TermsChanged
    | TradingHalted
    | TradingResumed
    | ApprovalLimitsSet
    | MoneyRequested
    | RequestDecided
    | InquiryDue
    | AccountOpened
    | MoneyMoved
    | OrderAccepted
    | OrderModified
    | ChangeAsked
    | ChangeRefused
    | OrderFilled
    | OrderEnded
    | OrderRejected
    | PositionModified
    | SwapCharged
    | MarginStatusChanged
    | NegativeBalanceForgiven
    | DaySealed
)
