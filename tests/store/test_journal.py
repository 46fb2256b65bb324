"""The journal on real files."""

import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.bus import codec
from actors.bus.messages import EventBatch
from actors.domain.broker import apply
from actors.domain.commands import Deposit, Input, ObserveStream, ObserveTicks, OpenAccount
from actors.domain.events import AccountOpened, Event
from actors.domain.order import Side
from actors.domain.state import State
from actors.store.journal import EVENTS_PER_BATCH, PAGE_BATCHES, PAGE_BYTES, SNAPSHOTS_KEPT, InUse, Journal
from tests.conftest import ROOT
from tests.examples import START_NS, closing, encoded, order, tick, trading_inputs

BUY, SELL = Side.BUY, Side.SELL
decode_batch = codec.decoder(EventBatch)

TURNS: list[list[Input]] = [
    trading_inputs(),
    [order("EURUSD", BUY, "10000", "a", stop_loss="1.09"), order("EURGBP", SELL, "500", "b")],
    [ObserveTicks((tick("EURUSD", "1.105", "1.1052", 2),))],
    [ObserveTicks((tick("EURUSD", "1.08", "1.0802", 3),)), order("GBPUSD", SELL, "1", "c")],
    [ObserveStream(START_NS + 5, ("EURGBP",))],
    [closing(3, "d"), order("USDJPY", BUY, "9000000", "too much")],
]


def live(journal: Journal, state: State, turn: list[Input], now_ns: int = START_NS) -> list[bytes]:
    """One turn of the engine: applied, then made durable."""
    events: list[Event] = []
    for told in turn:
        events += apply(state, told, now_ns)
    return journal.append(now_ns, turn, state.event_seq - len(events) + 1, events)


def recovered(path: Path) -> tuple[bytes, int]:
    journal = Journal(path)
    state, last_ns = journal.recover()
    journal.close()
    return encoded(state), last_ns


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "engine.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    made = Journal(path)
    yield made
    made.close()


def sql(path: Path, statement: str, *values: object) -> list[tuple[int, ...]]:
    database = sqlite3.connect(path)
    with database:
        rows = database.execute(statement, values).fetchall()
    database.close()
    return rows


def test_a_new_journal_is_empty_and_its_folder_is_its_owners(path: Path) -> None:
    assert recovered(path) == (encoded(State()), 0)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.exists()


def test_a_turn_is_given_back_as_the_frames_of_its_events(journal: Journal) -> None:
    state = State()
    (first,) = live(journal, state, TURNS[0])
    (second,) = live(journal, state, TURNS[1], START_NS + 7)
    assert live(journal, state, TURNS[2]) == []
    batch = decode_batch(second)
    assert (decode_batch(first).first_seq, len(decode_batch(first).events)) == (1, 8)
    assert (batch.first_seq, batch.time_ns, len(batch.events)) == (9, START_NS + 7, 2)
    assert journal.events_from(1) == [decode_batch(first), batch]


@pytest.mark.parametrize("snapshot_after", [None, 0, 2, len(TURNS) - 1])
def test_what_is_recovered_is_what_was(path: Path, snapshot_after: int | None) -> None:
    """From the inputs and events alone, from a snapshot and the tail, and from a snapshot without a tail."""
    journal, state = Journal(path), State()
    for number, turn in enumerate(TURNS):
        live(journal, state, turn, START_NS + number)
        if number == snapshot_after:
            journal.save_snapshot(state)
    journal.close()
    assert recovered(path) == (encoded(state), START_NS + len(TURNS) - 1)


def test_a_recovered_engine_goes_on_like_the_one_that_never_stopped(path: Path) -> None:
    """Numbers, triggers and outcomes included: the last turns give the same frames."""
    journal, state = Journal(path), State()
    for turn in TURNS[:2]:
        live(journal, state, turn)
    journal.close()
    journal = Journal(path)
    again, _ = journal.recover()
    reborn = [live(journal, again, turn) for turn in TURNS[2:]]
    journal.close()
    other = Journal(path.with_name("other.sqlite"))
    other_state = State()
    frames = [live(other, other_state, turn) for turn in TURNS]
    other.close()
    assert reborn == frames[2:]
    assert encoded(again) == encoded(other_state)


