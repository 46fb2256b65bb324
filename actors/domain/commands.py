"""What the engine is told: commands (imperative, and checked before obeyed) and what it sees of the prices."""

from enum import Enum

import msgspec

from actors.domain.child import VenueReport
from actors.domain.group import STANDARD, Group
from actors.domain.halt import HaltScope
from actors.domain.hedge import HedgeTerms
from actors.domain.instrument import Instrument
from actors.domain.limits import Limits
from actors.domain.order import OrderTerms, Side
from actors.domain.quote import Tick
from actors.domain.rulebook import Rule


class Told(msgspec.Struct, frozen=True, array_like=True, tag=True, tag_field="kind", gc=False):
    """The base of everything that the engine is told: an array on the wire, the name of its class first."""


class Mode(Enum):
    """What a fill does to what is open in its symbol."""

    HEDGING = "hedging"
    """It opens a position of its own."""
    NETTING = "netting"
    """It adds to the one position, or takes from it."""


class Which(Enum):
    """Which of the open positions are to be closed."""

    ALL = "all"
    WINNERS = "winners"
    LOSERS = "losers"


class DefineInstrument(Told, frozen=True):
    """Adds an instrument or changes its terms."""

    instrument: Instrument
    actor: str = "config"
    reason: str = ""
    """Why a person wants it so; empty where configuration says it. This and `if_version` are the same in others."""
    if_version: int = 0
    """Refused with VERSION_MISMATCH where the terms have another version (changes.py); 0: whichever they have."""


class DefineGroup(Told, frozen=True):
    """Adds a group of accounts or changes its terms."""

    group: Group
    actor: str = "config"
    reason: str = ""
    if_version: int = 0


class AssignGroup(Told, frozen=True):
    """An account deals on the terms of another group from now on, with what it has open and waiting."""

    account_id: int
    group: str
    actor: str
    reason: str = ""
    if_version: int = 0


class SetLimits(Told, frozen=True):
    """Sets all limits of its own of an account; 0, and no exposure limit: what its group says."""

    account_id: int
    limits: Limits
    actor: str
    reason: str = ""
    if_version: int = 0


class DefineHolidays(Told, frozen=True):
    """Sets all days on which nothing is settled in a currency, in order, apart from Saturdays and Sundays."""

    currency: str
    days: tuple[int, ...]
    """Since 1 January 1970."""
    actor: str = "config"
    reason: str = ""
    if_version: int = 0


class DefineRules(Told, frozen=True):
    """Sets all dealing rules, in the order in which they are tried, and names the execution venues that exist."""

    rules: tuple[Rule, ...]
    venues: tuple[str, ...] = ()
    actor: str = "config"
    reason: str = ""
    if_version: int = 0


class DefineHedge(Told, frozen=True):
    """Hedges a symbol from now on, or in another way."""

    terms: HedgeTerms
    actor: str = "config"
    reason: str = ""
    if_version: int = 0


class RemoveHedge(Told, frozen=True):
    """Hedges a symbol no longer; what is hedged stays so."""

    symbol: str
    actor: str
    reason: str = ""
    if_version: int = 0


class SendHedge(Told, frozen=True):
    """Buys or sells for the broker itself, at the market of the first of the venues that deals it, once per `key`."""

    symbol: str
    side: Side
    quantity_e8: int
    venues: tuple[str, ...]
    key: str
    actor: str
    reason: str


class HaltTrading(Told, frozen=True):
    """Nothing is dealt from now on: see halt.py. Halted again it stays as it is."""

    scope: HaltScope
    name: str
    actor: str
    reason: str


class ResumeTrading(Told, frozen=True):
    """Ends a halt; other halts go on."""

    scope: HaltScope
    name: str
    actor: str
    reason: str


class ReportExecution(Told, frozen=True):
    """What an execution venue says of an order that was sent to it."""

    report: VenueReport


class ReportHolding(Told, frozen=True):
    """What an execution venue's account holds of a symbol, longs less shorts, while nothing was on its way there."""

    venue: str
    symbol: str
    quantity_e8: int


class SettleBreak(Told, frozen=True):
    """A person has learnt what became of a child order.

    Of what is left of it, so much was filled (0: nothing), and the rest not. Where nothing is left of it, the fill is
    one that no client gets: it is the broker's own.
    """

    child_id: str
    exec_id: str
    filled_e8: int
    price_e8: int
    actor: str
    reason: str = ""


