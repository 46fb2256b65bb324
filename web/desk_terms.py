"""Terms for the staff: instruments, groups, holidays, hedges; who changed them, and the versions of before."""

from datetime import date
from typing import Any

from actors.bus.answers import Changes, Events
from actors.bus.requests import GetChanges, GetEvents
from actors.domain.calendar import date_of, day_of
from actors.domain.commands import DefineGroup, DefineHedge, DefineHolidays, DefineInstrument
from actors.domain.events import (
    GroupDefined,
    HedgeDefined,
    HolidaysDefined,
    InstrumentDefined,
    LimitsSet,
    RulesDefined,
    TradingHalted,
    TradingResumed,
)
from actors.domain.group import Group
from actors.domain.hedge import HedgeTerms
from actors.domain.instrument import Instrument
from web import desk_schema, problem, schema
from web.contract import QUESTION, contract
from web.desk import CHANGE, IF_MATCH, Answered, DeskHandler
from web.plain import merged, plain, struct_of

TERMS_EVENTS = (
    InstrumentDefined
    | GroupDefined
    | HolidaysDefined
    | LimitsSet
    | RulesDefined
    | HedgeDefined
    | TradingHalted
    | TradingResumed
)


class InstrumentsHandler(DeskHandler):
    """GET /admin/instruments."""

    @contract("All instruments.", {200: Answered}, problems=QUESTION)
    async def get(self) -> None:
        self.parameters(schema.NoParameters)
        terms = await self.terms()
        self.answer({"instruments": [_versioned(it, f"instrument {it.symbol}", terms) for it in terms.instruments]})


