"""The store's log: moved into the file beside the writer, written from its start again, and never long."""

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.fix.store import SentMessage, Sequences, SqliteStore
from gateway.fix.write_ahead import LOG_LIMIT_PAGES, LOG_ROOM_BYTES, MOVE_FROM_PAGES

PAGE_BYTES = 4_096
LARGE = SentMessage(1, b"D", 5, b"", bytes(15 * PAGE_BYTES))
PAGES_OF_LARGE = 16


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "sessions.sqlite")
    with contextlib.closing(store):
        yield store


def keep(store: SqliteStore, seq: int) -> None:
    with store.transaction():
        store.save("a", Sequences(seq + 1, 1, 0), [LARGE._replace(seq=seq)])


def test_the_log_has_its_size_from_the_beginning_and_keeps_it(tmp_path: Path, store: SqliteStore) -> None:
    path, log = tmp_path / "sessions.sqlite", tmp_path / "sessions.sqlite-wal"
    log_bytes, file_bytes = log.stat().st_size, path.stat().st_size
    assert log_bytes >= LOG_ROOM_BYTES
    for seq in range(1, 3 * LOG_LIMIT_PAGES // PAGES_OF_LARGE):
        keep(store, seq)
    assert log.stat().st_size <= log_bytes + 2 * PAGES_OF_LARGE * PAGE_BYTES
    assert path.stat().st_size > file_bytes + 2 * LOG_LIMIT_PAGES * PAGE_BYTES


def test_a_writer_that_is_faster_than_the_disk_waits_at_the_limit(tmp_path: Path, store: SqliteStore) -> None:
    """The move that is to go on beside it is held up until the writer waits for it."""
    assert store.log is not None
    move, pages = store.log._move, []

    def slow_move() -> None:
        assert store.log is not None
        while not store.log.waits:
            pass
        move()

    store.log._move = slow_move  # type: ignore[method-assign]
    seq = 0
    while not store.log.waits:
        seq += 1
        keep(store, seq)
        pages.append(tmp_path.joinpath("sessions.sqlite-wal").stat().st_size // (PAGE_BYTES + 24))
    assert MOVE_FROM_PAGES < seq * PAGES_OF_LARGE <= LOG_LIMIT_PAGES + 3 * PAGES_OF_LARGE
    assert max(pages) <= LOG_ROOM_BYTES // PAGE_BYTES + 3 * PAGES_OF_LARGE
    assert [sent.seq for sent in store.sent("a", 1, seq, seq)] == [*range(1, seq + 1)]


def test_a_log_that_is_moved_is_not_moved_again_before_it_is_written(store: SqliteStore) -> None:
    log = store.log
    assert log is not None
    seq = 0
    while not log._reaches(MOVE_FROM_PAGES, salt_of(store)):
        seq += 1
        keep(store, seq)
    while not log._moved:
        log.make_way()
    moved = log._moved
    for _ in range(3):
        log.make_way()
        assert (log._moving, log._moved, salt_of(store)) == (None, moved, moved)
    keep(store, seq + 1)
    assert not log._reaches(PAGES_OF_LARGE + 10, salt_of(store))


def test_a_log_that_goes_on_because_of_a_reader_is_moved_when_that_has_gone(tmp_path: Path, store: SqliteStore) -> None:
    log = store.log
    assert log is not None
    seq = 0
    while not log._reaches(MOVE_FROM_PAGES, salt_of(store)):
        seq += 1
        keep(store, seq)
    with contextlib.closing(sqlite3.connect(tmp_path / "sessions.sqlite", isolation_level=None)) as backup:
        backup.execute("BEGIN")
        backup.execute("SELECT * FROM fix_sessions").fetchall()
        while not log._moved:
            log.make_way()
        before = salt_of(store)
        keep(store, seq + 1)
        assert salt_of(store) == before
        backup.execute("COMMIT")
    for later in range(seq + 2, seq + 2 + LOG_LIMIT_PAGES // PAGES_OF_LARGE):
        keep(store, later)
    assert salt_of(store) != before


def test_while_another_process_moves_the_log_it_is_not_taken_for_moved(tmp_path: Path, store: SqliteStore) -> None:
    """Byte 121 of the shared memory is the lock of who moves (SQLite, "WAL-mode File Format", 2.3.1)."""
    log = store.log
    script = "import fcntl, sys; f = open(sys.argv[1], 'r+b'); fcntl.lockf(f, fcntl.LOCK_EX, 1, 121); input('.\\n')"
    assert log is not None
    command = [sys.executable, "-c", script, str(tmp_path / "sessions.sqlite-shm")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        seq = 0
        while not log._reaches(MOVE_FROM_PAGES + 2 * PAGES_OF_LARGE, salt_of(store)):
            seq += 1
            keep(store, seq)
        while log._moving is not None:
            log.make_way()
        assert log._moved != salt_of(store)
        other.communicate(b"\n")
    while log._moved != salt_of(store):
        log.make_way()


def test_a_move_that_fails_is_tried_again_and_at_the_limit_nothing_more_is_written(store: SqliteStore) -> None:
    assert store.log is not None
    store.log._mover.close()
    seq = 0
    while not store.log._reaches(LOG_LIMIT_PAGES, salt_of(store)):
        seq += 1
        keep(store, seq)
    failures = store.log.failures
    assert failures > 1
    with pytest.raises(sqlite3.Error):
        keep(store, seq + 1)
    assert store.counters == {"log_waits": store.log.waits, "log_failures": failures + 1}
    assert store.load("a") == Sequences(seq + 1, 1, 0)


def salt_of(store: SqliteStore) -> bytes:
    assert store.log is not None
    return os.pread(store.log._file, 8, 16)
