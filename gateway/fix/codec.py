"""FIX tag=value bytes to messages and back: FIX 4.4 volume 1, "Message format" and "Data integrity".

Nothing is believed before BodyLength and CheckSum hold. What fails them is garbled, and skipped up to the next "8=FIX".
"""

import re
import zlib
from collections.abc import Collection, Iterable, Sequence

from gateway.fix.framing import DATA_TAGS, HEAD, NEXT, START, next_head

Field = tuple[int, bytes]

MESSAGE_LIMIT_BYTES = 65_536
SOH = b"\x01"
_HEAD_LIMIT_BYTES = 32
_CHECKSUM = re.compile(rb"10=(\d{3})\x01")
_CHECKSUM_BYTES = 7
_TAG = re.compile(rb"-?(?:0|[1-9]\d{0,8})")
_PLAIN_TAGS = {b"%d" % tag: tag for tag in range(1, 1000) if tag not in DATA_TAGS}
_TAG_TEXTS = {tag: b"%d=" % tag for tag in range(1, 1000)}
_SUM_STRIDE_BYTES = 256


class Unencodable(ValueError):
    """A field that FIX cannot carry: no value, or SOH in one that is not a data field."""


class Message:
    """One message that was framed and split. Values are bytes, in the order of the wire."""

    __slots__ = ("_values", "begin_string", "fields", "msg_type")

    def __init__(self, begin_string: bytes, fields: list[Field]):
        self.begin_string = begin_string
        self.fields = fields
        self.msg_type = fields[0][1]
        self._values = dict(fields)

    def get(self, tag: int) -> bytes | None:
        """The field's value, None where it is missing; of a repeated field the last one."""
        return self._values.get(tag)

    def group(self, count_tag: int, member_tags: Collection[int]) -> list[dict[int, bytes]]:
        """The entries of a repeating group. The field after the count begins each entry."""
        entries: list[dict[int, bytes]] = []
        fields = iter(self.fields)
        for tag, _ in fields:
            if tag == count_tag:
                break
        delimiter = 0
        for tag, value in fields:
            if tag not in member_tags:
                break
            delimiter = delimiter or tag
            if tag == delimiter:
                entries.append({})
            entries[-1][tag] = value
        return entries

    def __repr__(self) -> str:
        return f"Message({self.msg_type!r}, {len(self.fields)} fields)"


class Framer:
    """Cuts a stream into messages. Holds at most one message of the limit and the chunk that came last."""

    def __init__(self, limit_bytes: int = MESSAGE_LIMIT_BYTES):
        self.limit_bytes = limit_bytes
        self._buffer = b""
        self._looked_to = 0
        """Where the field begins up to which no other message does, in one that is not whole; 0: not looked at yet."""
        self.garbled = 0
        """How many times something was skipped."""

    def receive_data(self, data: bytes) -> list[Message]:
        """The messages that are whole with this chunk. Every other byte is skipped, or kept until it can be judged."""
        buffer = self._buffer + data if self._buffer else data
        messages: list[Message] = []
        position, looked_to = 0, self._looked_to
        while (head := HEAD.match(buffer, position)) or position < len(buffer):
            if head is None:
                if self._may_become_head(buffer, position):
                    break
                position = self._resynchronised(buffer, position)
                continue
            begin = head.end()
            end = begin + int(head[2])
            is_garbled = end - position > self.limit_bytes
            if buffer.find(NEXT, begin - 1, end) >= 0:
                has_next, looked_to = next_head(buffer, looked_to or begin, end)
                is_garbled = is_garbled or has_next
            if not is_garbled and len(buffer) < end + _CHECKSUM_BYTES:
                break
            message = None if is_garbled else _message(buffer, head, end)
            looked_to = 0
            if message is None:
                position = self._resynchronised(buffer, position)
            else:
                messages.append(message)
                position = end + _CHECKSUM_BYTES
        self._buffer = buffer[position:]
        self._looked_to = max(looked_to - position, 0)
        return messages

    def _resynchronised(self, buffer: bytes, position: int) -> int:
        self.garbled += 1
        following = buffer.find(START, position + 1)
        if following >= 0:
            return following
        for kept in range(min(len(START) - 1, len(buffer) - position - 1), 0, -1):
            if START.startswith(buffer[-kept:]):
                return len(buffer) - kept
        return len(buffer)

    @staticmethod
    def _may_become_head(buffer: bytes, position: int) -> bool:
        rest = buffer[position : position + _HEAD_LIMIT_BYTES]
        return len(rest) < _HEAD_LIMIT_BYTES and rest[: len(START)] == START[: len(rest)] and rest.count(SOH) < 2


