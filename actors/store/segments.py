"""The files that a journal is: the current one, and closed ones before it, which are compressed.

`engine.sqlite` begins with batch 1. The file after it is named by its first batch (`engine-000000051234.sqlite`), and
is current until another follows. A closed file becomes an archive of the same name: rows in compressed blocks.
"""

import contextlib
import os
import re
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from actors.store import private_files
from actors.store.record import Damaged, Row, sound

ARCHIVE = ".archive"
PART = ".part"
"""Not whole yet; what a kill left of one is made anew."""
COLUMNS = "batch_seq, now_ns, first_event_seq, event_count, last_fill_id, turns, events, checksum"
SCHEMA = """
CREATE TABLE batches (
    batch_seq INTEGER PRIMARY KEY,
    now_ns INTEGER NOT NULL,
    first_event_seq INTEGER NOT NULL,
    event_count INTEGER NOT NULL,
    last_fill_id INTEGER NOT NULL,
    turns BLOB NOT NULL,
    events BLOB NOT NULL,
    checksum BLOB NOT NULL
) STRICT;
CREATE TABLE room (
    padding BLOB NOT NULL
) STRICT;
"""
FORMAT = 2
"""PRAGMA user_version of the files."""
BLOCK_ROWS = 256
BLOCK_BYTES = 1_048_576
"""A block of an archive ends after so many rows or bytes, before they are compressed."""
COMPRESSION_LEVEL = 6
_ARCHIVE_SCHEMA = """
CREATE TABLE blocks (
    first_batch_seq INTEGER PRIMARY KEY,
    last_batch_seq INTEGER NOT NULL,
    rows BLOB NOT NULL
) STRICT;
"""

_encode_block = msgspec.msgpack.Encoder().encode
_decode_block = msgspec.msgpack.Decoder(list[tuple[int, int, int, int, int, bytes, bytes, bytes]]).decode


class Segment(NamedTuple):
    first_batch_seq: int
    path: Path


class Reading(Protocol):
    """An open file of a journal. Raises Damaged, or sqlite3.Error."""

    def last_batch_seq(self) -> int:
        """0 where it has no row."""

    def read(self, first_batch_seq: int, limit: int) -> list[Row]:
        """Sound rows from there on, at most so many; it may be fewer."""

    def close(self) -> None: ...


def listed(journal: Path) -> list[Segment]:
    """The files of a journal in order. A file that is there both ways is listed as it was: the other is a copy."""
    found: dict[int, Path] = {}
    pattern = re.compile(re.escape(journal.stem) + r"(?:-(\d{12}))?(\.sqlite|\.archive)")
    names = sorted(os.listdir(journal.parent)) if journal.parent.is_dir() else []
    for name in names:
        if match := pattern.fullmatch(name):
            first = int(match[1] or 1)
            if match[2] != ARCHIVE or first not in found:
                found[first] = journal.with_name(name)
    return [Segment(first, found[first]) for first in sorted(found)]


def path_from(journal: Path, first_batch_seq: int) -> Path:
    """The file that begins with this batch."""
    return journal if first_batch_seq == 1 else journal.with_name(f"{journal.stem}-{first_batch_seq:012}.sqlite")


def make(path: Path) -> None:
    """An empty file, ready when it has its name: others may be reading the folder. Raises OSError, sqlite3.Error."""
    part = path.with_name(path.name + PART)
    for left in (part, part.with_name(part.name + "-journal")):
        left.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    database = sqlite3.connect(part, isolation_level=None)
    try:
        database.executescript(f"BEGIN; PRAGMA user_version = {FORMAT}; {SCHEMA} COMMIT;")
    finally:
        database.close()
    os.replace(part, path)
    private_files.sync_folder(path.parent)


