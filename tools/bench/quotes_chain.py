"""The processes that `quotes` measures: a feed, the aggregator and a subscriber, each a function for a Child.

The feed process is the product's own: Feed, FeedRunner and Connection; only its LP is made up. So is the aggregator's:
Aggregator and Pump. Flow control is the measurement's: the subscriber tells the LP over a back channel how many ticks
have come through, and the LP never is more than LEAD_QUOTES ahead. Each quote makes at most one message anywhere, so no
queue can get beyond its high-water mark (sockets.QUEUE_MESSAGES), and whatever is lost is a fault.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import pykka
import zmq
import zmq.asyncio

from actors import process
from actors.aggregator import INTERVAL_MS, Aggregator
from actors.bus import codec, endpoints, sockets, topics
from actors.bus.pump import Inbox, Outbox, Stop
from actors.domain.lp_registry import Known, Lp, Registry
from actors.domain.quote import Tick
from actors.feed import FeedRunner
from actors.lp_desk import LpDesk
from actors.lp_feed import Feed
from config.settings import configure_logging
from gateway.venues.events import VenueEvent, VenueQuote
from gateway.venues.interface import Events, Parser, Tap, VenueInstrument
from tools.bench import market

VENUE = "BENCH"
CHUNK_QUOTES = 100
"""Quotes in one read from the connection: 100 price lines of OANDA's stream are some 30 kB."""
LEAD_QUOTES = sockets.QUEUE_MESSAGES
ACK_TICKS = 1_000
"""The subscriber tells how far it is after so many ticks."""
OPENING_INTERVAL_MS = 20
SILENCE_LIMIT_MS = 5_000
"""A subscriber that hears nothing for so long hears nothing more."""


class Sent(NamedTuple):
    """When the first quote that counts was handed to the feed."""

    start_ns: int


class Heard(NamedTuple):
    """What the subscriber got: ticks that count, breaks in the sequence, and the last bid of each symbol."""

    end_ns: int
    ticks: int
    gaps: int
    bids_e8: dict[str, int]


class Recording(msgspec.Struct, array_like=True):
    """What went through the aggregator, turn by turn: frames that came in, and frames that went out for them."""

    turns: list[tuple[list[bytes], list[bytes]]]


def ack_address(folder: Path) -> str:
    return f"ipc://{endpoints.socket_folder(folder)}/acks"


def last_turn(place: int, quotes: int) -> int:
    """The number (see market.prices_e8) of the last price of the symbol at `place`; number 0 is the opening."""
    symbols = len(market.instruments())
    return (symbols + quotes - 1 - place) // symbols


def desk(now_ns: int) -> LpDesk:
    """A registry with the one LP."""
    symbols = {symbol: symbol for symbol in market.instruments()}
    registry = Registry(1, {VENUE: Lp(VENUE, "bench", symbols)}, now_ns, "bench", "made up")
    return LpDesk(registry, None, Known((), ()), now_ns)


class MadeUpStream:
    """An LP that sends `quotes` quotes as fast as they are taken, symbol after symbol, each at another price."""

    def __init__(self, folder: Path, quotes: int) -> None:
        self.start_ns = 0
        self.is_over = False
        self._acks_at = ack_address(folder)
        self._quotes = quotes
        self._symbols = list(market.instruments().values())

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Events]:
        with zmq.asyncio.Context() as context, context.socket(zmq.PULL) as acks:
            acks.bind(self._acks_at)
            yield self._events(acks)

    async def change(self, instruments: Sequence[str]) -> bool:
        return True

    async def _events(self, acks: zmq.asyncio.Socket) -> AsyncGenerator[list[VenueEvent], None]:
        opening = self._chunk(0, len(self._symbols))
        while not await acks.poll(OPENING_INTERVAL_MS):
            yield opening
        acknowledged = int(await acks.recv())
        self.start_ns = time.monotonic_ns()
        for sent in range(0, self._quotes, CHUNK_QUOTES):
            while sent + CHUNK_QUOTES - acknowledged > LEAD_QUOTES:
                acknowledged = int(await acks.recv())
            yield self._chunk(len(self._symbols) + sent, min(CHUNK_QUOTES, self._quotes - sent))
        while acknowledged < self._quotes:
            acknowledged = int(await acks.recv())
        self.is_over = True
        await asyncio.Event().wait()

    def _chunk(self, first: int, count: int) -> list[VenueEvent]:
        now_ns = process.clock_ns()
        return [self._quote(number, now_ns) for number in range(first, first + count)]

    def _quote(self, number: int, now_ns: int) -> VenueQuote:
        turn, place = divmod(number, len(self._symbols))
        instrument = self._symbols[place]
        bid_e8, ask_e8 = market.prices_e8(instrument, turn)
        return VenueQuote(instrument.symbol, bid_e8, ask_e8, 10**14, 10**14, now_ns)


