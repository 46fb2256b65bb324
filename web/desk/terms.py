"""Terms for the staff: instruments, groups, holidays and hedges."""

from datetime import date
from typing import Any

from actors.domain.calendar import date_of, day_of
from actors.domain.commands import DefineGroup, DefineHedge, DefineHolidays, DefineInstrument, RemoveHedge
from actors.domain.group import Group
from actors.domain.instrument import Instrument
from actors.domain.routing.hedge import HedgeTerms
from web.desk import answers, schema
from web.desk.handler import DeskHandler, changes, looks_up
from web.payloads import problem
from web.payloads.plain import merged, plain, struct_of
from web.payloads.plain_types import patched

_AUDUSD = {
    "symbol": "AUDUSD",
    "base": "AUD",
    "quote": "USD",
    "description": "Australian dollar / US dollar",
    "price_digits": 5,
    "quantity_min": "1",
    "quantity_max": "10000000",
    "quantity_step": "1",
    "margin_rate": "0.05",
    "price_min": "0.2",
    "price_max": "2",
}


class InstrumentsHandler(DeskHandler):
    """GET and POST /admin/instruments."""

    @looks_up("All instruments.", answers.INSTRUMENTS)
    async def get(self) -> None:
        terms = await self.terms()
        self.answer({"instruments": [_versioned(it, f"instrument {it.symbol}", terms) for it in terms.instruments]})

    @changes(
        "Add an instrument.",
        answers.INSTRUMENT,
        schema.ChangedTerms,
        {"terms": _AUDUSD, "reason": "clients ask for it"},
        terms=patched(Instrument),
        status=201,
    )
    async def post(self) -> None:
        wanted = self.body(schema.ChangedTerms)
        instrument = struct_of(Instrument, wanted.terms)
        symbol = instrument.symbol
        if any(known.symbol == symbol for known in (await self.terms()).instruments):
            detail = f"There is an instrument {symbol} already."
            raise problem.Problem(409, "DUPLICATE_INSTRUMENT", detail, field="terms.symbol")
        subject = f"instrument {symbol}"
        await self.change(DefineInstrument(instrument, *self.by(wanted.reason)), subject, wanted.reason)
        self.set_header("Location", f"/admin/instruments/{symbol}")
        self.answer_terms(instrument, subject, (await self.terms()).versions, 201)


class InstrumentHandler(DeskHandler):
    """GET and PATCH /admin/instruments/{symbol}: bounds, margin, sessions, swap, whether it is open."""

    @looks_up("An instrument.", answers.INSTRUMENT)
    async def get(self, symbol: str) -> None:
        terms = await self.terms()
        self.answer_terms(_instrument(terms.instruments, symbol), f"instrument {symbol}", terms.versions)

    @changes(
        "Change an instrument; one of which nothing is open may be retired.",
        answers.INSTRUMENT,
        schema.ChangedTerms,
        {"terms": {"state": "close_only"}, "reason": "election"},
        terms=patched(Instrument),
    )
    async def patch(self, symbol: str) -> None:
        wanted = self.body(schema.ChangedTerms)
        terms = await self.terms()
        subject = f"instrument {symbol}"
        known = _instrument(terms.instruments, symbol)
        instrument = struct_of(Instrument, merged(plain(known), wanted.terms))
        if instrument.symbol != symbol:
            raise problem.invalid("terms.symbol", "A symbol keeps its name.")
        command = DefineInstrument(instrument, *self.by(wanted.reason, terms.versions.get(subject, 0)))
        await self.change(command, subject, wanted.reason, before=known)
        self.answer_terms(instrument, subject, (await self.terms()).versions)


class GroupsHandler(DeskHandler):
    """GET and POST /admin/groups."""

    @looks_up("All groups.", answers.GROUPS)
    async def get(self) -> None:
        terms = await self.terms()
        self.answer({"groups": [_versioned(it, f"group {it.name}", terms) for it in terms.groups]})

    @changes(
        "Add a group.",
        answers.GROUP,
        schema.ChangedTerms,
        {"terms": {"name": "pros", "leverage": 30}, "reason": "new"},
        terms=patched(Group),
        status=201,
    )
    async def post(self) -> None:
        wanted = self.body(schema.ChangedTerms)
        group = struct_of(Group, wanted.terms)
        if any(known.name == group.name for known in (await self.terms()).groups):
            raise problem.Problem(409, "DUPLICATE_GROUP", f"There is a group {group.name} already.", field="terms.name")
        subject = f"group {group.name}"
        await self.change(DefineGroup(group, *self.by(wanted.reason)), subject, wanted.reason)
        self.answer_terms(group, subject, (await self.terms()).versions, 201)