class InstrumentHandler(DeskHandler):
    """GET and PATCH /admin/instruments/{symbol}: bounds, margin, sessions, swap, whether it is open or close-only."""

    @contract("An instrument.", {200: Answered}, problems=QUESTION)
    async def get(self, symbol: str) -> None:
        self.parameters(schema.NoParameters)
        terms = await self.terms()
        self.answer_terms(_instrument(terms.instruments, symbol), f"instrument {symbol}", terms.versions)

    @contract(
        "Change an instrument.",
        {200: Answered},
        body=desk_schema.ChangedTerms,
        problems=CHANGE,
        headers=IF_MATCH,
        example={"terms": {"state": "close_only"}, "reason": "election"},
    )
    async def patch(self, symbol: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(desk_schema.ChangedTerms)
        terms = await self.terms()
        subject, version = f"instrument {symbol}", self.wanted_version()
        known = _instrument(terms.instruments, symbol)
        instrument = struct_of(Instrument, merged(plain(known), wanted.terms))
        if instrument.symbol != symbol:
            raise problem.invalid("terms.symbol", "A symbol keeps its name.")
        # Between this look and the change somebody else's may come: theirs is not undone by ours.
        by = (self.caller.username, wanted.reason, version or terms.versions.get(subject, 0))
        await self.change(DefineInstrument(instrument, *by), subject, wanted.reason, before=known)
        self.answer_terms(instrument, subject, (await self.terms()).versions)


class GroupsHandler(DeskHandler):
    """GET and POST /admin/groups."""

    @contract("All groups.", {200: Answered}, problems=QUESTION)
    async def get(self) -> None:
        self.parameters(schema.NoParameters)
        terms = await self.terms()
        self.answer({"groups": [_versioned(it, f"group {it.name}", terms) for it in terms.groups]})

    @contract(
        "Add a group.",
        {201: Answered},
        body=desk_schema.ChangedTerms,
        problems=CHANGE,
        headers=IF_MATCH,
        example={"terms": {"name": "pros", "leverage": 30}, "reason": "new"},
    )
    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(desk_schema.ChangedTerms)
        group = struct_of(Group, wanted.terms)
        if any(known.name == group.name for known in (await self.terms()).groups):
            raise problem.Problem(409, "DUPLICATE_GROUP", f"There is a group {group.name} already.", field="terms.name")
        subject = f"group {group.name}"
        await self.change(DefineGroup(group, self.caller.username, wanted.reason), subject, wanted.reason)
        self.answer_terms(group, subject, (await self.terms()).versions, 201)


class GroupHandler(DeskHandler):
    """GET and PATCH /admin/groups/{name}: markup, commission, swap, limits, margin levels, leverage, hedging."""

    @contract("A group.", {200: Answered}, problems=QUESTION)
    async def get(self, name: str) -> None:
        self.parameters(schema.NoParameters)
        terms = await self.terms()
        self.answer_terms(_group(terms.groups, name), f"group {name}", terms.versions)

    @contract(
        "Change a group.",
        {200: Answered},
        body=desk_schema.ChangedTerms,
        problems=CHANGE,
        headers=IF_MATCH,
        example={"terms": {"leverage": 20}, "reason": "tighter"},
    )
    async def patch(self, name: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(desk_schema.ChangedTerms)
        terms = await self.terms()
        subject, version = f"group {name}", self.wanted_version()
        known = _group(terms.groups, name)
        group = struct_of(Group, merged(plain(known), wanted.terms))
        if group.name != name:
            raise problem.invalid("terms.name", "A group keeps its name.")
        by = (self.caller.username, wanted.reason, version or terms.versions.get(subject, 0))
        await self.change(DefineGroup(group, *by), subject, wanted.reason, before=known)
        self.answer_terms(group, subject, (await self.terms()).versions)


class HolidaysHandler(DeskHandler):
    """GET /admin/holidays: the days on which nothing is settled, by currency."""

    @contract("Days on which nothing is settled.", {200: Answered}, problems=QUESTION)
    async def get(self) -> None:
        self.parameters(schema.NoParameters)
        holidays = (await self.terms()).holidays
        self.answer({"holidays": {currency: _dates(days) for currency, days in holidays.items()}})


class CurrencyHolidaysHandler(DeskHandler):
    """PUT /admin/holidays/{currency}: all of its days."""

    @contract(
        "Set a currency's days.",
        {200: Answered},
        body=desk_schema.Holidays,
        problems=CHANGE,
        headers=IF_MATCH,
        example={"days": ["2026-12-25"], "reason": "calendar"},
    )
    async def put(self, currency: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(desk_schema.Holidays)
        days = tuple(sorted({_day(text) for text in wanted.days}))
        command = DefineHolidays(currency, days, self.caller.username, wanted.reason, self.wanted_version())
        before = (await self.terms()).holidays.get(currency, ())
        await self.change(command, f"holidays {currency}", wanted.reason, before=_dates(before))
        self.answer({"currency": currency, "days": _dates(days)})


class HedgesHandler(DeskHandler):
    """GET /admin/hedges."""

    @contract("How symbols are hedged.", {200: Answered}, problems=QUESTION)
    async def get(self) -> None:
        self.parameters(schema.NoParameters)
        terms = await self.terms()
        self.answer({"hedges": [_versioned(it, f"hedge {it.symbol}", terms) for it in terms.hedges]})


class HedgeHandler(DeskHandler):
    """PUT /admin/hedges/{symbol}: from which limit on, in which steps and where it is hedged."""

    @contract(
        "Hedge a symbol.",
        {200: Answered},
        body=desk_schema.ChangedTerms,
        problems=CHANGE,
        headers=IF_MATCH,
        example={
            "terms": {"limit": "500000", "step": "1000", "minimum": "10000", "venues": ["OANDA"]},
            "reason": "limit",
        },
    )
    async def put(self, symbol: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(desk_schema.ChangedTerms)
        hedge = struct_of(HedgeTerms, {**wanted.terms, "symbol": symbol})
        subject = f"hedge {symbol}"
        before = next((it for it in (await self.terms()).hedges if it.symbol == symbol), None)
        command = DefineHedge(hedge, self.caller.username, wanted.reason, self.wanted_version())
        await self.change(command, subject, wanted.reason, before=before)
        self.answer_terms(hedge, subject, (await self.terms()).versions)


class ChangesHandler(DeskHandler):
    """GET /admin/changes: who has changed which terms, newest first."""

    @contract("Who has changed which terms.", {200: Answered}, parameters=desk_schema.WhichChanges, problems=QUESTION)
    async def get(self) -> None:
        page = self.parameters(desk_schema.WhichChanges)
        asked = GetChanges(page.limit + 1, int(page.before or 0), page.subject or "")
        found = (await self.engine(asked, Changes)).changes
        listed = found[: page.limit]
        cursor = str(listed[-1].version) if len(found) > page.limit else None
        bodies = [
            {
                **plain(change),
                "version": str(change.version),
                "previous": str(change.previous) if change.previous else None,
            }
            for change in listed
        ]
        self.answer({"changes": bodies, "next": cursor})


class VersionHandler(DeskHandler):
    """GET /admin/versions/{number}: terms as they were made then."""

    @contract("Terms of a version.", {200: Answered}, problems=QUESTION)
    async def get(self, number: str) -> None:
        self.parameters(schema.NoParameters)
        version = int(number)
        for batch in (await self.engine(GetEvents(version), Events)).batches:
            if batch.first_seq <= version < batch.first_seq + len(batch.events):
                event = batch.events[version - batch.first_seq]
                if isinstance(event, TERMS_EVENTS):
                    self.answer(
                        {"version": number, "time": plain(batch.time_ns, name="time_ns"), "terms": plain(event)}
                    )
                    return
        raise problem.Problem(404, "UNKNOWN_VERSION", f"No terms have the version {number}.")


def _versioned(one: Any, subject: str, terms: Any) -> dict[str, Any]:
    version = terms.versions.get(subject, 0)
    return {"version": str(version) if version else None, "terms": plain(one)}


def _instrument(instruments: list[Instrument], symbol: str) -> Instrument:
    found = next((it for it in instruments if it.symbol == symbol), None)
    if found is None:
        raise problem.Problem(404, "UNKNOWN_SYMBOL", f"There is no symbol {symbol[:32]!r}.", field="symbol")
    return found


def _group(groups: list[Group], name: str) -> Group:
    found = next((it for it in groups if it.name == name), None)
    if found is None:
        raise problem.Problem(404, "UNKNOWN_GROUP", f"There is no group {name[:64]!r}.", field="name")
    return found


def _dates(days: tuple[int, ...]) -> list[str]:
    return [date_of(day).isoformat() for day in days]


def _day(text: str) -> int:
    try:
        parsed = date.fromisoformat(text)
    except ValueError as error:
        raise problem.invalid("days", f"{error}.") from None
    return day_of(parsed.year, parsed.month, parsed.day)
