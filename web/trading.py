"""The account as it is now, its positions, and what may be done with them: questions and commands for the engine."""

from actors.domain.commands import ClosePosition, ClosePositionBy, ClosePositions, ModifyPosition, ReversePosition
from web import answers, problem, render, schema
from web.asking import AskingHandler, CommandHandler
from web.contract import COMMAND, QUESTION, contract
from web.terms import changed_protections, positive_e8


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
        account_id = self.account()
        number = int(position_id)
        for reported in (await self.report(account_id)).positions:
            if reported.position.position_id == number:
                protections = changed_protections(reported.position, wanted)
                await self.change(ModifyPosition(account_id, number, *protections))
                return
        raise problem.of_code("UNKNOWN_POSITION", f"there is no open position {number}", "position_id")


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
        wanted = self.body(schema.ClosePart)
        command = ClosePosition(
            self.account(),
            self.identity(wanted.client_order_id),
            int(position_id),
            0 if wanted.quantity is None else positive_e8(wanted.quantity, "quantity"),
        )
        execution, _ = await self.deal(command)
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
        wanted = self.body(schema.CloseBy)
        name = self.identity(wanted.client_order_id)
        command = ClosePositionBy(self.account(), name, int(position_id), int(wanted.other_position_id))
        execution, _ = await self.deal(command)
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
        wanted = self.body(schema.Reverse)
        name = self.identity(wanted.client_order_id)
        execution, _ = await self.deal(ReversePosition(self.account(), name, int(position_id)))
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
        wanted = self.body(schema.CloseMany)
        name = self.identity(wanted.client_order_id)
        command = ClosePositions(self.account(), name, wanted.which, wanted.symbol or "")
        execution, _ = await self.deal(command)
        self.answer(execution)
