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
    """Logs the session out and holds it down, over restarts of the process too, until it is connected.

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


class Collateral(Message, frozen=True):
    """What an LP counts for our account there (35=BA), in its currency; None where it does not say."""

    currency: str
    total_net_e8: int | None
    cash_e8: int | None
    excess_e8: int | None
    told_ns: int


class LpSurvey(Message, frozen=True):
    """What an LP has said of itself on the session."""

    listed: int | None
    """How many instruments it lists; None: it was not asked, or has not said all."""
    misfits: dict[str, str]
    """By our symbol, what of its terms the LP does not take: unlisted, or a sentence."""
    collateral: Collateral | None
    refused: str
    """Which question it does not answer, and why; empty: none."""


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
    survey: LpSurvey | None = None
    """Of a session with an LP that is asked for it."""


class FixSessions(Body, frozen=True):
    sessions: list[FixSession]


FixQuestion = GetFixSessions | ConnectFixSession | DisconnectFixSession | SetFixSequence


class FixRequest(Message, frozen=True):
    request_id: int
    body: FixQuestion