def test_a_journal_belongs_to_one_engine(journal: Journal, path: Path) -> None:
    with pytest.raises(InUse):
        Journal(path)
    journal.append(START_NS, [OpenAccount(1, "USD")], 1, [AccountOpened(1, "USD")])


def test_a_closed_journal_can_be_opened(path: Path) -> None:
    for _ in range(2):
        Journal(path).close()


def test_more_events_than_a_frame_holds_are_one_turn_of_several_frames(path: Path) -> None:
    """All of them or none: they are one transaction."""
    journal = Journal(path)
    count = 2 * EVENTS_PER_BATCH + 500
    inputs: list[Input] = [OpenAccount(number, "USD") for number in range(1, count + 1)]
    state = State()
    frames = live(journal, state, inputs)
    batches = [decode_batch(frame) for frame in frames]
    assert [(batch.first_seq, len(batch.events)) for batch in batches] == [(1, 1_000), (1_001, 1_000), (2_001, 500)]
    assert journal.events_from(1) == batches
    assert journal.events_from(1_000) == batches
    assert journal.events_from(1_001) == batches[1:]
    assert journal.events_from(2_500) == batches[2:]
    journal.close()
    assert recovered(path) == (encoded(state), START_NS)


def test_the_largest_batch_fits_a_frame(journal: Journal) -> None:
    """Orders and deposits with the longest names of the widest characters: a larger frame could not be read again."""
    state = State()
    live(journal, state, trading_inputs("1000000"))
    wide = "\U0001f409" * 56
    names = [f"{number:08}{wide}" for number in range(EVENTS_PER_BATCH)]
    turns: list[list[Input]] = [
        [order("EURUSD", BUY, "1", name) for name in names],
        [Deposit(1, 10**14, name, wide + "12345678") for name in names],
    ]
    for turn in turns:
        (frame,) = live(journal, state, turn)
        assert len(decode_batch(frame).events) == EVENTS_PER_BATCH


def test_events_are_given_in_pages(journal: Journal) -> None:
    for number in range(1, 151):
        journal.append(START_NS, [OpenAccount(number, "USD")], number, [AccountOpened(number, "USD")])
        journal.append(START_NS, [ObserveStream(START_NS)], number + 1, [])
    seen: list[int] = []
    pages = 0
    while batches := journal.events_from(len(seen) + 1):
        assert len(batches) <= PAGE_BATCHES
        seen += [batch.first_seq for batch in batches]
        pages += 1
    assert (seen, pages) == (list(range(1, 151)), 3)


def test_a_page_is_bounded_in_bytes_too(journal: Journal) -> None:
    """And holds one batch at least, so whoever asks gets on."""
    state = State()
    live(journal, state, trading_inputs("1000000"))
    for turn in range(5):
        live(journal, state, [order("EURUSD", BUY, "1", f"{turn}-{number:060}") for number in range(900)])
    seen, pages = 0, 0
    while batches := journal.events_from(seen + 1):
        sizes = [len(codec.encode(batch)) for batch in batches]
        assert len(sizes) == 1 or sum(sizes) <= PAGE_BYTES
        seen = batches[-1].first_seq + len(batches[-1].events) - 1
        pages += 1
    assert seen == state.event_seq
    assert pages > 2


@pytest.mark.parametrize("first_seq", [3, 4, 1_000, 2**63, 2**64 - 1])
def test_after_the_last_event_there_is_nothing(journal: Journal, first_seq: int) -> None:
    events: list[Event] = [AccountOpened(1, "USD"), AccountOpened(2, "USD")]
    journal.append(START_NS, [], 1, events)
    assert journal.events_from(first_seq) == []
    assert [journal.events_from(number) for number in (-(2**63), 0, 1, 2)] == [[EventBatch(1, START_NS, events)]] * 4


