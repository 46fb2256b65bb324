"""Puts what comes over the public streams in order, and says what to ask for where something is missing.

Pure: messages and the time go in, what may be stored comes out. Each number is let through once, and none before those
before it were let through or are known to be gone.
"""

from collections.abc import Iterable

from actors.bus.requests import GetEvents, GetTicks
from actors.bus.streams import EventBatch
from actors.domain.quote import Tick

ASK_AGAIN_NS = 1_000_000_000
"""A question without an answer is asked again after so long, when the stream shows that somebody is there."""
QUESTIONS_MAX = 5
"""So often a gap in the ticks is asked about, then it counts as lost."""
HELD_TICKS_MAX = 20_000
"""Ticks of one symbol that wait for those before them; the oldest go first."""
STALE_NS = 2_000_000_000
"""After a start the stream may be so far behind what is stored: another process may have stored it."""
HELD_BATCHES_MAX = 2_000
"""Event batches that wait for those before them; one more is left to be asked for later."""


class TickIntake:
    """The ticks of one symbol. Until `start` says which are stored, all wait."""

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol
        self._last: int | None = None
        self._held: list[Tick] = []
        self._wanted = 0
        self._asked_ns: int | None = None
        self._questions = 0
        self.repeated = 0
        self.gaps = 0
        """Places in the stream where ticks are missing for good (or where the aggregator started anew)."""
        self.dropped = 0
        """Ticks let go because too many were waiting."""

    def start(self, stored_seq: int) -> list[Tick]:
        """The ticks up to `stored_seq` are stored; 0: none ever was."""
        self._last = stored_seq
        return self._release()

    def receive(self, ticks: Iterable[Tick]) -> list[Tick]:
        """From the stream; gives what may be stored now."""
        ready: list[Tick] = []
        for tick in ticks:
            if self._last is not None and tick.seq == self._last + 1 and not self._held:
                self._last = tick.seq
                ready.append(tick)
            elif tick.seq > self._head():
                self._held.append(tick)
            else:
                self.repeated += 1
        excess = len(self._held) - HELD_TICKS_MAX
        if excess > 0 and self._last is None:
            del self._held[:excess]
            self.dropped += excess
        elif excess > 0:
            ready += self._give_up()
        return ready

    def receive_alive(self, last_seq: int) -> None:
        """The stream's last number, as its heartbeat says it."""
        self._wanted = max(self._wanted, last_seq)

    def receive_answer(self, ticks: Iterable[Tick]) -> list[Tick]:
        """The answer to the last question: the oldest of what there still is of the numbers after the one asked for."""
        assert self._last is not None
        self._asked_ns = None
        self._questions = 0
        before = self._last
        ready = []
        for tick in ticks:
            if tick.seq > self._last:
                # Before the first tick of all there is nothing that could be missing.
                self.gaps += self._last > 0 and tick.seq != self._last + 1
                self._last = tick.seq
                ready.append(tick)
        ready += self._release()
        return ready if self._last > before else self._give_up()

    def question(self, now_ns: int) -> tuple[list[Tick], GetTicks | None]:
        """Call it after something came from the stream: what to ask now, and what may be stored without asking."""
        if self._last is None or (self._last >= self._wanted and not self._held):
            return [], None
        if self._asked_ns is not None and now_ns - self._asked_ns < ASK_AGAIN_NS:
            return [], None
        if self._questions >= QUESTIONS_MAX:
            return self._give_up(), None
        self._asked_ns = now_ns
        self._questions += 1
        return [], GetTicks(self._symbol, self._last)

    def _head(self) -> int:
        return self._held[-1].seq if self._held else self._last or 0

    def _release(self) -> list[Tick]:
        """Those that waited and follow now."""
        assert self._last is not None
        released: list[Tick] = []
        held, self._held = self._held, []
        for number, tick in enumerate(held):
            if tick.seq > self._last + 1:
                self._held = held[number:]
                break
            if tick.seq > self._last:
                self._last = tick.seq
                released.append(tick)
        return released

    def _give_up(self) -> list[Tick]:
        """What is missing before those that wait is gone; so is a tail that nobody has."""
        self._asked_ns = None
        self._questions = 0
        if not self._held:
            self._wanted = 0
            return []
        first = self._held.pop(0)
        self._last = first.seq
        self.gaps += 1
        return [first, *self._release()]


