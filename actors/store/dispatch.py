"""What one execution venue was told and has said, and how far the engine knows it: a small SQLite file.

What a call has done is on the disk when it returns (venue_file.py). An order is marked as attempted before it leaves,
so after a kill at any moment none is sent that may have been sent already.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from actors.domain.routing.books import SentChild
from actors.domain.routing.child import ChildOrder, ReportKind, VenueChange, VenueReport
from actors.store.changes import Changes, Changing, Stage, decode_change
from actors.store.venue_file import VenueFile

OVER_LIMIT = 10_000
"""Orders that are over and still known, so that a later word on one is still told under its name."""
REPORTS_PER_TURN = 500
_SCHEMA = """
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
_ORDERS = (
    "SELECT sent, client_id, orders.stage, orders.attempted_ns, asked, change, changes.stage, changes.attempted_ns,"
    " coalesce(instrument, '') FROM orders LEFT JOIN changes USING (child_id) LEFT JOIN instruments USING (child_id)"
)
_OLDEST_FIRST = "ORDER BY +number"
"""The few that are found are put in order: by the plain number SQLite would read all orders in their order instead."""
_INQUIRE = "UPDATE orders SET asked = 1, stage = CASE stage WHEN 3 THEN 1 ELSE stage END WHERE child_id = ?"
_encode = msgspec.msgpack.Encoder().encode
_sent = msgspec.msgpack.Decoder(SentChild).decode
_report = msgspec.msgpack.Decoder(VenueReport).decode


class Dispatched(NamedTuple):
    sent: SentChild
    client_id: str
    stage: Stage
    attempted_ns: int
    asked: bool
    """The engine wants to know what became of it."""
    changing: Changing | None = None
    instrument: str = ""
    """What the venue calls its symbol, of an order that was sent to rest."""


