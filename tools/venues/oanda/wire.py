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


def line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
