"""Bytes on the bus: one version byte, then MessagePack; on the public streams a topic and a zero byte before them."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

VERSION = b"\x01"
MAX_FRAME_BYTES = 1_048_576
"""A frame over this is dropped by the receiver; senders keep batches far below."""

T = TypeVar("T")
_encode = msgspec.msgpack.Encoder().encode


class BadFrame(ValueError):
    """Bytes that are no message of the kind expected. Counted and dropped by whoever receives them."""


def encode(message: Any, topic: bytes = b"") -> bytes:
    """A frame of `message`; with a `topic` (topics.py), one for a public stream."""
    return topic + VERSION + _encode(message)


def decoder(kind: Any) -> Callable[[bytes], Any]:
    """A function from a frame (without topic) to a message of `kind`; it raises `BadFrame` and nothing else."""
    decode_body = msgspec.msgpack.Decoder(kind).decode

    def decode(frame: bytes) -> Any:
        if frame[:1] != VERSION:
            raise BadFrame(f"version {frame[:1]!r} is not {VERSION!r}")
        if len(frame) > MAX_FRAME_BYTES:
            raise BadFrame(f"{len(frame)} bytes are more than {MAX_FRAME_BYTES}")
        try:
            return decode_body(frame[1:])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadFrame(str(error)) from None

    return decode


def topic_and_body(frame: bytes) -> tuple[bytes, bytes]:
    """Splits a public frame into its topic (with the zero byte, as in topics.py) and the rest; raises `BadFrame`."""
    end = frame.find(b"\0", 0, 64) + 1
    if not end:
        raise BadFrame("no topic")
    return frame[:end], frame[end:]
