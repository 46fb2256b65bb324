"""The proof of a journal: what it says of a sound one, and the first thing that it finds in others."""

import hashlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from actors.bus import codec
from actors.bus.streams import EventBatch
from actors.domain.commands import ObserveTicks
from actors.domain.dealing import orders
from actors.domain.events.orders import OrderFilled
from actors.domain.evolution import evolve
from actors.domain.routing.books import SavedBooks
from actors.domain.snapshot import Snapshot
from actors.domain.state import State
from actors.store import record, segments, snapshots
from actors.store.journal import Journal
from actors.store.reader import Reader
from actors.store.record import Row, Turn
from tests.conftest import ROOT
from tests.examples import START_NS, closing, order, tick
from tests.store.turns import BUY, TURNS, live, sql
from tools import verify
from tools.verify import Diverged


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sqlite"


@pytest.fixture
def state(path: Path) -> State:
    """That of a journal with two snapshots."""
    journal, state = Journal(path), State()
    for number, turn in enumerate(TURNS):
        live(journal, state, turn, START_NS + number)
        if number in (1, 3):
            journal.save_snapshot(state)
    journal.close()
    return state


def rewrite(path: Path, batch_seq: int, **changes: object) -> None:
    """Changes a row as somebody would who knows the checksums."""
    reader = Reader(path)
    row = reader.row(batch_seq)._replace(**changes)  # type: ignore[arg-type]
    reader.close()
    row = row._replace(checksum=record.checksum(*row[:-1]))
    columns = ", ".join(f"{name} = ?" for name in Row._fields)
    sql(path, f"UPDATE batches SET {columns} WHERE batch_seq = ?", *row, batch_seq)  # noqa: S608


def test_a_sound_journal(path: Path, state: State, capsys: pytest.CaptureFixture[str]) -> None:
    inputs = sum(len(turn) for turn in TURNS)
    assert verify.main([str(path)]) == 0
    out, err = capsys.readouterr()
    words = {" ".join(line.split()) for line in out.splitlines()}
    assert {
        f"inputs {inputs}",
        f"events {state.event_seq}",
        f"batches {len(TURNS)}",
        "snapshots 2",
        f"state hash {snapshots.state_hash(state)}",
    } < words
    assert out.splitlines()[-1].endswith(" inputs/s")
    assert err == ""


def test_a_snapshot_of_an_earlier_version_has_the_defaults_in_newer_fields(path: Path, state: State) -> None:
    kept = snapshots.listed(path)[0]
    now_ns, _, blob = snapshots.read(kept)
    saved = msgspec.msgpack.decode(blob)
    books, newer = saved[Snapshot.__struct_fields__.index("books")], SavedBooks.__struct_fields__.index("changes")
    assert books[newer:] == [[], {}], "what venues are asked to change, and have refused to cancel"
    del books[newer:]
    before = msgspec.msgpack.encode(saved)
    kept.path.write_bytes(snapshots._head(kept.batch_seq, now_ns, hashlib.sha256(before).digest()) + before)
    assert verify.main([str(path)]) == 0
    assert snapshots.state_hash(snapshots.load(kept).state) == snapshots.hash_of(blob)


def test_it_reads_only(path: Path, state: State) -> None:
    """Also a copy in a folder where nothing can be written."""
    before = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    assert verify.main([str(path)]) == 0
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == before


def test_it_works_beside_the_engine(path: Path) -> None:
    journal, state = Journal(path), State()
    for number, turn in enumerate(TURNS):
        live(journal, state, turn)
        found = verify.verify(path, lambda done, whole: None)
        assert (found.batches, found.events) == (number + 1, state.event_seq)
        assert found.state_hash == snapshots.state_hash(state)
    journal.close()


def test_each_input_is_done_again_at_its_own_time(path: Path) -> None:
    """Turns of one commit: an order of the first has the time of the first."""
    journal, state = Journal(path), State()
    live(journal, state, TURNS[0])
    turns, events = [], []
    for number in range(3):
        (event,) = orders.submit_order(state, order("EURUSD", BUY, "1", f"{number}"), START_NS + number)
        evolve(state, event)
        events.append(event)
        turns.append(Turn(START_NS + number, [order("EURUSD", BUY, "1", f"{number}")], [1]))
    journal.append(turns, state.event_seq - 2, events, state.last_fill_id)
    journal.close()
    assert verify.verify(path, lambda done, whole: None).events == state.event_seq
    shifted = [turns[0], Turn(START_NS, turns[1].inputs, [1]), turns[2]]
    rewrite(path, 2, turns=record.encode_turns(shifted))
    with pytest.raises(Diverged, match="batch 2: event 10 differs"):
        verify.verify(path, lambda done, whole: None)