class MadeUpVenue:
    """Has the one stream."""

    def __init__(self, stream: MadeUpStream) -> None:
        self.instruments_per_stream = len(market.instruments())
        self._stream = stream

    def stream(self, instruments: Sequence[str], tap: Tap | None = None) -> MadeUpStream:
        return self._stream

    def parser(self) -> Parser:
        return lambda _: []

    async def instruments(self) -> dict[str, VenueInstrument] | None:
        return None


class RecordingAggregator(Aggregator):
    """The aggregator, and what went through it."""

    def __init__(self, recording: Recording, now_ns: int) -> None:
        super().__init__(market.instruments(), desk(now_ns), now_ns)
        self._turns = recording.turns

    def on_receive(self, message: Inbox | Stop) -> Outbox:
        outbox = super().on_receive(message)
        if isinstance(message, Inbox):
            heard = [frame for (frame,) in message.of("quotes")]
            told = [frames[0] for _, frames in outbox if frames[0].startswith(topics.TICK_PREFIX)]
            if heard or told:
                self._turns.append((heard, told))
        return outbox


def feed(folder: Path, quotes: int) -> Sent:
    """The feed process; ends when all ticks have come through."""
    configure_logging("bench", "warning")
    context: process.Context = zmq.Context()
    stream = MadeUpStream(folder, quotes)
    at = endpoints.local(folder)
    runner = FeedRunner(
        VENUE,
        Feed.start(VENUE, market.instruments(), process.clock_ns()),
        lambda lp: MadeUpVenue(stream),
        sockets.reporter(context, at.quotes),
        sockets.subscriber(context, at.ticks, topics.LPS),
        process.clock_ns,
    )
    runner.run(lambda: stream.is_over)
    _close(context)
    return Sent(stream.start_ns)


def aggregator(folder: Path, recording_file: Path) -> None:
    """The aggregator process; ends on SIGTERM, and leaves its recording in the file."""
    recording = Recording([])
    stopping = process.Stopping()
    context: process.Context = zmq.Context()
    at = endpoints.local(folder)
    actor = RecordingAggregator.start(recording, process.clock_ns())
    bound = {
        "quotes": sockets.collector(context, at.quotes),
        "ticks": sockets.snapshot_publisher(context, at.ticks),
        "requests": sockets.router(context, at.aggregator),
    }
    process.Running(actor, bound, INTERVAL_MS).run(stopping)
    _close(context)
    recording_file.write_bytes(msgspec.msgpack.encode(recording))


def subscriber(folder: Path, quotes: int) -> Heard:
    """The subscriber process: decodes every tick; ends when as many have come as there are quotes, or in silence."""
    context: process.Context = zmq.Context()
    ticks = sockets.subscriber(context, endpoints.local(folder).ticks, topics.TICK_PREFIX)
    ticks.setsockopt(zmq.RCVTIMEO, SILENCE_LIMIT_MS)
    acks = context.socket(zmq.PUSH)
    acks.connect(ack_address(folder))
    last = _opening(ticks)
    acks.send(b"0")
    decode = codec.decoder(list[Tick])
    count = acknowledged = gaps = 0
    while count < quotes:
        try:
            _, body = codec.topic_and_body(ticks.recv())
        except zmq.Again:
            break
        batch = decode(body)
        symbol, seq = batch[-1].symbol, batch[-1].seq
        before = last[symbol].seq
        if seq == before:  # The snapshot that a subscriber gets, behind the tick itself.
            continue
        gaps += batch[0].seq != before + 1 or seq - before != len(batch)
        last[symbol] = batch[-1]
        count += len(batch)
        if count - acknowledged >= ACK_TICKS or count >= quotes:
            acknowledged = count
            acks.send(b"%d" % count)
    end_ns = time.monotonic_ns()
    context.destroy(linger=sockets.LINGER_MS)
    return Heard(end_ns, count, gaps, {symbol: tick.bid_e8 for symbol, tick in last.items()})


def _opening(ticks: zmq.Socket[bytes]) -> dict[str, Tick]:
    """The first tick of every symbol: from then on nothing may be missing."""
    decode = codec.decoder(list[Tick])
    symbols = len(market.instruments())
    last: dict[str, Tick] = {}
    while len(last) < symbols:
        _, body = codec.topic_and_body(ticks.recv())
        (tick,) = decode(body)
        last[tick.symbol] = tick
    return last


def _close(context: process.Context) -> None:
    pykka.ActorRegistry.stop_all()
    context.destroy(linger=sockets.LINGER_MS)