class DismissBreak(Told, frozen=True):
    """A person has dealt with a break that leaves no order to settle, outside of these books."""

    child_id: str
    actor: str
    reason: str


class OpenAccount(Told, frozen=True):
    """Opens a trading account. Done again with the same terms it changes nothing."""

    account_id: int
    currency: str
    mode: Mode = Mode.HEDGING
    group: str = STANDARD


class Deposit(Told, frozen=True):
    """Pays money in, once per `key`."""

    account_id: int
    amount_minor: int
    key: str
    actor: str
    """Who is answerable: a user name, or "config"."""


class Withdraw(Told, frozen=True):
    """Pays money out, once per `key`: no more than the free margin, and never what was given as credit."""

    account_id: int
    amount_minor: int
    key: str
    actor: str


class GrantCredit(Told, frozen=True):
    """Gives a bonus that counts as equity and cannot be withdrawn, once per `key`; a negative amount takes it back."""

    account_id: int
    amount_minor: int
    key: str
    actor: str


class Adjust(Told, frozen=True):
    """Corrects a balance, up or down, once per `key`."""

    account_id: int
    amount_minor: int
    key: str
    actor: str


Movement = Deposit | Withdraw | GrantCredit | Adjust


class SetApprovalLimits(Told, frozen=True):
    """Sets how much one person may have moved on an account within a day, by currency; nothing in any other."""

    limits_minor: dict[str, int]


class RequestMoney(Told, frozen=True):
    """Has money moved, or above the limit asks for it (approval.py), once per key of the movement."""

    movement: Movement
    reason: str


class DecideRequest(Told, frozen=True):
    """Another person has the money moved that was asked for, or turns it down."""

    request_id: int
    approves: bool
    actor: str
    reason: str


class SubmitOrder(Told, frozen=True):
    """A client's order. `client_order_id` is its identity: sent again unchanged, it gets the first answer again."""

    account_id: int
    client_order_id: str
    terms: OrderTerms


class ModifyOrder(Told, frozen=True):
    """Changes a waiting order: what has another value in `terms` than the order has. Symbol, side and type stay."""

    account_id: int
    order_id: int
    terms: OrderTerms


class CancelOrder(Told, frozen=True):
    """Takes a waiting order back. One that has gone already stays as it is, and is the answer."""

    account_id: int
    order_id: int


class ModifyPosition(Told, frozen=True):
    """Sets all three protections of a position; 0 takes one away."""

    account_id: int
    position_id: int
    stop_loss_e8: int
    take_profit_e8: int
    trailing_stop_e8: int = 0


class ClosePosition(Told, frozen=True):
    """Closes a position, or `quantity_e8` of it (0: all) at the market."""

    account_id: int
    client_order_id: str
    position_id: int
    quantity_e8: int = 0


class ClosePositionBy(Told, frozen=True):
    """Closes a position against an opposite one of the same symbol, as far as both go: no spread is paid."""

    account_id: int
    client_order_id: str
    position_id: int
    other_position_id: int


class ClosePositions(Told, frozen=True):
    """Closes many at the market; `symbol` empty: in all symbols. Those that cannot be dealt now stay open."""

    account_id: int
    client_order_id: str
    which: Which
    symbol: str = ""


class ReversePosition(Told, frozen=True):
    """Closes a position and opens its opposite, of the same quantity."""

    account_id: int
    client_order_id: str
    position_id: int


EngineCommand = (
    OpenAccount
    | DefineInstrument
    | DefineGroup
    | AssignGroup
    | SetLimits
    | DefineHolidays
    | DefineRules
    | DefineHedge
    | RemoveHedge
    | SendHedge
    | HaltTrading
    | ResumeTrading
    | ReportExecution
    | ReportHolding
    | SettleBreak
    | DismissBreak
    | RequestMoney
    | DecideRequest
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
"""What other processes may ask for."""
Command = SetApprovalLimits | EngineCommand
"""What the engine obeys: how much one person may move comes from configuration alone."""


class ObserveTicks(Told, frozen=True):
    """Ticks in the order in which they came."""

    ticks: tuple[Tick, ...]


class ObserveStream(Told, frozen=True):
    """The price stream was alive at `alive_ns`; our price of the symbols `behind` is not its last: not to be used."""

    alive_ns: int
    behind: tuple[str, ...] = ()


Input = Command | ObserveTicks | ObserveStream
