"""What staff have changed: instruments, groups, limits, holidays, halts; and money that they ask for."""

from actors.domain.approval import MoneyRequest
from actors.domain.events.happened import (
    Happened,
)
from actors.domain.group import Group
from actors.domain.halt import Halt
from actors.domain.instrument import Instrument
from actors.domain.risk.limits import Limits
from actors.domain.risk.requirement import Requirement


class InstrumentDefined(Happened, frozen=True):
    instrument: Instrument


class GroupAssigned(Happened, frozen=True):
    """An account deals on the terms of this group; its margin by symbol is as they ask."""

    account_id: int
    group: Group
    requirements: dict[str, Requirement]


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
