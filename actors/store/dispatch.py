"""What one execution venue was told and has said, and how far the engine knows it: a small SQLite file.

In WAL mode with synchronous=FULL, what a call has done is on the disk when it returns, whole or not at all. An order is
marked as attempted before it leaves, so after a kill at any moment none is sent that may have been sent already.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from actors.domain.routing.books import SentChild
from actors.domain.routing.child import ReportKind, VenueReport

FORMAT = 1
OVER_LIMIT = 10_000
"""Orders that are over and still known, so that a later word on one is still told under its name."""
REPORTS_PER_TURN = 500
_SCHEMA = """
CREATE TABLE places (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE orders (
    number INTEGER PRIMARY KEY, child_id TEXT UNIQUE NOT NULL, client_id TEXT UNIQUE NOT NULL, sent BLOB NOT NULL,
    stage INTEGER NOT NULL, attempted_ns INTEGER NOT NULL, asked INTEGER NOT NULL
);
CREATE INDEX orders_alive ON orders (stage, asked) WHERE stage < 2;
CREATE TABLE reports (
    number INTEGER PRIMARY KEY AUTOINCREMENT, child_id TEXT NOT NULL, identity TEXT NOT NULL, report BLOB NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0, UNIQUE (child_id, identity)
);
CREATE INDEX reports_waiting ON reports (child_id, number) WHERE NOT acknowledged;
"""
_ORDERS = "SELECT sent, client_id, stage, attempted_ns, asked FROM orders"
_encode = msgspec.msgpack.Encoder().encode
_sent = msgspec.msgpack.Decoder(SentChild).decode
_report = msgspec.msgpack.Decoder(VenueReport).decode


class Stage(IntEnum):
    DUE = 0
    """Never attempted: that it is not at the venue is certain."""
    ATTEMPTED = 1
    """It may be at the venue."""
    OVER = 2
    """Nothing more is to be done about it."""


class Dispatched(NamedTuple):
    sent: SentChild
    client_id: str
    stage: Stage
    attempted_ns: int
    asked: bool
    """The engine wants to know what became of it."""


class NotOurs(RuntimeError):
    """The file is of another format; one sentence."""


class Dispatch:
    """Used by one thread at a time; raises sqlite3.Error when the disk fails, and then nothing was done."""

    def __init__(self, path: Path, now_ns: int, db: sqlite3.Connection | None = None) -> None:
        """Opens or makes the file, for its owner alone. Raises `NotOurs`.

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
                for statement in _SCHEMA.split(";"):
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

    def begin(self, event_seq: int, children: Iterable[tuple[SentChild, str, bool]]) -> None:
        """The first time, or after this file was lost: the engine's open orders, which may have been sent before.

        With each child its client id, and whether the engine wants to know what became of it.
        """
        with self._whole():
            for sent, client_id, asked in children:
                self._add(sent, client_id, Stage.ATTEMPTED, self.made_ns, asked)
            self._put("event_seq", event_seq)

    def follow(
        self,
        event_seq: int,
        event_ns: int,
        sent: Iterable[tuple[SentChild, str]],
        over: Iterable[str],
        asked: Iterable[str],
    ) -> None:
        """The engine's events up to `event_seq`: new orders, and by child id those that are over or inquired about.

        `event_ns`: the time of the last one's batch.
        """
        with self._whole():
            for child, client_id in sent:
                # What the engine sent before this file was made may have been sent to the venue by one that was lost.
                before = child.child.sent_ns < self.made_ns
                self._add(child, client_id, Stage.ATTEMPTED if before else Stage.DUE, self.made_ns, False)
            for child_id in asked:
                self._db.execute("UPDATE orders SET asked = 1 WHERE child_id = ?", (child_id,))
            for child_id in over:
                self._db.execute("UPDATE orders SET stage = 2, asked = 0 WHERE child_id = ?", (child_id,))
            self._put("event_seq", event_seq)
            self._put("event_ns", event_ns)
            self._forget()

    def attempt(self, child_ids: Iterable[str], now_ns: int) -> None:
        """They are about to be sent."""
        with self._whole():
            rows = [(now_ns, child_id) for child_id in child_ids]
            self._db.executemany("UPDATE orders SET stage = 1, attempted_ns = ? WHERE child_id = ? AND stage = 0", rows)

    def give_back(self, child_id: str) -> None:
        """An attempt has certainly not reached the venue: the order is due again."""
        with self._whole():
            self._db.execute("UPDATE orders SET stage = 0 WHERE child_id = ? AND stage = 1", (child_id,))

    def give_up(self, child_id: str, now_ns: int) -> None:
        """An attempt has had no answer. From now on the time counts after which it never arrives."""
        with self._whole():
            self._db.execute("UPDATE orders SET attempted_ns = ? WHERE child_id = ?", (now_ns, child_id))

    def take(
        self, reports: Iterable[VenueReport], *, cursor: str = "", again: str = "", over: str = "", answered: str = ""
    ) -> int:
        """What the venue has said, each thing once; gives how much of it was new.

        `cursor`: the record was heard so far. By child id, `again`: everything that is known of it is told the engine
        once more; `answered`: the engine's inquiry is; `over`: nothing more is to be done about it.
        """
        new = 0
        with self._whole():
            for report in reports:
                row = (report.child_id, _identity(report), _encode(report))
                added = self._db.execute(
                    "INSERT OR IGNORE INTO reports (child_id, identity, report) VALUES (?, ?, ?)", row
                )
                new += added.rowcount
            if again:
                self._db.execute("UPDATE reports SET acknowledged = 0 WHERE child_id = ?", (again,))
            if answered:
                self._db.execute("UPDATE orders SET asked = 0 WHERE child_id = ?", (answered,))
            if over:
                self._db.execute("UPDATE orders SET stage = 2, asked = 0 WHERE child_id = ?", (over,))
            if cursor:
                self._put("cursor", cursor)
        return new

    def trades_read(self, until_ns: int) -> None:
        with self._whole():
            self._put("trades_ns", until_ns)

    def acknowledge(self, numbers: Iterable[int]) -> None:
        """The engine has these reports in its journal."""
        with self._whole():
            rows = [(number,) for number in numbers]
            self._db.executemany("UPDATE reports SET acknowledged = 1 WHERE number = ?", rows)

    def waiting(self) -> list[tuple[int, VenueReport]]:
        """Of each order the first report that the engine has not acknowledged, with its number; oldest first."""
        rows = self._db.execute(
            "SELECT min(number), report FROM reports WHERE NOT acknowledged GROUP BY child_id ORDER BY 1 LIMIT ?",
            (REPORTS_PER_TURN,),
        )
        return [(number, _report(report)) for number, report in rows]

    def alive(self) -> list[Dispatched]:
        """Orders that are due, or may be at the venue, oldest first."""
        return self._orders(f"{_ORDERS} WHERE stage < 2 ORDER BY number")

    def by_client_id(self, client_id: str) -> Dispatched | None:
        return next(iter(self._orders(f"{_ORDERS} WHERE client_id = ?", client_id)), None)

    def by_child_id(self, child_id: str) -> Dispatched | None:
        return next(iter(self._orders(f"{_ORDERS} WHERE child_id = ?", child_id)), None)

    def fill(self, child_id: str, exec_id: str) -> VenueReport | None:
        """What was said first of an execution."""
        begin = f"{ReportKind.FILL.value}:{exec_id}:"
        row = self._db.execute(
            "SELECT report FROM reports WHERE child_id = ? AND substr(identity, 1, ?) = ? ORDER BY number",
            (child_id, len(begin), begin),
        ).fetchone()
        return _report(row[0]) if row else None

    @property
    def is_quiet(self) -> bool:
        """Nothing is on its way, there or here."""
        alive, waiting = self._db.execute(
            "SELECT EXISTS (SELECT 1 FROM orders WHERE stage < 2),"
            " EXISTS (SELECT 1 FROM reports WHERE NOT acknowledged)"
        ).fetchone()
        return not alive and not waiting

    def _orders(self, query: str, *values: str) -> list[Dispatched]:
        rows = self._db.execute(query, values)
        return [
            Dispatched(_sent(sent), client_id, Stage(stage), attempted_ns, bool(asked))
            for sent, client_id, stage, attempted_ns, asked in rows
        ]

    def _add(self, sent: SentChild, client_id: str, stage: Stage, attempted_ns: int, asked: bool) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO orders (child_id, client_id, sent, stage, attempted_ns, asked)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (sent.child.child_id, client_id, _encode(sent), stage, attempted_ns, asked),
        )

    def _forget(self) -> None:
        """The oldest orders that are over, and told, with their reports."""
        over = self._db.execute(
            "SELECT child_id, sent FROM orders WHERE number <= (SELECT max(number) FROM orders) - ? AND stage = 2"
            " AND NOT EXISTS (SELECT 1 FROM reports WHERE reports.child_id = orders.child_id AND NOT acknowledged)",
            (OVER_LIMIT,),
        ).fetchall()
        if not over:
            return
        rows = [(child_id,) for child_id, _ in over]
        sent_ns = max(_sent(sent).child.sent_ns for _, sent in over)
        self._put("forgotten_ns", max(sent_ns, self.forgotten_ns))
        self._db.executemany("DELETE FROM reports WHERE child_id = ?", rows)
        self._db.executemany("DELETE FROM orders WHERE child_id = ?", rows)

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


def _identity(report: VenueReport) -> str:
    """Venues use an exec_id again for what is no fill; then the figures tell one report from another."""
    return f"{report.kind.value}:{report.exec_id}:{report.cumulative_e8}:{report.leaves_e8}"
