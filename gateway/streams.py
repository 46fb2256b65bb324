"""All of an LP's instruments, subscribed over as many connections as the LP needs, and changed while they run."""

import asyncio
import random
from collections.abc import Callable, Collection, Mapping, Sequence

from gateway.connection import Connection
from gateway.venues.events import VenueEvent
from gateway.venues.interface import ConnectionLost, Patience, Venue

LIST_TIMEOUT_S = 10.0
LIST_INTERVAL_S = 60.0
"""The LP's list of instruments is asked for after each connect, but not more often."""

Plan = Mapping[int, Sequence[str]]
"""The instruments of each stream, by the stream's number."""
OnEvents = Callable[[int, list[VenueEvent]], None]
OnState = Callable[[int, bool, str], None]
OnPlan = Callable[[Plan, Mapping[str, str]], None]
"""The plan, and the wanted instruments that are in no stream, each with the reason: unlisted, unaskable."""


def assign(plan: Plan, wanted: Collection[str], limit: int) -> dict[int, list[str]]:
    """The plan in which each wanted instrument is in one stream, none has more than `limit`, and as few as can be move.

    New instruments fill the streams that have room, then new streams, which get the numbers after the highest.
    """
    after = {number: [name for name in names if name in wanted] for number, names in plan.items()}
    placed = {name for names in after.values() for name in names}
    waiting = [name for name in dict.fromkeys(wanted) if name not in placed]
    for names in after.values():
        room = max(limit - len(names), 0)
        names.extend(waiting[:room])
        del waiting[:room]
    after = {number: names for number, names in after.items() if names}
    number = max(plan, default=0)
    while waiting:
        number += 1
        after[number] = waiting[:limit]
        del waiting[:limit]
    return after


class LpStreams:
    """Runs on one event loop, on which it calls back. What a callback raises ends `run`."""

    def __init__(
        self,
        venue: Venue,
        on_events: OnEvents,
        on_state: OnState,
        on_plan: OnPlan,
        patience: Patience,
        chance: random.Random,
    ) -> None:
        self._venue = venue
        self._on_events = on_events
        self._on_state = on_state
        self._on_plan = on_plan
        self._patience = patience
        self._chance = chance
        self._wanted: tuple[str, ...] = ()
        self._plan: dict[int, list[str]] = {}
        self._missing: dict[str, str] = {}
        self._connections: dict[int, Connection] = {}
        self._look_again = asyncio.Event()
        self._listed: Collection[str] | None = None
        self._listed_at: float | None = None

    def want(self, instruments: Sequence[str]) -> None:
        """From now on these."""
        self._wanted = tuple(instruments)
        self._look_again.set()

    def reopen(self, why: str) -> None:
        """All connections anew: what waits in them to be read is dropped."""
        for connection in self._connections.values():
            connection.reopen(why)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._look_again.wait()
                self._look_again.clear()
                await self._list()
                await self._follow(tasks)

    async def _list(self) -> None:
        """What the LP lists, where it has a list and gives it; else what it gave last."""
        now = asyncio.get_running_loop().time()
        if self._listed_at is not None and now - self._listed_at < LIST_INTERVAL_S:
            return
        self._listed_at = now
        try:
            async with asyncio.timeout(LIST_TIMEOUT_S):
                self._listed = await self._venue.instruments()
        except (ConnectionLost, TimeoutError):
            self._listed_at = None

    async def _follow(self, tasks: asyncio.TaskGroup) -> None:
        missing = {name: fault for name in self._wanted if (fault := self._fault(name))}
        wanted = {name: None for name in self._wanted if name not in missing}
        before, self._plan = self._plan, assign(self._plan, wanted, self._venue.instruments_per_stream)
        if self._plan != before or missing != self._missing:
            self._missing = missing
            self._on_plan(self._plan, missing)
        for number in before.keys() - self._plan.keys():
            self._connections.pop(number).stop()
        for number, names in self._plan.items():
            if number not in before:
                self._open(number, names, tasks)
            elif names != before[number]:
                await self._connections[number].change(names)

    def _fault(self, name: str) -> str:
        """Why an instrument cannot be subscribed to, or nothing. One that is not listed may make the LP refuse all."""
        if self._listed is not None and name not in self._listed:
            return "unlisted"
        try:
            self._venue.stream([name])
        except ValueError:
            return "unaskable"
        return ""

    def _open(self, number: int, names: Sequence[str], tasks: asyncio.TaskGroup) -> None:
        def on_state(up: bool, detail: str) -> None:
            self._on_state(number, up, detail)
            if up:
                self._look_again.set()

        self._connections[number] = Connection(
            self._venue.stream(names),
            lambda events: self._on_events(number, events),
            on_state,
            self._patience,
            self._chance,
        )
        tasks.create_task(self._connections[number].run())
