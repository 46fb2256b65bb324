"""The SQLite file of an execution process, for one venue, and how far it has read what others tell.

In WAL mode with synchronous=FULL, what a call has done is on the disk when it returns, whole or not at all.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FORMAT = 1


class NotOurs(RuntimeError):
    """The file is of another format; one sentence."""


class VenueFile:
    """Used by one thread at a time; raises sqlite3.Error when the disk fails, and then nothing was done."""

    def __init__(self, path: Path, now_ns: int, schema: str, db: sqlite3.Connection | None = None) -> None:
        """Opens the file, or makes it with `schema` and a table of places, for its owner alone. Raises `NotOurs`.

        `db`: a connection to the file of one who keeps more there. What is done while a transaction is open on it is
        part of that one.
        """
        if db is None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        # Whose connection is open already must not open the file: closing it would end SQLite's locks on it.
        self._db = db or sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        with self._whole():
            (made_as,) = self._db.execute("PRAGMA user_version").fetchone()
            if made_as not in (0, FORMAT):
                raise NotOurs(f"{path}: its format is {made_as}, and this is for format {FORMAT}")
            if not made_as:
                self._db.execute("CREATE TABLE places (name TEXT PRIMARY KEY, value) WITHOUT ROWID")
                for statement in schema.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {FORMAT}")
                self._put("made_ns", now_ns)
        self.made_ns: int = self._place("made_ns", 0)

    def close(self) -> None:
        self._db.close()

    @property
    def event_seq(self) -> int | None:
        """The last event of the engine that was followed; None: none ever was."""
        seq: int | None = self._place("event_seq", None)
        return seq

    @property
    def event_ns(self) -> int:
        """The time of that event's batch; 0: it is not known."""
        return int(self._place("event_ns", 0))

    @property
    def cursor(self) -> str:
        """How far the venue's record was heard; empty: it never was."""
        cursor: str = self._place("cursor", "")
        return cursor

    @property
    def trades_ns(self) -> int:
        """Until when the venue's executions were asked for and read; 0: they never were."""
        trades_ns: int = self._place("trades_ns", 0)
        return trades_ns

    @property
    def forgotten_ns(self) -> int:
        """When the newest of the orders was sent that are not known any more; 0: none is forgotten."""
        forgotten_ns: int = self._place("forgotten_ns", 0)
        return forgotten_ns

    def _place(self, name: str, default: Any) -> Any:
        row = self._db.execute("SELECT value FROM places WHERE name = ?", (name,)).fetchone()
        return row[0] if row else default

    def _put(self, name: str, value: int | str) -> None:
        self._db.execute("INSERT OR REPLACE INTO places VALUES (?, ?)", (name, value))

    @contextmanager
    def _whole(self) -> Iterator[None]:
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
