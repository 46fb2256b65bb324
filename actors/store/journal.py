"""The engine's journal: inputs and the events that they caused, commit by commit, in SQLite.

In WAL mode with synchronous=FULL a commit is on the disk when it returns: that is what an acknowledgement rests on. The
files are those of segments.py and snapshots.py, all in the folder of the first.
"""

import contextlib
import errno
import fcntl
import os
import sqlite3
import struct
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from actors.bus.streams import EventBatch
from actors.domain.events.event import Event
from actors.domain.state import State
from actors.store import recovery, segments, snapshots
from actors.store.reader import Reader
from actors.store.record import Damaged, Turn, encode_turns, rows_of
from actors.store.recovery import Recovered
from actors.store.segments import Segment

SEGMENT_LIMIT_BYTES = 268_435_456
"""A file that is larger is closed, as is one of another day (UTC)."""
DAY_NS = 86_400_000_000_000
ROOM_BYTES = 262_144
"""After a commit failed for want of room, so much must fit before the journal is tried again."""
_MARK = struct.Struct(">q8s")
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
"""The disk, the quota or the largest size of a file is used up. The failed write leaves no whole commit behind."""


class InUse(RuntimeError):
    """Another process has this journal open: there is one engine to a journal."""


class Full(Exception):
    """There is no room for a commit. It was not made, and the journal is what it was before."""


class Journal:
    """One engine's journal. Used by one thread at a time; raises sqlite3.Error when the disk fails."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the journal whose first file is `path`, for its owner alone; raises InUse, Damaged, Full."""
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise InUse(f"{path} belongs to an engine that is running") from None
        self._mark = _Mark(path.with_suffix(".mark"))
        self._reader = Reader(path)
        try:
            self._open_files()
        except BaseException:
            self._reader.close()
            self._mark.close()
            os.close(self._lock)
            raise

    def _open_files(self) -> None:
        files = segments.listed(self.path)
        current = files[-1] if files else Segment(1, self.path)
        if current.path.suffix == segments.ARCHIVE:
            following = self._reader.last_batch_seq() + 1
            current = Segment(following, segments.path_from(self.path, following))
        self._db = _opened(current.path)
        try:
            self._batch_seq = self._reader.last_batch_seq()
            acknowledged = self._mark.read()
            if self._batch_seq < acknowledged:
                raise Damaged(
                    f"{current.path}: it ends with batch {self._batch_seq}, and batch {acknowledged} was acknowledged: "
                    f"the file or its -wal was cut off or changed"
                )
            self._day = self._day_of(current)
            self._size_bytes = current.path.stat().st_size
        except BaseException:
            self._db.close()
            raise

    def append(self, turns: list[Turn], first_event_seq: int, events: list[Event], last_fill_id: int) -> list[bytes]:
        """Makes turns of the engine durable, whole; gives their events as encoded EventBatch messages. Raises Full."""
        now_ns = turns[-1].now_ns
        rows = rows_of(self._batch_seq + 1, now_ns, encode_turns(turns), first_event_seq, events, last_fill_id)
        with _room():
            self._rotate(now_ns)
            with self._transaction():
                self._db.executemany("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._batch_seq = rows[-1].batch_seq
        self._size_bytes += sum(len(row.turns) + len(row.events) for row in rows)
        self._mark.write(self._batch_seq)
        return [row.events for row in rows if row.events]

    def has_room(self) -> bool:
        """Whether a commit is possible again: makes one, and takes it back."""
        try:
            with _room():
                with self._transaction():
                    self._db.execute("INSERT INTO room VALUES (zeroblob(?))", (ROOM_BYTES,))
                with self._transaction():
                    self._db.execute("DELETE FROM room")
        except Full:
            return False
        return True

    def events_from(self, first_seq: int) -> list[EventBatch]:
        """Committed batches that hold the event numbered so and later ones: a page of them, oldest first."""
        return self._reader.events_from(first_seq)

    def recover(self) -> Recovered:
        """The state after the last commit: the latest sound snapshot and the tail. Raises Damaged."""
        return recovery.recover(self.path, self._reader)

    def save_snapshot(self, state: State) -> str:
        """Keeps the state as of the last commit, and gives its hash; raises OSError."""
        now_ns = self._reader.row(self._batch_seq).now_ns if self._batch_seq else 0
        return snapshots.save(self.path, self._batch_seq, now_ns, state)

    def close(self) -> None:
        self._reader.close()
        self._db.close()
        self._mark.close()
        os.close(self._lock)

    def _rotate(self, now_ns: int) -> None:
        """Goes on in a new file where it is time. A kill in between leaves that file empty, which is in order."""
        day = now_ns // DAY_NS
        if self._day is None:
            self._day = day
        if day == self._day and self._size_bytes < SEGMENT_LIMIT_BYTES:
            return
        following = _opened(segments.path_from(self.path, self._batch_seq + 1))
        self._reader.close()
        self._db.close()
        self._db, self._size_bytes, self._day = following, 0, day

    def _day_of(self, segment: Segment) -> int | None:
        """The day of the file's first batch; None while it is empty."""
        if self._batch_seq < segment.first_batch_seq:
            return None
        return self._reader.row(segment.first_batch_seq).now_ns // DAY_NS

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN")
        try:
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


class _Mark:
    """What was acknowledged last, in a file of its own: not synced, so it may be late, but it is never ahead.

    SQLite takes a log whose end is damaged for one that ends earlier; this is how a lost commit shows.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def read(self) -> int:
        """0 where there is none, or none that is sound."""
        content = os.pread(self._file, _MARK.size, 0)
        if len(content) != _MARK.size:
            return 0
        (batch_seq, _) = _MARK.unpack(content)
        return int(batch_seq) if content == self._content(batch_seq) else 0

    def write(self, batch_seq: int) -> None:
        with contextlib.suppress(OSError):
            os.pwrite(self._file, self._content(batch_seq), 0)

    def close(self) -> None:
        os.close(self._file)

    @staticmethod
    def _content(batch_seq: int) -> bytes:
        number = struct.pack(">q", batch_seq)
        return number + blake2b(number, digest_size=8).digest()


def _opened(path: Path) -> sqlite3.Connection:
    """A file to write to, made where there is none; raises Damaged, Full."""
    try:
        with _room():
            if not path.exists():
                segments.make(path)
            db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                (made_as,) = db.execute("PRAGMA user_version").fetchone()
                if made_as != segments.FORMAT:
                    raise Damaged(f"{path}: its format is {made_as}, and this engine writes format {segments.FORMAT}")
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")
                db.execute("SELECT count(*) FROM room").fetchone()
            except BaseException:
                db.close()
                raise
            return db
    except sqlite3.Error as error:
        raise Damaged(f"{path}: {error}") from None


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Raises Full for the errors that mean so."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) in _NO_ROOM:
            raise Full(str(error)) from None
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise Full(str(error)) from None
        raise
