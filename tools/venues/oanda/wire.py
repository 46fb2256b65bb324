"""How v20 writes things down: times, and lines of a stream."""

import json
from typing import Any

from gateway.venues.timestamp import parse_time_ns, rfc3339

S_NS = 1_000_000_000


def date_time(now_ns: int, unix: bool) -> str:
    """A DateTime, in the form that Accept-Datetime-Format asks for."""
    return f"{now_ns // S_NS}.{now_ns % S_NS:09}" if unix else rfc3339(now_ns)


def in_unix_times(message: Any) -> Any:
    """The same message with each of its DateTimes in seconds since 1970."""
    if isinstance(message, dict):
        return {
            name: date_time(parse_time_ns(value), unix=True) if _is_time(name, value) else in_unix_times(value)
            for name, value in message.items()
        }
    return [in_unix_times(it) for it in message] if isinstance(message, list) else message


def _is_time(name: str, value: Any) -> bool:
    return name.lower().endswith("time") and isinstance(value, str)


def line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
