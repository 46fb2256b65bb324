"""The account as it is now, its positions, and what may be done with them: questions and commands for the engine."""

from actors.domain.commands import ClosePosition, ClosePositionBy, ClosePositions, ModifyPosition, ReversePosition
from web import problem, render, schema
from web.asking import AskingHandler, CommandHandler, new_client_order_id
from web.terms import changed_protections, positive_e8


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

    async def post(self, position_id: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(schema.ClosePart)
        command = ClosePosition(
            self.account(),
            wanted.client_order_id or new_client_order_id(),
            int(position_id),
            0 if wanted.quantity is None else positive_e8(wanted.quantity, "quantity"),
        )
        execution, _ = await self.deal(command)
        self.answer(execution)


class CloseByHandler(CommandHandler):
    """POST /position/{id}/close-by: against an opposite position, without the spread."""

    async def post(self, position_id: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(schema.CloseBy)
        name = wanted.client_order_id or new_client_order_id()
        command = ClosePositionBy(self.account(), name, int(position_id), int(wanted.other_position_id))
        execution, _ = await self.deal(command)
        self.answer(execution)


class ReverseHandler(CommandHandler):
    """POST /position/{id}/reverse: closes it and opens its opposite."""

    async def post(self, position_id: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(schema.Reverse)
        name = wanted.client_order_id or new_client_order_id()
        execution, _ = await self.deal(ReversePosition(self.account(), name, int(position_id)))
        self.answer(execution)


class CloseManyHandler(CommandHandler):
    """POST /positions/close: all, the winners or the losers, of one symbol or of all."""

    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(schema.CloseMany)
        name = wanted.client_order_id or new_client_order_id()
        command = ClosePositions(self.account(), name, wanted.which, wanted.symbol or "")
        execution, _ = await self.deal(command)
        self.answer(execution)
