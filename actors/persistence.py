"""The persistence process: the one writer of the history, and its reader. What it holds is in actors/store."""

import itertools
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pykka
import structlog

from actors import process
from actors.bus import codec, sockets, topics
from actors.bus.answers import Answer, Events, Pong, Reply, Sources, Ticks
from actors.bus.endpoints import Endpoints
from actors.bus.pump import Inbox, Outbox, Stop
from actors.bus.requests import (
    AggregatorRequest,
    EngineRequest,
    GetEntries,
    GetFills,
    GetOrders,
    GetSources,
    GetTransactions,
    HistoryRequest,
    Ping,
)
from actors.bus.streams import EventBatch, StreamAlive
from actors.counters import CounterLog, nonzero
from actors.domain.quote import Tick
from actors.store.database import database_url
from actors.store.history import EVENTS, EVENTS_TIME, History, tick_stream
from actors.store.intake import EventIntake, TickIntake
from actors.store.recorder import Recorder
from actors.store.sources import SourceIntake
from config import settings as config
from config.settings import Settings

INTERVAL_MS = 50
QUERY_WAIT_NS = 2_000_000_000
"""A query that wants an event which is not stored yet waits so long for it, and is then answered without."""
QUERIES_WAITING_MAX = 1_000
"""One more is answered at once, without what it would have waited for."""
SYMBOLS_MAX = 1_000
SOURCES_ASKED_MAX = 64
"""Questions about what stood behind a tick that an answer may still come to."""

_decode_ticks = codec.decoder(list[Tick])
_decode_alive = codec.decoder(StreamAlive)
_decode_events = codec.decoder(EventBatch)
_decode_reply = codec.decoder(Reply)
_decode_request = codec.decoder(HistoryRequest)


class Waiting(NamedTuple):
    """A query that waits for event `seq`."""

    identity: bytes
    request: HistoryRequest
    seq: int
    until_ns: int


