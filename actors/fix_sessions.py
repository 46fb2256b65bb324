"""A process's FIX sessions for operators: who is logged on, with which numbers; connecting, holding, repairing."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import structlog
import zmq

from actors.bus import codec
from actors.bus.answers import Refusal, Reply
from actors.bus.asking import Inlet
from actors.bus.fix_sessions import (
    ConnectFixSession,
    DisconnectFixSession,
    FixQuestion,
    FixRequest,
    FixSession,
    FixSessions,
    GetFixSessions,
    LpSurvey,
    SessionState,
    SetFixSequence,
)
from actors.domain.refusal import Code
from gateway.fix import holds
from gateway.fix.repairs import Unrepairable, repair
from gateway.fix.session import Session
from gateway.fix.store import SqliteStore

_decode = codec.decoder(FixRequest)


class Driver(Protocol):
    """What holds a session's connection: an Initiator, or an Acceptor's Seat."""

    @property
    def session(self) -> Session: ...

    @property
    def is_held(self) -> bool: ...

    @property
    def peer(self) -> str | None: ...

    def hold(self, text: str) -> None: ...

    def release(self) -> None: ...

    def reread(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Served:
    """One session, with the store that has its numbers."""

    purpose: str
    driver: Driver
    store: SqliteStore
    logged_on_ns: Callable[[], int]
    """0: not since the process started."""
    survey: Callable[[], LpSurvey | None] = lambda: None

    def as_seen(self) -> FixSession:
        session, peer = self.driver.session, self.driver.peer
        settings, numbers = session.settings, session.sequences
        state: SessionState = "connected" if peer is not None else "held" if self.driver.is_held else "down"
        return FixSession(
            settings.session_id,
            self.purpose,
            settings.role.value,
            "logged_on" if session.is_logged_on else state,
            numbers.next_out,
            numbers.next_in,
            numbers.began_ns,
            self.logged_on_ns(),
            peer or "",
            self.survey(),
        )


class SessionDesk:
    """Answers FixRequests on a ROUTER, in the loop that drives the sessions.

    From the first on those are held that an operator has disconnected, so it must be made before any can connect.
    """

    def __init__(self, socket: zmq.Socket[bytes], served: Iterable[Served], clock_ns: Callable[[], int]) -> None:
        self.inlet = Inlet(socket, self._on_requests)
        self.bad_frames = 0
        self._socket = socket
        self._served = {one.driver.session.settings.session_id: one for one in served}
        self._clock_ns = clock_ns
        self._log = structlog.get_logger()
        for session_id, one in self._served.items():
            if session_id in holds.held(one.store):
                one.driver.hold("held by the operator")

    def answer(self, asked: FixQuestion) -> FixSessions | Refusal:
        if isinstance(asked, GetFixSessions):
            return FixSessions([one.as_seen() for one in self._served.values()])
        served = self._served.get(asked.session_id)
        if served is None:
            return Refusal(
                Code.UNKNOWN_FIX_SESSION.value, f"there is no FIX session {asked.session_id[:32]!r} here", "session_id"
            )
        match asked:
            case ConnectFixSession():
                holds.release(served.store, asked.session_id)
                served.driver.release()
            case DisconnectFixSession():
                holds.hold(served.store, asked.session_id, self._clock_ns())
                served.driver.hold("disconnected by the operator")
            case SetFixSequence():
                if refusal := self._repair(served, asked):
                    return refusal
        self._log.info("FIX session", session=asked.session_id, act=type(asked).__name__)
        return FixSessions([served.as_seen()])

    def _repair(self, served: Served, asked: SetFixSequence) -> Refusal | None:
        if served.driver.peer is not None:
            return Refusal(
                Code.FIX_SESSION_UP.value, "numbers are set while the session has no connection: disconnect it first"
            )
        try:
            repair(
                served.store,
                asked.session_id,
                asked.next_out or None,
                asked.next_in or None,
                asked.reason,
                self._clock_ns(),
                asked.by,
            )
        except Unrepairable as fault:
            return Refusal("BAD_REQUEST", str(fault))
        served.driver.reread()
        return None

    def _on_requests(self, messages: list[list[bytes]]) -> None:
        for identity, *frames in messages:
            for frame in frames:
                try:
                    request = _decode(frame)
                except codec.BadFrame:
                    self.bad_frames += 1
                    continue
                reply = codec.encode(Reply(request.request_id, self.answer(request.body)))
                self._socket.send_multipart([identity, reply])
        asyncio.get_running_loop().call_soon(self.inlet.look_again)
