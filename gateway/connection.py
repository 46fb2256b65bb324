"""Keeps a venue's stream connected: connect, read, notice silence, try again.

A `Stream` knows one transport and its parser; `Connection` keeps any of them connected, with capped exponential
backoff and full jitter (the source of chance is passed in), until it is stopped. The only clock is the event loop's.
"""

import asyncio
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from gateway.venues.events import VenueEvent
from gateway.venues.interface import ConnectionLost, Patience, Stream

OnEvents = Callable[[list[VenueEvent]], None]
OnState = Callable[[bool, str], None]


def backoff_ms(failures: int, refused: bool, patience: Patience, chance: random.Random) -> int:
    """The wait before the next try: anything up to a ceiling that doubles with each failure in a row, up to the cap.

    After a refusal it is at least half the cap: asking faster changes nothing and may get us banned.
    """
    if refused:
        return chance.randint(patience.backoff_cap_ms // 2, patience.backoff_cap_ms)
    ceiling_ms = patience.backoff_first_ms << min(max(failures - 1, 0), 20)
    return chance.randint(0, min(ceiling_ms, patience.backoff_cap_ms))


class Connection:
    """Keeps one stream connected, for `asyncio.run(connection.run())` in a thread of its own.

    In that thread it calls `on_events` with each chunk's events (never an empty list) and `on_state(connected, detail)`
    when the stream opens, when it is lost, and after each further try that failed. What a callback raises ends `run`.
    """

    def __init__(
        self, stream: Stream, on_events: OnEvents, on_state: OnState, patience: Patience, chance: random.Random
    ):
        self._stream = stream
        self._on_events = on_events
        self._on_state = on_state
        self._patience = patience
        self._chance = chance
        self._stopping = threading.Event()
        self._reading: asyncio.Task[ConnectionLost] | None = None
        self._reopening = ""
        self._opened_at: float | None = None
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None

    def stop(self) -> None:
        """End `run`, from any thread, at any time; calling it again changes nothing."""
        self._stopping.set()
        running = self._running
        if running:
            loop, task = running
            with suppress(RuntimeError):  # The loop has closed in between: `run` is over.
                loop.call_soon_threadsafe(task.cancel)

    def reopen(self, why: str) -> None:
        """Connect anew at once; what has come and is not read yet is lost. On the loop's own thread.

        A connection that is down is tried again when its time has come.
        """
        if self._reading is not None and self._opened_at is not None:
            self._reopening = why
            self._reading.cancel()

    async def change(self, instruments: Sequence[str]) -> None:
        """These instruments from now on, by a new connection where the LP has no other way."""
        try:
            is_done = await self._stream.change(instruments)
        except ConnectionLost:
            is_done = False
        if not is_done:
            self.reopen("for other instruments")

    async def run(self) -> None:
        """Connect, read and reconnect until `stop`."""
        work = asyncio.create_task(self._keep_connected())
        self._running = asyncio.get_running_loop(), work
        if self._stopping.is_set():
            work.cancel()
        try:
            await work
        except asyncio.CancelledError:
            if not self._stopping.is_set():
                raise
        finally:
            self._running = None

    async def _keep_connected(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            self._opened_at = None
            self._reading = asyncio.create_task(self._read())
            try:
                lost = await self._reading
            except asyncio.CancelledError:
                why, self._reopening = self._reopening, ""
                task = asyncio.current_task()
                is_over = not why or (task is not None and task.cancelling() > 0)
                if self._opened_at is not None:
                    self._on_state(False, "stopped" if is_over else why)
                if is_over:
                    raise
                continue
            opened_at, self._opened_at = self._opened_at, None
            steady = opened_at is not None and (loop.time() - opened_at) * 1000 >= self._patience.backoff_cap_ms
            failures = 1 if steady else failures + 1
            wait_ms = backoff_ms(failures, lost.refused, self._patience, self._chance)
            self._on_state(False, f"{lost}; next try in {wait_ms} ms")
            await asyncio.sleep(wait_ms / 1000)

    async def _read(self) -> ConnectionLost:
        """One connection, from its beginning to its end."""
        try:
            async with self._stream.open() as chunks:
                self._opened_at = asyncio.get_running_loop().time()
                self._on_state(True, "connected")
                async for events in chunks:
                    if events:
                        self._on_events(events)
                return ConnectionLost("the LP ended the stream")
        except ConnectionLost as lost:
            return lost
