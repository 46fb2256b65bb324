"""A feed process, `python -m actors.feed NAME`: one LP's connections, as the registry has them."""

import asyncio
import os
import random
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pykka
import structlog
import zmq

from actors import process
from actors.bus import codec, sockets, topics
from actors.bus.endpoints import Endpoints
from actors.bus.streams import LpsAnnounced
from actors.domain.calendar import Sessions
from actors.domain.prices.lp_registry import Lp
from actors.quoting.lp_address import venue_of
from actors.quoting.lp_feed import (
    Asked,
    Beat,
    Connected,
    Faulty,
    Feed,
    Followed,
    Heard,
    Opening,
    Planned,
    Stalled,
    Told,
)
from config import catalogue
from config.settings import Settings
from gateway.streams import LpStreams
from gateway.venues.events import VenueEvent
from gateway.venues.interface import BadSettings, Patience, Venue

STATUS_INTERVAL_S = 1.0
TURN_INTERVAL_S = 0.05
STALL_LIMIT_NS = 1_000_000_000
"""Turns come every TURN_INTERVAL_S. After a pause of more than this, what waits to be read is of an unknown age."""

_decode_announced = codec.decoder(LpsAnnounced)


class FeedRunner:
    """Follows the registry, turns the connections' loop, asks the actor with what they hear, sends what it answers."""

    def __init__(
        self,
        name: str,
        actor: pykka.ActorRef[Any],
        venue_of: Callable[[Lp], Venue],
        quotes: zmq.Socket[bytes],
        announcements: zmq.Socket[bytes],
        clock_ns: Callable[[], int],
        is_orphan: Callable[[], bool] = lambda: False,
    ) -> None:
        self._name = name
        self._actor = actor
        self._venue_of = venue_of
        self._quotes = quotes
        self._announcements = announcements
        self._clock_ns = clock_ns
        self._is_orphan = is_orphan
        self._log = structlog.get_logger()
        self._lp: Lp | None = None
        self._sessions: dict[str, Sessions] = {}
        self._aggregator_started_ns = 0
        self._streams: LpStreams | None = None
        self._reading: asyncio.Task[None] | None = None
        self._turned_ns = 0
        self._backlogged: set[int] = set()
        """Streams whose waiting bytes are to be dropped."""
        self._up: set[int] = set()
        self._is_over = False

    def run(self, stopping: Callable[[], bool]) -> None:
        """Until `stopping`, until the LP is taken out of the registry, or until the parent process is gone."""
        asyncio.run(self._run(stopping))

    async def _run(self, stopping: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        next_beat = loop.time()
        self._turned_ns = self._clock_ns()
        while not (stopping() or self._is_over or self._is_orphan()):
            self._look_for_a_stall()
            await self._hear_announcements()
            if self._reading is not None and self._reading.done():
                self._reading.result()
            if loop.time() >= next_beat:
                self._ask(Beat(self._clock_ns()))
                next_beat = loop.time() + STATUS_INTERVAL_S
            await asyncio.sleep(TURN_INTERVAL_S)
        await self._close()

    async def _hear_announcements(self) -> None:
        newest: LpsAnnounced | None = None
        with suppress(zmq.Again):
            while True:
                frame = self._announcements.recv(zmq.NOBLOCK)
                with suppress(codec.BadFrame):
                    newest = _decode_announced(codec.topic_and_body(frame)[1])
        if newest is None:
            return
        if newest.sessions != self._sessions:
            self._sessions = newest.sessions
            self._ask(Opening(newest.sessions))
        lp = newest.registry.lps.get(self._name)
        if lp is None or not lp.enabled:
            self._log.info("not in the registry any more" if lp is None else "disabled")
            self._is_over = True
        elif lp != self._lp:
            await self._follow(lp)
        if newest.started_ns != self._aggregator_started_ns:
            self._aggregator_started_ns = newest.started_ns
            self._ask(Asked(self._clock_ns()))

    async def _follow(self, lp: Lp) -> None:
        before, self._lp = self._lp, lp
        self._ask(Followed(self._clock_ns(), lp))
        if before is None or _connection_of(before) != _connection_of(lp):
            await self._close()
            try:
                venue = self._venue_of(lp)
            except BadSettings as error:
                self._log.error("settings", detail=str(error))
                self._ask(Faulty(self._clock_ns(), f"settings: {error}"))
                return
            patience = Patience(silence_timeout_ms=lp.silence_timeout_ms)
            self._streams = LpStreams(
                venue, self._on_events, self._on_state, self._on_plan, patience, random.SystemRandom()
            )
            self._reading = asyncio.create_task(self._streams.run())
        if self._streams is not None:
            self._streams.want(list(lp.symbols.values()))

    async def _close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        self._streams = self._reading = None
        self._up.clear()
        self._backlogged.clear()

    def _look_for_a_stall(self) -> None:
        """The process was stopped, the machine asleep or the loop blocked: quotes without a time would pass as new."""
        now_ns = self._clock_ns()
        paused_ns, self._turned_ns = now_ns - self._turned_ns, now_ns
        if paused_ns <= STALL_LIMIT_NS or self._streams is None or not self._up:
            return
        self._log.warning("stalled", pause_ms=paused_ns // 1_000_000)
        self._backlogged |= self._up
        self._ask(Stalled())
        self._streams.reopen(f"dropped what came during a pause of {paused_ns // 1_000_000} ms")

    def _on_events(self, stream: int, events: list[VenueEvent]) -> None:
        self._look_for_a_stall()
        if stream not in self._backlogged:
            self._ask(Heard(self._clock_ns(), stream, events))

    def _on_state(self, stream: int, up: bool, detail: str) -> None:
        if up:
            self._up.add(stream)
        else:
            self._up.discard(stream)
        self._backlogged.discard(stream)
        self._log.info("connected" if up else "disconnected", stream=stream, detail=detail)
        self._ask(Connected(self._clock_ns(), stream, up, detail))

    def _on_plan(self, plan: Any, missing: Any) -> None:
        if missing:
            self._log.warning("instruments missing", **missing)
        self._ask(Planned(self._clock_ns(), {number: tuple(names) for number, names in plan.items()}, dict(missing)))

    def _ask(self, message: Told) -> None:
        for frame in self._actor.ask(message, block=True):
            self._quotes.send(frame, zmq.NOBLOCK)


def _connection_of(lp: Lp) -> tuple[object, ...]:
    """What makes another connection, where it changes."""
    return lp.adapter, lp.settings, lp.silence_timeout_ms


def build(name: str, parent: int, settings: Settings, endpoints: Endpoints, context: process.Context) -> FeedRunner:
    return FeedRunner(
        name,
        Feed.start(name, catalogue.instruments(), process.clock_ns()),
        partial(venue_of, settings=settings),
        sockets.reporter(context, endpoints.quotes),
        sockets.subscriber(context, endpoints.ticks, topics.LPS),
        process.clock_ns,
        lambda: bool(parent) and os.getppid() != parent,
    )


def main(arguments: list[str]) -> None:
    """`--parent PID`: ends when that process, which has started this one, is gone."""
    match arguments:
        case [name]:
            parent = 0
        case [name, "--parent", number] if number.isdecimal():
            parent = int(number)
        case _:
            sys.exit("usage: python -m actors.feed NAME")
    process.run(f"feed-{name.lower()}", partial(build, name.upper(), parent))


if __name__ == "__main__":
    main(sys.argv[1:])
