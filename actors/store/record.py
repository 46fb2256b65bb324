"""A row of the journal: what the engine was told, the events that it caused, and a checksum over both.

The events of one commit may need several rows; the first of them has all the inputs, the others have none.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from actors.bus import codec
from actors.bus.streams import EventBatch
from actors.domain.commands import Input
from actors.domain.events.event import Event

EVENTS_PER_ROW = 1_000
"""More events of one commit go into several rows (of one transaction), so that each fits a frame of the bus."""
CHECK_BYTES = 8
SQLITE_INTEGER_MAX = 2**63 - 1

_NUMBERS = struct.Struct(">qqqqqq")


class Damaged(Exception):
    """The journal is not what was written. One line names the file and what is wrong with it."""


class Turn(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the engine was told at one moment, in order, and how many events each of the inputs caused."""

    now_ns: int
    inputs: list[Input]
    counts: list[int]


class Row(NamedTuple):
    """As it is in the file; the fields are the columns."""

    batch_seq: int
    now_ns: int
    """When it was committed: the time of its last turn."""
    first_event_seq: int
    """Number of its first event; of the next one, where it has none."""
    event_count: int
    last_fill_id: int
    """The highest number of a fill up to the end of its commit: rises, so a fill is found by halving."""
    turns: bytes
    events: bytes
    """An EventBatch as it went over the bus; empty where there is no event."""
    checksum: bytes

    @property
    def last_event_seq(self) -> int:
        return self.first_event_seq + self.event_count - 1


Summed = tuple[int, int, int, int, int, bytes, bytes]
"""The columns of a row that its checksum is over: all others, in their order."""


class Commit(NamedTuple):
    """The rows of one commit."""

    rows: list[Row]

    @property
    def first_batch_seq(self) -> int:
        return self.rows[0].batch_seq

    @property
    def last_batch_seq(self) -> int:
        return self.rows[-1].batch_seq

    @property
    def now_ns(self) -> int:
        return self.rows[0].now_ns

    @property
    def first_event_seq(self) -> int:
        return self.rows[0].first_event_seq

    def turns(self) -> list[Turn]:
        turns: list[Turn] = _decoded(_decode_turns, self.rows[0].turns, self.first_batch_seq)
        return turns

    def events(self) -> list[Event]:
        """Raises Damaged where they are those of another version of the engine."""
        return [event for row in self.rows for event in row_events(row)]


encode_turns = msgspec.msgpack.Encoder().encode
_decode_turns = msgspec.msgpack.Decoder(list[Turn]).decode
_decode_events = codec.decoder(EventBatch)


def checksum(
    batch_seq: int, now_ns: int, first_event_seq: int, count: int, last_fill_id: int, turns: bytes, events: bytes
) -> bytes:
    """Over everything in the row: a bit that flipped anywhere in it shows."""
    numbers = _NUMBERS.pack(batch_seq, now_ns, first_event_seq, count, last_fill_id, len(turns))
    digest = hashlib.blake2b(numbers, digest_size=CHECK_BYTES)
    digest.update(turns)
    digest.update(events)
    return digest.digest()


def rows_of(
    batch_seq: int, now_ns: int, turns: bytes, first_event_seq: int, events: list[Event], last_fill_id: int
) -> list[Row]:
    """The rows of one commit, the first of them numbered `batch_seq`; `turns` are encoded."""
    summed = columns_of(batch_seq, now_ns, turns, first_event_seq, events, last_fill_id)
    return [Row(*columns, checksum(*columns)) for columns in summed]


def columns_of(
    batch_seq: int, now_ns: int, turns: bytes, first_event_seq: int, events: list[Event], last_fill_id: int
) -> list[Summed]:
    """Of the rows that `rows_of` gives, all but the checksums."""
    rows: list[Summed] = []
    for start in range(0, len(events) or 1, EVENTS_PER_ROW):
        part = events[start : start + EVENTS_PER_ROW]
        frame = codec.encode(EventBatch(first_event_seq + start, now_ns, part)) if part else b""
        rows.append((batch_seq + len(rows), now_ns, first_event_seq + start, len(part), last_fill_id, turns, frame))
        turns = b""
    return rows


def sound(values: Iterable[Any]) -> Row:
    """The row that these columns are; raises Damaged unless they are as they were written."""
    row = Row(*values)
    try:
        is_sound = row.checksum == checksum(*row[:-1])
    except (TypeError, struct.error):
        is_sound = False
    if not is_sound:
        raise Damaged(f"the checksum of batch {row.batch_seq} is wrong: its row was changed after it was written")
    return row


def row_events(row: Row) -> list[Event]:
    batch = row_batch(row)
    return batch.events if batch else []


def row_batch(row: Row) -> EventBatch | None:
    batch: EventBatch | None = _decoded(_decode_events, row.events, row.batch_seq) if row.events else None
    return batch


def commits(rows: Iterable[Row]) -> Iterator[Commit]:
    """Rows in order, those of one commit together; raises Damaged where a number is left out."""
    pending: list[Row] = []
    for row in rows:
        if pending:
            before = pending[-1]
            if (row.batch_seq, row.first_event_seq) != (before.batch_seq + 1, before.last_event_seq + 1):
                raise Damaged(
                    f"after batch {before.batch_seq} and event {before.last_event_seq} "
                    f"come batch {row.batch_seq} and event {row.first_event_seq}"
                )
        if row.turns and pending:
            yield Commit(pending)
            pending = []
        elif not row.turns and not pending:
            raise Damaged(f"batch {row.batch_seq} goes on where nothing began")
        pending.append(row)
    if pending:
        yield Commit(pending)


def _decoded(decode: Callable[[bytes], Any], blob: bytes, batch_seq: int) -> Any:
    try:
        return decode(blob)
    except (msgspec.DecodeError, UnicodeDecodeError, codec.BadFrame) as error:
        raise Damaged(f"batch {batch_seq} is of another version of the engine: {error}") from None
