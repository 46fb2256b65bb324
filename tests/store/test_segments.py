"""Closed files and how they are compressed, stopped at each step."""

import fcntl
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from actors.domain.state import State
from actors.store import keeper, segments, snapshots
from actors.store.journal import DAY_NS, Journal
from tests.examples import START_NS
from tests.store.turns import TURNS, live
from tools.verify import verify


class Killed(BaseException):
    """Where a kill would end the process."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sqlite"


@pytest.fixture
def state(path: Path) -> State:
    """That of a journal of several days."""
    journal, state = Journal(path), State()
    for day, turn in enumerate(TURNS):
        live(journal, state, turn, START_NS + day * DAY_NS)
    journal.close()
    return state


def names(path: Path) -> list[str]:
    return [segment.path.name for segment in segments.listed(path)]


def proven(path: Path) -> str:
    return verify(path, lambda done, whole: None).state_hash


def test_a_day_is_a_file_named_by_its_first_batch(path: Path, state: State) -> None:
    assert names(path) == ["engine.sqlite", *(f"engine-{batch_seq:012}.sqlite" for batch_seq in range(2, 7))]
    assert proven(path) == snapshots.state_hash(state)


def test_the_current_file_is_never_compressed(path: Path, state: State) -> None:
    keeper.keep(path)
    assert names(path) == [
        "engine.archive",
        *(f"engine-{batch_seq:012}.archive" for batch_seq in range(2, 6)),
        "engine-000000000006.sqlite",
    ]
    assert proven(path) == snapshots.state_hash(state)
    journal = Journal(path)
    assert snapshots.state_hash(journal.recover().state) == proven(path)
    assert [batch.first_seq for batch in journal.events_from(1)] == [1, 9, 11, 12]
    journal.close()


def test_a_file_after_the_older_snapshot_is_not_compressed(path: Path) -> None:
    """Recovery from either snapshot begins in a file as it was written."""
    journal, state = Journal(path), State()
    for day, turn in enumerate(TURNS):
        live(journal, state, turn, START_NS + day * DAY_NS)
        if day == 1:
            journal.save_snapshot(state)
    keeper.keep(path)
    journal.close()
    suffixes = [segment.path.suffix for segment in segments.listed(path)]
    assert suffixes == [segments.ARCHIVE] * 2 + [".sqlite"] * 4


def killed_at(step: str, monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> None:
    def kill(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(step, kill)
        with pytest.raises(Killed):
            work()


@pytest.mark.parametrize(
    "step",
    [
        "actors.store.segments._write_archive",
        "actors.store.segments.os.replace",
        "actors.store.segments.os.fsync",
        "actors.store.segments.private_files.sync_folder",
        "actors.store.segments.zlib.compress",
    ],
)
def test_compressing_may_be_killed_at_any_step(
    path: Path, state: State, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    killed_at(step, monkeypatch, lambda: segments.archive(path))
    assert path.exists()
    assert proven(path) == snapshots.state_hash(state)
    segments.archive(path)
    assert names(path)[0] == "engine.archive"
    assert not [left.name for left in path.parent.iterdir() if left.name.endswith(segments.PART)]
    assert proven(path) == snapshots.state_hash(state)


@pytest.mark.parametrize(
    "step",
    ["actors.store.segments.sqlite3.connect", "actors.store.segments.os.replace", "actors.store.segments.os.open"],
)
def test_beginning_a_file_may_be_killed_at_any_step(
    path: Path, state: State, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    journal = Journal(path)
    again = journal.recover().state
    killed_at(step, monkeypatch, lambda: segments.make(segments.path_from(path, 7)))
    live(journal, again, TURNS[1], START_NS + 20 * DAY_NS)
    journal.close()
    assert proven(path) == snapshots.state_hash(again)


def test_a_new_file_without_a_row_is_in_order(path: Path, state: State) -> None:
    """The kill came between making it and the first commit in it."""
    segments.make(segments.path_from(path, 7))
    assert proven(path) == snapshots.state_hash(state)
    journal = Journal(path)
    again = journal.recover().state
    live(journal, again, TURNS[1], START_NS + 20 * DAY_NS)
    journal.close()
    assert names(path)[-1] == "engine-000000000007.sqlite"
    assert len(names(path)) == 7
    assert proven(path) == snapshots.state_hash(again)


def test_a_closed_file_that_somebody_reads_keeps_its_log_and_waits(path: Path) -> None:
    journal, state = Journal(path), State()
    live(journal, state, TURNS[0])
    reading = sqlite3.connect(path, isolation_level=None)
    reading.execute("BEGIN")
    reading.execute("SELECT * FROM batches").fetchall()
    live(journal, state, TURNS[1])
    live(journal, state, TURNS[2], START_NS + DAY_NS)
    assert path.with_name(path.name + "-wal").exists()
    journal.save_snapshot(state)
    keeper.keep(path)
    assert names(path)[0] == "engine.sqlite"
    assert proven(path) == snapshots.state_hash(state)
    reading.close()
    keeper.keep(path)
    assert names(path)[0] == "engine.archive"
    assert not path.with_name(path.name + "-wal").exists()
    assert proven(path) == snapshots.state_hash(state)
    journal.close()


def test_there_is_one_keeper_at_a_time(path: Path, state: State) -> None:
    """That of an engine which was killed may still be at work."""
    lock = os.open(path.with_suffix(".keeper"), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    keeper.keep(path)
    assert snapshots.listed(path) == []
    os.close(lock)
    keeper.keep(path)
    assert len(snapshots.listed(path)) == 1
