"""The account as it is now, orders and closes: questions and commands for the engine."""

import secrets
from typing import NoReturn

from actors.bus.messages import AccountReport, OrderReport
from actors.domain.commands import ClosePosition, SubmitOrder
from actors.domain.money import LIMIT_E8, NotExact, parse_e8
from actors.domain.order import OrderStatus
from web import problem, render, schema
from web.bus import Away, Declined, NoAnswer
from web.handler import Handler

COMMAND_TIMEOUT_MS = 5_000


class _ReportHandler(Handler):
    async def report(self) -> AccountReport:
        """The account that is asked for, as the engine has it."""
        account_id = self.readable_account(self.parameters(schema.WhoseAccount).account_id)
        try:
            return await self.backend.accounts.report(account_id)
        except (Away, NoAnswer, Declined) as error:
            raise problem.of_bus(error) from None


class AccountHandler(_ReportHandler):
    """GET /account."""

    async def get(self) -> None:
        self.answer(render.account((await self.report()).summary))


class PositionsHandler(_ReportHandler):
    """GET /positions."""

    async def get(self) -> None:
        report = await self.report()
        currency = report.summary.currency
        position = self.backend.render.position
        self.answer(
            {"positions": [position(p.position, p.price_e8, p.profit_minor, currency) for p in report.positions]}
        )


class _CommandHandler(Handler):
    async def deal(self, command: SubmitOrder | ClosePosition) -> tuple[schema.ExecutionBody, bool]:
        """Has the engine carry out a command; gives what came of it, and whether it had been done before."""
        backend = self.backend
        try:
            currency = await backend.accounts.currency(command.account_id)
        except (Away, NoAnswer, Declined) as error:
            raise problem.of_bus(error) from None
        try:
            report = await backend.engine.ask(command, OrderReport, COMMAND_TIMEOUT_MS)
        except Declined as error:
            raise problem.of_refusal(error.refusal) from None
        except Away as error:
            raise problem.unavailable(f"The order was not sent: {error}. Please try again in a moment.") from None
        except NoAnswer:
            _raise_unknown(command.client_order_id)
        backend.accounts.known.note(command.account_id, report.seq)
        outcome = report.outcome
        execution = backend.render.execution(outcome, currency)
        if outcome.order.status is OrderStatus.REJECTED:
            raise problem.of_code(outcome.code, outcome.detail, order=execution.order)
        return execution, report.repeated


class OrderHandler(_CommandHandler):
    """POST /order: 201 with the first answer, 200 with the same when the same order is sent again."""

    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(schema.PlaceOrder)
        if self.caller.is_admin:
            raise problem.forbidden("An administrator may look at accounts, and may not trade on them.")
        command = SubmitOrder(
            self.own_account(wanted.account_id),
            wanted.client_order_id or _new_client_order_id(),
            wanted.symbol,
            wanted.side,
            wanted.type,
            positive_e8(wanted.quantity, "quantity"),
            0 if wanted.stop_loss is None else positive_e8(wanted.stop_loss, "stop_loss"),
            0 if wanted.take_profit is None else positive_e8(wanted.take_profit, "take_profit"),
        )
        execution, repeated = await self.deal(command)
        self.answer(execution, 200 if repeated else 201)


class CloseHandler(_CommandHandler):
    """POST /position/{id}/close: all of it, or the quantity named."""

    async def post(self, position_id: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(schema.ClosePart)
        if self.caller.is_admin:
            raise problem.forbidden("An administrator may look at accounts, and may not trade on them.")
        command = ClosePosition(
            self.own_account(None),
            wanted.client_order_id or _new_client_order_id(),
            int(position_id),
            0 if wanted.quantity is None else positive_e8(wanted.quantity, "quantity"),
        )
        execution, _ = await self.deal(command)
        self.answer(execution)


def positive_e8(text: str, field: str) -> int:
    """Decimal text above zero and below the limit of all prices and quantities, or the problem that names the field."""
    try:
        value_e8 = parse_e8(text)
    except NotExact as error:
        raise problem.invalid(field, f"{field}: {error}.") from None
    if value_e8 <= 0:
        raise problem.invalid(field, f"{field} must be above zero.")
    if value_e8 >= LIMIT_E8:
        raise problem.invalid(field, f"{field} is too large.")
    return value_e8


def _new_client_order_id() -> str:
    return f"web-{secrets.token_hex(12)}"


def _raise_unknown(client_order_id: str) -> NoReturn:
    raise problem.Problem(
        504,
        "OUTCOME_UNKNOWN",
        "The order was sent and is not answered yet: its outcome is unknown. "
        "Sending the same client_order_id again is safe: it is never carried out twice.",
        members={"client_order_id": client_order_id},
    )
