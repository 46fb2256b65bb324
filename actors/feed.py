"""A feed process: one LP's connection, its quotes checked and passed on to the aggregator."""

import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pykka
import structlog
import zmq

from actors import process
from actors.bus import codec, sockets
from actors.bus.endpoints import Endpoints
from actors.bus.streams import FeedStatus, QuoteBatch
from actors.domain.instrument import Instrument
from actors.domain.quote import Quote, QuoteLimits, is_withdrawal, verdict
from config import catalogue
from config import settings as config
from config.catalogue import Lp
from config.settings import Settings
from gateway.connection import Connection
from gateway.venues.binance import book_ticker
from gateway.venues.binance.stream import BinanceStream
from gateway.venues.events import VenueEvent, VenueGarbage, VenueQuote
from gateway.venues.interface import ConnectionLost, Events, Patience, Stream
from gateway.venues.oanda.rest import Account
from gateway.venues.oanda.stream import OandaStream

STATUS_INTERVAL_S = 1.0
STOP_CHECK_INTERVAL_S = 0.05


class Heard(NamedTuple):
    """What one chunk of the LP's stream said."""

    now_ns: int
    events: list[VenueEvent]


class Connected(NamedTuple):
    """The connection is up, or down; `detail` is a sentence for the operator."""

    now_ns: int
    up: bool
    detail: str


class Beat(NamedTuple):
    """Time to say how the feed is."""

    now_ns: int


class Feed(pykka.ThreadingActor):
    """Answers what the connection heard with frames for the aggregator."""

    def __init__(
        self, venue: str, symbols: dict[str, str], instruments: dict[str, Instrument], limits: QuoteLimits
    ) -> None:
        """`symbols`: from the LP's spelling to ours."""
        super().__init__()
        self._venue = venue
        self._symbols = symbols
        self._instruments = instruments
        self._limits = limits
        self._connection = (False, "not connected yet")
        self._quotes = 0
        self._dropped: Counter[str] = Counter()

    def on_receive(self, message: Heard | Connected | Beat) -> list[bytes]:
        if isinstance(message, Heard):
            quotes = self._passed_on(message)
            return [codec.encode(QuoteBatch(self._venue, quotes))] if quotes else []
        if isinstance(message, Connected):
            self._connection = (message.up, message.detail)
        up, detail = self._connection
        return [codec.encode(FeedStatus(self._venue, up, detail, message.now_ns, self._quotes, dict(self._dropped)))]

    def _passed_on(self, heard: Heard) -> list[Quote]:
        """The quotes that are fit to be used, and those that withdraw the LP's price; the rest is counted."""
        quotes: list[Quote] = []
        for event in heard.events:
            if isinstance(event, VenueQuote):
                quote = Quote(
                    self._symbols.get(event.instrument, ""),
                    event.bid_e8,
                    event.ask_e8,
                    event.bid_size_e8,
                    event.ask_size_e8,
                    event.time_ns,
                    heard.now_ns,
                )
                drop = verdict(quote, self._instruments, self._limits)
                if drop is None:
                    self._quotes += 1
                else:
                    self._dropped[drop.value] += 1
                if drop is None or (is_withdrawal(quote) and quote.symbol):
                    quotes.append(quote)
            elif isinstance(event, VenueGarbage):
                self._dropped[event.reason] += 1
        return quotes


