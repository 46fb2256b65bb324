"""How v20 writes things down: times, and lines of a stream."""

import json
from datetime import UTC, datetime
from typing import Any


def date_time(now_ns: int, unix: bool) -> str:
    """A DateTime, in the form that Accept-Datetime-Format asks for."""
    second, nanos = divmod(now_ns, 1_000_000_000)
    if unix:
        return f"{second}.{nanos:09}"
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09}Z"


def time_ns(text: str) -> int:
    """A DateTime in either form, whole seconds and a fraction of up to nine digits."""
    if "T" not in text:
        second, _, fraction = text.partition(".")
        return int(second) * 1_000_000_000 + int(fraction.ljust(9, "0")[:9])
    clock, _, fraction = text.rstrip("Z").partition(".")
    since = datetime.fromisoformat(f"{clock}+00:00") - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + int(fraction.ljust(9, "0")[:9])


def in_unix_times(message: Any) -> Any:
    """The same message with each of its DateTimes in seconds since 1970."""
    if isinstance(message, dict):
        return {
            name: date_time(time_ns(value), unix=True) if _is_time(name, value) else in_unix_times(value)
            for name, value in message.items()
        }
    return [in_unix_times(it) for it in message] if isinstance(message, list) else message


def _is_time(name: str, value: Any) -> bool:
    return name.lower().endswith("time") and isinstance(value, str)


def line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
