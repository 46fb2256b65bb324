"""The engine's events in their order and without a hole: what the stream lost is fetched from the journal."""

import asyncio
from collections.abc import Callable

from actors.bus.answers import Events
from actors.bus.asking import Asker, Away, Declined, NoAnswer
from actors.bus.codec import BadFrame, decoder, topic_and_body
from actors.bus.requests import GetEvents
from actors.bus.streams import EventBatch
from actors.domain.events.event import Event

FETCH_TIMEOUT_MS = 2_000
RETRY_S = 0.25

_decode = decoder(EventBatch)


class EventStream:
    """Follows the stream from a number, or from the first batch that it hears, or from so many events before that.

    `deliver` gets each event once, with its number.

    `lost` is called where events can no longer be had: who builds on them must begin anew.
    """

    def __init__(
        self,
        engine: Asker,
        deliver: Callable[[int, int, Event], None],
        lost: Callable[[], None],
        next_seq: int = 0,
        before: int = 0,
    ) -> None:
        """`deliver` takes the event's number, the time of its batch in nanoseconds, and the event.

        `next_seq`: the event to begin with; 0: whatever the stream tells first, and `before` events from before it,
        where there are so many.
        """
        self.bad_frames = 0
        self.gaps = 0
        self._engine = engine
        self._deliver = deliver
        self._lost = lost
        self._next_seq = next_seq
        """The number of the event that comes next; 0 until it is known."""
        self.heard_seq = 0
        """The number after the last event that the stream has told of."""
        self._hole = asyncio.Event()
        self._before = before

    def receive(self, messages: list[list[bytes]]) -> None:
        for frames in messages:
            try:
                batch = _decode(topic_and_body(frames[0])[1])
            except BadFrame:
                self.bad_frames += 1
                continue
            if not self._next_seq:
                self._next_seq = max(1, batch.first_seq - self._before)
                if self._next_seq < batch.first_seq:
                    self._hole.set()
            self.heard_seq = max(self.heard_seq, batch.first_seq + len(batch.events))
            if not self._hole.is_set():
                self._take(batch)

    async def fill_holes(self) -> None:
        """Runs beside `receive` until cancelled. While it fetches, the stream itself only tells how far to go."""
        while True:
            await self._hole.wait()
            while self._next_seq < self.heard_seq:
                await self._fetch()
            self._hole.clear()

    async def _fetch(self) -> None:
        try:
            batches = (await self._engine.ask(GetEvents(self._next_seq), Events, FETCH_TIMEOUT_MS)).batches
        except (Away, NoAnswer):
            await asyncio.sleep(RETRY_S)
            return
        except Declined:
            batches = []
        if not batches or batches[0].first_seq > self._next_seq:
            self._next_seq = self.heard_seq
            self._lost()
        for batch in batches:
            self._take(batch)

    def _take(self, batch: EventBatch) -> None:
        """Delivers what is new in a batch, or finds that something is missing before it."""
        if batch.first_seq > self._next_seq:
            self.gaps += 1
            self._hole.set()
            return
        for seq, event in enumerate(batch.events, batch.first_seq):
            if seq == self._next_seq:
                self._next_seq += 1
                self._deliver(seq, batch.time_ns, event)