class Persistence(pykka.ThreadingActor):
    """Answers an Inbox with the replies to the queries and with questions about what it missed."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        self._progress: dict[str, int] | None = None
        self._ticks: dict[str, TickIntake] = {}
        self._events = EventIntake()
        self._request_ids = itertools.count(1)
        self._ticks_asked: dict[int, str] = {}
        self._events_asked = 0
        self._fault = ""
        self._sources = SourceIntake()
        self._sources_asked: dict[int, GetSources] = {}
        self._waiting: list[Waiting] = []
        self._counters: Counter[str] = recorder.counters
        self._counter_log = CounterLog(self._count)

    def on_receive(self, message: Inbox | Stop) -> Outbox:
        now_ns, recorder = message.now_ns, self._recorder
        if isinstance(message, Stop):
            recorder.drain(now_ns)
            self._counter_log.tell(now_ns, last=True)
            return []
        self._connect(now_ns)
        outbox = self._hear_ticks(message) + self._hear_events(message) + self._ask_for_sources(now_ns)
        recorder.write(now_ns)
        outbox += self._serve(message)
        self._counter_log.tell(now_ns)
        return outbox

    def _connect(self, now_ns: int) -> None:
        progress = self._recorder.connect(now_ns)
        if progress is None:
            return
        self._events.start(progress.get(EVENTS, 0), progress.get(EVENTS_TIME, 0))
        if self._progress is None:
            for symbol, intake in self._ticks.items():
                self._recorder.take_ticks(intake.start(progress.get(tick_stream(symbol), 0)))
        self._progress = progress

    def _hear_ticks(self, inbox: Inbox) -> Outbox:
        """Ticks, heartbeats and answers of the aggregator; gives the questions to it."""
        heard: dict[str, None] = {}
        for frames in inbox.of("ticks"):
            try:
                heard |= self._hear_tick_frame(_only(frames))
            except codec.BadFrame:
                self._counters["bad_frames"] += 1
        for frame in itertools.chain.from_iterable(inbox.of("aggregator")):
            reply = self._reply(frame)
            if reply and reply.request_id in self._sources_asked:
                self._hear_sources(self._sources_asked.pop(reply.request_id), reply.body)
                continue
            symbol = self._ticks_asked.pop(reply.request_id, None) if reply else None
            if reply and symbol is not None and isinstance(reply.body, Ticks):
                self._recorder.take_ticks(self._ticks[symbol].receive_answer(reply.body.ticks))
                heard[symbol] = None
        return [question for symbol in heard for question in self._ask_for_ticks(symbol, inbox.now_ns)]

    def _hear_tick_frame(self, frame: bytes) -> dict[str, None]:
        """Gives the symbols that it was about."""
        topic, body = codec.topic_and_body(frame)
        if topic == topics.ALIVE:
            alive = _decode_alive(body)
            for symbol, seq in alive.last_seq.items():
                self._intake(symbol).receive_alive(seq)
            return dict.fromkeys(alive.last_seq)
        ticks = _decode_ticks(body)
        if not ticks or any(topics.tick(symbol) != topic for symbol in {tick.symbol for tick in ticks}):
            raise codec.BadFrame(f"ticks that do not belong under {topic!r}")
        symbol = ticks[0].symbol
        self._recorder.take_ticks(self._intake(symbol).receive(ticks))
        return {symbol: None}

    def _intake(self, symbol: str) -> TickIntake:
        intake = self._ticks.get(symbol)
        if intake is None:
            if len(self._ticks) >= SYMBOLS_MAX:
                raise codec.BadFrame(f"more than {SYMBOLS_MAX} symbols")
            intake = self._ticks[symbol] = TickIntake(symbol)
            if self._progress is not None:
                intake.start(self._progress.get(tick_stream(symbol), 0))
        return intake

    def _ask_for_ticks(self, symbol: str, now_ns: int) -> Outbox:
        ready, question = self._ticks[symbol].question(now_ns)
        self._recorder.take_ticks(ready)
        if question is None:
            return []
        self._ticks_asked = {number: asked for number, asked in self._ticks_asked.items() if asked != symbol}
        request = AggregatorRequest(next(self._request_ids), question)
        self._ticks_asked[request.request_id] = symbol
        return [("aggregator", [codec.encode(request)])]

    def _hear_events(self, inbox: Inbox) -> Outbox:
        """Events and answers of the engine; gives the question to it."""
        recorder, intake = self._recorder, self._events
        for frames in inbox.of("events"):
            try:
                batch = _decode_events(codec.topic_and_body(_only(frames))[1])
            except codec.BadFrame:
                self._counters["bad_frames"] += 1
                continue
            self._take_events(intake.receive(batch, room=recorder.has_room))
        for frame in itertools.chain.from_iterable(inbox.of("engine")):
            reply = self._reply(frame)
            if reply and reply.request_id == self._events_asked and isinstance(reply.body, Events):
                self._take_events(intake.receive_answer(reply.body.batches))
        if intake.fault != self._fault:
            self._fault = intake.fault
            structlog.get_logger().error("the engine's events cannot be stored", reason=self._fault or "they can again")
        question = intake.question(inbox.now_ns) if recorder.has_room else None
        if question is None:
            return []
        self._events_asked = next(self._request_ids)
        return [("engine", [codec.encode(EngineRequest(self._events_asked, question))])]

    def _take_events(self, batches: list[EventBatch]) -> None:
        self._recorder.take_events(batches)
        for batch in batches:
            self._sources.take(batch.events)

    def _ask_for_sources(self, now_ns: int) -> Outbox:
        """Of the ticks that fills name; the aggregator keeps what stood behind them for a short while."""
        outbox: Outbox = []
        for question in self._sources.questions(now_ns):
            request = AggregatorRequest(next(self._request_ids), question)
            self._sources_asked[request.request_id] = question
            outbox.append(("aggregator", [codec.encode(request)]))
        while len(self._sources_asked) > SOURCES_ASKED_MAX:
            del self._sources_asked[next(iter(self._sources_asked))]
        return outbox

    def _hear_sources(self, asked: GetSources, answer: Answer) -> None:
        known = isinstance(answer, Sources) and (answer.tick.symbol, answer.tick.seq) == (asked.symbol, asked.seq)
        self._sources.answered(asked.symbol, asked.seq, known)
        if isinstance(answer, Sources) and known:
            self._recorder.take_sources(answer)

    def _reply(self, frame: bytes) -> Reply | None:
        try:
            reply: Reply = _decode_reply(frame)
        except codec.BadFrame:
            self._counters["bad_frames"] += 1
            return None
        return reply

    def _serve(self, inbox: Inbox) -> Outbox:
        """Answers what has come, and what waited and need not any longer."""
        waiting, self._waiting = self._waiting, []
        for frames in inbox.of("history"):
            try:
                identity, frame = frames
                request = _decode_request(frame)
            except (ValueError, codec.BadFrame):
                self._counters["bad_frames"] += 1
                continue
            waiting.append(Waiting(identity, request, _at_least_seq(request), inbox.now_ns + QUERY_WAIT_NS))
        outbox: Outbox = []
        for asked in waiting:
            patient = asked.until_ns > inbox.now_ns and len(self._waiting) < QUERIES_WAITING_MAX
            if asked.seq > self._recorder.stored_seq and patient and not self._recorder.is_away:
                self._waiting.append(asked)
            else:
                reply = Reply(asked.request.request_id, self._answer(asked.request.body, inbox.now_ns))
                outbox.append(("history", [asked.identity, codec.encode(reply)]))
        return outbox

    def _answer(self, query: Any, now_ns: int) -> Answer:
        if isinstance(query, Ping):
            fault = self._recorder.fault or self._events.fault
            return Pong(not fault, fault, self._recorder.stored_seq, nonzero(self._count()))
        return self._recorder.answer(query, now_ns)

    def _count(self) -> dict[str, int]:
        counters = {
            **self._counters,
            "events_repeated": self._events.repeated,
            "sources_lost": self._sources.lost,
        }
        for name in ("repeated", "gaps", "dropped"):
            counters[f"ticks_{name}"] = counters.get(f"ticks_{name}", 0) + sum(
                getattr(intake, name) for intake in self._ticks.values()
            )
        return counters


def _only(frames: list[bytes]) -> bytes:
    if len(frames) != 1:
        raise codec.BadFrame(f"{len(frames)} frames instead of one")
    return frames[0]


def _at_least_seq(request: HistoryRequest) -> int:
    body = request.body
    return body.at_least_seq if isinstance(body, GetOrders | GetFills | GetEntries | GetTransactions) else 0


def build(settings: Settings, endpoints: Endpoints, context: process.Context) -> process.Running:
    given = settings.database_url.get_secret_value() if settings.database_url else None
    if given is not None:
        _check(settings.run_dir, given)
    recorder = Recorder(lambda: History(database_url(settings.run_dir, given)), settings.run_dir / "credentials.json")
    return process.Running(
        Persistence.start(recorder),
        {
            "ticks": sockets.subscriber(context, endpoints.ticks, topics.TICK_PREFIX, topics.ALIVE),
            "aggregator": sockets.dealer(context, endpoints.aggregator),
            "events": sockets.subscriber(context, endpoints.events, topics.EVENTS),
            "engine": sockets.dealer(context, endpoints.engine),
            "history": sockets.router(context, endpoints.history),
        },
        INTERVAL_MS,
    )


def _check(run_dir: Path, given: str) -> None:
    try:
        database_url(run_dir, given)
    except ValueError as error:
        config.stop(f"{error}.")


if __name__ == "__main__":
    process.run("persistence", build)