def _message(buffer: bytes, head: re.Match[bytes], end: int) -> Message | None:
    """The message between its head and its CheckSum; None if it is garbled."""
    found = _CHECKSUM.match(buffer, end)
    start = head.start()
    if found is None or checksum(buffer[start:end]) != int(found[1]) or buffer[end - 1] != 1:
        return None
    fields = split(buffer[head.end() : end])
    return Message(head[1][2:], fields) if fields and fields[0][0] == 35 else None


def checksum(data: bytes) -> int:
    """The sum of all bytes modulo 256. Adler-32's low half is that sum plus 1, exact over 256 bytes."""
    if len(data) <= _SUM_STRIDE_BYTES:
        return ((zlib.adler32(data) & 0xFFFF) - 1) & 0xFF
    total = 0
    for at in range(0, len(data), _SUM_STRIDE_BYTES):
        total += (zlib.adler32(data[at : at + _SUM_STRIDE_BYTES]) & 0xFFFF) - 1
    return total & 0xFF


def split(data: bytes) -> list[Field] | None:
    """The fields of bytes that end with SOH; None where that is not what they are."""
    try:
        return [(_PLAIN_TAGS[tag], value) for tag, value in [piece.split(b"=", 1) for piece in data[:-1].split(SOH)]]
    except (KeyError, ValueError):
        return _split_slowly(data)


def _split_slowly(data: bytes) -> list[Field] | None:
    """As `split`, for data fields, uncommon tags, and what is malformed."""
    fields: list[Field] = []
    position, length = 0, 0
    data_tag: int | None = None
    while position < len(data):
        found = _TAG.match(data, position)
        if found is None or data[found.end() : found.end() + 1] != b"=":
            return None
        tag, begin = int(found[0]), found.end() + 1
        end = begin + length if tag == data_tag else data.find(SOH, begin)
        if data[end : end + 1] != SOH:
            return None
        value = data[begin:end]
        fields.append((tag, value))
        data_tag, length = None, 0
        if tag in DATA_TAGS and value.isdigit() and len(value) < 9:
            data_tag, length = DATA_TAGS[tag], int(value)
        position = end + 1
    return fields


def join(fields: Sequence[Field]) -> bytes:
    """Fields as they go over the wire, each ended by SOH; raises Unencodable."""
    if not fields:
        return b""
    try:
        data = SOH.join([_TAG_TEXTS[tag] + value for tag, value in fields]) + SOH
    except KeyError:
        data = b"".join([b"%d=%b\x01" % field for field in fields])
    if data.count(SOH) != len(fields) or b"=\x01" in data:
        _check(fields)
    return data


def _check(fields: Iterable[Field]) -> None:
    before: Field = (0, b"")
    for tag, value in fields:
        is_data = DATA_TAGS.get(before[0]) == tag and before[1] == b"%d" % len(value)
        if not value or (SOH in value and not is_data):
            raise Unencodable(f"tag {tag}: {'SOH in the value' if value else 'no value'}")
        before = (tag, value)


def encode(begin_string: bytes, data: bytes) -> bytes:
    """A whole message of joined fields, 35 first: framed by BeginString, BodyLength and CheckSum."""
    framed = b"8=%b\x019=%d\x01%b" % (begin_string, len(data), data)
    return b"%b10=%03d\x01" % (framed, checksum(framed))
