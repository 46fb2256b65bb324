"""Privileged acts: the audit log has each before it is done, and what came of it after.

Where the log cannot be written (the database is away), the act is refused with 503 and not done. An act whose outcome
could not be added stands in the log without one: its outcome is unknown there, and the process's log has it.
"""

import re
from collections.abc import Awaitable
from typing import Any, TypeVar

import msgspec
import structlog

from actors.bus.asking import Away, Declined, NoAnswer
from actors.bus.users import Actor, RecordAct, Recorded, RecordOutcome
from web.handling.asking import AskingHandler
from web.payloads import problem

AUDIT_TIMEOUT_MS = 2_000

T = TypeVar("T")

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""As JSON has it in a text."""

_log = structlog.get_logger("audit")


class AuditedHandler(AskingHandler):
    def actor(self) -> Actor:
        caller = self.caller
        return Actor(caller.id, caller.username, caller.role, self.request.remote_ip or "")

    async def act(
        self,
        action: str,
        subject: str,
        doing: Awaitable[T],
        *,
        before: Any = None,
        after: Any = None,
        reason: str = "",
    ) -> T:
        """Does `doing` once the audit log has it; gives and raises what it does. `before`, `after`: made JSON of."""
        told = RecordAct(self.actor(), action, subject, _said(before), _said(after), reason)
        if "\0" in subject + reason or _NUL.search(told.after):
            _leave(doing)
            raise problem.no_nul()
        try:
            seq = await self._record(told)
        except (Away, NoAnswer, Declined) as error:
            _leave(doing)
            raise problem.unavailable(f"Nothing was done: the audit log cannot be written: {error}.") from None
        outcome = "failed"
        try:
            got = await doing
            outcome = "done"
            return got
        except problem.Problem as refused:
            outcome = refused.code
            raise
        finally:
            _log.info("audit", act=seq, action=action, subject=subject, user=self.caller.username, outcome=outcome)
            await self._record_outcome(RecordOutcome(self.actor(), seq, outcome))

    async def _record(self, told: RecordAct | RecordOutcome) -> int:
        return (await self.backend.history.ask(told, Recorded, AUDIT_TIMEOUT_MS)).seq

    async def _record_outcome(self, told: RecordOutcome) -> None:
        try:
            await self._record(told)
        except (Away, NoAnswer, Declined) as error:
            _log.warning("outcome not in the audit log", act=told.act_seq, outcome=told.outcome, detail=str(error))


def _leave(doing: Awaitable[Any]) -> None:
    """It will never be awaited."""
    if hasattr(doing, "close"):
        doing.close()


def _said(what: Any) -> str:
    return "" if what is None else msgspec.json.encode(what).decode()
