"""The dealing desk for the staff: halts, exposure, hedges by hand, breaks, and how a fill came to be."""

from typing import Any

from actors.bus.answers import Done
from actors.bus.desk_answers import Breaks, DeskReport, Explanation, ExposureReport
from actors.bus.requests import GetBreaks, GetExplanation, GetExposure
from actors.domain import wide
from actors.domain.commands import DismissBreak, HaltTrading, ResumeTrading, SendHedge, SettleBreak
from actors.domain.money import NotExact, format_e8, parse_e8
from web.desk import answers, schema
from web.desk.handler import DeskHandler, commands, looks_up
from web.payloads import problem
from web.payloads.plain import plain
from web.payloads.terms import positive_e8

EXPLANATION_TIMEOUT_MS = 30_000
"""It is worked out from a snapshot and the journal after it."""


class _HaltHandler(DeskHandler):
    async def obey(self, command: type[HaltTrading] | type[ResumeTrading]) -> None:
        wanted = self.body(schema.Halting)
        told = command(wanted.scope, wanted.name, self.caller.username, wanted.reason)
        await self.change(told, f"halt {wanted.scope.value} {wanted.name}".rstrip(), wanted.reason)
        await self.answer_halts()

    async def answer_halts(self) -> None:
        self.answer({"halts": plain((await self.terms()).halts)})


_EXAMPLE = {"scope": "symbol", "name": "EURUSD", "reason": "news"}


class HaltsHandler(_HaltHandler):
    """GET and POST /admin/halts: what is halted; a halt of all, a group or a symbol."""

    @looks_up("What is halted.", answers.HALTS)
    async def get(self) -> None:
        await self.answer_halts()

    @commands("Halt trading.", {200: answers.HALTS}, schema.Halting, _EXAMPLE)
    async def post(self) -> None:
        await self.obey(HaltTrading)


class ResumeHandler(_HaltHandler):
    """POST /admin/halts/resume: ends a halt."""

    @commands("Resume trading.", {200: answers.HALTS}, schema.Halting, _EXAMPLE)
    async def post(self) -> None:
        await self.obey(ResumeTrading)


class ExposureHandler(DeskHandler):
    """GET /admin/exposure: the broker's books by symbol, and orders that are at venues."""

    @looks_up("The broker's books.", answers.EXPOSURE)
    async def get(self) -> None:
        report = await self.engine(GetExposure(), ExposureReport)
        self.answer({"desks": [_desk(desk) for desk in report.desks], "children": plain(report.children)})


class HedgeOrdersHandler(DeskHandler):
    """POST /admin/hedges/{symbol}/orders: a hedge by hand, sent to the first of the venues that deals it."""

    @commands(
        "Send a hedge.",
        {202: answers.HedgeSent},
        schema.NewHedgeOrder,
        {"side": "buy", "quantity": "10000", "venues": ["OANDA"], "reason": "large client"},
        needs_key=True,
    )
    async def post(self, symbol: str) -> None:
        key = self.idempotency_key()
        wanted = self.body(schema.NewHedgeOrder)
        quantity_e8 = positive_e8(wanted.quantity, "quantity")
        command = SendHedge(
            symbol, wanted.side, quantity_e8, tuple(wanted.venues), key, self.caller.username, wanted.reason
        )
        identity = {"idempotency_key": key}
        done = await self.order(command, f"hedge {symbol}", wanted.reason, Done, identity=identity)
        self.answer(answers.HedgeSent(seq=str(done.seq)), 202)


class BreaksHandler(DeskHandler):
    """GET /admin/breaks: those that wait for a person, newest first."""

    @looks_up("Breaks that wait for a person.", answers.BREAKS)
    async def get(self) -> None:
        found = (await self.engine(GetBreaks(), Breaks)).breaks
        self.answer({"breaks": [{"seq": str(it.event_seq), **plain(it.found)} for it in found]})


class _BreakHandler(DeskHandler):
    async def resolve(self, command: SettleBreak | DismissBreak) -> None:
        await self.change(command, f"break {command.child_id}", command.reason)
        self.answer_nothing()


class SettleHandler(_BreakHandler):
    """POST /admin/breaks/settle: what became of an order at a venue, as a person has learnt."""

    @commands(
        "Settle a break.",
        {204: None},
        schema.Settlement,
        {"child_id": "1-1", "filled": "0", "reason": "the venue says so"},
    )
    async def post(self) -> None:
        wanted = self.body(schema.Settlement)
        filled_e8, price_e8 = _e8(wanted.filled, "filled"), _e8(wanted.price, "price")
        by = (self.caller.username, wanted.reason)
        await self.resolve(SettleBreak(wanted.child_id, wanted.exec_id, filled_e8, price_e8, *by))


class DismissHandler(_BreakHandler):
    """POST /admin/breaks/dismiss: one that leaves no order to settle."""

    @commands(
        "Dismiss a break.",
        {204: None},
        schema.Dismissal,
        {"child_id": "OANDA:EURUSD", "reason": "moved by hand"},
    )
    async def post(self) -> None:
        wanted = self.body(schema.Dismissal)
        await self.resolve(DismissBreak(wanted.child_id, self.caller.username, wanted.reason))


class ExplanationHandler(DeskHandler):
    """GET /admin/fills/{id}/explanation."""

    @looks_up("How a fill came to be.", answers.EXPLANATION)
    async def get(self, fill_id: str) -> None:
        found = await self.engine(GetExplanation(int(fill_id)), Explanation, EXPLANATION_TIMEOUT_MS)
        self.answer(plain(found))


def _desk(desk: DeskReport) -> dict[str, Any]:
    """Amounts are in the symbol's quote currency."""
    body: dict[str, Any] = plain(desk)
    for name in ("b_book_profit", "a_book_profit", "markup", "hedge_profit"):
        body[name] = format_e8(wide.join(*getattr(desk, name)) // 10**8)
    return body


def _e8(text: str, field: str) -> int:
    try:
        return parse_e8(text)
    except NotExact as error:
        raise problem.invalid(field, f"{field}: {error}.") from None
