"""Whatever an engine does, and however often it stops: its journal gives its state, and comes out again the same."""

import shutil
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.domain.commands import (
    DefineGroup,
    DefineHolidays,
    Deposit,
    HaltTrading,
    Input,
    RequestMoney,
    SetApprovalLimits,
)
from actors.domain.events.event import Event
from actors.domain.events.orders import OrderFilled
from actors.domain.group import STANDARD, Group
from actors.domain.halt import HaltScope
from actors.domain.snapshot import snapshot
from actors.domain.state import State
from actors.store import keeper, recovery, segments, snapshots
from actors.store.explaining import explain
from actors.store.journal import DAY_NS, Journal
from actors.store.reader import Reader
from actors.store.record import Turn
from actors.store.snapshots import state_hash
from tests.examples import START_NS
from tests.properties.test_determinism import random_inputs
from tests.store.turns import applied
from tools.verify import verify

INPUTS = random_inputs(11, 1_500)


class Life(RuleBasedStateMachine):
    """An engine's, day after day: turns, commits, restarts, snapshots, new files, compressed files."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hedgerow-"))
        self.path = self.folder / "engine.sqlite"
        self.journal = Journal(self.path)
        self.state = State()
        self.now_ns = START_NS
        self.place = 0
        self.turns: list[Turn] = []
        self.events: list[Event] = []
        self.fills: list[OrderFilled] = []
        self.turn(30)
        self.commit()

    @rule(count=st.integers(1, 60))
    def turn(self, count: int) -> None:
        """What came at one moment; the moments of a commit differ."""
        self.now_ns += 1_000_000
        turn, events = applied(self.state, self._next(count), self.now_ns)
        self.turns.append(turn)
        self.events += events

    def _next(self, count: int) -> list[Input]:
        given = INPUTS[self.place : self.place + count]
        self.place += count
        return given

    @precondition(lambda self: self.turns)
    @rule()
    def commit(self) -> None:
        first_event_seq = self.state.event_seq - len(self.events) + 1
        self.journal.append(self.turns, first_event_seq, self.events, self.state.last_fill_id)
        self.fills += [event for event in self.events if isinstance(event, OrderFilled)]
        self.turns, self.events = [], []

    @precondition(lambda self: not self.turns)
    @rule()
    def stop_and_start(self) -> None:
        before = state_hash(self.state)
        assert self.journal.save_snapshot(self.state) == before
        self.kill_and_start()
        assert state_hash(self.state) == before

    @rule()
    def kill_and_start(self) -> None:
        """What was not committed is gone."""
        self.journal.close()
        self.journal = Journal(self.path)
        found = self.journal.recover()
        assert not found.faults
        self.state, self.turns, self.events = found.state, [], []
        self.now_ns = max(self.now_ns, found.now_ns)

    @rule()
    def keep(self) -> None:
        keeper.keep(self.path)

    @rule()
    def next_day(self) -> None:
        self.now_ns += DAY_NS

    @precondition(lambda self: self.fills)
    @rule(which=st.integers(0, 10_000))
    def ask_why(self, which: int) -> None:
        filled = self.fills[which % len(self.fills)]
        told = explain(self.path, filled.fill.fill_id)
        assert (getattr(told, "fill", None), getattr(told, "order", None)) == (filled.fill, filled.order)

    @invariant()
    def a_snapshot_and_the_tail_give_what_the_first_record_on_gives(self) -> None:
        reader = Reader(self.path)
        by_snapshot = recovery.recover(self.path, reader)
        replayed = verify(self.path, lambda done, whole: None)
        kept = snapshots.listed(self.path)
        for one in kept:
            one.path.rename(one.path.with_suffix(".away"))
        by_all = recovery.recover(self.path, reader)
        for one in kept:
            one.path.with_suffix(".away").rename(one.path)
        reader.close()
        assert by_all.snapshot_batch_seq == 0
        assert state_hash(by_snapshot.state) == state_hash(by_all.state) == replayed.state_hash
        assert by_snapshot.now_ns == by_all.now_ns
        if not self.turns:
            assert replayed.state_hash == state_hash(self.state)
        assert replayed.snapshots == len(kept)

    @invariant()
    def followers_get_every_event_once(self) -> None:
        seq = 1
        while batches := self.journal.events_from(seq):
            for batch in batches:
                assert batch.first_seq == seq
                seq += len(batch.events)
        assert seq == self.state.event_seq - len(self.events) + 1

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()
            shutil.rmtree(self.folder)


Life.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
TestLife = Life.TestCase


def test_the_hash_is_of_every_part_of_the_state() -> None:
    """A field that is not in it would make two states look the same."""
    state = State()
    staff: list[Input] = [
        DefineHolidays("USD", (20_474,), "anna", "new year"),
        SetApprovalLimits({"USD": 1}),
        RequestMoney(Deposit(1, 100, "asked", "anna"), "as agreed"),
        HaltTrading(HaltScope.ALL, "", "anna", "news"),
        DefineGroup(Group(STANDARD, leverage=5)),
    ]
    applied(state, [*INPUTS[:200], *staff])
    whole = snapshot(state)
    seen = {state_hash(state)}
    for name in whole.__struct_fields__:
        value = getattr(whole, name)
        other = value + 1 if isinstance(value, int) else type(value)()
        if other == value:
            continue
        changed = msgspec.structs.replace(whole, **{name: other})
        seen.add(snapshots.hash_of(msgspec.msgpack.encode(changed)))
    assert len(seen) == 1 + len(whole.__struct_fields__)


def test_more_than_a_file_may_hold_begins_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.store.journal.SEGMENT_LIMIT_BYTES", 20_000)
    path = tmp_path / "engine.sqlite"
    journal, state = Journal(path), State()
    for start in range(0, 1_500, 30):
        turn, events = applied(state, INPUTS[start : start + 30], START_NS + start)
        journal.append([turn], state.event_seq - len(events) + 1, events, state.last_fill_id)
    files = len(segments.listed(path))
    assert files > 5
    keeper.keep(path)
    suffixes = [segment.path.suffix for segment in segments.listed(path)]
    assert suffixes == [segments.ARCHIVE] * (files - 1) + [".sqlite"]
    journal.close()
    sizes = [segment.path.stat().st_size for segment in segments.listed(path)]
    assert max(sizes[:-1]) < 40_000
    assert verify(path, lambda done, whole: None).state_hash == state_hash(state)