class EventIntake:
    """The engine's events. Until `start` says which are stored, none are let through: the engine's journal has them.

    An engine that says later than it told an event that it has not come so far has another journal, such as one from a
    backup; and so has one that has committed the last stored event at another time. Its events are others under the
    same numbers: none is let through until the next start.
    """

    def __init__(self) -> None:
        self._next = 0
        self._held: list[EventBatch] = []
        self._behind = False
        self._heard = False
        self._asked_ns: int | None = None
        self._time_ns = 0
        """The engine's, when it had come as far as what was let through; 0: it has said nothing since the start."""
        self._proof_ns = 0
        """When the last stored event was committed, until the engine has shown that it has it; 0: nothing to show."""
        self.fault = ""
        """Why the events cannot go on; a sentence, empty while they can."""
        self.repeated = 0

    def start(self, stored_seq: int, stored_ns: int = 0) -> None:
        """The events up to `stored_seq` are stored: whatever was let through after them comes again.

        `stored_ns`: the time of that event's batch, which the engine must have too; 0: it is not known.
        """
        self._next = stored_seq + 1
        self._proof_ns = stored_ns if stored_seq else 0
        self._held = []
        self._behind = self._heard = True
        self._asked_ns = None
        self._time_ns = 0
        self.fault = ""

    def receive(self, batch: EventBatch, *, room: bool) -> list[EventBatch]:
        """From the stream; gives what may be stored now. Without `room` it is left to be asked for later."""
        if not self._next:
            return []
        self._heard = True
        self._time_ns = self._time_ns or batch.time_ns + STALE_NS
        if batch.first_seq < self._next and batch.time_ns > self._time_ns:
            self._contradict(batch.first_seq)
            return []
        if not batch.events:
            self._compare(batch.first_seq)
            return []
        must_wait = batch.first_seq > self._next or bool(self._proof_ns)
        if must_wait or not room:
            self._behind = True
            if must_wait and len(self._held) < HELD_BATCHES_MAX:
                self._held.append(batch)
            return []
        return [*self._take(batch), *self._release()]

    def receive_answer(self, batches: Iterable[EventBatch]) -> list[EventBatch]:
        """The answer to the last question: the batches from the number asked for on, or a page of them."""
        before = self._next
        ready: list[EventBatch] = []
        if not self._next:
            return []
        batches = list(batches)
        if self._proof_ns and not self._is_proved(batches):
            self._stop(f"event {before - 1} is stored, and the engine has another one or none: another journal?")
            return []
        for batch in batches:
            if batch.first_seq > self._next:
                self.fault = f"the engine's journal has no event {self._next}, the next is {batch.first_seq}"
                return ready
            ready += self._take(batch)
        ready += self._release()
        if self._next > before:
            self._heard = True
            self._asked_ns = None
            self.fault = ""
        else:
            self._behind = bool(self._held)
        return ready

    def question(self, now_ns: int) -> GetEvents | None:
        """Call it when there is room: what to ask now. An engine that says nothing is not asked twice."""
        if not (self._next and self._behind and self._heard):
            return None
        if self._asked_ns is not None and now_ns - self._asked_ns < ASK_AGAIN_NS:
            return None
        self._asked_ns = now_ns
        self._heard = False
        return GetEvents(self._next - 1 if self._proof_ns else self._next)

    def _is_proved(self, batches: list[EventBatch]) -> bool:
        """Whether the last stored event was committed when it was stored as. It is asked for but once."""
        stored_seq, stored_ns = self._next - 1, self._proof_ns
        self._proof_ns, self._asked_ns = 0, None
        return bool(batches) and batches[0].first_seq <= stored_seq and batches[0].time_ns == stored_ns

    def _compare(self, next_seq: int) -> None:
        """With the number that the engine says is its next; one that is lower was said before."""
        if next_seq == self._next:
            self.fault = ""
        elif next_seq > self._next:
            self._behind = True

    def _contradict(self, next_seq: int) -> None:
        """The engine has not come so far as what was let through."""
        self._stop(f"event {self._next - 1} is stored, and the engine is at {next_seq - 1}: another journal?")

    def _stop(self, fault: str) -> None:
        self.fault = fault
        self._next, self._held, self._behind = 0, [], False

    def _take(self, batch: EventBatch) -> list[EventBatch]:
        """What of a batch is new."""
        known = self._next - batch.first_seq
        events = batch.events[known:]
        self.repeated += len(batch.events) - len(events)
        if not events:
            return []
        first_seq, self._next = self._next, self._next + len(events)
        self._time_ns = max(self._time_ns, batch.time_ns)
        return [EventBatch(first_seq, batch.time_ns, events)]

    def _release(self) -> list[EventBatch]:
        """Those that waited and follow now."""
        released: list[EventBatch] = []
        held, self._held = self._held, []
        for number, batch in enumerate(held):
            if batch.first_seq > self._next:
                self._held = held[number:]
                break
            released += self._take(batch)
        return released
