"""The journal on real files."""

import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.bus import codec
from actors.bus.streams import EventBatch
from actors.domain.commands import Deposit, Input, ObserveStream, OpenAccount
from actors.domain.events.accounts import AccountOpened
from actors.domain.events.event import Event
from actors.domain.state import State
from actors.store.journal import Full, InUse, Journal
from actors.store.reader import PAGE_BATCHES, PAGE_BYTES, Reader
from actors.store.record import EVENTS_PER_ROW, Row, Turn
from tests.conftest import ROOT
from tests.examples import START_NS, encoded, order, trading_inputs
from tests.store.turns import BUY, TURNS, live, recovered

decode_batch = codec.decoder(EventBatch)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "engine.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    made = Journal(path)
    yield made
    made.close()


def opening(number: int) -> tuple[list[Turn], list[Event]]:
    """An account that is opened."""
    return [Turn(START_NS, [OpenAccount(number, "USD")], [1])], [AccountOpened(number, "USD")]


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
    again = journal.recover().state
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
    turns, events = opening(1)
    journal.append(turns, 1, events, 0)


def test_a_closed_journal_can_be_opened(path: Path) -> None:
    for _ in range(2):
        Journal(path).close()


def test_more_events_than_a_frame_holds_are_one_turn_of_several_frames(path: Path) -> None:
    """All of them or none: they are one transaction."""
    journal = Journal(path)
    count = 2 * EVENTS_PER_ROW + 500
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
    names = [f"{number:08}{wide}" for number in range(EVENTS_PER_ROW)]
    turns: list[list[Input]] = [
        [order("EURUSD", BUY, "1", name) for name in names],
        [Deposit(1, 9 * 10**14, name, wide + "12345678") for name in names],
    ]
    for turn in turns:
        (frame,) = live(journal, state, turn)
        assert len(decode_batch(frame).events) == EVENTS_PER_ROW


def test_events_are_given_in_pages(journal: Journal) -> None:
    for number in range(1, 151):
        turns, events = opening(number)
        journal.append(turns, number, events, 0)
        journal.append([Turn(START_NS, [ObserveStream(START_NS)], [0])], number + 1, [], 0)
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


class Counting(Reader):
    """Counts the rows that it looks up one by one."""

    looked_up = 0

    def row(self, batch_seq: int) -> Row:
        self.looked_up += 1
        return super().row(batch_seq)


def test_who_follows_page_by_page_is_not_searched_for_anew(journal: Journal) -> None:
    """Between any two events lie prices that caused nothing. Two follow in turn, one of them a page behind."""
    state = State()
    live(journal, state, trading_inputs("1000000"))
    for turn in range(4 * PAGE_BATCHES):
        for _ in range(turn % 4):
            live(journal, state, [ObserveStream(START_NS)])
        live(journal, state, [order("EURUSD", BUY, "1", f"{turn}")])
    reader, costs = Counting(journal.path), []
    seen = [next_seq(reader.events_from(1)) - 1, 0]
    for _ in range(2):
        for place in range(2):
            before = reader.looked_up
            batches = reader.events_from(seen[place] + 1)
            assert batches[0].first_seq == seen[place] + 1
            seen[place] = next_seq(batches) - 1
            costs.append(reader.looked_up - before)
    assert max(costs[2:]) < 6 * PAGE_BATCHES
    while batches := reader.events_from(seen[0] + 1):
        seen[0] = next_seq(batches) - 1
    assert seen[0] == state.event_seq
    reader.close()


def next_seq(batches: list[EventBatch]) -> int:
    return batches[-1].first_seq + len(batches[-1].events)


@pytest.mark.parametrize("first_seq", [3, 4, 1_000, 2**63, 2**64 - 1])
def test_after_the_last_event_there_is_nothing(journal: Journal, first_seq: int) -> None:
    events: list[Event] = [AccountOpened(1, "USD"), AccountOpened(2, "USD")]
    journal.append([Turn(START_NS, [], [])], 1, events, 0)
    assert journal.events_from(first_seq) == []
    assert [journal.events_from(number) for number in (-(2**63), 0, 1, 2)] == [[EventBatch(1, START_NS, events)]] * 4


def test_a_turn_that_there_is_no_room_for_is_not_there(path: Path) -> None:
    """A disk that is full, as SQLite sees one: the database may not grow by another page."""
    journal, state = Journal(path), State()
    live(journal, state, TURNS[0])
    (pages,) = journal._db.execute("PRAGMA page_count").fetchone()
    journal._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Full, match="database or disk is full"):
        live(journal, state, [OpenAccount(number, "USD") for number in range(10, 3_000)])
    assert not journal.has_room()
    journal._db.execute("PRAGMA max_page_count = 1000000")
    assert journal.has_room()
    again = journal.recover().state
    assert list(again.accounts) == [1]
    live(journal, again, [OpenAccount(2, "USD")])
    journal.close()
    assert recovered(path)[0] == encoded(again)


WRITER = """
import sys
from pathlib import Path
from actors.domain.order import Side
from actors.domain.state import State
from actors.store.journal import Journal
from tests.examples import order, trading_inputs
from tests.store.turns import live
journal, state = Journal(Path(sys.argv[1])), State()
turn, number = trading_inputs(), 0
while True:
    live(journal, state, turn)
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
    state = journal.recover().state
    numbers: list[int] = []
    while batches := journal.events_from(len(numbers) + 1):
        for batch in batches:
            numbers += range(batch.first_seq, batch.first_seq + len(batch.events))
    journal.close()
    assert numbers == list(range(1, state.event_seq + 1))
    assert acknowledged[-1] <= state.event_seq <= acknowledged[-1] + 3
    fills = state.event_seq - 8
    assert (state.last_fill_id, len(state.accounts[1].positions)) == (fills, fills)
