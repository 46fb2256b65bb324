"""Journals that were cut off or changed: all that was acknowledged is recovered, or nothing starts."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from actors.domain.state import State
from actors.store import segments, snapshots
from actors.store.journal import Journal
from actors.store.opening import opened
from actors.store.record import Damaged
from tests.examples import START_NS, encoded, order, trading_inputs
from tests.store.turns import BUY, TURNS, live, recovered, sql

Change = Callable[[bytes, random.Random], bytes]


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def flip(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lived" / "engine.sqlite"


def lived(path: Path, turns: int) -> list[bytes]:
    """A journal as a kill leaves it, its log full: a copy of its folder. Gives the state after each commit."""
    journal, state = Journal(path), State()
    live(journal, state, trading_inputs("1000000"))
    states = [encoded(State()), encoded(state)]
    for turn in range(turns):
        live(journal, state, [order("EURUSD", BUY, "1", f"{turn}-{part}") for part in range(3)])
        states.append(encoded(state))
    shutil.copytree(path.parent, path.parent.with_name("killed"))
    journal.close()
    return states


def after(path: Path, change: Change, chance: random.Random, suffix: str, *, mark: bool = True) -> Path:
    """A copy of what the kill left, one of its files changed."""
    folder = path.parent.with_name("changed")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(path.parent.with_name("killed"), folder)
    changed = folder / (path.name + suffix)
    changed.write_bytes(change(changed.read_bytes(), chance))
    (folder / "engine.sqlite-shm").unlink()
    if not mark:
        (folder / "engine.mark").unlink()
    return folder / path.name


def outcome(path: Path) -> bytes | Damaged:
    """The state that an engine finds, or why it does not start."""
    try:
        return recovered(path)[0]
    except Damaged as fault:
        return fault


@pytest.mark.parametrize("change", [cut, flip])
def test_a_log_that_was_cut_or_changed_loses_nothing_that_was_acknowledged(path: Path, change: Change) -> None:
    """It starts with all of it (where the change hit what no longer counts), or names the file and does not start."""
    chance = random.Random(1)
    states = lived(path, 40)
    refused = 0
    for _ in range(60):
        changed = after(path, change, chance, "-wal")
        found = outcome(changed)
        assert found == states[-1] or str(changed) in str(found)
        refused += isinstance(found, Damaged)
    assert refused > 30


def test_a_torn_end_of_the_log_is_what_was_not_acknowledged(path: Path) -> None:
    """The machine lost its power in the middle of a commit: what was acknowledged before it is all there."""
    states = lived(path, 40)
    whole = path.parent.with_name("killed") / "engine.sqlite-wal"
    journal = Journal(path)
    journal.close()
    changed = after(path, lambda content, chance: content + chance.randbytes(3_000), random.Random(1), "-wal")
    assert recovered(changed)[0] == states[-1]
    frame = whole.read_bytes()[32 : 32 + 24 + 4096]
    changed = after(path, lambda content, chance: content + frame[:-100], random.Random(1), "-wal")
    assert recovered(changed)[0] == states[-1]


def test_without_a_mark_a_cut_log_gives_a_state_that_there_was(path: Path) -> None:
    """The last commit of a copy may be missing, but never a part of one."""
    chance = random.Random(2)
    states = lived(path, 40)
    for _ in range(40):
        changed = after(path, cut, chance, "-wal", mark=False)
        assert recovered(changed)[0] in states


def test_a_bit_that_flipped_in_the_file_is_never_used(path: Path) -> None:
    """Anywhere in it: the state is right, or nothing starts."""
    chance = random.Random(3)
    states = lived(path, 40)
    Journal(path.parent.with_name("killed") / path.name).close()
    killed = path.parent.with_name("killed")
    refused = 0
    for _ in range(150):
        folder = path.parent.with_name("changed")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(killed, folder)
        changed = folder / path.name
        changed.write_bytes(flip(changed.read_bytes(), chance))
        found = outcome(changed)
        assert found == states[-1] or str(folder) in str(found)
        refused += isinstance(found, Damaged)
    assert refused > 50


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE batches SET turns = (SELECT turns FROM batches WHERE batch_seq = 2) WHERE batch_seq = 3",
        "UPDATE batches SET events = (SELECT events FROM batches WHERE batch_seq = 1) WHERE batch_seq = 2",
        "UPDATE batches SET now_ns = now_ns + 1 WHERE batch_seq = 3",
        "UPDATE batches SET first_event_seq = first_event_seq + 1 WHERE batch_seq = 3",
        "UPDATE batches SET last_fill_id = 0 WHERE batch_seq = 3",
        "UPDATE batches SET checksum = x'00' WHERE batch_seq = 3",
        "DELETE FROM batches WHERE batch_seq = 3",
        "DELETE FROM batches WHERE batch_seq = 1",
        "DELETE FROM batches WHERE batch_seq = 6",
        "UPDATE batches SET batch_seq = 7 WHERE batch_seq = 6",
        "DROP TABLE batches",
        "PRAGMA user_version = 1",
    ],
)
def test_a_row_that_was_changed_or_removed_keeps_the_engine_from_starting(path: Path, statement: str) -> None:
    journal, state = Journal(path), State()
    for turn in TURNS:
        live(journal, state, turn)
    journal.close()
    sql(path, statement)
    with pytest.raises(Damaged, match=str(path)):
        recovered(path)


def test_what_is_no_database_keeps_the_engine_from_starting(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line that says what to do."""
    path.parent.mkdir(parents=True)
    path.write_bytes(b"nothing of the kind" * 1_000)
    with pytest.raises(SystemExit) as end:
        opened(path)
    (line,) = capsys.readouterr().out.splitlines()
    assert end.value.code == 1
    assert "not started" in line
    assert str(path) in line
    assert f"python -m tools.verify {path}" in line
    assert "file is not a database" in line


