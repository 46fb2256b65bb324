"""What a FIX session must not forget: its sequence numbers, and the application messages that it sent.

Rows exist for application messages only: a number without a row was a session message, which is never sent again.

In WAL mode with synchronous=FULL a transaction is on the disk when it ends, whole or not at all: COMMIT returns when
its frames are in the log and an fdatasync has kept them. After SIGKILL the kernel still has what was written. After a
power cut the log ends before the first frame whose salt or checksum does not hold (SQLite, "WAL File Format"): a commit
that was cut off was never there, and nothing of it had been sent. Pages move into the file after a sync of the log, and
the log is written anew after a sync of the file (`write_ahead.py`).
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from gateway.fix.write_ahead import WriteAheadLog

KEPT_MESSAGES = 1_000_000
"""Of each session: older ones are dropped, and filled over where a peer still asks for them."""

_DROP_EVERY_MESSAGES = 1_000
_DROP_LIMIT_MESSAGES = 2_000
"""At a time, so that no commit is long."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS fix_sessions (
    session_id TEXT PRIMARY KEY, next_out INTEGER NOT NULL, next_in INTEGER NOT NULL, began_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fix_messages (
    session_id TEXT NOT NULL, seq INTEGER NOT NULL, msg_type BLOB NOT NULL, sent_ns INTEGER NOT NULL,
    header BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (session_id, seq)
) STRICT, WITHOUT ROWID;
"""


class StoreHeld(Exception):
    """Another process has the store."""


class SentMessage(NamedTuple):
    """An application message as it was sent: joined fields of the header beyond the usual, and of the body."""

    seq: int
    msg_type: bytes
    sent_ns: int
    header: bytes
    body: bytes


class Sequences(NamedTuple):
    """The MsgSeqNum of the next message each way, and when both were 1."""

    next_out: int = 1
    next_in: int = 1
    began_ns: int = 0


class Store(Protocol):
    """`save` and `forget` belong into the transaction of the caller."""

    def load(self, session_id: str) -> Sequences: ...

    def save(self, session_id: str, sequences: Sequences, sent: Sequence[SentMessage]) -> None: ...

    def forget(self, session_id: str, first: int) -> None:
        """Drops what was sent, from that number on."""
        ...

    def sent(self, session_id: str, first: int, last: int, limit: int) -> list[SentMessage]:
        """Messages numbered so, in order, at most `limit`."""
        ...


class SqliteStore:
    """Any number of sessions in one file, for one thread at a time. Raises sqlite3.Error when the disk fails."""

    def __init__(self, path: Path | str):
        """Opens or makes the file, for its owner alone. ":memory:" keeps nothing. Raises StoreHeld, OSError.

        Sequence numbers have one writer: the store is held until `close`, or the end of the process.
        """
        self._lock: int | None = None
        if isinstance(path, Path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            self._lock = _held(path)
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute("PRAGMA wal_autocheckpoint = 0")
        self.db.executescript(_SCHEMA)
        self.log = WriteAheadLog(self.db, path) if isinstance(path, Path) else None
        """What is in memory has none."""

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is written inside is durable at its end, or, if anything is raised, was never there."""
        if self.log is not None:
            self.log.make_way()
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    def load(self, session_id: str) -> Sequences:
        found = self.db.execute(
            "SELECT next_out, next_in, began_ns FROM fix_sessions WHERE session_id = ?", (session_id,)
        ).fetchone()
        return Sequences(*found) if found else Sequences()

    def save(self, session_id: str, sequences: Sequences, sent: Sequence[SentMessage]) -> None:
        if sent:
            self.db.executemany(
                "INSERT INTO fix_messages VALUES (?, ?, ?, ?, ?, ?)", [(session_id, *message) for message in sent]
            )
            if sent[0].seq // _DROP_EVERY_MESSAGES != (sent[-1].seq + 1) // _DROP_EVERY_MESSAGES:
                self._drop_oldest(session_id, sent[-1].seq - KEPT_MESSAGES)
        self.db.execute("INSERT OR REPLACE INTO fix_sessions VALUES (?, ?, ?, ?)", (session_id, *sequences))

    def forget(self, session_id: str, first: int) -> None:
        self.db.execute("DELETE FROM fix_messages WHERE session_id = ? AND seq >= ?", (session_id, first))

    def sent(self, session_id: str, first: int, last: int, limit: int) -> list[SentMessage]:
        rows = self.db.execute(
            "SELECT seq, msg_type, sent_ns, header, body FROM fix_messages"
            " WHERE session_id = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?",
            (session_id, first, last, limit),
        )
        return [SentMessage(*row) for row in rows]

    def _drop_oldest(self, session_id: str, last: int) -> None:
        self.db.execute(
            "DELETE FROM fix_messages WHERE session_id = ?1 AND seq IN"
            " (SELECT seq FROM fix_messages WHERE session_id = ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3)",
            (session_id, last, _DROP_LIMIT_MESSAGES),
        )

    @property
    def counters(self) -> dict[str, int]:
        """What its log could not do at once; empty in memory."""
        return {} if self.log is None else {"log_waits": self.log.waits, "log_failures": self.log.failures}

    def close(self) -> None:
        if self.log is not None:
            self.log.close()
        self.db.close()
        if self._lock is not None:
            os.close(self._lock)


def _held(path: Path) -> int:
    """A lock that ends with its descriptor. Not on the file itself: closing it would end SQLite's own locks."""
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StoreHeld(f"{path} is in use by another process") from None
    return lock
