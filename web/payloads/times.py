"""Times as RFC 3339 text in UTC, exact to the nanosecond."""

import re
import time
from datetime import UTC, datetime
from functools import lru_cache

SECOND_NS = 1_000_000_000
LIMIT_NS = 2**63
"""Times at or after it (the year 2262) do not fit where times are stored."""

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def format_ns(time_ns: int) -> str:
    """Nanoseconds since the epoch to text in UTC, with no, 3, 6 or 9 digits after the second: as many as it takes."""
    seconds, rest_ns = divmod(time_ns, SECOND_NS)
    whole = _format_seconds(seconds)
    if not rest_ns:
        return whole + "Z"
    digits = f"{rest_ns:09d}"
    if digits.endswith("000000"):
        return f"{whole}.{digits[:3]}Z"
    return f"{whole}.{digits[:6]}Z" if digits.endswith("000") else f"{whole}.{digits}Z"


def parse_ns(text: str) -> int:
    """RFC 3339 text (section 5.6, with any offset) to nanoseconds since the epoch, from 1970 to 2262; or ValueError."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no time such as 2026-01-19T14:30:00Z")
    date, clock, fraction, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}{'+00:00' if offset in 'Zz' else offset}")
        since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]!r} is no date and time that exists") from None
    time_ns = (since.days * 86_400 + since.seconds) * SECOND_NS + int((fraction or "").ljust(9, "0"))
    if not 0 < time_ns < LIMIT_NS:
        raise ValueError(f"{text[:40]!r} is not between 1970 and 2262")
    return time_ns


@lru_cache(maxsize=1_024)
def _format_seconds(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