def corrupt(path: Path, newest: int) -> None:
    for kept in snapshots.listed(path)[:newest]:
        content = bytearray(kept.path.read_bytes())
        content[len(content) // 2] ^= 4
        kept.path.write_bytes(content)


@pytest.mark.parametrize("newest", [1, 2])
def test_a_corrupt_snapshot_is_passed_over(path: Path, newest: int) -> None:
    """For the one before it; and where that is corrupt too, for the whole journal."""
    journal, state = Journal(path), State()
    for turn in TURNS:
        live(journal, state, turn)
        journal.save_snapshot(state)
    journal.close()
    corrupt(path, newest)
    journal = Journal(path)
    found = journal.recover()
    journal.close()
    assert (encoded(found.state), found.now_ns) == (encoded(state), START_NS)
    assert found.snapshot_batch_seq == {1: len(TURNS) - 1, 2: 0}[newest]
    assert len(found.faults) == newest
    assert all("checksum" in fault for fault in found.faults)


@pytest.mark.parametrize("size", [0, 10, 60, 100])
def test_a_snapshot_that_was_cut_off_is_passed_over(path: Path, size: int) -> None:
    journal, state = Journal(path), State()
    for turn in TURNS:
        live(journal, state, turn)
    journal.save_snapshot(state)
    journal.close()
    (kept,) = snapshots.listed(path)
    kept.path.write_bytes(kept.path.read_bytes()[:size])
    assert recovered(path)[0] == encoded(state)


def test_a_journal_that_is_older_than_its_snapshot_is_refused(path: Path) -> None:
    """Somebody put an old copy of the file in its place, and the mark away."""
    journal, state = Journal(path), State()
    live(journal, state, TURNS[0])
    journal.close()
    old = path.read_bytes()
    journal = Journal(path)
    live(journal, state, TURNS[1])
    journal.save_snapshot(state)
    journal.close()
    path.write_bytes(old)
    with pytest.raises(Damaged, match="batch 2 was acknowledged"):
        recovered(path)
    path.with_suffix(".mark").unlink()
    with pytest.raises(Damaged, match="it ends with batch 1, before its snapshot of batch 2"):
        recovered(path)


def test_a_changed_archive_is_found(path: Path) -> None:
    journal, state = Journal(path), State()
    live(journal, state, TURNS[0])
    live(journal, state, TURNS[1], START_NS + 10**15)
    journal.close()
    segments.archive(path)
    archive = path.with_suffix(segments.ARCHIVE)
    database = sqlite3.connect(archive)
    (block,) = database.execute("SELECT rows FROM blocks").fetchone()
    for changed in (block[:-1], block[:50] + b"\0" + block[51:], b""):
        with database:
            database.execute("UPDATE blocks SET rows = ?", (changed,))
        with pytest.raises(Damaged, match=str(archive)):
            recovered(path)
    database.close()
