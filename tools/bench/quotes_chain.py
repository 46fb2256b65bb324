"""The processes that `quotes` measures: feeds, the aggregator and subscribers, each a function for a Child.

The feed processes are the product's own: Feed, FeedRunner and Connection; only their LPs are made up. So is the
aggregator's: Aggregator and Pump. Flow control is the measurement's: the aggregator says on a topic of its own how many
quotes of each LP it has taken, the subscriber passes that on, and no LP is ever more than LEAD_QUOTES ahead. So no
queue can get beyond its high-water mark (sockets.QUEUE_MESSAGES), and whatever is lost is a fault.
"""

import asyncio
import resource
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pykka
import zmq
import zmq.asyncio

from actors import process
from actors.aggregator import INTERVAL_MS, Aggregator
from actors.bus import codec, endpoints, sockets, topics
from actors.bus.pump import Inbox, Outbox, Stop
from actors.domain.prices.lp_registry import Known, Lp, Registry
from actors.domain.quote import Tick
from actors.feed import FeedRunner
from actors.lp_desk import LpDesk
from actors.quoting.lp_feed import Feed
from gateway.venues.events import VenueEvent, VenueQuote
from gateway.venues.interface import Events, Parser, Stream, Tap, VenueInstrument
from tools.bench import market

VENUES = ("LP0", "LP1", "LP2", "LP3", "LP4")
CHUNK_QUOTES = 100
"""Quotes in one read from the connection: 100 price lines of OANDA's stream are some 30 kB."""
LEAD_QUOTES = 2_000
OPENING_INTERVAL_MS = 20
HUSH_MS = 200
"""When the aggregator has taken nothing for so long, no opening quote is on its way any more."""
SILENCE_LIMIT_MS = 5_000
"""A subscriber that hears nothing for so long hears nothing more."""
TAKEN = b"taken\0"
"""The measurement's own topic: how many quotes of each LP the aggregator has taken."""
UNCOUNTED_DROPS = ("duplicate", "late", "withdrawn")
HUSH = b"hush"
"""Tells a feed that its opening quotes have come through."""
OVER = b"over"
"""Tells a feed that the quotes of all LPs have been taken. One that ends withdraws its prices: none may end before."""


class Sent(NamedTuple):
    """When the first quote that counts was handed to the feed."""

    start_ns: int


class Heard(NamedTuple):
    """What the subscriber got, and when the aggregator had taken the last quote that counts."""

    end_ns: int
    ticks: int
    gaps: int
    """Breaks in the sequence of a symbol."""
    tops_e8: dict[str, tuple[int, int]]
    """Bid and ask of the last tick of each symbol."""


class Stood(NamedTuple):
    """What the aggregator says of itself at its end."""

    peak_rss_bytes: int
    cpu_ns: int
    dropped: int
    """Quotes that a filter dropped while they counted."""


def ack_address(folder: Path, venue: str) -> str:
    return f"ipc://{endpoints.socket_folder(folder)}/acks-{venue}"


def prices_e8(place: int, symbol: str, turn: int) -> tuple[int, int]:
    """Bid and ask of an LP (by its place in VENUES) in a symbol: moves with each turn, never crosses another LP's."""
    instrument = market.thirty()[symbol]
    step_e8 = instrument.price_step_e8
    bid_e8 = market.price_e8(instrument) // step_e8 * step_e8 + (turn % 4 + place) * step_e8
    return bid_e8, bid_e8 + (10 + (turn + place) % 3) * step_e8


def desk(now_ns: int) -> LpDesk:
    """A registry with the LPs."""
    symbols = {symbol: symbol for symbol in market.thirty()}
    registry = Registry(1, {name: Lp(name, "bench", symbols) for name in VENUES}, now_ns, "bench", "made up")
    return LpDesk(registry, None, Known((), ()), now_ns)


