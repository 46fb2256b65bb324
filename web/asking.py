"""What the handlers ask the other processes, and the problem that each kind of silence or refusal becomes."""

import re
import secrets
from typing import Any, TypeVar

from actors.bus.answers import AccountReport, Answer, Done, OrderReport
from actors.bus.asking import Away, Declined, NoAnswer
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
from web.handler import Handler
from web.schema import CLIENT_ORDER_ID

COMMAND_TIMEOUT_MS = 5_000
QUESTION_TIMEOUT_MS = 2_000
_CLIENT_ORDER_ID = re.compile(CLIENT_ORDER_ID)
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

    async def engine(self, question: Any, answer: type[A]) -> A:
        """Of the engine, which changes nothing by it."""
        try:
            return await self.backend.engine.ask(question, answer, QUESTION_TIMEOUT_MS)
        except (Away, NoAnswer, Declined) as error:
            raise problem.of_bus(error) from None

    async def history(self, question: Any, answer: type[A]) -> A:
        try:
            return await self.backend.history.ask(question, answer, HISTORY_TIMEOUT_MS)
        except (Away, NoAnswer, Declined) as error:
            raise problem.of_bus(error) from None


class CommandHandler(AskingHandler):
    """Those that have the engine do something."""

    _keyed = False

    def identity(self, client_order_id: str | None) -> str:
        """Under what the request is never carried out twice: its client_order_id, its Idempotency-Key, or a new one."""
        headers = self.request.headers.get_list("Idempotency-Key")
        if not headers:
            return client_order_id or new_client_order_id()
        self._keyed = True
        key = _key(",".join(headers))
        if client_order_id not in (None, key):
            detail = "The Idempotency-Key and the client_order_id are both given, and differ."
            raise problem.invalid("client_order_id", detail)
        return key

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
        self.answer_nothing()

    async def _tell(self, command: Any, answer: type[A], identity: dict[str, str], sent_ns: int = 0) -> A:
        """`identity`: under what the command may be sent again when its outcome is not known.

        `sent_ns`: now, where it is not to be carried out once the client has been told so.
        """
        backend = self.backend
        try:
            report: Any = await backend.engine.ask(command, answer, COMMAND_TIMEOUT_MS, sent_ns)
        except Declined as error:
            if self._keyed and error.refusal.code == "DUPLICATE_CLIENT_ORDER_ID":
                raise problem.key_reused() from None
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


def _key(header: str) -> str:
    """The key of the header, a string of RFC 8941; also taken without its quotes."""
    key = header[1:-1] if len(header) > 1 and header[0] == header[-1] == '"' else header
    if not _CLIENT_ORDER_ID.fullmatch(key):
        raise problem.Problem(
            400,
            "BAD_IDEMPOTENCY_KEY",
            'Idempotency-Key is a string such as "my-1": 1 to 64 of A-Z a-z 0-9 . _ : -',
            field="Idempotency-Key",
        )
    return key
