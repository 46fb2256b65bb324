"""What a session tells the application."""

from dataclasses import dataclass

from gateway.fix.codec import Message


@dataclass(frozen=True, slots=True)
class LoggedOn:
    """Both Logons were exchanged; `reset` if both sides began at 1."""

    reset: bool


@dataclass(frozen=True, slots=True)
class Received:
    """An application message, in order. `may_repeat`: PossResend (97) is set, so its content may have come before."""

    message: Message
    seq: int
    may_repeat: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """The peer rejected our message `ref_seq` (35=3)."""

    ref_seq: int
    text: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that the peer did wrong, and that the session has dealt with."""

    text: str


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The session is over, or a Logon came to nothing. `refused`: the peer said so, or we refused the peer."""

    text: str
    refused: bool = False


Event = LoggedOn | Received | Refused | Warned | LoggedOut
