"""Events in order, each once, whatever the stream loses."""

import asyncio
from typing import Any

import pytest

from actors.bus import codec, topics
from actors.bus.answers import Events, Refusal
from actors.bus.asking import Away, Declined, NoAnswer
from actors.bus.following import EventStream
from actors.bus.requests import GetEvents
from actors.bus.streams import EventBatch
from actors.domain.events.accounts import AccountOpened
from actors.domain.events.event import Event

pytestmark = pytest.mark.anyio

PAST = [EventBatch(seq, seq, [AccountOpened(seq, "USD"), AccountOpened(seq + 1, "USD")]) for seq in range(1, 40, 2)]
"""Events 1 to 40, two to a batch; each names its number."""


class Journal:
    """Answers GetEvents in pages of two batches; `faults` come first."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.asked: list[int] = []
        self.begins = 1
        self.on_ask: Any = lambda: None

    async def ask(self, question: GetEvents, answer: type[Events], timeout_ms: int) -> Events:
        self.asked.append(question.first_seq)
        await asyncio.sleep(0)
        self.on_ask()
        if self.faults:
            raise self.faults.pop(0)
        known = [b for b in PAST if b.first_seq >= self.begins and b.first_seq + len(b.events) > question.first_seq]
        return Events(known[:2])


class Follower:
    def __init__(self, journal: Journal, before: int = 0) -> None:
        self.seqs: list[int] = []
        self.lost = 0
        self.stream = EventStream(journal, self._deliver, self._lose, before=before)  # type: ignore[arg-type]

    def _deliver(self, seq: int, time_ns: int, event: Event) -> None:
        assert isinstance(event, AccountOpened)
        assert event.account_id == seq
        self.seqs.append(seq)

    def _lose(self) -> None:
        self.lost += 1

    def hear(self, *batches: EventBatch) -> None:
        self.stream.receive([[codec.encode(batch, topics.EVENTS)] for batch in batches])

    async def settle(self) -> None:
        task = asyncio.create_task(self.stream.fill_holes())
        for _ in range(200):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_events_of_before_are_fetched_when_they_are_wanted() -> None:
    for before, first in ((4, 7), (100, 1)):
        follower = Follower(Journal(), before)
        follower.hear(PAST[5])
        assert follower.seqs == []
        await follower.settle()
        follower.hear(PAST[6], PAST[7])
        assert (follower.seqs, follower.lost, follower.stream.gaps) == (list(range(first, 17)), 0, 0)


async def test_it_begins_with_what_it_hears_first_and_takes_each_event_once() -> None:
    follower = Follower(Journal())
    follower.hear(PAST[5], PAST[5], PAST[4], PAST[6], EventBatch(13, 0, [AccountOpened(13, "USD")]), PAST[7])
    assert follower.seqs == [11, 12, 13, 14, 15, 16]
    follower.hear(EventBatch(14, 0, [AccountOpened(14 + i, "USD") for i in range(5)]))
    assert follower.seqs == [11, 12, 13, 14, 15, 16, 17, 18]
    assert (follower.stream.gaps, follower.lost) == (0, 0)


async def test_a_heartbeat_tells_where_the_stream_stands_and_what_is_missing() -> None:
    journal = Journal()
    follower = Follower(journal)
    follower.hear(EventBatch(11, 0, []))
    assert follower.seqs == []
    follower.hear(EventBatch(20, 0, []))
    await follower.settle()
    assert follower.seqs == list(range(11, 23))
    assert journal.asked == [11, 15, 19]
    follower.hear(PAST[10], PAST[11])
    assert follower.seqs == list(range(11, 25))


async def test_what_comes_while_a_hole_is_filled_is_fetched_too() -> None:
    journal = Journal()
    follower = Follower(journal)
    follower.hear(PAST[0])
    journal.on_ask = lambda: follower.hear(PAST[len(journal.asked) + 8])
    follower.hear(PAST[5])
    await follower.settle()
    assert follower.seqs == list(range(1, follower.seqs[-1] + 1))
    assert follower.seqs[-1] >= 24
    assert follower.lost == 0


async def test_an_engine_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.bus.following.RETRY_S", 0)
    follower = Follower(Journal(Away("x"), NoAnswer("x")))
    follower.hear(PAST[0], PAST[2])
    await follower.settle()
    assert (follower.seqs, follower.lost) == ([1, 2, 3, 4, 5, 6], 0)


async def test_what_cannot_be_had_is_lost_and_the_stream_goes_on() -> None:
    refused = Follower(Journal(Declined(Refusal("GONE", "gone"))))
    trimmed = Follower(Journal())
    trimmed.stream._engine.begins = 9  # type: ignore[attr-defined]
    for follower in (refused, trimmed):
        follower.hear(PAST[0], PAST[5])
        await follower.settle()
        assert follower.lost == 1
        follower.hear(PAST[6])
        assert follower.seqs == [1, 2, 13, 14]