class MadeUpStream:
    """An LP that sends `quotes` quotes as fast as they are taken, symbol after symbol, each at another price."""

    def __init__(self, folder: Path, place: int, quotes: int) -> None:
        self.start_ns = 0
        self.is_over = False
        self._acks_at = ack_address(folder, VENUES[place])
        self._quotes = quotes
        symbols = list(market.thirty())
        self._period = [
            (symbol, *prices_e8(place, symbol, turn)) for turn in range(12) for symbol in symbols
        ]  # After so many turns prices_e8 begins again.
        self._symbols = len(symbols)

    async def change(self, instruments: Sequence[str]) -> bool:
        return False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Events]:
        with zmq.asyncio.Context() as context, context.socket(zmq.PULL) as acks:
            acks.bind(self._acks_at)
            yield self._events(acks)

    async def _events(self, acks: zmq.asyncio.Socket) -> AsyncGenerator[list[VenueEvent], None]:
        while not await acks.poll(OPENING_INTERVAL_MS):
            yield self._chunk(0, self._symbols)
        while (ack := await acks.recv()) == HUSH:
            pass
        before = acknowledged = int(ack)
        self.start_ns = time.monotonic_ns()
        for sent in range(0, self._quotes, CHUNK_QUOTES):
            while before + sent + CHUNK_QUOTES - acknowledged > LEAD_QUOTES:
                acknowledged = int(await acks.recv())
            yield self._chunk(self._symbols + sent, min(CHUNK_QUOTES, self._quotes - sent))
        while await acks.recv() != OVER:
            pass
        self.is_over = True
        await asyncio.Event().wait()

    def _chunk(self, first: int, count: int) -> list[VenueEvent]:
        now_ns, period = process.clock_ns(), self._period
        size = len(period)
        return [VenueQuote(*period[number % size], 10**14, 10**14, now_ns) for number in range(first, first + count)]


class MadeUpVenue:
    """Has the one stream."""

    def __init__(self, stream: Stream) -> None:
        self.instruments_per_stream = len(market.thirty())
        self._stream = stream

    def stream(self, instruments: Sequence[str], tap: Tap | None = None) -> Stream:
        return self._stream

    def parser(self) -> Parser:
        return lambda _: []

    async def instruments(self) -> dict[str, VenueInstrument] | None:
        return None


def feed_runner(name: str, stream: Stream, folder: Path, context: process.Context) -> FeedRunner:
    """The product's own, on a made-up LP."""
    at = endpoints.local(folder)
    return FeedRunner(
        name,
        Feed.start(name, market.thirty(), process.clock_ns()),
        lambda lp: MadeUpVenue(stream),
        sockets.reporter(context, at.quotes),
        sockets.subscriber(context, at.ticks, topics.LPS),
        process.clock_ns,
    )


