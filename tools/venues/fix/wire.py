"""FIX messages of the simulated LP, by simplefix, which checks neither length nor checksum: that is done here."""

from collections.abc import Sequence
from datetime import UTC, datetime

import simplefix

MESSAGE_LIMIT_BYTES = 1 << 20
SOH = b"\x01"
TRAILER_BYTES = len(b"10=000\x01")

Fields = Sequence[tuple[int, str]]


class Garbled(Exception):
    """The peer's bytes are no FIX message."""


def utc_timestamp(now_ns: int) -> str:
    """UTCTimestamp with milliseconds."""
    seconds, nanos = divmod(now_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%d-%H:%M:%S}.{nanos // 1_000_000:03}"


def encode(msg_type: str, header: Fields, body: Fields) -> bytes:
    message = simplefix.FixMessage()
    message.append_pair(8, "FIX.4.4")
    message.append_pair(35, msg_type)
    for tag, value in header:
        message.append_pair(tag, value, header=True)
    for tag, value in body:
        message.append_pair(tag, value)
    encoded: bytes = message.encode()
    return encoded


class Reader:
    """Bytes in, whole messages out."""

    def __init__(self) -> None:
        self._parser = simplefix.FixParser()
        self._waiting_bytes = 0

    def receive(self, data: bytes) -> list[simplefix.FixMessage]:
        """Raises Garbled: after that nothing can be read any more, since simplefix does not find its place again."""
        self._waiting_bytes += len(data)
        self._parser.append_buffer(data)
        messages: list[simplefix.FixMessage] = []
        try:
            while (message := self._parser.get_message()) is not None:
                _check(message)
                messages.append(message)
        except (ValueError, simplefix.errors.SimplefixError) as error:
            raise Garbled(str(error)) from None
        if messages:
            self._waiting_bytes = 0
        elif self._waiting_bytes > MESSAGE_LIMIT_BYTES:
            raise Garbled(f"no message in {MESSAGE_LIMIT_BYTES} bytes")
        return messages


def _check(message: simplefix.FixMessage) -> None:
    raw: bytes = message.encode(raw=True)
    content = raw[:-TRAILER_BYTES]
    if message.get(10) != b"%03d" % (sum(content) % 256):
        raise Garbled("the checksum is wrong")
    length = message.get(9)
    start = raw.index(SOH, raw.index(b"\x019=") + 1) + 1
    if length is None or not length.isdigit() or int(length) != len(content) - start:
        raise Garbled("the body length is wrong")


def text(message: simplefix.FixMessage, tag: int, default: str = "") -> str:
    """The first value of a tag as text; `default` where it is not there."""
    value = message.get(tag)
    return default if value is None else str(value, "latin-1")


def number(message: simplefix.FixMessage, tag: int) -> int:
    """The first value of a tag as a number, 0 where it is none."""
    value = text(message, tag)
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else 0


def texts(message: simplefix.FixMessage, tag: int) -> list[str]:
    """All values of a tag, in order."""
    return [str(value, "latin-1") for found, value in message if int(found) == tag]
