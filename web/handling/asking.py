"""What the handlers ask the other processes, and the problem that each kind of silence or refusal becomes."""

import re
from typing import Any, TypeVar

import msgspec

from actors.bus.answers import AccountReport, Answer
from actors.bus.asking import Away, Declined, NoAnswer
from actors.domain.commands import CancelOrder, ModifyOrder, ModifyPosition
from web.handling import dealing
from web.handling.handler import Handler
from web.payloads import bodies, problem, schema
from web.payloads.schema import CLIENT_ORDER_ID

QUESTION_TIMEOUT_MS = 2_000
_CLIENT_ORDER_ID = re.compile(CLIENT_ORDER_ID)
HISTORY_TIMEOUT_MS = 5_000

A = TypeVar("A", bound=Answer)
N = TypeVar("N", schema.PlaceOrder, schema.ClosePart, schema.CloseBy, schema.Reverse, schema.CloseMany)
"""What may have a client_order_id."""


class AskingHandler(Handler):
    async def report(self, account_id: int) -> AccountReport:
        """The account as the engine has it."""
        return await dealing.report(self.backend, account_id)

    async def currency(self, account_id: int) -> str:
        return await dealing.currency(self.backend, account_id)

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

    _is_keyed = False

    def keyed_body(self, kind: type[N]) -> N:
        """The body; its client_order_id is the Idempotency-Key where one was sent."""
        wanted = self.body(kind)
        headers = self.request.headers.get_list("Idempotency-Key")
        if not headers:
            return wanted
        self._is_keyed = True
        key = idempotency_key(",".join(headers))
        if wanted.client_order_id not in (None, key):
            detail = "The Idempotency-Key and the client_order_id are both given, and differ."
            raise problem.invalid("client_order_id", detail)
        return msgspec.structs.replace(wanted, client_order_id=key)

    async def deal(self, command: dealing.Deal) -> tuple[bodies.ExecutionBody, bool]:
        """As dealing.deal."""
        try:
            return await dealing.deal(self.backend, command)
        except problem.Problem as refused:
            if self._is_keyed and refused.code == "DUPLICATE_CLIENT_ORDER_ID":
                raise problem.key_reused() from None
            raise

    async def change(self, command: ModifyOrder | CancelOrder | ModifyPosition) -> None:
        """As dealing.change; the answer is 204."""
        await dealing.change(self.backend, command)
        self.answer_nothing()


def idempotency_key(header: str) -> str:
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
