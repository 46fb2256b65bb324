"""FIX sessions for the broker's staff: /admin/fix/sessions and below. fix-clients and fix-lp own them."""

from actors.bus.asking import Asker, Away, Declined, NoAnswer
from actors.bus.fix_sessions import (
    ConnectFixSession,
    DisconnectFixSession,
    FixSession,
    FixSessions,
    GetFixSessions,
    LpSurvey,
    SetFixSequence,
)
from actors.domain.money import format_e8
from web.handling.auditing import AuditedHandler
from web.handling.contract import COMMAND, QUESTION, contract
from web.payloads import answers, problem, schema
from web.payloads.times import format_ns

TIMEOUT_MS = 2_000


class FixSessionsHandler(AuditedHandler):
    """What all of them share."""

    async def served(self) -> tuple[dict[str, tuple[Asker, FixSession]], list[str]]:
        """The sessions by id, each with the process that serves it, and the names of processes that do not answer."""
        found: dict[str, tuple[Asker, FixSession]] = {}
        silent: list[str] = []
        for desk in self.backend.fix_desks:
            try:
                answer = await desk.ask(GetFixSessions(), FixSessions, TIMEOUT_MS)
            except (Away, NoAnswer, Declined):
                silent.append(desk.name)
                continue
            found |= {one.session_id: (desk, one) for one in answer.sessions}
        return found, silent

    async def tell(
        self, session_id: str, told: ConnectFixSession | DisconnectFixSession | SetFixSequence, reason: str = ""
    ) -> None:
        """Has it done, under the eyes of the audit log, and answers with the session as it is then."""
        served, silent = await self.served()
        if session_id not in served:
            if silent:
                raise problem.unavailable(f"{' and '.join(silent)} cannot say whether there is such a session.")
            raise problem.of_code("UNKNOWN_FIX_SESSION", f"there is no FIX session {session_id}", "session_id")
        desk, before = served[session_id]
        action, subject = type(told).__name__, f"fix session {session_id}"
        after = await self.act(action, subject, self._tell(desk, told), before=before, after=told, reason=reason)
        self.answer(body(after))

    async def _tell(self, desk: Asker, told: ConnectFixSession | DisconnectFixSession | SetFixSequence) -> FixSession:
        try:
            return (await desk.ask(told, FixSessions, TIMEOUT_MS)).sessions[0]
        except Declined as error:
            raise problem.of_refusal(error.refusal) from None
        except Away as error:
            raise problem.unavailable(f"The request was not sent: {error}. Please try again in a moment.") from None
        except NoAnswer:
            raise problem.outcome_unknown({}) from None


class AllFixSessionsHandler(FixSessionsHandler):
    """GET /admin/fix/sessions."""

    @contract("The FIX sessions.", {200: answers.FixSessionsBody}, problems=QUESTION)
    async def get(self) -> None:
        self.parameters(schema.NoParameters)
        served, silent = await self.served()
        self.answer(answers.FixSessionsBody(sessions=[body(one) for _, one in served.values()], silent=silent))


class ConnectFixHandler(FixSessionsHandler):
    """POST /admin/fix/sessions/ID/connect."""

    @contract("Let a FIX session connect.", {200: answers.FixSessionBody}, problems=COMMAND)
    async def post(self, session_id: str) -> None:
        self.parameters(schema.NoParameters)
        await self.tell(session_id, ConnectFixSession(session_id))


class DisconnectFixHandler(FixSessionsHandler):
    """POST /admin/fix/sessions/ID/disconnect."""

    @contract("Log a FIX session out, and hold it.", {200: answers.FixSessionBody}, problems=COMMAND)
    async def post(self, session_id: str) -> None:
        self.parameters(schema.NoParameters)
        await self.tell(session_id, DisconnectFixSession(session_id))


class FixSequenceHandler(FixSessionsHandler):
    """PUT /admin/fix/sessions/ID/sequence."""

    @contract(
        "Set the sequence numbers of a FIX session that is down.",
        {200: answers.FixSessionBody},
        problems=COMMAND,
        body=schema.FixSequence,
        example={"next_in": 17, "reason": "agreed with the counterparty"},
    )
    async def put(self, session_id: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(schema.FixSequence)
        told = SetFixSequence(
            session_id, wanted.next_out or 0, wanted.next_in or 0, self.caller.username, wanted.reason
        )
        await self.tell(session_id, told, wanted.reason)


def body(session: FixSession) -> answers.FixSessionBody:
    return answers.FixSessionBody(
        id=session.session_id,
        purpose=session.purpose,
        role=session.role,
        state=session.state,
        next_out=session.next_out,
        next_in=session.next_in,
        began=format_ns(session.began_ns) if session.began_ns else None,
        logged_on=format_ns(session.logged_on_ns) if session.logged_on_ns else None,
        peer=session.peer or None,
        survey=None if session.survey is None else _survey(session.survey),
    )


def _survey(seen: LpSurvey) -> answers.FixSurvey:
    found = seen.collateral
    return answers.FixSurvey(
        listed=seen.listed,
        misfits=seen.misfits,
        collateral=None
        if found is None
        else answers.FixCollateral(
            currency=found.currency,
            total_net_value=_figure(found.total_net_e8),
            cash=_figure(found.cash_e8),
            margin_excess=_figure(found.excess_e8),
            told=format_ns(found.told_ns),
        ),
        refused=seen.refused,
    )


def _figure(value_e8: int | None) -> str | None:
    return None if value_e8 is None else format_e8(value_e8)
