"""FIX sessions as an operator sees and repairs them: asked of fix-clients and fix-lp, each for those that it serves."""

from typing import Literal

from actors.bus.message import Body, Message

SessionState = Literal["logged_on", "connected", "down", "held"]
"""connected: there is a connection, and no Logon on it, or no longer. held: down until an operator connects it."""


class GetFixSessions(Body, frozen=True):
    """Answered with FixSessions: all of them."""


class ConnectFixSession(Body, frozen=True):
    """Lets a session that is held connect again; one that waits for its next attempt connects at once.

    Answered with FixSessions, of this one, or Refusal UNKNOWN_FIX_SESSION.
    """

    session_id: str


class DisconnectFixSession(Body, frozen=True):
    """Logs the session out and holds it down, until it is connected or the process starts anew.

    As ConnectFixSession.
    """

    session_id: str


class SetFixSequence(Body, frozen=True):
    """Sets MsgSeqNum of the next message each way, 0: as it is; what was sent from `next_out` on is forgotten.

    As ConnectFixSession; also Refusal FIX_SESSION_UP, as long as there is a connection, or BAD_REQUEST.
    """

    session_id: str
    next_out: int
    next_in: int
    by: str
    reason: str


class FixSession(Message, frozen=True):
    session_id: str
    purpose: str
    role: str
    """initiator or acceptor: our part."""
    state: SessionState
    next_out: int
    next_in: int
    began_ns: int
    """When both numbers last began anew at 1; 0: never since the first Logon."""
    logged_on_ns: int
    """The last Logon since the process started; 0: none."""
    peer: str
    """The other end's address and port, while there is a connection."""


class FixSessions(Body, frozen=True):
    sessions: list[FixSession]


FixQuestion = GetFixSessions | ConnectFixSession | DisconnectFixSession | SetFixSequence


class FixRequest(Message, frozen=True):
    request_id: int
    body: FixQuestion
