"""What waits to be stored, and the way to the database: groups writes, survives a database that is away."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import structlog

from actors.bus.answers import Answer, Refusal, Sources
from actors.bus.people import PeopleRequest
from actors.bus.streams import EventBatch
from actors.domain.quote import Tick
from actors.store.database import DatabaseAway, DatabaseRefused
from actors.store.history import EVENTS, History, tick_stream
from actors.store.queries import Query
from actors.store.users import CredentialsUnreadable

FLUSH_NS = 200_000_000
"""Ticks wait so long for others to be stored with."""
TICKS_PER_TRANSACTION = 20_000
TICKS_BUFFERED_MAX = 200_000
"""Beyond it the oldest go, and are counted: that is the history of an hour, not of a night, without a database."""
EVENTS_PER_TRANSACTION = 2_000
EVENTS_BUFFERED_MAX = 20_000
"""Beyond it none are taken: the engine's journal has them."""
SOURCES_BUFFERED_MAX = 1_000
"""Beyond it the oldest go, and are counted."""
BACKOFF_FIRST_NS = 100_000_000
BACKOFF_MAX_NS = 5_000_000_000


class Recorder:
    """Takes ticks and events in order, each once, and stores them when their turn comes."""

    def __init__(self, connect: Callable[[], History], credentials: Path) -> None:
        """`connect` raises `DatabaseAway`; `credentials` is the file for the first users' passwords."""
        self._connect = connect
        self._credentials = credentials
        self._log = structlog.get_logger()
        self._history: History | None = None
        self._backoff_ns = BACKOFF_FIRST_NS
        self._retry_ns = 0
        self._flushed_ns = 0
        self._ticks: deque[Tick] = deque()
        self._sources: deque[Sources] = deque()
        self._events: deque[EventBatch] = deque()
        self._event_count = 0
        self._one_by_one = False
        self._refused = ""
        self._away = "no connection to the database yet"
        self.stored_seq = 0
        """The last event that is stored."""
        self.counters: Counter[str] = Counter()

    @property
    def fault(self) -> str:
        """What is wrong, in a sentence; empty where nothing is."""
        return self._away or self._refused

    @property
    def is_away(self) -> bool:
        return self._history is None

    @property
    def has_room(self) -> bool:
        """Whether more events may be taken."""
        return self._history is not None and self._event_count < EVENTS_BUFFERED_MAX

    def connect(self, now_ns: int) -> dict[str, int] | None:
        """Where there is no connection and it is time to try: how far each stream is stored, if that works.

        The events that waited are forgotten then: they come again from there on. The ticks that waited are kept.
        """
        if self._history is not None or now_ns < self._retry_ns:
            return None
        try:
            history = self._connect()
            made_users, progress = history.ensure_users(self._credentials), history.progress()
        except (DatabaseAway, DatabaseRefused, CredentialsUnreadable) as error:
            self._lose(str(error), now_ns)
            return None
        self._log.info("database connected", events=progress.get(EVENTS, 0))
        if made_users:
            self._log.info("first users made", credentials=str(self._credentials))
        self._history, self._away, self._backoff_ns = history, "", BACKOFF_FIRST_NS
        self.stored_seq = progress.get(EVENTS, 0)
        self._forget_events()
        self._ticks = deque(tick for tick in self._ticks if tick.seq > progress.get(tick_stream(tick.symbol), 0))
        return progress

    def take_ticks(self, ticks: Iterable[Tick]) -> None:
        self._ticks.extend(ticks)
        while len(self._ticks) > TICKS_BUFFERED_MAX:
            self._ticks.popleft()
            self.counters["ticks_dropped"] += 1

    def take_sources(self, told: Sources) -> None:
        """What stood behind a tick that was dealt on."""
        self._sources.append(told)
        if len(self._sources) > SOURCES_BUFFERED_MAX:
            self._sources.popleft()
            self.counters["sources_dropped"] += 1

    def take_events(self, batches: Iterable[EventBatch]) -> None:
        for batch in batches:
            self._events.append(batch)
            self._event_count += len(batch.events)

    def write(self, now_ns: int) -> None:
        """Stores a transaction of events, and of ticks when they have waited long enough."""
        try:
            if self._history is not None and self._events and now_ns >= self._retry_ns:
                self._write_events(self._history, now_ns)
            due = now_ns - self._flushed_ns >= FLUSH_NS or len(self._ticks) >= TICKS_PER_TRANSACTION
            if self._history is not None and self._ticks and due:
                self._flushed_ns = now_ns
                self._write_ticks(self._history)
            if self._history is not None and self._sources:
                self._write_sources(self._history)
        except DatabaseAway as error:
            self._lose(str(error), now_ns)

    def answer(self, query: Query | PeopleRequest, now_ns: int) -> Answer:
        if self._history is None:
            return Refusal("UNAVAILABLE", f"the history cannot be read: {self._away}")
        try:
            if isinstance(query, PeopleRequest):
                return self._history.answer_about_people(query, now_ns)
            return self._history.answer(query)
        except DatabaseAway as error:
            self._lose(str(error), now_ns)
            return Refusal("UNAVAILABLE", f"the history cannot be read: {error}")
        except DatabaseRefused as error:
            return Refusal("BAD_REQUEST", str(error))

    def drain(self, now_ns: int) -> None:
        """The last thing: stores the ticks that wait, which nobody else will have. The events come again."""
        while self._history is not None and self._ticks:
            self._flushed_ns = 0
            self.write(now_ns)
        self.close()

    def close(self) -> None:
        if self._history is not None:
            self._history.close()
            self._history = None

    def _write_events(self, history: History, now_ns: int) -> None:
        """As many batches as go into a transaction; after a refusal one by one, up to the one that is at fault."""
        batches, events = 0, []
        for batch in self._events:
            batches += 1
            events += batch.events
            if self._one_by_one or len(events) >= EVENTS_PER_TRANSACTION:
                break
        first_seq = self._events[0].first_seq
        try:
            history.store_events(first_seq, events, self._events[batches - 1].time_ns)
        except DatabaseRefused as error:
            if batches == 1:
                self._refused = f"events {first_seq} to {first_seq + len(events) - 1} cannot be stored: {error}"
                self._retry_ns = now_ns + BACKOFF_MAX_NS
                self._log.error("events refused", detail=self._refused)
            self._one_by_one = True
            return
        for _ in range(batches):
            self._events.popleft()
        self._event_count -= len(events)
        self.stored_seq = first_seq + len(events) - 1
        self._one_by_one = self._one_by_one and bool(self._events)
        self._refused = ""

    def _write_ticks(self, history: History) -> None:
        ticks = list(islice(self._ticks, TICKS_PER_TRANSACTION))
        try:
            history.store_ticks(ticks)
        except DatabaseRefused as error:
            self.counters["ticks_refused"] += len(ticks)
            self._log.error("ticks refused", detail=str(error), count=len(ticks))
        for _ in ticks:
            self._ticks.popleft()

    def _write_sources(self, history: History) -> None:
        try:
            history.store_sources(list(self._sources))
        except DatabaseRefused as error:
            self.counters["sources_refused"] += len(self._sources)
            self._log.error("sources refused", detail=str(error), count=len(self._sources))
        self._sources.clear()

    def _forget_events(self) -> None:
        self._events.clear()
        self._event_count = 0
        self._one_by_one = False
        self._refused = ""

    def _lose(self, detail: str, now_ns: int) -> None:
        if self._away != detail:
            self._log.warning("database away", detail=detail)
        self.close()
        self._away = detail
        self._retry_ns = now_ns + self._backoff_ns
        self._backoff_ns = min(2 * self._backoff_ns, BACKOFF_MAX_NS)
