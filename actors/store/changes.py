"""What a venue is asked to make of orders that rest there, and the names that they have by that; in the file of
actors/store/dispatch.py."""

import sqlite3
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from enum import IntEnum
from typing import NamedTuple

import msgspec

from actors.domain.routing.child import VenueChange

_SCHEMA = """
CREATE TABLE IF NOT EXISTS changes (
    child_id TEXT PRIMARY KEY, change BLOB NOT NULL, stage INTEGER NOT NULL, attempted_ns INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS instruments (child_id TEXT PRIMARY KEY, instrument TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS names (client_id TEXT PRIMARY KEY, child_id TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS names_of ON names (child_id);
CREATE INDEX IF NOT EXISTS orders_asked_after ON orders (number) WHERE stage = 3 AND asked;
"""
NEWEST_NS = 2**63 - 1
_encode = msgspec.msgpack.Encoder().encode
decode_change = msgspec.msgpack.Decoder(VenueChange).decode


class Stage(IntEnum):
    DUE = 0
    """Never attempted: that it is not at the venue is certain."""
    ATTEMPTED = 1
    """It may be at the venue."""
    OVER = 2
    """Nothing more is to be done about it."""
    RESTING = 3
    """The venue has it, and has said so."""


class Changing(NamedTuple):
    """What the venue is asked to make of an order: DUE, or ATTEMPTED."""

    change: VenueChange
    stage: Stage
    attempted_ns: int


class Changes:
    """One at a time for each order."""

    def __init__(self, db: sqlite3.Connection, whole: Callable[[], AbstractContextManager[None]]) -> None:
        """`whole`: what is done inside is on the disk whole or not at all."""
        self._db = db
        self._whole = whole
        with whole():
            for statement in _SCHEMA.split(";"):
                db.execute(statement)

    def ask(self, change: VenueChange, client_id: str, stage: Stage, attempted_ns: int) -> None:
        """Once under each name."""
        if self.name(client_id, change.child_id):
            row = (change.child_id, _encode(change), stage, attempted_ns)
            self._db.execute("INSERT OR REPLACE INTO changes VALUES (?, ?, ?, ?)", row)

    def answered(self, child_id: str, upto_ns: int = NEWEST_NS) -> None:
        """What was asked for until then."""
        row = self._db.execute("SELECT change FROM changes WHERE child_id = ?", (child_id,)).fetchone()
        if row is not None and decode_change(row[0]).asked_ns <= upto_ns:
            self._db.execute("DELETE FROM changes WHERE child_id = ?", (child_id,))

    def attempt(self, child_ids: Iterable[str], now_ns: int) -> None:
        """They are about to be asked for."""
        with self._whole():
            rows = [(now_ns, child_id) for child_id in child_ids]
            self._db.executemany("UPDATE changes SET stage = 1, attempted_ns = ? WHERE child_id = ?", rows)

    def give_back(self, child_id: str) -> None:
        """An attempt has certainly not reached the venue."""
        with self._whole():
            self._db.execute("UPDATE changes SET stage = 0 WHERE child_id = ?", (child_id,))

    def give_up(self, now_ns: int) -> None:
        """Who attempted them is gone: from now on the time counts after which they never arrive."""
        with self._whole():
            self._db.execute("UPDATE changes SET attempted_ns = ? WHERE stage = 1", (now_ns,))

    def call(self, instruments: Iterable[tuple[str, str]]) -> None:
        """By child id, the venue's name of the symbol in which an order is to rest: it keeps that."""
        with self._whole():
            self._db.executemany("INSERT OR REPLACE INTO instruments VALUES (?, ?)", instruments)

    def name(self, client_id: str, child_id: str) -> bool:
        """An order has, had, or may come to have this name beside its own; False where that is known."""
        return bool(self._db.execute("INSERT OR IGNORE INTO names VALUES (?, ?)", (client_id, child_id)).rowcount)

    def named(self, client_id: str) -> str | None:
        """The child order that has this name."""
        row = self._db.execute("SELECT child_id FROM names WHERE client_id = ?", (client_id,)).fetchone()
        return row[0] if row else None

    def forget(self, child_ids: Collection[tuple[str]]) -> None:
        self._db.executemany("DELETE FROM names WHERE child_id = ?", child_ids)
        self._db.executemany("DELETE FROM instruments WHERE child_id = ?", child_ids)