def test_a_few_snapshots_are_kept(journal: Journal, path: Path) -> None:
    state = State()
    for turn in TURNS:
        live(journal, state, turn)
        journal.save_snapshot(state)
    kept = sql(path, "SELECT batch_seq FROM snapshots ORDER BY batch_seq")
    assert kept == [(len(TURNS) - 1,), (len(TURNS),)]
    assert len(kept) == SNAPSHOTS_KEPT


@pytest.mark.parametrize("corrupt", [1, 2])
def test_a_corrupt_snapshot_is_passed_over(path: Path, corrupt: int) -> None:
    """For the one before it; and where that is corrupt too, for the whole journal."""
    journal, state = Journal(path), State()
    for turn in TURNS:
        live(journal, state, turn)
        journal.save_snapshot(state)
    journal.close()
    newest = "SELECT batch_seq FROM snapshots ORDER BY batch_seq DESC LIMIT ?"
    sql(path, f"UPDATE snapshots SET state = substr(state, 1, 100) WHERE batch_seq IN ({newest})", corrupt)  # noqa: S608
    assert recovered(path) == (encoded(state), START_NS)


def test_a_turn_that_cannot_be_written_is_not_there(path: Path) -> None:
    """A disk that is full, as SQLite sees one: the database may not grow by another page."""
    journal, state = Journal(path), State()
    live(journal, state, TURNS[0])
    before = encoded(state)
    (pages,) = journal._db.execute("PRAGMA page_count").fetchone()
    journal._db.execute(f"PRAGMA max_page_count = {pages}")
    inputs: list[Input] = [OpenAccount(number, "USD") for number in range(10, 3_000)]
    with pytest.raises(sqlite3.Error):
        live(journal, state, inputs)
    journal._db.execute("PRAGMA max_page_count = 1000000")
    assert len(journal.append(START_NS, [OpenAccount(2, "USD")], 9, [AccountOpened(2, "USD")])) == 1
    journal.close()
    journal = Journal(path)
    again, _ = journal.recover()
    journal.close()
    assert list(again.accounts) == [1, 2]
    assert before != encoded(again)


WRITER = """
import sys
from pathlib import Path
from actors.domain.broker import apply
from actors.domain.order import Side
from actors.domain.state import State
from actors.store.journal import Journal
from tests.examples import START_NS, order, trading_inputs
journal, state = Journal(Path(sys.argv[1])), State()
turn, number = trading_inputs(), 0
while True:
    events = [event for told in turn for event in apply(state, told, START_NS)]
    journal.append(START_NS, turn, state.event_seq - len(events) + 1, events)
    if number == 50:
        journal.save_snapshot(state)
    print(state.event_seq, flush=True)
    turn = [order("EURUSD", Side.BUY, "1", f"{number}-{part}") for part in range(1 + number % 3)]
    number += 1
"""


def test_what_append_returned_is_there_after_a_kill(path: Path) -> None:
    """kill -9 in the middle of its work: all that was acknowledged, and of the turn after it all or nothing."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(200)]
        writer.kill()
        acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
    assert writer.returncode == -signal.SIGKILL
    journal = Journal(path)
    state, _ = journal.recover()
    numbers: list[int] = []
    while batches := journal.events_from(len(numbers) + 1):
        for batch in batches:
            numbers += range(batch.first_seq, batch.first_seq + len(batch.events))
    journal.close()
    assert numbers == list(range(1, state.event_seq + 1))
    assert acknowledged[-1] <= state.event_seq <= acknowledged[-1] + 3
    fills = state.event_seq - 8
    assert (state.last_fill_id, len(state.accounts[1].positions)) == (fills, fills)
