"""What the handlers ask the other processes, and the problem that each kind of silence or refusal becomes."""

from typing import Any, TypeVar

from actors.bus.answers import AccountReport, Answer
from actors.bus.asking import Away, Declined, NoAnswer
from actors.domain.commands import CancelOrder, ModifyOrder, ModifyPosition
from web import dealing, problem, schema
from web.handler import Handler

HISTORY_TIMEOUT_MS = 5_000

A = TypeVar("A", bound=Answer)


class AskingHandler(Handler):
    async def report(self, account_id: int) -> AccountReport:
        """The account as the engine has it."""
        return await dealing.report(self.backend, account_id)

    async def currency(self, account_id: int) -> str:
        return await dealing.currency(self.backend, account_id)

    async def history(self, question: Any, answer: type[A]) -> A:
        try:
            return await self.backend.history.ask(question, answer, HISTORY_TIMEOUT_MS)
        except (Away, NoAnswer, Declined) as error:
            raise problem.of_bus(error) from None


class CommandHandler(AskingHandler):
    """Those that have the engine do something."""

    async def deal(self, command: dealing.Deal) -> tuple[schema.ExecutionBody, bool]:
        """As dealing.deal."""
        return await dealing.deal(self.backend, command)

    async def change(self, command: ModifyOrder | CancelOrder | ModifyPosition) -> None:
        """As dealing.change; the answer is 204."""
        await dealing.change(self.backend, command)
        self.answer_nothing()
