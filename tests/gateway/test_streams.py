"""An LP's instruments over several connections: which goes where, and what follows from a change."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import streams
from gateway.streams import LpStreams, assign
from gateway.venues.events import VenueEvent, VenueHeartbeat
from gateway.venues.interface import ConnectionLost, Events, Parser, Patience, Tap, VenueInstrument

PATIENCE = Patience(backoff_first_ms=1, backoff_cap_ms=2)
NAMES = st.lists(st.sampled_from("ABCDEFGHIJ"), unique=True)


def test_new_instruments_fill_the_room_that_there_is_and_none_moves() -> None:
    plan = assign({}, list("ABCDE"), 2)
    assert plan == {1: ["A", "B"], 2: ["C", "D"], 3: ["E"]}
    plan = assign(plan, list("BCDEFGHI"), 2)
    assert plan == {1: ["B", "F"], 2: ["C", "D"], 3: ["E", "G"], 4: ["H", "I"]}
    assert assign(plan, list("CD"), 2) == {2: ["C", "D"]}


@given(st.lists(NAMES, max_size=6), st.integers(1, 4))
def test_every_plan_has_each_instrument_once_and_moves_none(wishes: list[list[str]], limit: int) -> None:
    plan: dict[int, list[str]] = {}
    for wanted in wishes:
        after = assign(plan, wanted, limit)
        assert sorted(name for names in after.values() for name in names) == sorted(wanted)
        assert all(0 < len(names) <= limit for names in after.values())
        was = {name: number for number, names in plan.items() for name in names}
        now = {name: number for number, names in after.items() for name in names}
        assert all(now[name] == number for name, number in was.items() if name in now)
        plan = after


class ScriptedVenue:
    """Two instruments a stream. Its streams beat until they are cut; they know what they were opened with."""

    instruments_per_stream = 2

    def __init__(self, listed: set[str] | None = None, changes: bool = False) -> None:
        self.listed = listed
        self.changes = changes
        self.opened: list[tuple[str, ...]] = []
        self.living: dict[int, tuple[str, ...]] = {}
        self.asked = 0

    def stream(self, instruments: Sequence[str], tap: Tap | None = None) -> "ScriptedStream":
        if any(not name.isalpha() for name in instruments):
            raise ValueError("no such name")
        return ScriptedStream(self, tuple(instruments))

    def parser(self) -> Parser:
        return lambda _: []

    async def instruments(self) -> dict[str, VenueInstrument] | None:
        self.asked += 1
        return None if self.listed is None else {name: VenueInstrument(name) for name in self.listed}


class ScriptedStream:
    def __init__(self, venue: ScriptedVenue, instruments: tuple[str, ...]) -> None:
        self.venue = venue
        self.names = instruments

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Events]:
        self.venue.opened.append(self.names)
        self.venue.living[id(self)] = self.names
        try:
            yield self._beats()
        finally:
            del self.venue.living[id(self)]

    async def change(self, instruments: Sequence[str]) -> bool:
        self.names = tuple(instruments)
        if self.venue.changes:
            self.venue.living[id(self)] = self.names
        return self.venue.changes

    async def _beats(self) -> AsyncIterator[list[VenueEvent]]:
        while True:
            yield [VenueHeartbeat(1)]
            await asyncio.sleep(0.001)


class Told:
    """Runs the streams of a venue, and keeps what they tell."""

    def __init__(self, venue: ScriptedVenue) -> None:
        self.venue = venue
        self.states: list[tuple[int, bool, str]] = []
        self.plans: list[tuple[dict[int, list[str]], dict[str, str]]] = []
        self.streams = LpStreams(
            venue,
            lambda stream, events: None,
            lambda stream, up, detail: self.states.append((stream, up, detail)),
            lambda plan, missing: self.plans.append(({n: list(names) for n, names in plan.items()}, dict(missing))),
            PATIENCE,
            random.Random(1),
        )

    async def living(self, *expected: str) -> None:
        """Waits until these, and only these, are subscribed."""
        async with asyncio.timeout(90):
            while sorted(name for names in self.venue.living.values() for name in names) != sorted(expected):
                await asyncio.sleep(0.001)


def running(venue: ScriptedVenue, script: Any) -> Told:
    async def run() -> Told:
        told = Told(venue)
        task = asyncio.create_task(told.streams.run())
        await script(told)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return told

    return asyncio.run(run())


def test_more_instruments_than_one_stream_carries_are_split_and_changed_while_they_run() -> None:
    async def script(told: Told) -> None:
        told.streams.want(list("ABC"))
        await told.living("A", "B", "C")
        told.streams.want(list("BCDE"))
        await told.living("B", "C", "D", "E")
        told.streams.want(list("B"))
        await told.living("B")

    told = running(ScriptedVenue(), script)
    assert told.plans == [
        ({1: ["A", "B"], 2: ["C"]}, {}),
        ({1: ["B", "D"], 2: ["C", "E"]}, {}),
        ({1: ["B"]}, {}),
    ]
    assert (2, False, "stopped") in told.states
    assert (1, False, "for other instruments") in told.states
    assert told.venue.living == {}


def test_a_living_connection_that_can_be_changed_is_not_opened_anew() -> None:
    async def script(told: Told) -> None:
        told.streams.want(["A"])
        await told.living("A")
        told.streams.want(["B"])
        await told.living("B")

    assert running(ScriptedVenue(changes=True), script).venue.opened == [("A",)]


def test_what_the_lp_does_not_list_or_cannot_be_asked_for_is_told_and_left_out() -> None:
    async def script(told: Told) -> None:
        told.streams.want(["A", "X", "B-"])
        await told.living("A")

    told = running(ScriptedVenue({"A", "B-"}), script)
    assert told.plans == [({1: ["A"]}, {"X": "unlisted", "B-": "unaskable"})]


def test_the_list_is_looked_at_again_after_a_reconnect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LIST_INTERVAL_S", 0.0)

    async def script(told: Told) -> None:
        told.streams.want(["A", "B"])
        await told.living("A")
        told.venue.listed = {"A", "B"}
        told.streams.reopen("for a test")
        await told.living("A", "B")

    told = running(ScriptedVenue({"A"}), script)
    assert [missing for _, missing in told.plans] == [{"B": "unlisted"}, {}]
    assert (1, False, "for a test") in told.states


def test_without_the_list_everything_is_asked_for() -> None:
    class Silent(ScriptedVenue):
        async def instruments(self) -> dict[str, VenueInstrument] | None:
            raise ConnectionLost("no")

    async def script(told: Told) -> None:
        told.streams.want(["A", "B"])
        await told.living("A", "B")

    assert [missing for _, missing in running(Silent(), script).plans] == [{}]


def test_what_a_callback_raises_ends_it() -> None:
    async def run() -> None:
        told = Told(ScriptedVenue())

        def fail(*_: object) -> None:
            raise ArithmeticError

        told.streams = LpStreams(told.venue, fail, lambda *_: None, lambda *_: None, PATIENCE, random.Random(1))
        told.streams.want(["A"])
        with pytest.raises(ExceptionGroup) as group:
            await asyncio.wait_for(told.streams.run(), 90)
        assert group.group_contains(ArithmeticError)

    asyncio.run(run())
