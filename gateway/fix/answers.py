"""The bodies of session messages, and what the first look at a message tells. FIX 4.4 volume 2."""

import hmac

from gateway.fix.codec import Field, Message
from gateway.fix.reasons import BusinessReason, Problem, RejectReason
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.times import MS_NS, parse_utc_timestamp
from gateway.fix.validation import check

_REVERSED = {115: 128, 116: 129, 144: 145, 128: 115, 129: 116, 145: 144}
_WITHOUT_REF_TAG = (
    RejectReason.COMPID_PROBLEM,
    RejectReason.SENDINGTIME_ACCURACY_PROBLEM,
    RejectReason.INVALID_MSGTYPE,
)
TEXT_LIMIT_BYTES = 200
MSG_TYPE_LIMIT_BYTES = 16


def number(value: bytes | None) -> int | None:
    """A MsgSeqNum or count; None where it is none."""
    return int(value) if value is not None and value.isdigit() and len(value) <= 18 else None


def text_of(message: Message) -> str:
    """The peer's words, fit for a log."""
    return (message.get(58) or b"").decode("ascii", "backslashreplace")[:TEXT_LIMIT_BYTES]


def text_field(text: str) -> list[Field]:
    return [(58, text.encode("ascii", "replace")[:TEXT_LIMIT_BYTES].replace(b"\x01", b" "))] if text else []


def reverse_route(message: Message) -> list[Field]:
    """Header fields that send an answer back through the same third parties."""
    routes = [(_REVERSED[tag], value) for tag, value in message.fields if tag in _REVERSED and value]
    return sorted(routes)


def reject(message: Message, problem: Problem) -> list[Field]:
    fields = [(45, message.get(34) or b"0")]
    if problem.tag is not None and problem.reason not in _WITHOUT_REF_TAG:
        fields.append((371, b"%d" % problem.tag))
    if 0 < len(message.msg_type) <= MSG_TYPE_LIMIT_BYTES:
        fields.append((372, message.msg_type))
    return [*fields, (373, b"%d" % problem.reason), *text_field(problem.text)]


def business_reject(message: Message, reason: BusinessReason, text: str, ref_id: bytes) -> list[Field]:
    ref = [(379, ref_id)] if ref_id else []
    return [
        (45, message.get(34) or b"0"), (372, message.msg_type), *ref, (380, b"%d" % reason), *text_field(text),
    ]  # fmt: skip


def logon(settings: SessionSettings, heartbeat_s: int, reset: bool, next_expected: int | None) -> list[Field]:
    fields = [(98, b"0"), (108, b"%d" % heartbeat_s)]
    if reset:
        fields.append((141, b"Y"))
    if next_expected is not None:
        fields.append((789, b"%d" % next_expected))
    if settings.role is Role.INITIATOR:
        named = ((553, settings.username), (554, settings.password))
        fields += [(tag, text.encode("ascii")) for tag, text in named if text]
    return fields


def is_admitted(settings: SessionSettings, message: Message) -> bool:
    """Whether a Logon comes from this session's peer, to this session, with its password if it has one."""
    if not is_ours(settings, message):
        return False
    if settings.role is Role.INITIATOR:
        return True
    wanted = ((553, settings.username), (554, settings.password))
    right = [hmac.compare_digest(message.get(tag) or b"", text.encode("ascii")) for tag, text in wanted if text]
    return all(right) and all(message.get(tag) == name for tag, name in settings.peer_names)


def is_ours(settings: SessionSettings, message: Message) -> bool:
    return message.get(49) == settings.target.encode() and message.get(56) == settings.sender.encode()


def logon_problem(settings: SessionSettings, message: Message, now_ns: int) -> str:
    """Why a Logon of the right peer cannot be answered with one; empty if it can."""
    if problem := check(message, settings.dictionary, settings.validation):
        return f"{problem.text}: {problem.tag}" if problem.tag is not None else problem.text
    if problem := identity_problem(settings, message, now_ns):
        return problem.text
    if message.get(98) != b"0":
        return "EncryptMethod must be 0"
    if (heartbeat_s := number(message.get(108))) is None or heartbeat_s > settings.heartbeat_limit_s:
        return f"HeartBtInt must be 0 to {settings.heartbeat_limit_s}"
    if not number(message.get(34)):
        return "MsgSeqNum must be a number above 0"
    return ""


def identity_problem(settings: SessionSettings, message: Message, now_ns: int) -> Problem | None:
    """Names and times that are there and wrong; what is missing or malformed is left to validation."""
    for tag, name in settings.peer_names:
        if (value := message.get(tag)) and value != name:
            return Problem(RejectReason.COMPID_PROBLEM, tag)
    sent_ns = parse_utc_timestamp(message.get(52) or b"")
    if sent_ns is None:
        return None
    if abs(sent_ns - now_ns) > settings.sending_time_tolerance_ms * MS_NS:
        return Problem(RejectReason.SENDINGTIME_ACCURACY_PROBLEM)
    origin_ns = parse_utc_timestamp(message.get(122) or b"") if message.get(43) == b"Y" else None
    if origin_ns is not None and origin_ns > sent_ns:
        return Problem(RejectReason.SENDINGTIME_ACCURACY_PROBLEM)
    return None
