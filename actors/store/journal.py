"""The engine's journal: inputs and the events that they caused, batch by batch, in SQLite.

In WAL mode with synchronous=FULL a commit is on the disk when it returns: that is what an acknowledgement rests on.
"""

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from actors.bus import codec
from actors.bus.messages import EventBatch
from actors.domain.commands import Input, ObserveStream, ObserveTicks
from actors.domain.events import Event
from actors.domain.snapshot import Snapshot, restore, snapshot
from actors.domain.state import State

EVENTS_PER_BATCH = 1_000
"""More events of one turn go into several rows (of one transaction), so that each fits a frame of the bus."""
SNAPSHOTS_KEPT = 2
PAGE_BATCHES = 64
"""How many batches one answer of `events_from` holds at most."""
SQLITE_INTEGER_MAX = 2**63 - 1
PAGE_BYTES = codec.MAX_FRAME_BYTES // 2

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    batch_seq INTEGER PRIMARY KEY,
    now_ns INTEGER NOT NULL,
    first_event_seq INTEGER NOT NULL,
    event_count INTEGER NOT NULL,
    inputs BLOB NOT NULL,
    events BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS batches_by_event ON batches (first_event_seq) WHERE event_count > 0;
CREATE TABLE IF NOT EXISTS snapshots (
    batch_seq INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL,
    state BLOB NOT NULL
) STRICT;
"""

_encode_inputs = msgspec.msgpack.Encoder().encode
_decode_inputs = msgspec.msgpack.Decoder(list[Input]).decode
_decode_events = codec.decoder(EventBatch)
_encode_state = msgspec.msgpack.Encoder().encode
_decode_state = msgspec.msgpack.Decoder(Snapshot).decode


class InUse(RuntimeError):
    """Another process has this journal open: there is one engine to a journal."""


class Journal:
    """One engine's journal. Used by one thread at a time; raises sqlite3.Error when the disk fails."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file, for its owner alone; raises InUse."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise InUse(f"{path} belongs to an engine that is running") from None
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)
        (self._batch_seq,) = self._db.execute("SELECT coalesce(max(batch_seq), 0) FROM batches").fetchone()

    def append(self, now_ns: int, inputs: list[Input], first_event_seq: int, events: list[Event]) -> list[bytes]:
        """Makes one turn of the engine durable, whole; gives its events as encoded EventBatch messages."""
        frames = [
            codec.encode(EventBatch(first_event_seq + start, now_ns, events[start : start + EVENTS_PER_BATCH]))
            for start in range(0, len(events), EVENTS_PER_BATCH)
        ]
        rows = []
        for number, frame in enumerate(frames or [b""]):
            start = number * EVENTS_PER_BATCH
            count = min(len(events) - start, EVENTS_PER_BATCH)
            blob = b"" if number else _encode_inputs(inputs)
            rows.append((self._batch_seq + number + 1, now_ns, first_event_seq + start, count, blob, frame))
        self._db.execute("BEGIN")
        try:
            self._db.executemany("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._batch_seq += len(rows)
        return frames

    def events_from(self, first_seq: int) -> list[EventBatch]:
        """Committed batches that hold the event numbered so and later ones: a page of them, oldest first."""
        wanted = min(first_seq, SQLITE_INTEGER_MAX)
        rows = self._db.execute(
            "SELECT events FROM batches WHERE event_count > 0 AND first_event_seq >= coalesce("
            "  (SELECT max(first_event_seq) FROM batches WHERE event_count > 0 AND first_event_seq <= ?), 0)"
            " AND first_event_seq + event_count > ? ORDER BY first_event_seq LIMIT ?",
            (wanted, wanted, PAGE_BATCHES),
        )
        batches: list[EventBatch] = []
        size = 0
        for (frame,) in rows:
            size += len(frame)
            if batches and size > PAGE_BYTES:
                break
            batches.append(_decode_events(frame))
        return batches

    def recover(self) -> tuple[State, int]:
        """The state after the last committed batch, and that batch's time: the latest sound snapshot and the tail."""
        state, batch_seq = self._latest_snapshot()
        (last_ns,) = self._db.execute(
            "SELECT coalesce(max(now_ns), 0) FROM batches WHERE batch_seq = ?", (self._batch_seq,)
        ).fetchone()
        for _, inputs, events in self._tail(batch_seq):
            for told in inputs:
                if isinstance(told, ObserveTicks):
                    for tick in told.ticks:
                        state.observe(tick)
                elif isinstance(told, ObserveStream):
                    state.observe_stream(told.alive_ns, told.behind)
            for event in events:
                state.evolve(event)
        return state, last_ns

    def save_snapshot(self, state: State) -> None:
        """Keeps the state as of the last batch; the tail before it need not be read again."""
        blob = _encode_state(snapshot(state))
        self._db.execute("BEGIN")
        self._db.execute(
            "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)", (self._batch_seq, hashlib.sha256(blob).digest(), blob)
        )
        self._db.execute(
            "DELETE FROM snapshots WHERE batch_seq NOT IN"
            " (SELECT batch_seq FROM snapshots ORDER BY batch_seq DESC LIMIT ?)",
            (SNAPSHOTS_KEPT,),
        )
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()
        os.close(self._lock)

    def _latest_snapshot(self) -> tuple[State, int]:
        """A snapshot whose checksum fails is passed over for the one before; without any, the tail is everything."""
        for batch_seq, digest, blob in self._db.execute("SELECT * FROM snapshots ORDER BY batch_seq DESC"):
            if hashlib.sha256(blob).digest() == digest:
                return restore(_decode_state(blob)), batch_seq
        return State(), 0

    def _tail(self, batch_seq: int) -> Iterator[tuple[int, list[Input], list[Event]]]:
        rows = self._db.execute(
            "SELECT now_ns, inputs, events FROM batches WHERE batch_seq > ? ORDER BY batch_seq", (batch_seq,)
        )
        for now_ns, inputs, events in rows:
            yield now_ns, _decode_inputs(inputs) if inputs else [], _decode_events(events).events if events else []