class FeedRunner:
    """Turns the connection's loop, asks the actor with what it hears, sends what the actor answers."""

    def __init__(
        self,
        actor: pykka.ActorRef[Any],
        connect: Callable[[Callable[[list[VenueEvent]], None], Callable[[bool, str], None]], Connection],
        quotes: zmq.Socket[bytes],
        clock_ns: Callable[[], int],
    ) -> None:
        self._actor = actor
        self._quotes = quotes
        self._clock_ns = clock_ns
        self._log = structlog.get_logger()
        self._connection = connect(self._on_events, self._on_state)

    def run(self, stopping: Callable[[], bool]) -> None:
        asyncio.run(self._run(stopping))

    async def _run(self, stopping: Callable[[], bool]) -> None:
        reading = asyncio.create_task(self._connection.run())
        loop = asyncio.get_running_loop()
        next_beat = loop.time()
        while not stopping() and not reading.done():
            if loop.time() >= next_beat:
                self._ask(Beat(self._clock_ns()))
                next_beat += STATUS_INTERVAL_S
            await asyncio.sleep(STOP_CHECK_INTERVAL_S)
        self._connection.stop()
        await reading

    def _on_events(self, events: list[VenueEvent]) -> None:
        self._ask(Heard(self._clock_ns(), events))

    def _on_state(self, up: bool, detail: str) -> None:
        self._log.info("connected" if up else "disconnected", detail=detail)
        self._ask(Connected(self._clock_ns(), up, detail))

    def _ask(self, message: Heard | Connected | Beat) -> None:
        for frame in self._actor.ask(message, block=True):
            self._quotes.send(frame, zmq.NOBLOCK)


class SimulatedStream:
    """The stream of the simulated LP, wherever it listens now: the venues process writes that down at its start."""

    def __init__(self, addresses: Path, lp: str, stream_of: Callable[[dict[str, str]], Stream]) -> None:
        self._addresses = addresses
        self._lp = lp
        self._stream_of = stream_of

    def open(self) -> AbstractAsyncContextManager[Events]:
        try:
            stream = self._stream_of(json.loads(self._addresses.read_text(encoding="utf-8"))[self._lp])
        except (OSError, ValueError, LookupError, TypeError):
            raise ConnectionLost("the simulated LPs are not up yet") from None
        return stream.open()


def oanda_stream(settings: Settings, lp: Lp, patience: Patience) -> Stream:
    """The LP that the settings name, or the simulated one."""

    def stream_of(address: dict[str, str]) -> Stream:
        account = Account(address["url"], address["url"], address["account"], address["token"])
        return OandaStream(account, list(lp.symbols), patience)

    if settings.oanda_url is None:
        return SimulatedStream(settings.venues_file, "oanda", stream_of)
    if settings.oanda_account is None or settings.oanda_token is None:
        config.stop("HEDGEROW_OANDA_URL needs HEDGEROW_OANDA_ACCOUNT and HEDGEROW_OANDA_TOKEN beside it.")
    token = settings.oanda_token.get_secret_value()
    try:
        return stream_of({"url": settings.oanda_url, "account": settings.oanda_account, "token": token})
    except ValueError as error:
        config.stop(f"HEDGEROW_OANDA_TOKEN, HEDGEROW_OANDA_ACCOUNT: {error}.")


def binance_stream(settings: Settings, lp: Lp, patience: Patience) -> Stream:
    """The LP that the settings name, or the simulated one."""

    def stream_of(address: dict[str, str]) -> Stream:
        return BinanceStream(book_ticker.stream_url(address["url"], list(lp.symbols)), patience)

    if settings.binance_url is None:
        return SimulatedStream(settings.venues_file, "binance", stream_of)
    return stream_of({"url": settings.binance_url})


STREAMS: dict[str, Callable[[Settings, Lp, Patience], Stream]] = {"OANDA": oanda_stream, "BINANCE": binance_stream}


def build(name: str, settings: Settings, endpoints: Endpoints, context: process.Context) -> FeedRunner:
    lp = catalogue.lps()[name]
    patience = Patience(silence_timeout_ms=lp.silence_timeout_ms)
    stream = STREAMS[name](settings, lp, patience)
    return FeedRunner(
        Feed.start(name, lp.symbols, catalogue.instruments(), QuoteLimits()),
        lambda on_events, on_state: Connection(stream, on_events, on_state, patience, random.SystemRandom()),
        sockets.reporter(context, endpoints.quotes),
        process.clock_ns,
    )


if __name__ == "__main__":
    name = sys.argv[1].upper() if len(sys.argv) == 2 else ""
    if name not in STREAMS:
        sys.exit(f"usage: python -m actors.feed [{' | '.join(STREAMS).lower()}]")
    process.run(f"feed-{name.lower()}", partial(build, name))
