"""Versions of terms for the staff: who made which and why, what was in them, how two differ, and the way back."""

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import UNSET

from actors.bus.answers import Events
from actors.bus.desk_answers import Changes
from actors.bus.requests import GetChanges, GetEvents
from actors.domain.changes import Change
from actors.domain.commands import (
    AssignGroup,
    DefineGroup,
    DefineHedge,
    DefineHolidays,
    DefineInstrument,
    DefineRules,
    RemoveHedge,
    SetLimits,
)
from actors.domain.events.event import Event
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
from web.desk import answers, schema
from web.desk.handler import DeskHandler, changes, looks_up
from web.payloads import problem
from web.payloads.plain import plain
from web.payloads.times import format_ns

SUBJECTS: dict[type, Callable[[Any], str]] = {
    InstrumentDefined: lambda event: f"instrument {event.instrument.symbol}",
    GroupDefined: lambda event: f"group {event.group.name}",
    GroupAssigned: lambda event: f"account {event.account_id}",
    HolidaysDefined: lambda event: f"holidays {event.currency}",
    LimitsSet: lambda event: f"limits {event.account_id}",
    RulesDefined: lambda event: "rules",
    HedgeDefined: lambda event: f"hedge {event.terms.symbol}",
    HedgeRemoved: lambda event: f"hedge {event.symbol}",
    TradingHalted: lambda event: f"halt {event.halt.what}",
    TradingResumed: lambda event: f"halt {event.halt.what}",
}
"""What a version is one of, by the event that made it."""
By = tuple[str, str, int]
"""Who wants the change, why, and to which version."""
RESTORED: dict[type, Callable[[Any, By], Any]] = {
    InstrumentDefined: lambda event, by: DefineInstrument(event.instrument, *by),
    GroupDefined: lambda event, by: DefineGroup(event.group, *by),
    GroupAssigned: lambda event, by: AssignGroup(event.account_id, event.group.name, *by),
    HolidaysDefined: lambda event, by: DefineHolidays(event.currency, event.days, *by),
    LimitsSet: lambda event, by: SetLimits(event.account_id, event.limits, *by),
    RulesDefined: lambda event, by: DefineRules(event.rules.rules, event.venues, *by),
    HedgeDefined: lambda event, by: DefineHedge(event.terms, *by),
    HedgeRemoved: lambda event, by: RemoveHedge(event.symbol, *by),
}
"""What makes the terms so again; a halt is begun and ended, never restored."""


class _VersionsHandler(DeskHandler):
    async def made(self, number: str) -> tuple[Event, int]:
        """The event that made a version, and when."""
        version = int(number)
        for batch in (await self.engine(GetEvents(version), Events)).batches:
            if batch.first_seq <= version < batch.first_seq + len(batch.events):
                event = batch.events[version - batch.first_seq]
                if type(event) in SUBJECTS:
                    return event, batch.time_ns
        raise problem.Problem(404, "UNKNOWN_VERSION", f"No terms have the version {number}.")

    async def last_change(self, subject: str, before: int = 0) -> Change | None:
        found = (await self.engine(GetChanges(1, before, subject), Changes)).changes
        return found[0] if found else None


class ChangesHandler(_VersionsHandler):
    """GET /admin/changes: who has changed which terms, newest first."""

    @looks_up("Who has changed which terms.", answers.ChangesPage, schema.WhichChanges)
    async def get(self) -> None:
        page = self.parameters(schema.WhichChanges)
        asked = GetChanges(page.limit + 1, int(page.before or 0), page.subject or "")
        found = (await self.engine(asked, Changes)).changes
        listed, cursor = self.page(found, page.limit, lambda change: change.version)
        self.answer(answers.ChangesPage(changes=[_body(change) for change in listed], next=cursor))


class VersionHandler(_VersionsHandler):
    """GET /admin/versions/{number}: terms as they were made then."""

    @looks_up("Terms of a version.", answers.VERSION)
    async def get(self, version: str) -> None:
        event, time_ns = await self.made(version)
        self.answer({"version": version, "time": format_ns(time_ns), "terms": plain(event)})


class DifferenceHandler(_VersionsHandler):
    """GET /admin/versions/{number}/diff: against another version of the same thing, or the one before."""

    @looks_up("How two versions differ.", answers.Comparison, schema.Against)
    async def get(self, version: str) -> None:
        against = self.parameters(schema.Against).against
        after, _ = await self.made(version)
        subject = _subject(after)
        if against is None:
            change = await self.last_change(subject, int(version) + 1)
            is_ours = change is not None and change.version == int(version)
            against = str(change.previous) if change is not None and is_ours and change.previous else None
        before: Any = {}
        if against is not None:
            other, _ = await self.made(against)
            if _subject(other) != subject:
                raise problem.invalid("against", f"{against} is a version of {_subject(other)}, not of {subject}.")
            before = plain(other)
        found = [
            answers.Difference(path=path, before=left, after=right)
            for path, left, right in differences(before, plain(after))
        ]
        self.answer(answers.Comparison(subject=subject, version=version, against=against, differences=found))


class RestoreHandler(_VersionsHandler):
    """POST /admin/versions/{number}/restore: the terms are again what they were then, under a version of their own."""

    @changes("Go back to a version.", answers.Restored, schema.Why, {"reason": "the change was a slip"})
    async def post(self, version: str) -> None:
        reason = self.body(schema.Why).reason
        event, _ = await self.made(version)
        subject = _subject(event)
        if type(event) not in RESTORED:
            raise problem.Problem(422, "BAD_TERMS", "A halt is begun and ended, not restored.")
        current = await self.last_change(subject)
        seen = current.version if current is not None else 0
        command = RESTORED[type(event)](event, self.by(reason, seen))
        await self.change(command, subject, reason, before={"restores": version})
        last = await self.last_change(subject)
        self.answer(answers.Restored(subject=subject, version=str(last.version) if last is not None else None))


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two JSON values differ, as JSON pointers; UNSET stands for what is not there. Lists are compared whole."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from differences(before.get(name, UNSET), after.get(name, UNSET), f"{path}/{step}")
    elif before != after:
        yield path, before, after


def _subject(event: Event) -> str:
    return SUBJECTS[type(event)](event)


def _body(change: Change) -> answers.ChangeBody:
    return answers.ChangeBody(
        version=str(change.version),
        subject=change.subject,
        previous=str(change.previous) if change.previous else None,
        actor=change.actor,
        reason=change.reason,
        time=format_ns(change.time_ns),
    )
