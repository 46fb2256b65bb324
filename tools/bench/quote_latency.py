"""`quote_latency`: how long a quote takes from the feed's connection to a subscriber, at a rate that is no strain."""

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pykka
import zmq

from actors import process
from actors.bus import codec, endpoints, sockets, topics
from actors.domain.quote import Tick
from gateway.venues.events import VenueEvent, VenueQuote
from gateway.venues.interface import Events
from tools.bench import quotes_chain
from tools.bench.child import Child
from tools.bench.result import Measurement, Result, Run, Say, Spoiled, in_turns

NAME = "quote_latency"
QUOTES = 10_000
QUOTES_PER_SECOND = 1_000
OPENING_QUOTES = 500
"""The first ones are not counted: sockets connect meanwhile."""
ROUNDS = 3
TIMEOUT_S = 60
SILENCE_LIMIT_MS = 1_500
VENUE = quotes_chain.VENUES[0]
SYMBOL = "EURUSD"


class Times(NamedTuple):
    """By the number of a quote, when it was sent or heard of, on the clock that all processes share."""

    at_ns: dict[int, int]


class PacedStream:
    """An LP that sends a quote of one symbol when it is due, each at another price, which tells its number."""

    def __init__(self, quotes: int) -> None:
        self.sent_ns: dict[int, int] = {}
        self.is_over = False
        self._quotes = quotes

    async def change(self, instruments: Sequence[str]) -> bool:
        return False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Events]:
        yield self._events()

    async def _events(self) -> AsyncGenerator[list[VenueEvent], None]:
        start_ns = time.monotonic_ns()
        for number in range(self._quotes):
            due_ns = start_ns + number * 10**9 // QUOTES_PER_SECOND
            while (wait_ns := due_ns - time.monotonic_ns()) > 0:
                await asyncio.sleep(wait_ns / 1e9)
            bid_e8 = bid_e8_of(number)
            self.sent_ns[number] = time.monotonic_ns()
            yield [VenueQuote(SYMBOL, bid_e8, bid_e8 + 100_000, 10**14, 10**14, process.clock_ns())]
        await asyncio.sleep(SILENCE_LIMIT_MS / 1e3)
        self.is_over = True
        await asyncio.Event().wait()


def bid_e8_of(number: int) -> int:
    """Goes up by a point a quote, and so names the quote."""
    return 100_000_000 + number * 1_000


def feed(folder: Path, quotes: int) -> Times:
    """The feed process: the product's own; only its LP is made up."""
    context: process.Context = zmq.Context()
    stream = PacedStream(quotes)
    runner = quotes_chain.feed_runner(VENUE, stream, folder, context)
    runner.run(lambda: stream.is_over)
    pykka.ActorRegistry.stop_all()
    context.destroy(linger=0)
    return Times(stream.sent_ns)


