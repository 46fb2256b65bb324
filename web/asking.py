"""What the handlers ask the other processes, and the problem that each kind of silence or refusal becomes."""

import secrets
from typing import Any, TypeVar

from actors.bus.answers import AccountReport, Answer, Done, OrderReport
from actors.domain.commands import (
    CancelOrder,
    ClosePosition,
    ClosePositionBy,
    ClosePositions,
    ModifyOrder,
    ModifyPosition,
    ReversePosition,
    SubmitOrder,
)
from actors.domain.order import OrderStatus
from web import problem, schema
from web.bus import Away, Declined, NoAnswer
from web.handler import Handler

COMMAND_TIMEOUT_MS = 5_000
HISTORY_TIMEOUT_MS = 5_000

A = TypeVar("A", bound=Answer)


class AskingHandler(Handler):
    async def report(self, account_id: int) -> AccountReport:
        """The account as the engine has it."""
        try:
            return await self.backend.accounts.report(account_id)
        except (Away, NoAnswer, Declined) as error:
            raise problem.of_bus(error) from None

    async def currency(self, account_id: int) -> str:
        try:
            return await self.backend.accounts.currency(account_id)
        except (Away, NoAnswer, Declined) as error:
            raise problem.of_bus(error) from None

    async def history(self, question: Any, answer: type[A]) -> A:
        try:
            return await self.backend.history.ask(question, answer, HISTORY_TIMEOUT_MS)
        except (Away, NoAnswer, Declined) as error:
            raise problem.of_bus(error) from None


class CommandHandler(AskingHandler):
    """Those that have the engine do something."""

    async def deal(
        self, command: SubmitOrder | ClosePosition | ClosePositionBy | ClosePositions | ReversePosition
    ) -> tuple[schema.ExecutionBody, bool]:
        """Has a command with a client_order_id carried out; gives what came of it, and whether it was done before."""
        currency = await self.currency(command.account_id)
        identity = {"client_order_id": command.client_order_id}
        report = await self._tell(command, OrderReport, identity, self.backend.clock_ns())
        outcome = report.outcome
        execution = self.backend.render.execution(outcome, currency)
        if outcome.order.status is OrderStatus.REJECTED:
            raise problem.of_code(outcome.code, outcome.detail, order=execution.order)
        return execution, report.repeated

    async def change(self, command: ModifyOrder | CancelOrder | ModifyPosition) -> None:
        """Has a command carried out whose repetition changes nothing; the answer is 204."""
        await self._tell(command, Done, {})
        self.set_status(204)
        self.set_header("Cache-Control", "no-store")
        self.finish()

    async def _tell(self, command: Any, answer: type[A], identity: dict[str, str], sent_ns: int = 0) -> A:
        """`identity`: under what the command may be sent again when its outcome is not known.

        `sent_ns`: now, where it is not to be carried out once the client has been told so.
        """
        backend = self.backend
        try:
            report: Any = await backend.engine.ask(command, answer, COMMAND_TIMEOUT_MS, sent_ns)
        except Declined as error:
            raise problem.of_refusal(error.refusal) from None
        except Away as error:
            raise problem.unavailable(f"The request was not sent: {error}. Please try again in a moment.") from None
        except NoAnswer:
            raise problem.outcome_unknown(identity) from None
        backend.accounts.known.note(command.account_id, report.seq)
        got: A = report
        return got


def new_client_order_id() -> str:
    return f"web-{secrets.token_hex(12)}"
