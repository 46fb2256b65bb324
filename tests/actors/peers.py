"""An engine and an aggregator for tests of what follows them: real sockets, a journal and a backlog in memory."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zmq

from actors.bus import codec, endpoints, sockets, topics
from actors.bus.answers import Answer, Events, Pong, Refusal, Reply, Sources, Ticks
from actors.bus.requests import AggregatorRequest, EngineRequest, GetEvents, GetSources, GetTicks, HistoryRequest, Ping
from actors.bus.streams import EventBatch, StreamAlive
from actors.domain.events.event import Event
from actors.domain.quote import Tick

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 90.0
HEARTBEAT_S = 0.1
PAGE = 7
"""Batches in one answer of the engine, ticks in ten of the aggregator's: few, so that there are many pages."""

_decode_engine = codec.decoder(EngineRequest)
_decode_aggregator = codec.decoder(AggregatorRequest)
_decode_reply = codec.decoder(Reply)


class Peers:
    """Everybody whom persistence speaks to, one thread, `serve` again and again."""

    def __init__(self, run_dir: Path) -> None:
        table = endpoints.local(run_dir)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._ticks = sockets.snapshot_publisher(self._context, table.ticks)
        self._aggregator = sockets.router(self._context, table.aggregator)
        self._events = sockets.publisher(self._context, table.events)
        self._engine = sockets.router(self._context, table.engine)
        self.history = sockets.dealer(self._context, table.history)
        self.journal: list[EventBatch] = []
        self.backlog: dict[str, list[Tick]] = {}
        self.last_seq: dict[str, int] = {}
        self.sources: dict[int, Sources] = {}
        """By tick number: what the aggregator still knows."""
        self.asked_for_events: list[int] = []
        self.asked_for_ticks: list[tuple[str, int]] = []
        self.answers: dict[int, Answer] = {}
        self._requests = 0
        self._beaten = 0.0

    def close(self) -> None:
        self._context.destroy(linger=0)

    def happen(self, events: list[Event], *, publish: bool = True) -> None:
        """A committed batch: in the journal, and on the stream."""
        batch = EventBatch(self.next_seq, time.time_ns(), events)
        self.journal.append(batch)
        if publish:
            self._events.send(codec.encode(batch, topics.EVENTS))

    def tick(self, ticks: list[Tick], *, publish: bool = True, keep: bool = True) -> None:
        """Ticks of one symbol: on the stream, and in the backlog."""
        symbol = ticks[0].symbol
        self.last_seq[symbol] = ticks[-1].seq
        if keep:
            self.backlog.setdefault(symbol, []).extend(ticks)
        if publish:
            self._ticks.send(codec.encode(ticks, topics.tick(symbol)))

    def send_raw(self, stream: str, frames: list[bytes]) -> None:
        {"ticks": self._ticks, "events": self._events, "history": self.history}[stream].send_multipart(frames)

    @property
    def next_seq(self) -> int:
        return self.journal[-1].first_seq + len(self.journal[-1].events) if self.journal else 1

    def ask(self, query: Any) -> int:
        """Sends a query to persistence; its answer comes into `answers` under the number that this gives."""
        self._requests += 1
        self.history.send(codec.encode(HistoryRequest(self._requests, query)))
        return self._requests

    def answer(self, query: Any) -> Answer:
        number = self.ask(query)
        self.until(lambda: number in self.answers)
        return self.answers.pop(number)

    def pong(self) -> Pong:
        pong = self.answer(Ping())
        assert isinstance(pong, Pong)
        return pong

    def until_stored(self) -> None:
        """Until persistence says that it has all events of the journal."""
        self.until(lambda: self.pong().seq == self.next_seq - 1)

    def until(self, condition: Callable[[], bool]) -> None:
        """Serves until `condition()`."""
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end, "it did not come to be"
            self.serve()

    def serve(self, timeout_ms: int = 10) -> None:
        """One turn: heartbeats, and answers to what was asked."""
        if time.monotonic() - self._beaten > HEARTBEAT_S:
            self._beaten = time.monotonic()
            self._events.send(codec.encode(EventBatch(self.next_seq, time.time_ns(), []), topics.EVENTS))
            self._ticks.send(codec.encode(StreamAlive(time.time_ns(), self.last_seq), topics.ALIVE))
        poller = zmq.Poller()
        for socket in (self._engine, self._aggregator, self.history):
            poller.register(socket, zmq.POLLIN)
        for socket, _ in poller.poll(timeout_ms):
            frames = socket.recv_multipart()
            if socket is self.history:
                reply = _decode_reply(frames[0])
                self.answers[reply.request_id] = reply.body
            elif socket is self._engine:
                request = _decode_engine(frames[1])
                socket.send_multipart([frames[0], codec.encode(Reply(request.request_id, self._events_for(request)))])
            else:
                request = _decode_aggregator(frames[1])
                socket.send_multipart([frames[0], codec.encode(Reply(request.request_id, self._ticks_for(request)))])

    def _events_for(self, request: EngineRequest) -> Answer:
        assert isinstance(request.body, GetEvents)
        first_seq = request.body.first_seq
        self.asked_for_events.append(first_seq)
        return Events([batch for batch in self.journal if batch.first_seq + len(batch.events) > first_seq][:PAGE])

    def _ticks_for(self, request: AggregatorRequest) -> Answer:
        if isinstance(request.body, GetSources):
            return self.sources.get(request.body.seq, Refusal("UNKNOWN_TICK", "forgotten", "seq"))
        assert isinstance(request.body, GetTicks)
        symbol, after_seq = request.body.symbol, request.body.after_seq
        self.asked_for_ticks.append((symbol, after_seq))
        kept = [tick for tick in self.backlog.get(symbol, []) if tick.seq > after_seq]
        return Ticks(symbol, kept[: PAGE * 10])


def start(module: str, run_dir: Path, log: Path, **settings: str) -> subprocess.Popen[bytes]:
    """One of our processes, with its log in a file."""
    inherited = {n: value for n, value in os.environ.items() if not n.startswith(("HEDGEROW_", "DATABASE_"))}
    environment = {**inherited, "HEDGEROW_RUN_DIR": str(run_dir), **settings}
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", module], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
