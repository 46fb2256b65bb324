"""WebSocket frames from server to client (RFC 6455, section 5.2): unmasked, so one frame serves every client."""

import struct
from typing import Any

import msgspec

_FINAL_TEXT = 0x81
_encode = msgspec.json.Encoder().encode


def text_frame(message: Any) -> bytes:
    """`message` as JSON in one whole text frame."""
    return text_frame_of(_encode(message))


def text_frame_of(payload: bytes) -> bytes:
    """Text, in UTF-8, in one whole frame."""
    size = len(payload)
    if size < 126:
        return b"%c%c%b" % (_FINAL_TEXT, size, payload)
    if size <= 0xFFFF:
        return struct.pack("!BBH", _FINAL_TEXT, 126, size) + payload
    return struct.pack("!BBQ", _FINAL_TEXT, 127, size) + payload
