"""How v20 writes things down: times, and lines of a stream."""

import json
from typing import Any

from gateway.venues.timestamp import rfc3339

S_NS = 1_000_000_000


def date_time(now_ns: int, unix: bool) -> str:
    """A DateTime, in the form that Accept-Datetime-Format asks for."""
    return f"{now_ns // S_NS}.{now_ns % S_NS:09}" if unix else rfc3339(now_ns)


def line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
