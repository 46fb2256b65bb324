"""The LP registry for the broker's staff: /admin/lps and below. The aggregator owns it; a version is an entity tag."""

from typing import Any

import msgspec
from msgspec import UNSET

from actors.bus.answers import Lps
from actors.bus.requests import GetLps
from actors.domain.prices.lp_registry import (
    AddLp,
    ChangeLp,
    Lp,
    LpChange,
    Registry,
    RemoveLp,
    ReprioritiseLps,
    symbol_of,
)
from actors.domain.quote import QuoteLimits
from web.desk.handler import DeskHandler, changes, looks_up
from web.payloads import answers, problem, render_lp, schema


class LpsHandler(DeskHandler):
    """What all of them share."""

    async def registry(self) -> Registry:
        return (await self.look(self.backend.aggregator, GetLps(), Lps)).registry

    async def found(self, name: str) -> tuple[Registry, Lp]:
        registry = await self.registry()
        if name not in registry.lps:
            raise problem.of_code("UNKNOWN_LP", f"there is no LP {name}", "name")
        return registry, registry.lps[name]

    async def tell(self, change: LpChange, subject: str, before: Lp | None = None) -> Registry:
        """Has a change carried out, under the eyes of the audit log."""
        doing = self.carry_out(self.backend.aggregator, change, Lps, {})
        told = await self.act(type(change).__name__, subject, doing, before=before, after=change)
        return told.registry

    def answer_registry(self, registry: Registry, name: str | None = None, status: int = 200) -> None:
        """All of it, or one LP."""
        self.tag(registry.version)
        feeds = {feed.venue: feed for feed in self.backend.prices.feeds}
        seen = {lp.venue: lp for lp in self.backend.prices.lps}
        now_ns = self.backend.clock_ns()
        lps = {key: render_lp.lp(lp, feeds.get(key), seen.get(key), now_ns) for key, lp in registry.lps.items()}
        self.answer(lps[name] if name else {"version": registry.version, "lps": list(lps.values())}, status)


class AllLpsHandler(LpsHandler):
    """GET and POST /admin/lps."""

    @looks_up("The LP registry.", answers.Lps)
    async def get(self) -> None:
        self.answer_registry(await self.registry())

    @changes(
        "Add an LP.",
        answers.LpBody,
        schema.NewLp,
        {"name": "ACME", "adapter": "playback", "symbols": {"EURUSD": "EUR/USD"}},
        status=201,
    )
    async def post(self) -> None:
        wanted = self.body(schema.NewLp)
        given = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not UNSET}
        lp = _converted({**given, "symbols": {symbol_of(ours): theirs for ours, theirs in wanted.symbols.items()}})
        registry = await self.tell(
            AddLp(by=self.caller.username, if_version=self.wanted_version(), lp=lp), f"lp {lp.name}"
        )
        self.set_header("Location", f"/admin/lps/{lp.name}")
        self.answer_registry(registry, lp.name, 201)


class OneLpHandler(LpsHandler):
    """GET, PATCH (RFC 7396: what is not named stays, null takes a symbol or a setting away) and DELETE."""

    @looks_up("An LP.", answers.LpBody)
    async def get(self, name: str) -> None:
        registry, _ = await self.found(name)
        self.answer_registry(registry, name)

    @changes(
        "Change an LP (RFC 7396): what is absent stays as it is, null takes a symbol or a setting away.",
        answers.LpBody,
        schema.ChangedLp,
        {"enabled": False},
    )
    async def patch(self, name: str) -> None:
        wanted = self.body(schema.ChangedLp)
        version = self.wanted_version()
        registry, lp = await self.found(name)
        # Between this look and the change somebody else's may come: theirs is not undone by ours.
        change = ChangeLp(by=self.caller.username, if_version=version or registry.version, lp=_merged(lp, wanted))
        self.answer_registry(await self.tell(change, f"lp {name}", before=lp), name)

    @changes("Remove an LP.", None, status=204)
    async def delete(self, name: str) -> None:
        removal = RemoveLp(by=self.caller.username, if_version=self.wanted_version(), name=name)
        await self.tell(removal, f"lp {name}")
        self.answer_nothing()


class LpPrioritiesHandler(LpsHandler):
    """PUT /admin/lps/priorities: the lower number goes first; LPs that are not named keep theirs."""

    @changes(
        "Set priorities: the lower number goes first; LPs that are not named keep theirs.",
        answers.Lps,
        schema.LpPriorities,
        {"priorities": {"OANDA": 1}},
    )
    async def put(self) -> None:
        priorities = self.body(schema.LpPriorities).priorities
        version = self.wanted_version()
        change = ReprioritiseLps(by=self.caller.username, if_version=version, priorities=priorities)
        self.answer_registry(await self.tell(change, "lps"))


def _merged(lp: Lp, wanted: schema.ChangedLp) -> Lp:
    whole: dict[str, Any] = msgspec.to_builtins(lp)
    for field, value in msgspec.structs.asdict(wanted).items():
        if isinstance(value, dict):
            news = {symbol_of(ours): theirs for ours, theirs in value.items()} if field == "symbols" else value
            whole[field] = {key: new for key, new in {**whole[field], **news}.items() if new is not None}
        elif value is not UNSET:
            whole[field] = value
    return _converted(whole)


def _converted(whole: dict[str, Any]) -> Lp:
    for limit in whole.get("limits", {}):
        if limit not in QuoteLimits.__struct_fields__:
            raise problem.invalid(f"limits.{limit[:32]}", "There is no such limit.")
    try:
        return msgspec.convert(whole, Lp)
    except msgspec.ValidationError as error:
        raise problem.of_validation(error) from None
