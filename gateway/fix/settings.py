"""What is agreed about one session with its counterparty."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from gateway.fix.codec import MESSAGE_LIMIT_BYTES, Field
from gateway.fix.dictionary import Dictionary, fix44
from gateway.fix.schedule import Schedule
from gateway.fix.store import SentMessage
from gateway.fix.validation import Level


class Role(Enum):
    INITIATOR = "initiator"
    ACCEPTOR = "acceptor"


def always(_sent: SentMessage, _now_ns: int) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Names are ASCII, and an empty one is neither sent nor looked at. An acceptor takes HeartBtInt as it is offered.

    The peer's messages have ours as targets and its own as senders; where one names another, it is refused.
    """

    session_id: str
    role: Role
    sender: str
    target: str
    sender_sub: str = ""
    target_sub: str = ""
    sender_location: str = ""
    target_location: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    """An initiator sends both; an acceptor demands them, and sub and location ids, in a Logon where it has them."""
    heartbeat_s: int = 30
    heartbeat_limit_s: int = 3_600
    reset_on_logon: bool = False
    """An initiator asks with ResetSeqNumFlag (141); an acceptor begins at 1 with each Logon."""
    next_expected: bool = False
    """Logons say which message is expected next (789), and who lacks some gets them without a ResendRequest."""
    logon_timeout_ms: int = 10_000
    logout_timeout_ms: int = 5_000
    sending_time_tolerance_ms: int = 120_000
    gap_timeout_ms: int = 30_000
    """A gap that does not shrink for so long is asked for again."""
    validation: Level = Level.STRICT
    dictionary: Dictionary = field(default_factory=fix44, repr=False)
    schedule: Schedule | None = None
    replay: Callable[[SentMessage, int], bool] = always
    """Whether an application message may be sent again at a time (ns); one that may not is filled over.

    One that may not even at the time when it is sent is not kept.
    """
    count_delay_ms: int = 0
    """So long the count of received messages may wait for its commit, where nothing else needs one.

    After a crash such messages come again: for sessions of quotes alone.
    """
    message_limit_bytes: int = MESSAGE_LIMIT_BYTES
    held_limit_messages: int = 10_000
    """Messages above a gap that are kept; those beyond are dropped, and asked for again."""
    resend_page_messages: int = 500
    """Messages sent again between two looks at the peer."""
    peer_names: tuple[Field, ...] = field(init=False, repr=False)
    """All names that are agreed, by the tags under which the peer's messages have them."""

    def __post_init__(self) -> None:
        agreed = (
            (49, self.target),
            (56, self.sender),
            (50, self.target_sub),
            (57, self.sender_sub),
            (142, self.target_location),
            (143, self.sender_location),
        )
        object.__setattr__(self, "peer_names", tuple((tag, name.encode()) for tag, name in agreed if name))
