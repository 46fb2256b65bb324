"""The account as it is now, its positions, and what may be done with them: questions and commands for the engine."""

from web import dealing, render, schema
from web.asking import AskingHandler, CommandHandler


class AccountHandler(AskingHandler):
    """GET /account."""

    async def get(self) -> None:
        account_id = self.account(self.parameters(schema.WhoseAccount).account_id)
        report = await self.report(account_id)
        self.answer(render.account(report.summary))


class PositionsHandler(AskingHandler):
    """GET /positions."""

    async def get(self) -> None:
        account_id = self.account(self.parameters(schema.WhoseAccount).account_id)
        report = await self.report(account_id)
        currency = report.summary.currency
        position = self.backend.render.position
        self.answer(
            {"positions": [position(p.position, p.price_e8, p.profit_minor, currency) for p in report.positions]}
        )


class PositionHandler(CommandHandler):
    """PUT /position/{id}: other protections. What is not named stays, null takes it away."""

    async def put(self, position_id: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(schema.ChangePosition)
        await dealing.modify_position(self.backend, self.account(), position_id, wanted)
        self.answer_nothing()


class CloseHandler(CommandHandler):
    """POST /position/{id}/close: all of it, or the quantity named."""

    async def post(self, position_id: str) -> None:
        self.parameters(schema.NoParameters)
        execution, _ = await self.deal(dealing.close(self.account(), position_id, self.body(schema.ClosePart)))
        self.answer(execution)


class CloseByHandler(CommandHandler):
    """POST /position/{id}/close-by: against an opposite position, without the spread."""

    async def post(self, position_id: str) -> None:
        self.parameters(schema.NoParameters)
        execution, _ = await self.deal(dealing.close_by(self.account(), position_id, self.body(schema.CloseBy)))
        self.answer(execution)


class ReverseHandler(CommandHandler):
    """POST /position/{id}/reverse: closes it and opens its opposite."""

    async def post(self, position_id: str) -> None:
        self.parameters(schema.NoParameters)
        execution, _ = await self.deal(dealing.reverse(self.account(), position_id, self.body(schema.Reverse)))
        self.answer(execution)


class CloseManyHandler(CommandHandler):
    """POST /positions/close: all, the winners or the losers, of one symbol or of all."""

    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        execution, _ = await self.deal(dealing.close_many(self.account(), self.body(schema.CloseMany)))
        self.answer(execution)
