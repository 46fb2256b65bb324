"""The recorder where the database fails at the worst moment, and at its bounds."""

import itertools
from pathlib import Path

import pytest

from actors.bus.answers import Refusal, Ticks
from actors.bus.requests import GetOrders, GetTickHistory
from actors.bus.streams import EventBatch
from actors.domain.quote import Tick
from actors.store import recorder as module
from actors.store.database import DatabaseAway
from actors.store.database import database_url as sqlalchemy_url
from actors.store.history import EVENTS, EVENTS_TIME, History
from actors.store.recorder import Recorder
from tests.store import facts

SECOND_NS = 1_000_000_000


class Severed(History):
    """The connection breaks after each commit, before its answer comes back."""

    def store_ticks(self, ticks: list[Tick]) -> None:  # type: ignore[override]
        super().store_ticks(ticks)
        raise DatabaseAway("the answer to COMMIT was lost")

    def store_events(self, first_seq: int, events: list[object], time_ns: int = 0) -> None:  # type: ignore[override]
        super().store_events(first_seq, events, time_ns)  # type: ignore[arg-type]
        raise DatabaseAway("the answer to COMMIT was lost")


def nowhere() -> History:
    raise DatabaseAway("nothing listens there")


def test_a_commit_whose_answer_was_lost_is_not_done_again(database_url: str, tmp_path: Path) -> None:
    recorder = Recorder(lambda: Severed(sqlalchemy_url(Path(), database_url)), tmp_path / "credentials.json")
    ticks, events = facts.ticks("EURUSD", 1, 30), facts.day(20)
    assert recorder.connect(0) == {}
    recorder.take_events([EventBatch(1, 5, events)])
    recorder.write(0)
    assert (recorder.is_away, recorder.stored_seq) == (True, 0)
    assert recorder.connect(SECOND_NS) == {EVENTS: 20, EVENTS_TIME: 5}
    recorder.write(SECOND_NS)
    assert (recorder.fault, recorder.stored_seq) == ("", 20)
    recorder.take_ticks(ticks[:20])
    recorder.write(2 * SECOND_NS)
    assert recorder.is_away
    recorder.take_ticks(ticks[20:])
    assert recorder.connect(4 * SECOND_NS) == {EVENTS: 20, EVENTS_TIME: 5, "tick:EURUSD": 20}
    recorder.write(4 * SECOND_NS)
    assert recorder.connect(9 * SECOND_NS) == {EVENTS: 20, EVENTS_TIME: 5, "tick:EURUSD": 30}
    assert recorder.answer(GetTickHistory("EURUSD", 100, 0), 0) == Ticks("EURUSD", ticks)
    recorder.close()


def test_without_a_database_the_oldest_ticks_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICKS_BUFFERED_MAX", 10)
    recorder = Recorder(nowhere, Path("credentials.json"))
    ticks = facts.ticks("EURUSD", 1, 25)
    assert recorder.connect(0) is None
    recorder.take_ticks(ticks)
    assert recorder.counters == {"ticks_dropped": 15}
    refusal = Refusal("UNAVAILABLE", "the history cannot be read: nothing listens there")
    assert recorder.answer(GetOrders(1, 1, 0, 0), 0) == refusal
    assert (recorder.has_room, recorder.fault) == (False, "nothing listens there")


def test_it_is_tried_again_later_and_later() -> None:
    tries: list[int] = []
    now_ns = 0

    def connect() -> History:
        tries.append(now_ns)
        raise DatabaseAway("nothing listens there")

    recorder = Recorder(connect, Path("credentials.json"))
    for now_ns in range(0, 60 * SECOND_NS, SECOND_NS // 20):
        recorder.connect(now_ns)
    pauses_ms = [(later - earlier) // 1_000_000 for earlier, later in itertools.pairwise(tries)]
    assert pauses_ms[:8] == [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]


def test_events_are_taken_up_to_a_bound(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "EVENTS_BUFFERED_MAX", 50)
    monkeypatch.setattr(module, "EVENTS_PER_TRANSACTION", 20)
    recorder = Recorder(lambda: History(sqlalchemy_url(Path(), database_url)), tmp_path / "credentials.json")
    recorder.connect(0)
    events = facts.day(60)
    recorder.take_events([EventBatch(first + 1, 0, events[first : first + 10]) for first in range(0, 60, 10)])
    assert not recorder.has_room
    seen = []
    for turn in range(4):
        recorder.write(turn)
        seen.append((recorder.stored_seq, recorder.has_room))
    assert seen == [(20, True), (40, True), (60, True), (60, True)]
    recorder.close()


def test_what_comes_before_an_event_that_is_refused_is_stored(database_url: str, tmp_path: Path) -> None:
    recorder = Recorder(lambda: History(sqlalchemy_url(Path(), database_url)), tmp_path / "credentials.json")
    recorder.connect(0)
    opening = EventBatch(1, 0, facts.opening())
    recorder.take_events([opening, EventBatch(4, 0, [facts.filled(1)]), EventBatch(5, 0, [facts.filled(1)])])
    for turn in range(5):
        recorder.write(turn)
    assert recorder.stored_seq == 4
    assert recorder.fault.startswith("events 5 to 5 cannot be stored: duplicate key")
    recorder.close()
