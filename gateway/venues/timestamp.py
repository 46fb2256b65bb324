"""Times as LPs write them, to UTC nanoseconds, exactly."""

import re
from datetime import UTC, datetime
from functools import lru_cache

LIMIT_NS = 2**63
"""Times are kept in signed 64 bits: the year 2262."""

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_UNIX = re.compile(r"(\d{1,10})(?:\.(\d{1,9}))?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadTime(ValueError):
    """The text is no time in a form that is known here, or lies outside 1970 to 2262."""


def parse_time_ns(text: str) -> int:
    """RFC 3339 or seconds since 1970, each with up to 9 digits of fraction, to UTC nanoseconds; raises `BadTime`.

    These are the two values of v20's Accept-Datetime-Format header.
    """
    if match := _RFC3339.fullmatch(text):
        second, fraction, zone = match.groups()
        time_ns = _second_ns(second, zone)
    elif match := _UNIX.fullmatch(text):
        second, fraction = match.groups()
        time_ns = int(second) * 1_000_000_000
    else:
        raise BadTime(f"{text[:40]!r} is not a time")
    if fraction:
        time_ns += int(fraction.ljust(9, "0"))
    if not 0 <= time_ns < LIMIT_NS:
        raise BadTime(f"{text!r} is not between 1970 and 2262")
    return time_ns


@lru_cache(maxsize=64)
def _second_ns(second: str, zone: str) -> int:
    try:
        since = datetime.fromisoformat(second + zone) - _EPOCH
    except (ValueError, OverflowError) as error:
        raise BadTime(f"{second + zone!r} is not a time: {error}") from None
    return (since.days * 86_400 + since.seconds) * 1_000_000_000


def rfc3339(time_ns: int) -> str:
    """UTC nanoseconds as RFC 3339 has them, to the nanosecond."""
    second, nanos = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09}Z"