def opened(path: Path) -> Reading:
    return Archive(path) if path.suffix == ARCHIVE else Database(path)


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Read-only; an engine may be writing to it. A file that nobody writes to is read without making any beside it."""
    beside = path.with_name(path.name + "-wal")
    mode = "ro" if beside.exists() else "ro&immutable=1"
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )


class Database:
    """A file that was not compressed yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = connect_to_read(path)

    def last_batch_seq(self) -> int:
        (last,) = self._db.execute("SELECT coalesce(max(batch_seq), 0) FROM batches").fetchone()
        return int(last)

    def read(self, first_batch_seq: int, limit: int) -> list[Row]:
        rows = self._db.execute(
            f"SELECT {COLUMNS} FROM batches WHERE batch_seq >= ? ORDER BY batch_seq LIMIT ?",  # noqa: S608
            (first_batch_seq, limit),
        ).fetchall()
        return [sound(row) for row in rows]

    def close(self) -> None:
        self._db.close()


class Archive:
    """A compressed file. Keeps the block that was read last."""

    def __init__(self, path: Path) -> None:
        self._db = connect_to_read(path)
        self._rows: list[Row] = []

    def last_batch_seq(self) -> int:
        (last,) = self._db.execute("SELECT coalesce(max(last_batch_seq), 0) FROM blocks").fetchone()
        return int(last)

    def read(self, first_batch_seq: int, limit: int) -> list[Row]:
        if not self._rows or not self._rows[0].batch_seq <= first_batch_seq <= self._rows[-1].batch_seq:
            self._rows = self._block(first_batch_seq)
        start = max(0, first_batch_seq - self._rows[0].batch_seq) if self._rows else 0
        return self._rows[start : start + limit]

    def close(self) -> None:
        self._db.close()

    def _block(self, batch_seq: int) -> list[Row]:
        found = self._db.execute(
            "SELECT rows FROM blocks WHERE last_batch_seq >= ? ORDER BY first_batch_seq LIMIT 1", (batch_seq,)
        ).fetchone()
        if found is None:
            return []
        try:
            return [sound(row) for row in _decode_block(zlib.decompress(found[0]))]
        except (zlib.error, msgspec.DecodeError, TypeError) as error:
            raise Damaged(f"the block with batch {batch_seq} cannot be read: {error}") from None


def archive(path: Path) -> None:
    """Compresses a closed file: it is replaced when its archive is on the disk, whole. Raises OSError, sqlite3.Error.

    A kill in between leaves the file, or both, or a part that the next try overwrites. A file whose log cannot be
    brought into it now, because somebody reads it, is left for later.
    """
    if not _settled(path):
        return
    target = path.with_suffix(ARCHIVE)
    if not target.exists():
        part = target.with_name(target.name + PART)
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
        try:
            _write_archive(path, part)
        except (OSError, sqlite3.Error):
            part.unlink(missing_ok=True)
            raise
        os.replace(part, target)
        private_files.sync_folder(path.parent)
    path.unlink()


def _settled(path: Path) -> bool:
    """Whether a closed file is complete without its log; brings it in first."""
    log = path.with_name(path.name + "-wal")
    if log.exists():
        sqlite3.connect(path, timeout=0).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
    return not log.exists()


def _write_archive(path: Path, part: Path) -> None:
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    source = Database(path)
    made = sqlite3.connect(part, isolation_level=None)
    try:
        made.execute("PRAGMA journal_mode = OFF")
        made.execute("PRAGMA synchronous = OFF")
        made.execute(f"PRAGMA user_version = {FORMAT}")
        made.executescript(_ARCHIVE_SCHEMA)
        made.execute("BEGIN")
        made.executemany("INSERT INTO blocks VALUES (?, ?, ?)", _blocks(source))
        made.execute("COMMIT")
    finally:
        made.close()
        source.close()
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _blocks(source: Database) -> Iterator[tuple[Any, ...]]:
    after = 0
    while rows := source.read(after + 1, BLOCK_ROWS):
        size, count = 0, 0
        while count < len(rows) and size < BLOCK_BYTES:
            size += len(rows[count].turns) + len(rows[count].events)
            count += 1
        block = rows[:count]
        after = block[-1].batch_seq
        yield block[0].batch_seq, after, zlib.compress(_encode_block(block), COMPRESSION_LEVEL)
