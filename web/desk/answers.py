"""What the staff's addresses below /admin answer. Terms are as the domain has them (payloads/plain_types.py)."""

from typing import Annotated, Any

from msgspec import UNSET, Meta

from actors.bus.desk_answers import AccountRow, Explanation
from actors.domain.events.terms import (
    GroupAssigned,
    GroupDefined,
    HolidaysDefined,
    InstrumentDefined,
    LimitsSet,
    TradingHalted,
    TradingResumed,
)
from actors.domain.events.venues import HedgeDefined, HedgeRemoved, RulesDefined
from actors.domain.group import Group
from actors.domain.halt import Halt
from actors.domain.instrument import Instrument
from actors.domain.risk.limits import Limits
from actors.domain.routing.books import SentChild
from actors.domain.routing.child import Break
from actors.domain.routing.hedge import HedgeTerms
from actors.domain.routing.route import Routing
from actors.domain.routing.rulebook import Rule
from web.payloads.bodies import AccountBody, Body, OrderBody
from web.payloads.plain_types import Number, answer, answered, extended, many, one_of, page, versioned
from web.payloads.schema import Amount, Id, Moment

Date = Annotated[str, Meta(extra_json_schema={"format": "date"}, examples=["2026-12-25"])]


class MoneyRequestBody(Body, frozen=True):
    """Money that was asked for; what was decided is null while it waits."""

    id: Id
    account_id: Id
    kind: str
    amount: Amount
    currency: str
    idempotency_key: str
    asked_by: str
    reason: str
    asked: Moment
    status: str
    decided_by: str | None
    decision_reason: str | None
    decided: Moment | None


class OneMoneyRequest(Body, frozen=True):
    request: MoneyRequestBody


class MoneyRequestsPage(Body, frozen=True):
    requests: list[MoneyRequestBody]
    next: Id | None


class WaitingOrders(Body, frozen=True):
    orders: list[OrderBody]


class CurrencyHolidays(Body, frozen=True):
    currency: str
    days: list[Date]


class AllHolidays(Body, frozen=True):
    holidays: dict[str, list[Date]]


class ChangeBody(Body, frozen=True):
    """A change by a person."""

    version: Id
    subject: str
    previous: Id | None
    """The version of before; null where there was none."""
    actor: str
    reason: str
    time: Moment


class ChangesPage(Body, frozen=True):
    changes: list[ChangeBody]
    next: Id | None


class Difference(Body, frozen=True):
    """Of two versions in one place; absent where a version has nothing there."""

    path: str
    """A JSON pointer (RFC 6901) into the terms."""
    before: Any = UNSET
    after: Any = UNSET


class Comparison(Body, frozen=True):
    subject: str
    version: Id
    against: Id | None
    """null: there was no version before."""
    differences: list[Difference]


class Restored(Body, frozen=True):
    subject: str
    version: Id | None
    """The subject's version after it."""


class DeskBody(Body, frozen=True):
    """The broker's books in a symbol; amounts are in its quote currency."""

    symbol: str
    exposure: Amount
    coverage: Amount
    hedging: Amount
    """On its way."""
    open: Amount
    at_venues: dict[str, Amount]
    b_book_profit: Amount
    a_book_profit: Amount
    markup: Amount
    """As much of the A-book's profit is markup."""
    hedge_profit: Amount


class HedgeSent(Body, frozen=True):
    seq: Number


class ConsideredRule(Body, frozen=True):
    rule_id: Id
    name: str
    matched: bool
    why_not: str | None


class PassedOver(Body, frozen=True):
    """A venue of the route that is sent nothing, as the LP registry is."""

    venue: str
    why: str


INSTRUMENT, GROUP, HEDGE, OWN_LIMITS = (versioned(kind) for kind in (Instrument, Group, HedgeTerms, Limits))
INSTRUMENTS = answer("Instruments", instruments=many(INSTRUMENT))
GROUPS = answer("Groups", groups=many(GROUP))
HEDGES = answer("Hedges", hedges=many(HEDGE))
RULES = answer("Rules", version=int, venues=list[str], rules=many(answered(Rule)))
ROUTE = answer(
    "Route",
    version=int,
    price=Amount,
    rule=answered(Rule),
    routing=answered(Routing),
    considered=list[ConsideredRule],
    passed_over=list[PassedOver],
)
ACCOUNT_ROW = extended("AccountInList", AccountRow, limits_version=Id | None, group_version=Id | None)
ACCOUNT = answer("NewAccountBody", account=ACCOUNT_ROW)
ACCOUNTS = page("AccountsPage", accounts=many(ACCOUNT_ROW))
ONE_ACCOUNT = answer("AccountForStaff", account=ACCOUNT_ROW, summary=AccountBody, limits_in_force=answered(Limits))
HALTS = answer("HaltList", halts=many(answered(Halt)))
EXPOSURE = answer("Exposure", desks=list[DeskBody], children=many(answered(SentChild)))
BREAKS = answer("BreakList", breaks=many(extended("BreakInList", Break, seq=Number)))
EXPLANATION = answered(Explanation)

TERMS_EVENTS = (
    InstrumentDefined,
    GroupDefined,
    GroupAssigned,
    HolidaysDefined,
    LimitsSet,
    RulesDefined,
    HedgeDefined,
    HedgeRemoved,
    TradingHalted,
    TradingResumed,
)
"""What makes a version."""
VERSION = answer("Version", version=Id, time=Moment, terms=one_of(*(answered(kind) for kind in TERMS_EVENTS)))
