"""What the staff's handlers share: questions to the engine, its terms with their versions, and audited commands."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from actors.bus.answers import Answer, Done
from actors.bus.asking import Asker, Away, Declined, NoAnswer
from actors.bus.desk_answers import Terms
from actors.bus.requests import GetTerms
from actors.domain.commands import ClosePosition
from web.handling.asking import idempotency_key
from web.handling.auditing import AuditedHandler
from web.handling.contract import COMMAND, QUESTION, F, contract
from web.handling.paging import PagingHandler
from web.payloads import problem
from web.payloads.plain import plain
from web.payloads.schema import NoParameters, Request

CHANGE = COMMAND | {412}
IF_MATCH = {"If-Match": "The ETag of an answer: the change is made to no other version. * or absent: to any."}
TIMEOUT_MS = 5_000
_TAG = re.compile(r'"([1-9][0-9]{0,17})"')

A = TypeVar("A", bound=Answer)


def looks_up(summary: str, answer: Any, parameters: type[Request] = NoParameters) -> Callable[[F], F]:
    """The contract of a question."""
    return contract(summary, {200: answer}, parameters=parameters, problems=QUESTION)


def changes(
    summary: str,
    answer: Any,
    body: type[Request] | None = None,
    example: Mapping[str, Any] | None = None,
    *,
    terms: Any = None,
    status: int = 200,
    parameters: type[Request] = NoParameters,
) -> Callable[[F], F]:
    """The contract of a change of terms, against a version of them. `terms`: the type of the body's `terms`."""
    return contract(
        summary,
        {status: answer},
        parameters=parameters,
        body=body,
        terms=terms,
        problems=CHANGE,
        headers=IF_MATCH,
        example=example,
    )


def commands(
    summary: str,
    answers: Mapping[int, Any],
    body: type[Request] | None = None,
    example: Mapping[str, Any] | None = None,
    *,
    needs_key: bool = False,
    parameters: type[Request] = NoParameters,
) -> Callable[[F], F]:
    """The contract of another command."""
    return contract(
        summary, answers, parameters=parameters, body=body, problems=COMMAND, needs_key=needs_key, example=example
    )


class DeskHandler(AuditedHandler, PagingHandler):
    async def engine(self, question: Any, answer: type[A], timeout_ms: int = 0) -> A:
        return await self.look(self.backend.engine, question, answer, timeout_ms)

    async def look(self, asker: Asker, question: Any, answer: type[A], timeout_ms: int = 0) -> A:
        """A question, which changes nothing. `timeout_ms`: 0 is TIMEOUT_MS."""
        try:
            return await asker.ask(question, answer, timeout_ms or TIMEOUT_MS)
        except (Away, NoAnswer, Declined) as error:
            raise problem.of_bus(error) from None

    async def terms(self) -> Terms:
        return await self.engine(GetTerms(), Terms)

    def wanted_version(self) -> int:
        """What If-Match says (RFC 9110, 13.1.1); 0 where any version will do."""
        tag = self.request.headers.get("If-Match", "*")
        if tag == "*":
            return 0
        if not (match := _TAG.fullmatch(tag)):
            raise problem.Problem(412, "VERSION_MISMATCH", 'If-Match is the ETag of an answer, such as "12", or *.')
        return int(match[1])

    def by(self, reason: str, version: int = 0) -> tuple[str, str, int]:
        """Who changes terms, why, and to which version: that of If-Match, or else the one that was looked at.

        Between a look and the change somebody else's may come: theirs is not undone by ours.
        """
        return self.caller.username, reason, self.wanted_version() or version

    def idempotency_key(self) -> str:
        """Under what the request is carried out once; raises a problem where there is none."""
        return idempotency_key(self.request.headers.get("Idempotency-Key", ""))

    async def order(
        self,
        command: Any,
        subject: str,
        reason: str,
        answer: type[A],
        *,
        before: Any = None,
        identity: Mapping[str, str] | None = None,
    ) -> A:
        """Has the engine carry out a command under the eyes of the audit log. `before`: the terms that it changes."""
        return await self.act(
            type(command).__name__,
            subject,
            self.carry_out(self.backend.engine, command, answer, identity or {}),
            before=None if before is None else plain(before),
            after=plain(command),
            reason=reason,
        )

    async def change(self, command: Any, subject: str, reason: str, *, before: Any = None) -> None:
        await self.order(command, subject, reason, Done, before=before)

    def answer_terms(self, terms: Any, subject: str, versions: Mapping[str, int], status: int = 200) -> None:
        """One thing, with its version as an ETag."""
        version = versions.get(subject, 0)
        self.tag(version)
        self.answer({"version": str(version) if version else None, "terms": plain(terms)}, status)

    def tag(self, version: int) -> None:
        if version:
            self.set_header("ETag", f'"{version}"')

    async def carry_out(self, asker: Asker, command: Any, answer: type[A], identity: Mapping[str, str]) -> A:
        """`identity`: under what it may be sent again."""
        # What is dealt at the price of the moment is not begun once the dealer was told that its outcome is unknown.
        sent_ns = self.backend.clock_ns() if isinstance(command, ClosePosition) else 0
        try:
            return await asker.ask(command, answer, TIMEOUT_MS, sent_ns)
        except Declined as error:
            raise problem.of_refusal(error.refusal) from None
        except Away as error:
            raise problem.unavailable(f"The request was not sent: {error}. Please try again in a moment.") from None
        except NoAnswer:
            raise problem.outcome_unknown(identity) if identity else problem.unknown_once() from None
