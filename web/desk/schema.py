"""What the staff's addresses below /admin take. Terms are objects, named as in answers (payloads/plain.py)."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from actors.domain.commands import Mode
from actors.domain.halt import HaltScope
from actors.domain.order import Side
from web.payloads.schema import Currency, Decimal, Id, Name, Page, Reason, Request, Symbol, Time

Date = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-12-25"])]
Version = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,17}$")]
Terms = dict[str, Any]


class Why(Request, frozen=True):
    reason: Reason


class ChangedTerms(Why, frozen=True):
    """A JSON merge patch (RFC 7396): what is not named stays."""

    terms: Terms


class NewAccount(Why, frozen=True):
    account_id: Id
    currency: Currency
    mode: Mode = Mode.HEDGING
    group: Name = "standard"


class AssignedGroup(Why, frozen=True):
    group: Name


class WhichAccounts(Request, frozen=True):
    limit: Page = 100
    after: Id | None = None
    group: Name | None = None


class MoveMoney(Why, frozen=True):
    kind: Literal["deposit", "withdrawal", "credit", "adjustment"]
    amount: Decimal


class WhichRequests(Request, frozen=True):
    limit: Page = 100
    before: Id | None = None
    status: Literal["pending"] | None = None


class Decision(Why, frozen=True):
    approve: bool


class CloseForClient(Why, frozen=True):
    quantity: Decimal | None = None


class Holidays(Why, frozen=True):
    days: Annotated[list[Date], Meta(max_length=1_000)]


class NewRule(Why, frozen=True):
    """`place`: before which rule it goes, counted from 0; absent: before the last, which takes every order."""

    rule: Terms
    place: Annotated[int, Meta(ge=0, le=255)] | None = None


class RuleOrder(Why, frozen=True):
    rule_ids: Annotated[list[Id], Meta(min_length=1, max_length=256)]


class Preview(Request, frozen=True):
    account_id: Id
    symbol: Symbol
    side: Side
    quantity: Decimal
    time: Time | None = None
    rules: list[Terms] | None = None
    """Those to try; absent: those in force."""


class NewHedgeOrder(Why, frozen=True):
    side: Side
    quantity: Decimal
    venues: Annotated[list[Name], Meta(min_length=1, max_length=16)]


class Halting(Why, frozen=True):
    scope: HaltScope
    name: Annotated[str, Meta(max_length=64)] = ""


class Settlement(Why, frozen=True):
    child_id: Name
    filled: Decimal
    price: Decimal = "0"
    exec_id: Annotated[str, Meta(max_length=64)] = ""


class Dismissal(Why, frozen=True):
    child_id: Annotated[str, Meta(min_length=1, max_length=200)]


class Against(Request, frozen=True):
    against: Version | None = None
    """Absent: the version before."""


class WhichChanges(Request, frozen=True):
    limit: Page = 100
    before: Version | None = None
    subject: Annotated[str, Meta(max_length=100)] | None = None
