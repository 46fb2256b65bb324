"""The account as it is now, its positions, and what may be done with them: questions and commands for the engine."""

from collections.abc import Callable, Mapping

from web.handling import dealing
from web.handling.asking import AskingHandler, CommandHandler
from web.handling.contract import COMMAND, QUESTION, F, contract
from web.payloads import answers, bodies, render, schema


class AccountHandler(AskingHandler):
    """GET /account."""

    @contract(
        "The figures of the account.", {200: bodies.AccountBody}, parameters=schema.WhoseAccount, problems=QUESTION
    )
    async def get(self) -> None:
        account_id = self.account(self.parameters(schema.WhoseAccount).account_id)
        report = await self.report(account_id)
        self.answer(render.account(report.summary))


class PositionsHandler(AskingHandler):
    """GET /positions."""

    @contract("What is open.", {200: answers.Positions}, parameters=schema.WhoseAccount, problems=QUESTION)
    async def get(self) -> None:
        account_id = self.account(self.parameters(schema.WhoseAccount).account_id)
        report = await self.report(account_id)
        currency = report.summary.currency
        position = self.backend.render.position
        positions = [position(p.position, p.price_e8, p.profit_minor, currency) for p in report.positions]
        self.answer(answers.Positions(positions=positions))


class PositionHandler(CommandHandler):
    """PUT /position/{id}: other protections. What is not named stays, null takes it away."""

    @contract(
        "Change what protects a position: what is absent stays as it is, null takes it away.",
        {204: None},
        body=schema.ChangePosition,
        problems=COMMAND,
        example={"stop_loss": "1.05", "trailing_stop": "0.2"},
    )
    async def put(self, position_id: str) -> None:
        wanted = self.body(schema.ChangePosition)
        await dealing.modify_position(self.backend, self.account(), position_id, wanted)
        self.answer_nothing()


def deals(summary: str, body: type[schema.Request], example: Mapping[str, str]) -> Callable[[F], F]:
    """The contract of what closes positions."""
    answered = {200: bodies.ExecutionBody}
    return contract(summary, answered, body=body, problems=COMMAND, keyed=True, example=example)


class _ClosingHandler(CommandHandler):
    async def carry_out(self, command: dealing.Deal) -> None:
        execution, _ = await self.deal(command)
        self.answer(execution)


class CloseHandler(_ClosingHandler):
    """POST /position/{id}/close: all of it, or the quantity named."""

    @deals(
        "Close a position, or the quantity that is named.",
        schema.ClosePart,
        {"quantity": "4000", "client_order_id": "my-2"},
    )
    async def post(self, position_id: str) -> None:
        await self.carry_out(dealing.close(self.account(), position_id, self.keyed_body(schema.ClosePart)))


class CloseByHandler(_ClosingHandler):
    """POST /position/{id}/close-by: against an opposite position, without the spread."""

    @deals(
        "Close a position against an opposite one of the same symbol: no spread is paid.",
        schema.CloseBy,
        {"other_position_id": "3"},
    )
    async def post(self, position_id: str) -> None:
        await self.carry_out(dealing.close_by(self.account(), position_id, self.keyed_body(schema.CloseBy)))


class ReverseHandler(_ClosingHandler):
    """POST /position/{id}/reverse: closes it and opens its opposite."""

    @deals("Close a position and open its opposite, or do neither.", schema.Reverse, {"client_order_id": "my-4"})
    async def post(self, position_id: str) -> None:
        await self.carry_out(dealing.reverse(self.account(), position_id, self.keyed_body(schema.Reverse)))


class CloseManyHandler(_ClosingHandler):
    """POST /positions/close: all, the winners or the losers, of one symbol or of all."""

    @deals(
        "Close all positions, the winners or the losers, of one symbol or of all.",
        schema.CloseMany,
        {"which": "all", "symbol": "EURUSD"},
    )
    async def post(self) -> None:
        await self.carry_out(dealing.close_many(self.account(), self.keyed_body(schema.CloseMany)))
