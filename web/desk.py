"""What the staff's handlers share: questions to the engine, its terms with their versions, and audited commands."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from actors.bus.answers import Answer, Done, Terms
from actors.bus.asking import Away, Declined, NoAnswer
from actors.bus.requests import GetTerms
from web import problem
from web.auditing import AuditedHandler
from web.contract import COMMAND
from web.plain import plain

CHANGE = COMMAND | {412}
IF_MATCH = {"If-Match": "The ETag of an answer: the change is made to no other version. * or absent: to any."}
Answered = dict[str, Any]
"""An object by the names that docs/api.md and the domain's structs give it."""
QUESTION_TIMEOUT_MS = 5_000
COMMAND_TIMEOUT_MS = 5_000
_TAG = re.compile(r'"([1-9][0-9]{0,17})"')
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,64}")

A = TypeVar("A", bound=Answer)


class DeskHandler(AuditedHandler):
    async def engine(self, question: Any, answer: type[A], timeout_ms: int = QUESTION_TIMEOUT_MS) -> A:
        try:
            return await self.backend.engine.ask(question, answer, timeout_ms)
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

    def idempotency_key(self) -> str:
        """Under what the request is carried out once; raises a problem where there is none."""
        header = self.request.headers.get("Idempotency-Key", "")
        key = header[1:-1] if len(header) > 1 and header[0] == header[-1] == '"' else header
        if not _KEY.fullmatch(key):
            raise problem.Problem(
                400,
                "BAD_IDEMPOTENCY_KEY",
                'Idempotency-Key is needed, a string such as "my-1": 1 to 64 of A-Z a-z 0-9 . _ : -',
                field="Idempotency-Key",
            )
        return key

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
        """Has a command carried out under the eyes of the audit log. `before`: the terms that it changes."""
        doing = self._order(command, answer, dict(identity or {}))
        return await self.act(
            type(command).__name__,
            subject,
            doing,
            before=None if before is None else plain(before),
            after=plain(command),
            reason=reason,
        )

    async def change(self, command: Any, subject: str, reason: str, *, before: Any = None) -> None:
        await self.order(command, subject, reason, Done, before=before)

    def answer_terms(self, terms: Any, subject: str, versions: Mapping[str, int], status: int = 200) -> None:
        """One thing, with its version as an ETag."""
        version = versions.get(subject, 0)
        if version:
            self.set_header("ETag", f'"{version}"')
        self.answer({"version": str(version) if version else None, "terms": plain(terms)}, status)

    async def _order(self, command: Any, answer: type[A], identity: dict[str, str]) -> A:
        try:
            return await self.backend.engine.ask(command, answer, COMMAND_TIMEOUT_MS)
        except Declined as error:
            raise problem.of_refusal(error.refusal) from None
        except Away as error:
            raise problem.unavailable(f"The request was not sent: {error}. Please try again in a moment.") from None
        except NoAnswer:
            raise problem.outcome_unknown(identity) from None
