"""Whether a message ends where its BodyLength says. FIX 4.4 volume 2, "Garbled message"."""

import re

HEAD = re.compile(rb"(8=FIX[^\x01=]{0,12})\x019=(\d{1,9})\x01")
START = b"8=FIX"
DATA_TAGS = {
    90: 91, 93: 89, 95: 96, 212: 213, 348: 349, 350: 351, 352: 353, 354: 355,
    356: 357, 358: 359, 360: 361, 362: 363, 364: 365, 445: 446, 618: 619, 621: 622,
}  # fmt: skip
"""Length fields, each with the data field that must follow it, whose value may hold any byte."""

_SOH = b"\x01"
NEXT = _SOH + START
_LENGTH = re.compile(rb"([1-9]\d{0,8})=(\d{1,8})\x01")


def next_head(buffer: bytes, at: int, end: int) -> tuple[bool, int]:
    """Whether a field of a message that ends at `end` begins another one; and the field to look on from with more data.

    `at` is where a field begins. The bytes of a data field are no fields.
    """
    found = buffer.find(NEXT, at - 1, end)
    while found >= 0:
        at = _first_field_after(buffer, at, found, end)
        if at == found + 1 and HEAD.match(buffer, at):
            return True, at
        found = buffer.find(NEXT, max(at - 1, found + 1), end)
    return False, at


def _first_field_after(buffer: bytes, at: int, place: int, end: int) -> int:
    while at <= place:
        soh = buffer.index(_SOH, at)
        length = _LENGTH.fullmatch(buffer, at, soh + 1)
        at = soh + 1
        data_tag = DATA_TAGS.get(int(length[1])) if length is not None else None
        if length is not None and data_tag is not None and buffer.startswith(name := b"%d=" % data_tag, at):
            past = at + len(name) + int(length[2])
            if past < end and buffer[past : past + 1] in (b"", _SOH):
                at = past + 1
    return at