class GroupHandler(DeskHandler):
    """GET and PATCH /admin/groups/{name}: markup, commission, swap, limits, margin levels, leverage, hedging."""

    @looks_up("A group.", answers.GROUP)
    async def get(self, group: str) -> None:
        terms = await self.terms()
        self.answer_terms(_group(terms.groups, group), f"group {group}", terms.versions)

    @changes(
        "Change a group.",
        answers.GROUP,
        schema.ChangedTerms,
        {"terms": {"leverage": 20}, "reason": "tighter"},
        terms=patched(Group),
    )
    async def patch(self, group: str) -> None:
        wanted = self.body(schema.ChangedTerms)
        terms = await self.terms()
        subject = f"group {group}"
        known = _group(terms.groups, group)
        changed = struct_of(Group, merged(plain(known), wanted.terms))
        if changed.name != group:
            raise problem.invalid("terms.name", "A group keeps its name.")
        command = DefineGroup(changed, *self.by(wanted.reason, terms.versions.get(subject, 0)))
        await self.change(command, subject, wanted.reason, before=known)
        self.answer_terms(changed, subject, (await self.terms()).versions)


class HolidaysHandler(DeskHandler):
    """GET /admin/holidays: the days on which nothing is settled, by currency."""

    @looks_up("Days on which nothing is settled.", answers.AllHolidays)
    async def get(self) -> None:
        holidays = (await self.terms()).holidays
        self.answer(answers.AllHolidays(holidays={code: _dates(days) for code, days in holidays.items()}))


class CurrencyHolidaysHandler(DeskHandler):
    """PUT /admin/holidays/{currency}: all of its days."""

    @changes(
        "Set a currency's days.",
        answers.CurrencyHolidays,
        schema.Holidays,
        {"days": ["2026-12-25"], "reason": "calendar"},
    )
    async def put(self, currency: str) -> None:
        wanted = self.body(schema.Holidays)
        days = tuple(sorted({_day(text) for text in wanted.days}))
        command = DefineHolidays(currency, days, *self.by(wanted.reason))
        subject = f"holidays {currency}"
        before = (await self.terms()).holidays.get(currency, ())
        await self.change(command, subject, wanted.reason, before=_dates(before))
        self.tag((await self.terms()).versions.get(subject, 0))
        self.answer(answers.CurrencyHolidays(currency=currency, days=_dates(days)))


class HedgesHandler(DeskHandler):
    """GET /admin/hedges."""

    @looks_up("How symbols are hedged.", answers.HEDGES)
    async def get(self) -> None:
        terms = await self.terms()
        self.answer({"hedges": [_versioned(it, f"hedge {it.symbol}", terms) for it in terms.hedges]})


class HedgeHandler(DeskHandler):
    """PUT and DELETE /admin/hedges/{symbol}: from which limit on, in which steps and where it is hedged."""

    @changes(
        "Hedge a symbol.",
        answers.HEDGE,
        schema.ChangedTerms,
        {
            "terms": {"limit": "500000", "step": "1000", "minimum": "10000", "venues": ["OANDA"]},
            "reason": "limit",
        },
        terms=patched(HedgeTerms, "symbol"),
    )
    async def put(self, symbol: str) -> None:
        wanted = self.body(schema.ChangedTerms)
        hedge = struct_of(HedgeTerms, {**wanted.terms, "symbol": symbol})
        subject = f"hedge {symbol}"
        command = DefineHedge(hedge, *self.by(wanted.reason))
        await self.change(command, subject, wanted.reason, before=_hedge((await self.terms()).hedges, symbol))
        self.answer_terms(hedge, subject, (await self.terms()).versions)

    @changes("Hedge a symbol no longer; what is hedged stays so.", None, parameters=schema.Why, status=204)
    async def delete(self, symbol: str) -> None:
        reason = self.parameters(schema.Why).reason
        terms = await self.terms()
        known, subject = _hedge(terms.hedges, symbol), f"hedge {symbol}"
        if known is None:
            raise problem.Problem(404, "UNKNOWN_HEDGE", f"{symbol[:32]} is not hedged.", field="symbol")
        command = RemoveHedge(symbol, *self.by(reason, terms.versions.get(subject, 0)))
        await self.change(command, subject, reason, before=known)
        self.answer_nothing()


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


def _hedge(hedges: list[HedgeTerms], symbol: str) -> HedgeTerms | None:
    return next((it for it in hedges if it.symbol == symbol), None)


def _dates(days: tuple[int, ...]) -> list[str]:
    return [date_of(day).isoformat() for day in days]


def _day(text: str) -> int:
    try:
        parsed = date.fromisoformat(text)
    except ValueError as error:
        raise problem.invalid("days", f"{error}.") from None
    return day_of(parsed.year, parsed.month, parsed.day)
