"""UTCTimestamp (FIX 4.4 volume 1, "Data types") from and to UTC nanoseconds."""

import re
from datetime import UTC, datetime
from functools import lru_cache

SECOND_NS = 1_000_000_000
MS_NS = 1_000_000
_SECOND = re.compile(rb"(\d{8})-([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)")
_EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
_SECOND_CHARS = 17
_LIMIT_CHARS = _SECOND_CHARS + 10


@lru_cache(maxsize=64)
def utc_timestamp(now_ns: int) -> bytes:
    """YYYYMMDD-HH:MM:SS.sss, rounded down."""
    second, rest_ns = divmod(now_ns, SECOND_NS)
    return b"%b.%03d" % (_second_text(second), rest_ns // MS_NS)


@lru_cache(maxsize=64)
def _second_text(second: int) -> bytes:
    return datetime.fromtimestamp(second, UTC).strftime("%Y%m%d-%H:%M:%S").encode()


def parse_utc_timestamp(text: bytes) -> int | None:
    """Nanoseconds since 1970, from a time with up to nine digits of fraction; None where it is no such time."""
    return _parsed(text) if len(text) <= _LIMIT_CHARS else None


@lru_cache(maxsize=1024)
def _parsed(text: bytes) -> int | None:
    since_ns = _second_ns(text[:_SECOND_CHARS])
    if since_ns is None or len(text) == _SECOND_CHARS:
        return since_ns
    digits = text[_SECOND_CHARS + 1 :]
    if text[_SECOND_CHARS : _SECOND_CHARS + 1] != b"." or not digits.isdigit():
        return None
    return since_ns + int(digits.ljust(9, b"0"))


@lru_cache(maxsize=1024)
def _second_ns(text: bytes) -> int | None:
    found = _SECOND.fullmatch(text)
    if found is None:
        return None
    days = days_since_1970(found[1])
    if days is None:
        return None
    return (days * 86_400 + int(found[2]) * 3_600 + int(found[3]) * 60 + int(found[4])) * SECOND_NS


@lru_cache(maxsize=1024)
def days_since_1970(text: bytes) -> int | None:
    """Of a date YYYYMMDD; None where it is none."""
    if len(text) != 8 or not text.isdigit():
        return None
    try:
        return datetime(int(text[:4]), int(text[4:6]), int(text[6:]), tzinfo=UTC).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
