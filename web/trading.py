"""The account as it is now, its positions, and what may be done with them: questions and commands for the engine."""

from web import answers, dealing, render, schema
from web.asking import AskingHandler, CommandHandler
from web.contract import COMMAND, QUESTION, contract


class AccountHandler(AskingHandler):
    """GET /account."""

    @contract(
        "The figures of the account.", {200: schema.AccountBody}, parameters=schema.WhoseAccount, problems=QUESTION
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
        self.parameters(schema.NoParameters)
        wanted = self.body(schema.ChangePosition)
        await dealing.modify_position(self.backend, self.account(), position_id, wanted)
        self.answer_nothing()


class CloseHandler(CommandHandler):
    """POST /position/{id}/close: all of it, or the quantity named."""

    @contract(
        "Close a position, or the quantity that is named.",
        {200: schema.ExecutionBody},
        body=schema.ClosePart,
        problems=COMMAND,
        keyed=True,
        example={"quantity": "4000", "client_order_id": "my-2"},
    )
    async def post(self, position_id: str) -> None:
        self.parameters(schema.NoParameters)
        execution, _ = await self.deal(dealing.close(self.account(), position_id, self.keyed_body(schema.ClosePart)))
        self.answer(execution)


class CloseByHandler(CommandHandler):
    """POST /position/{id}/close-by: against an opposite position, without the spread."""

    @contract(
        "Close a position against an opposite one of the same symbol: no spread is paid.",
        {200: schema.ExecutionBody},
        body=schema.CloseBy,
        problems=COMMAND,
        keyed=True,
        example={"other_position_id": "3"},
    )
    async def post(self, position_id: str) -> None:
        self.parameters(schema.NoParameters)
        execution, _ = await self.deal(dealing.close_by(self.account(), position_id, self.keyed_body(schema.CloseBy)))
        self.answer(execution)


class ReverseHandler(CommandHandler):
    """POST /position/{id}/reverse: closes it and opens its opposite."""

    @contract(
        "Close a position and open its opposite, or do neither.",
        {200: schema.ExecutionBody},
        body=schema.Reverse,
        problems=COMMAND,
        keyed=True,
        example={"client_order_id": "my-4"},
    )
    async def post(self, position_id: str) -> None:
        self.parameters(schema.NoParameters)
        execution, _ = await self.deal(dealing.reverse(self.account(), position_id, self.keyed_body(schema.Reverse)))
        self.answer(execution)


class CloseManyHandler(CommandHandler):
    """POST /positions/close: all, the winners or the losers, of one symbol or of all."""

    @contract(
        "Close all positions, the winners or the losers, of one symbol or of all.",
        {200: schema.ExecutionBody},
        body=schema.CloseMany,
        problems=COMMAND,
        keyed=True,
        example={"which": "all", "symbol": "EURUSD"},
    )
    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        execution, _ = await self.deal(dealing.close_many(self.account(), self.keyed_body(schema.CloseMany)))
        self.answer(execution)
