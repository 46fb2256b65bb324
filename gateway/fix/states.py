"""The life of a session's connection, as one table. A step that the table does not have is a fault of ours."""

from enum import Enum, auto


class State(Enum):
    DOWN = auto()
    AWAITING_LOGON = auto()
    LOGON_SENT = auto()
    ACTIVE = auto()
    LOGOUT_SENT = auto()
    ENDING = auto()
    """Nothing is read any more; the transport closes once what was written has gone."""


UP = (State.ACTIVE, State.LOGOUT_SENT)
"""Where application messages may be written."""


class Step(Enum):
    ACCEPTED = auto()
    CONNECTED = auto()
    LOGGED_ON = auto()
    WE_LOG_OUT = auto()
    CUT = auto()
    CLOSED = auto()


TABLE = {
    (State.DOWN, Step.ACCEPTED): State.AWAITING_LOGON,
    (State.DOWN, Step.CONNECTED): State.LOGON_SENT,
    (State.AWAITING_LOGON, Step.LOGGED_ON): State.ACTIVE,
    (State.AWAITING_LOGON, Step.CUT): State.ENDING,
    (State.AWAITING_LOGON, Step.CLOSED): State.DOWN,
    (State.LOGON_SENT, Step.LOGGED_ON): State.ACTIVE,
    (State.LOGON_SENT, Step.CUT): State.ENDING,
    (State.LOGON_SENT, Step.CLOSED): State.DOWN,
    (State.ACTIVE, Step.LOGGED_ON): State.ACTIVE,  # A Logon that resets both sides' numbers on the live connection.
    (State.ACTIVE, Step.WE_LOG_OUT): State.LOGOUT_SENT,
    (State.ACTIVE, Step.CUT): State.ENDING,
    (State.ACTIVE, Step.CLOSED): State.DOWN,
    (State.LOGOUT_SENT, Step.CUT): State.ENDING,
    (State.LOGOUT_SENT, Step.CLOSED): State.DOWN,
    (State.ENDING, Step.CLOSED): State.DOWN,
}