class ReportingAggregator(Aggregator):
    """The aggregator; after each turn it says how many quotes of each LP it has taken."""

    def __init__(self, now_ns: int) -> None:
        super().__init__(market.thirty(), desk(now_ns), {}, now_ns, first_seq=now_ns // 1_000)

    def on_receive(self, message: Inbox | Stop) -> Outbox:
        outbox = super().on_receive(message)
        if isinstance(message, Inbox) and message.of("quotes"):
            taken = {venue: record.quotes for venue, record in self.market.records.items()}
            outbox.append(("ticks", [codec.encode(taken, TAKEN)]))
        return outbox

    def dropped(self) -> int:
        """But for the opening quotes, which come again and again and may have waited for the aggregator to start, and
        for the prices that a feed withdraws at its end."""
        reports = self.market.report(0)
        return sum(count for told in reports for reason, count in told.dropped.items() if reason not in UNCOUNTED_DROPS)


def feed(folder: Path, place: int, quotes: int) -> Sent:
    """A feed process; ends when the quotes of all LPs have been taken."""
    context: process.Context = zmq.Context()
    stream = MadeUpStream(folder, place, quotes)
    runner = feed_runner(VENUES[place], stream, folder, context)
    runner.run(lambda: stream.is_over)
    _close(context)
    return Sent(stream.start_ns)


def aggregator(folder: Path) -> Stood:
    """The aggregator process; ends on SIGTERM."""
    stopping = process.Stopping()
    begun_ns = time.process_time_ns()
    context: process.Context = zmq.Context()
    at = endpoints.local(folder)
    actor = ReportingAggregator.start(process.clock_ns())
    bound = {
        "quotes": sockets.collector(context, at.quotes),
        "ticks": sockets.snapshot_publisher(context, at.ticks),
        "requests": sockets.router(context, at.aggregator),
        "engine": sockets.dealer(context, at.engine, only_connected=True),
    }
    process.Running(actor, bound, INTERVAL_MS).run(stopping)
    dropped: int = actor.proxy().dropped().get()
    _close(context)
    return Stood(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, time.process_time_ns() - begun_ns, dropped)


def subscriber(folder: Path, quotes: int) -> Heard:
    """The subscriber process: decodes every tick; ends when `quotes` of each LP have been taken, or in silence."""
    context: process.Context = zmq.Context()
    ticks = sockets.subscriber(context, endpoints.local(folder).ticks, topics.TICK_PREFIX, TAKEN)
    acks = {venue: context.socket(zmq.PUSH) for venue in VENUES}
    for venue, socket in acks.items():
        socket.connect(ack_address(folder, venue))
    before, last = _opening(ticks, acks)
    decode, decode_taken = codec.decoder(list[Tick]), codec.decoder(dict[str, int])
    count = gaps = 0
    left = set(VENUES)
    ticks.setsockopt(zmq.RCVTIMEO, SILENCE_LIMIT_MS)
    while left:
        try:
            topic, body = codec.topic_and_body(ticks.recv())
        except zmq.Again:
            break
        if topic == TAKEN:
            for venue, taken in decode_taken(body).items():
                acks[venue].send(b"%d" % taken)
                if taken - before[venue] >= quotes:
                    left.discard(venue)
            continue
        batch = decode(body)
        symbol, seq = batch[-1].symbol, batch[-1].seq
        gaps += batch[0].seq != last[symbol].seq + 1 or seq - last[symbol].seq != len(batch)
        last[symbol] = batch[-1]
        count += len(batch)
    end_ns = time.monotonic_ns()
    for socket in acks.values():
        socket.send(OVER)
    context.destroy(linger=sockets.LINGER_MS)
    return Heard(end_ns, count, gaps, {symbol: (tick.bid_e8, tick.ask_e8) for symbol, tick in last.items()})


def stalled(folder: Path) -> None:
    """A subscriber that never reads; ends on SIGTERM."""
    stopping = process.Stopping()
    context: process.Context = zmq.Context()
    sockets.subscriber(context, endpoints.local(folder).ticks, b"")
    while not stopping():
        time.sleep(OPENING_INTERVAL_MS / 1_000)
    context.destroy(linger=0)


def _opening(ticks: zmq.Socket[bytes], acks: dict[str, zmq.Socket[bytes]]) -> tuple[dict[str, int], dict[str, Tick]]:
    """Waits for the first quotes of all LPs in all symbols, then for their end; gives what was taken, and the ticks."""
    decode, decode_taken = codec.decoder(list[Tick]), codec.decoder(dict[str, int])
    last: dict[str, Tick] = {}
    taken: dict[str, int] = {}
    is_hushed = False
    while not is_hushed or ticks.poll(HUSH_MS):
        topic, body = codec.topic_and_body(ticks.recv())
        if topic == TAKEN:
            taken = decode_taken(body)
        else:
            last |= {tick.symbol: tick for tick in decode(body)}
        if not is_hushed and len(last) == len(market.thirty()) and len(taken) == len(VENUES) and all(taken.values()):
            is_hushed = True
            for socket in acks.values():
                socket.send(HUSH)
    for venue, socket in acks.items():
        socket.send(b"%d" % taken[venue])
    return taken, last


def _close(context: process.Context) -> None:
    pykka.ActorRegistry.stop_all()
    context.destroy(linger=sockets.LINGER_MS)