def test_the_first_event_that_differs_is_named(path: Path, state: State, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody gave a client a better price, and made the checksum fit."""
    reader = Reader(path)
    row = reader.row(2)
    reader.close()
    batch: EventBatch = codec.decoder(EventBatch)(row.events)
    first = batch.events[0]
    assert isinstance(first, OrderFilled)
    better = msgspec.structs.replace(first, fill=msgspec.structs.replace(first.fill, price_e8=109_999_999))
    rewrite(path, 2, events=codec.encode(msgspec.structs.replace(batch, events=[better, *batch.events[1:]])))
    assert verify.main([str(path)]) == 1
    line, stored, came = capsys.readouterr().err.splitlines()
    assert line == "verify: batch 2: event 9 differs"
    assert stored.startswith("  stored:   ['OrderFilled'")
    assert "109999999" in stored
    assert came.startswith("  came out: ['OrderFilled'")
    assert "110020000" in came


def test_an_input_that_was_changed_or_left_out_is_found(path: Path, state: State) -> None:
    reader = Reader(path)
    turns = msgspec.msgpack.decode(reader.row(4).turns, type=list[Turn])
    reader.close()
    (turn,) = turns
    later = [Turn(turn.now_ns + 1, turn.inputs, turn.counts)]
    without = [Turn(turn.now_ns, turn.inputs[1:], turn.counts[1:])]
    other = [Turn(turn.now_ns, [ObserveTicks((tick("EURUSD", "1.07", "1.0702", 3),)), *turn.inputs[1:]], turn.counts)]
    unknown = [Turn(turn.now_ns, [*turn.inputs, closing(99, "never")], [*turn.counts, 0])]
    for changed, words in (
        (later, "batch 4: event 11 differs"),
        (without, "batch 4: event 11 differs"),
        (other, "batch 4: event 11 differs"),
        (unknown, "batch 4: an input that was accepted now gives Refused"),
    ):
        rewrite(path, 4, turns=record.encode_turns(changed))
        with pytest.raises(Diverged, match=words):
            verify.verify(path, lambda done, whole: None)


def test_a_rule_that_changed_is_a_divergence(path: Path, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.domain.risk.requirement.minor_units", lambda currency: 99)
    with pytest.raises(Diverged, match="batch 2: event 9 differs"):
        verify.verify(path, lambda done, whole: None)


def test_a_snapshot_of_another_state_is_found(path: Path, state: State) -> None:
    """Sound in itself, and not what the inputs lead to."""
    (kept, _) = snapshots.listed(path)
    snapshots.save(path, kept.batch_seq, START_NS, State())
    with pytest.raises(Diverged, match=rf"{kept.path}: the state's hash is \w+, and doing it again gives \w+"):
        verify.verify(path, lambda done, whole: None)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM batches WHERE batch_seq = 3", "engine.sqlite: batch 3 is missing"),
        ("UPDATE batches SET now_ns = 5 WHERE batch_seq = 3", "the checksum of batch 3 is wrong"),
        ("DELETE FROM batches WHERE batch_seq > 3", "it ends with batch 3, before its snapshot of batch 4"),
    ],
)
def test_damage_is_named(
    path: Path, state: State, capsys: pytest.CaptureFixture[str], statement: str, words: str
) -> None:
    sql(path, statement)
    assert verify.main([str(path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


def test_what_is_no_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main([str(tmp_path / "none.sqlite")]) == 1
    assert capsys.readouterr().err == f"verify: {tmp_path / 'none.sqlite'}: there is no such journal\n"
    assert not list(tmp_path.iterdir())


def test_closed_files_are_read_first(path: Path) -> None:
    journal, state = Journal(path), State()
    for number, turn in enumerate(TURNS):
        live(journal, state, turn, START_NS + number * 10**14)
    journal.close()
    assert len(segments.listed(path)) == len(TURNS)
    for segment in segments.listed(path)[:3]:
        segments.archive(segment.path)
    assert verify.verify(path, lambda done, whole: None).state_hash == snapshots.state_hash(state)
    segments.listed(path)[1].path.unlink()
    with pytest.raises(record.Damaged, match="batch 2 is missing"):
        verify.verify(path, lambda done, whole: None)


def test_a_terminal_shows_how_far_it_is(path: Path, state: State) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tools.verify", str(path)]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "verify [" in shown
    assert shown.endswith("\r\x1b[2K")