class Dispatch(VenueFile):
    def __init__(self, path: Path, now_ns: int, db: sqlite3.Connection | None = None) -> None:
        """As `VenueFile`, which says what `db` is."""
        super().__init__(path, now_ns, _SCHEMA, db)
        self.changes = Changes(self._db, self._whole)
        """Of orders that rest."""

    def begin(
        self,
        event_seq: int,
        children: Iterable[tuple[SentChild, str, bool]],
        changes: Iterable[tuple[VenueChange, str]] = (),
    ) -> None:
        """The first time, or after this file was lost: the engine's open orders, which may have been sent before.

        With each child its client id, and whether the engine wants to know what became of it.
        """
        with self._whole():
            for sent, client_id, asked in children:
                self._add(sent, client_id, Stage.ATTEMPTED, self.made_ns, asked)
            for change, client_id in changes:
                self.changes.ask(change, client_id, Stage.ATTEMPTED, self.made_ns)
            self._put("event_seq", event_seq)

    def follow(
        self,
        event_seq: int,
        event_ns: int,
        sent: Iterable[tuple[SentChild, str]],
        over: Iterable[str],
        asked: Iterable[str],
        changes: Iterable[tuple[VenueChange, str]] = (),
        kept: Iterable[VenueChange] = (),
        changed: Iterable[tuple[ChildOrder, str]] = (),
    ) -> None:
        """The engine's events up to `event_seq`: new orders, and by child id those that are over or inquired about.

        `event_ns`: the time of the last one's batch. Of orders that rest, `changes` that are asked for, those that were
        refused, and the orders as they are by now; with what has a name of its own there, that.
        """
        with self._whole():
            for child, client_id in sent:
                # What the engine sent before this file was made may have been sent to the venue by one that was lost.
                before = child.child.sent_ns < self.made_ns
                self._add(child, client_id, Stage.ATTEMPTED if before else Stage.DUE, self.made_ns, False)
            for child_id in asked:
                self._db.execute(_INQUIRE, (child_id,))
            for change, client_id in changes:
                before = change.asked_ns < self.made_ns
                self.changes.ask(change, client_id, Stage.ATTEMPTED if before else Stage.DUE, self.made_ns)
            for change in kept:
                self.changes.answered(change.child_id, change.asked_ns)
            for current, client_id in changed:
                self._rename(current, client_id)
            for child_id in over:
                self._db.execute("UPDATE orders SET stage = 2, asked = 0 WHERE child_id = ?", (child_id,))
                self.changes.answered(child_id)
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

    def ask_after_all(self) -> None:
        """The venue is to be asked what became of each order that rests, as each is taken up."""
        with self._whole():
            self._db.execute("UPDATE orders SET asked = 1 WHERE stage = 3")

    def take_up(self, limit: int) -> None:
        """So many of the orders that rest and are to be asked after may be elsewhere by now: the oldest."""
        query = "SELECT number FROM orders WHERE stage = 3 AND asked ORDER BY number LIMIT ?"
        rows = self._db.execute(query, (limit,)).fetchall()
        if rows:
            with self._whole():
                self._db.executemany("UPDATE orders SET stage = 1 WHERE number = ?", rows)

    def take(
        self,
        reports: Iterable[VenueReport],
        *,
        cursor: str = "",
        again: str = "",
        over: str = "",
        answered: str = "",
        resting: str = "",
    ) -> int:
        """What the venue has said, each thing once; gives how much of it was new.

        `cursor`: the record was heard so far. By child id, `again`: everything that is known of it is told the engine
        once more; `answered`: the engine's inquiry is; `over`: nothing more is to be done about it; `resting`: it does
        rest, unless there is an inquiry after it.
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
            if resting:
                query = "UPDATE orders SET stage = 3 WHERE child_id = ? AND stage = 1 AND NOT asked"
                self._db.execute(query, (resting,))
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
        return self._orders(f"{_ORDERS} WHERE orders.stage < 2 {_OLDEST_FIRST}")

    def changing(self) -> list[Dispatched]:
        """Orders of which a change is due."""
        return self._orders(f"{_ORDERS} WHERE changes.stage = 0 {_OLDEST_FIRST}")

    def by_client_id(self, client_id: str) -> Dispatched | None:
        """By any name that it has, had, or may come to have."""
        found = self._orders(f"{_ORDERS} WHERE client_id = ?", client_id)
        if not found and (child_id := self.changes.named(client_id)):
            return self.by_child_id(child_id)
        return found[0] if found else None

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
            "SELECT EXISTS (SELECT 1 FROM orders WHERE stage < 2)"
            " OR EXISTS (SELECT 1 FROM orders WHERE stage = 3 AND asked),"
            " EXISTS (SELECT 1 FROM reports WHERE NOT acknowledged)"
        ).fetchone()
        return not alive and not waiting

    def _orders(self, query: str, *values: str) -> list[Dispatched]:
        rows = self._db.execute(query, values)
        return [
            Dispatched(
                _sent(sent),
                client_id,
                Stage(stage),
                attempted_ns,
                bool(asked),
                None if change is None else Changing(decode_change(change), Stage(change_stage), change_ns),
                instrument,
            )
            for sent, client_id, stage, attempted_ns, asked, change, change_stage, change_ns, instrument in rows
        ]

    def _add(self, sent: SentChild, client_id: str, stage: Stage, attempted_ns: int, asked: bool) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO orders (child_id, client_id, sent, stage, attempted_ns, asked)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (sent.child.child_id, client_id, _encode(sent), stage, attempted_ns, asked),
        )

    def _rename(self, child: ChildOrder, client_id: str) -> None:
        """A change was taken: the order has another name, and what it is has changed."""
        known = self.by_child_id(child.child_id)
        if known is None or known.client_id == client_id:
            return
        sent = msgspec.structs.replace(known.sent, child=child)
        self.changes.name(known.client_id, child.child_id)
        row = (client_id, _encode(sent), child.child_id)
        self._db.execute("UPDATE orders SET client_id = ?, sent = ? WHERE child_id = ?", row)
        self.changes.answered(child.child_id, child.sent_ns)

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
        self.changes.forget(rows)
        self._db.executemany("DELETE FROM orders WHERE child_id = ?", rows)


def _identity(report: VenueReport) -> str:
    """Venues use an exec_id again for what is no fill; then the figures tell one report from another."""
    return f"{report.kind.value}:{report.exec_id}:{report.cumulative_e8}:{report.leaves_e8}"
