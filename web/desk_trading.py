"""The dealing desk for the staff: halts, exposure, hedges by hand, breaks, and how a fill came to be."""

from typing import Any

from actors.bus.answers import Breaks, DeskReport, Done, Explanation, ExposureReport
from actors.bus.requests import GetBreaks, GetExplanation, GetExposure
from actors.domain import wide
from actors.domain.commands import DismissBreak, HaltTrading, ResumeTrading, SendHedge, SettleBreak
from actors.domain.money import NotExact, format_e8, parse_e8
from web import desk_schema, problem, schema
from web.contract import COMMAND, QUESTION, contract
from web.desk import Answered, DeskHandler
from web.plain import plain
from web.terms import positive_e8

EXPLANATION_TIMEOUT_MS = 30_000
"""It is worked out from a snapshot and the journal after it."""


class HaltsHandler(DeskHandler):
    """GET and POST /admin/halts: what is halted; a halt of all, a group or a symbol."""

    @contract("What is halted.", {200: Answered}, problems=QUESTION)
    async def get(self) -> None:
        self.parameters(schema.NoParameters)
        await self.answer_halts()

    @contract(
        "Halt trading.",
        {200: Answered},
        body=desk_schema.Halting,
        problems=COMMAND,
        example={"scope": "symbol", "name": "EURUSD", "reason": "news"},
    )
    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(desk_schema.Halting)
        command = HaltTrading(wanted.scope, wanted.name, self.caller.username, wanted.reason)
        await self.change(command, f"halt {wanted.scope.value} {wanted.name}".rstrip(), wanted.reason)
        await self.answer_halts()

    async def answer_halts(self) -> None:
        self.answer({"halts": plain((await self.terms()).halts)})


class ResumeHandler(DeskHandler):
    """POST /admin/halts/resume: ends a halt."""

    @contract(
        "Resume trading.",
        {200: Answered},
        body=desk_schema.Halting,
        problems=COMMAND,
        example={"scope": "symbol", "name": "EURUSD", "reason": "news"},
    )
    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(desk_schema.Halting)
        command = ResumeTrading(wanted.scope, wanted.name, self.caller.username, wanted.reason)
        await self.change(command, f"halt {wanted.scope.value} {wanted.name}".rstrip(), wanted.reason)
        self.answer({"halts": plain((await self.terms()).halts)})


class ExposureHandler(DeskHandler):
    """GET /admin/exposure: the broker's books by symbol, and orders that are at venues."""

    @contract("The broker's books.", {200: Answered}, problems=QUESTION)
    async def get(self) -> None:
        self.parameters(schema.NoParameters)
        report = await self.engine(GetExposure(), ExposureReport)
        self.answer({"desks": [_desk(desk) for desk in report.desks], "children": plain(report.children)})


class HedgeOrdersHandler(DeskHandler):
    """POST /admin/hedges/{symbol}/orders: a hedge by hand, sent to the first of the venues that deals it."""

    @contract(
        "Send a hedge.",
        {202: Answered},
        body=desk_schema.SendHedge,
        problems=COMMAND,
        needs_key=True,
        example={"side": "buy", "quantity": "10000", "venues": ["OANDA"], "reason": "large client"},
    )
    async def post(self, symbol: str) -> None:
        self.parameters(schema.NoParameters)
        key = self.idempotency_key()
        wanted = self.body(desk_schema.SendHedge)
        quantity_e8 = positive_e8(wanted.quantity, "quantity")
        command = SendHedge(
            symbol, wanted.side, quantity_e8, tuple(wanted.venues), key, self.caller.username, wanted.reason
        )
        identity = {"idempotency_key": key}
        done = await self.order(command, f"hedge {symbol}", wanted.reason, Done, identity=identity)
        self.answer({"seq": str(done.seq)}, 202)


class BreaksHandler(DeskHandler):
    """GET /admin/breaks: those that wait for a person, newest first."""

    @contract("Breaks that wait for a person.", {200: Answered}, problems=QUESTION)
    async def get(self) -> None:
        self.parameters(schema.NoParameters)
        found = (await self.engine(GetBreaks(), Breaks)).breaks
        self.answer({"breaks": [{"seq": str(it.event_seq), **plain(it.found)} for it in found]})


class SettleHandler(DeskHandler):
    """POST /admin/breaks/settle: what became of an order at a venue, as a person has learnt."""

    @contract(
        "Settle a break.",
        {204: None},
        body=desk_schema.Settlement,
        problems=COMMAND,
        example={"child_id": "1-1", "filled": "0", "reason": "the venue says so"},
    )
    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(desk_schema.Settlement)
        filled_e8, price_e8 = _e8(wanted.filled, "filled"), _e8(wanted.price, "price")
        command = SettleBreak(wanted.child_id, wanted.exec_id, filled_e8, price_e8, self.caller.username)
        await self.change(command, f"break {wanted.child_id}", wanted.reason)
        self.answer_nothing()


class DismissHandler(DeskHandler):
    """POST /admin/breaks/dismiss: one that leaves no order to settle."""

    @contract(
        "Dismiss a break.",
        {204: None},
        body=desk_schema.Dismissal,
        problems=COMMAND,
        example={"child_id": "OANDA:EURUSD", "reason": "moved by hand"},
    )
    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(desk_schema.Dismissal)
        command = DismissBreak(wanted.child_id, self.caller.username, wanted.reason)
        await self.change(command, f"break {wanted.child_id}", wanted.reason)
        self.answer_nothing()


class ExplanationHandler(DeskHandler):
    """GET /admin/fills/{id}/explanation."""

    @contract("How a fill came to be.", {200: Answered}, problems=QUESTION)
    async def get(self, fill_id: str) -> None:
        self.parameters(schema.NoParameters)
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