def subscriber(folder: Path) -> Times:
    """The subscriber process: decodes each tick; ends in silence."""
    context: process.Context = zmq.Context()
    ticks = sockets.subscriber(context, endpoints.local(folder).ticks, topics.tick(SYMBOL))
    decode = codec.decoder(list[Tick])
    heard_ns: dict[int, int] = {}
    ticks.poll(TIMEOUT_S * 1_000)
    while ticks.poll(SILENCE_LIMIT_MS):
        _, body = codec.topic_and_body(ticks.recv())
        for tick in decode(body):
            if tick.live:
                heard_ns.setdefault((tick.bid_e8 - bid_e8_of(0)) // 1_000, time.monotonic_ns())
    context.destroy(linger=0)
    return Times(heard_ns)


def peer_source(folder: Path, quotes: int) -> Times:
    """In the place of the feed: a frame when it is due, which holds its number."""
    context: process.Context = zmq.Context()
    socket = sockets.reporter(context, endpoints.local(folder).quotes)
    sent_ns: dict[int, int] = {}
    start_ns = time.monotonic_ns()
    for number in range(quotes):
        due_ns = start_ns + number * 10**9 // QUOTES_PER_SECOND
        while (wait_ns := due_ns - time.monotonic_ns()) > 0:
            time.sleep(wait_ns / 1e9)
        sent_ns[number] = time.monotonic_ns()
        socket.send(b"%d" % number)
    context.destroy(linger=sockets.LINGER_MS)
    return Times(sent_ns)


def peer_relay(folder: Path) -> None:
    """In the place of the aggregator; ends in silence."""
    context: process.Context = zmq.Context()
    at = endpoints.local(folder)
    incoming, outgoing = sockets.collector(context, at.quotes), sockets.snapshot_publisher(context, at.ticks)
    incoming.poll(TIMEOUT_S * 1_000)
    while incoming.poll(SILENCE_LIMIT_MS):
        outgoing.send(incoming.recv())
    context.destroy(linger=0)


def peer_sink(folder: Path) -> Times:
    """In the place of the subscriber; ends in silence."""
    context: process.Context = zmq.Context()
    socket = sockets.subscriber(context, endpoints.local(folder).ticks, b"")
    heard_ns: dict[int, int] = {}
    socket.poll(TIMEOUT_S * 1_000)
    while socket.poll(SILENCE_LIMIT_MS):
        heard_ns[int(socket.recv())] = time.monotonic_ns()
    context.destroy(linger=0)
    return Times(heard_ns)


def measure(folder: Path, say: Say, *, quotes: int = QUOTES, rounds: int = ROUNDS) -> Result:
    runs = in_turns(NAME, rounds, lambda: _ours(folder, quotes), lambda: _peer(folder, quotes), say)
    shape = {"quotes": quotes, "quotes_per_second": QUOTES_PER_SECOND}
    return runs.lowest(NAME, "µs p99", "p99 of bare pyzmq over the same hops at the same times", shape)


def latencies_ns(sent: Times, heard: Times, quotes: int) -> list[int]:
    """In rising order, of the quotes that count; raises Spoiled where one of them has not come through."""
    counted = range(OPENING_QUOTES, quotes)
    lost = sum(number not in heard.at_ns for number in counted)
    if lost:
        raise Spoiled(f"{lost} of {len(counted)} quotes have not come through")
    return sorted(heard.at_ns[number] - sent.at_ns[number] for number in counted)


def _ours(folder: Path, quotes: int) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as sockets_below, ExitStack() as running:
        at = Path(sockets_below)
        running.enter_context(Child(quotes_chain.aggregator, at))
        hearing = running.enter_context(Child(subscriber, at))
        sending = running.enter_context(Child(feed, at, quotes))
        return _run(sending, hearing, quotes, "p50_us", "p99_us")


def _peer(folder: Path, quotes: int) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as sockets_below, ExitStack() as running:
        at = Path(sockets_below)
        running.enter_context(Child(peer_relay, at))
        hearing = running.enter_context(Child(peer_sink, at))
        sending = running.enter_context(Child(peer_source, at, quotes))
        return _run(sending, hearing, quotes, "peer_p50_us", "peer_p99_us")


def _run(sending: Child, hearing: Child, quotes: int, p50: str, p99: str) -> Run:
    took_ns = latencies_ns(sending.report(Times, TIMEOUT_S), hearing.report(Times, TIMEOUT_S), quotes)
    half_ns, most_ns = took_ns[len(took_ns) // 2], took_ns[len(took_ns) * 99 // 100]
    return Run(1, most_ns / 1e9, {p50: half_ns // 1_000, p99: most_ns // 1_000})


MEASUREMENT = Measurement(
    "How long a quote takes from the LP's connection to a subscriber that has decoded the tick, at "
    f"{QUOTES_PER_SECOND:,} quotes a second: the 99th percentile of {QUOTES:,}, through the real feed and aggregator, "
    "three processes over ipc. Checked: each quote came out as a tick. The peer moves a small frame at the same times "
    "over the same hops.",
    measure,
)
