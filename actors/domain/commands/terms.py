"""The terms of trading, as configuration and staff set them, and what staff do at the dealing desk."""

from enum import Enum

from actors.domain.commands.told import Told
from actors.domain.group import STANDARD, Group
from actors.domain.halt import HaltScope
from actors.domain.instrument import Instrument
from actors.domain.order import Side
from actors.domain.risk.limits import Limits
from actors.domain.routing.hedge import HedgeTerms
from actors.domain.routing.rulebook import Rule


class Mode(Enum):
    """What a fill does to what is open in its symbol."""

    HEDGING = "hedging"
    """It opens a position of its own."""
    NETTING = "netting"
    """It adds to the one position, or takes from it."""


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


class OpenAccount(Told, frozen=True):
    """Opens a trading account. Done again with the same terms it changes nothing."""

    account_id: int
    currency: str
    mode: Mode = Mode.HEDGING
    group: str = STANDARD
