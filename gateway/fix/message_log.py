"""A session's messages as they went over the wire, for people to read: bounded, rotated, without passwords."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from gateway.fix.codec import MESSAGE_LIMIT_BYTES
from gateway.fix.times import utc_timestamp

FILE_LIMIT_BYTES = 4_194_304
OLD_FILES = 3
_ENDING = re.compile(rb"\x0110=\d{3}\x01")
_SECRET = re.compile(rb"(\x01(?:554|925|96|1402|1404)=)[^\x01]*")
"""Password, NewPassword, RawData, and the encrypted forms of both."""
_MARKET_DATA = re.compile(rb"\x0135=[WX]\x01")


class MessageLog:
    """One line a message: the time, `>` for ours and `<` for the peer's, and its fields with `|` between them.

    `failures` counts pieces that could not be written: the session goes on without.
    """

    def __init__(self, path: Path, clock_ns: Callable[[], int], *, with_market_data: bool = False):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.failures = 0
        self._path = path
        self._clock_ns = clock_ns
        self._with_market_data = with_market_data
        self._partial = {True: b"", False: b""}

    def tap(self, is_ours: bool, data: bytes) -> None:
        """Takes a piece of the stream, and keeps what is not a whole message yet, up to a message's limit."""
        data = self._partial[is_ours] + data
        lines, start = [], 0
        for found in _ENDING.finditer(data):
            message, start = data[start : found.end()], found.end()
            if self._with_market_data or not _MARKET_DATA.search(message):
                lines.append(self._line(is_ours, message))
        rest = data[start:]
        if len(rest) > MESSAGE_LIMIT_BYTES:
            lines.append(self._line(is_ours, b"(%d bytes that are no message)" % len(rest)))
            rest = b""
        self._partial[is_ours] = rest
        if lines:
            self._write(b"".join(lines))

    def _line(self, is_ours: bool, message: bytes) -> bytes:
        masked = _SECRET.sub(rb"\1***", message).replace(b"\x01", b"|")
        shown = masked.decode("latin-1").translate(_UNPRINTABLE).encode("latin-1")
        return b"%b %b %b\n" % (utc_timestamp(self._clock_ns()), b">" if is_ours else b"<", shown)

    def _write(self, lines: bytes) -> None:
        try:
            if self._path.exists() and self._path.stat().st_size + len(lines) > FILE_LIMIT_BYTES:
                self._rotate()
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "ab", buffering=0) as file:
                file.write(lines)
        except OSError:
            self.failures += 1

    def _rotate(self) -> None:
        names = [self._path, *(self._path.with_name(f"{self._path.name}.{age}") for age in range(1, OLD_FILES + 1))]
        for older, newer in zip(reversed(names), reversed(names[:-1]), strict=False):
            if newer.exists():
                os.replace(newer, older)


_UNPRINTABLE = dict.fromkeys((*range(32), *range(127, 256)), "?")
