"""A feed's runner on real sockets: it follows the registry, drops a backlog, and ends with its LP or its parent."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq

from actors.bus import codec, sockets, topics
from actors.bus.streams import FeedMessage, FeedStatus, LpsAnnounced, QuoteBatch, StandingQuotes
from actors.domain.money import parse_e8 as e8
from actors.domain.prices.lp_registry import Lp, Registry
from actors.feed import STALL_LIMIT_NS, FeedRunner
from actors.quoting.lp_feed import Feed
from gateway.venues.events import VenueEvent, VenueQuote
from gateway.venues.interface import BadSettings, Events, Parser, Tap, VenueInstrument
from tests.examples import INSTRUMENTS, START_NS

LP = Lp("ACME", "acme", {"EURUSD": "EUR_USD"})
replace = msgspec.structs.replace
decode = codec.decoder(FeedMessage)


class Talking:
    """A venue whose streams say the price of each of their instruments, again and again."""

    instruments_per_stream = 10

    def __init__(self) -> None:
        self.connections = 0

    def stream(self, instruments: Sequence[str], tap: Tap | None = None) -> "TalkingStream":
        return TalkingStream(self, instruments)

    def parser(self) -> Parser:
        return lambda _: []

    async def instruments(self) -> dict[str, VenueInstrument] | None:
        return None


class TalkingStream:
    def __init__(self, venue: Talking, instruments: Sequence[str]) -> None:
        self._venue = venue
        self._instruments = instruments

    async def change(self, instruments: Sequence[str]) -> bool:
        self._instruments = instruments
        return True

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Events]:
        self._venue.connections += 1
        yield self._say()

    async def _say(self) -> AsyncIterator[list[VenueEvent]]:
        while True:
            yield [VenueQuote(name, e8("1.1"), e8("1.2"), 0, 0, 0) for name in self._instruments]
            await asyncio.sleep(0.01)


class Bench:
    """An aggregator's two sockets, and a feed that runs in a thread."""

    def __init__(self, folder: Path) -> None:
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.quotes = sockets.collector(self.context, f"ipc://{folder}/quotes")
        self.ticks = sockets.publisher(self.context, f"ipc://{folder}/ticks")
        self.venue = Talking()
        self.now_ns = START_NS
        self.orphan = False
        self.faults: list[Exception] = []
        self._stopping = threading.Event()
        self._folder = folder
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            FeedRunner(
                "ACME",
                Feed.start("ACME", INSTRUMENTS, START_NS),
                self.venue_of,
                sockets.reporter(self.context, f"ipc://{self._folder}/quotes"),
                sockets.subscriber(self.context, f"ipc://{self._folder}/ticks", topics.LPS),
                lambda: self.now_ns,
                lambda: self.orphan,
            ).run(self._stopping.is_set)
        except Exception as error:  # noqa: BLE001 (told by close)
            self.faults.append(error)

    def venue_of(self, lp: Lp) -> Any:
        if lp.adapter != "acme":
            raise BadSettings("no adapter")
        return self.venue

    def hear(self, wanted: Callable[[Any], bool], *lps: Lp, started_ns: int = 1) -> Any:
        """Announces these LPs until the feed says what is wanted."""
        announced = LpsAnnounced(started_ns, Registry(1, {lp.name: lp for lp in lps}, 1, "root", ""))
        for _ in range(4_500):
            self.ticks.send(codec.encode(announced, topics.LPS))
            while self.quotes.poll(20):
                if wanted(message := decode(self.quotes.recv())):
                    return message
        raise AssertionError("not heard")

    def ended(self) -> bool:
        self._thread.join(90)
        return not self._thread.is_alive()

    def close(self) -> None:
        self._stopping.set()
        assert self.ended()
        self.context.destroy(linger=0)
        assert self.faults == []


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    made = Bench(tmp_path)
    yield made
    made.close()


def quotes(*symbols: str) -> Callable[[Any], bool]:
    return lambda it: isinstance(it, QuoteBatch) and [q.symbol for q in it.quotes if q.bid_e8] == list(symbols)


def test_it_follows_the_registry_on_the_living_connection(bench: Bench) -> None:
    bench.hear(quotes("EURUSD"), LP)
    bench.hear(quotes("EURUSD", "GBPUSD"), replace(LP, symbols={"EURUSD": "EUR_USD", "GBPUSD": "GBP_USD"}))
    withdrawn = bench.hear(
        lambda it: isinstance(it, QuoteBatch) and not it.quotes[0].bid_e8, replace(LP, symbols={"GBPUSD": "GBP_USD"})
    )
    assert [quote.symbol for quote in withdrawn.quotes] == ["EURUSD"]
    assert bench.venue.connections == 1


def test_other_settings_are_another_connection_and_bad_ones_are_told(bench: Bench) -> None:
    bench.hear(quotes("EURUSD"), LP)
    told = bench.hear(lambda it: isinstance(it, FeedStatus) and "settings" in it.detail, replace(LP, adapter="nobodys"))
    assert (told.connected, told.detail) == (False, "settings: no adapter")
    bench.hear(quotes("EURUSD"), replace(LP, settings={"url": "x"}))
    assert bench.venue.connections == 2


def test_a_new_aggregator_gets_the_quotes_that_stand(bench: Bench) -> None:
    bench.hear(quotes("EURUSD"), LP)
    standing = bench.hear(lambda it: isinstance(it, StandingQuotes), LP, started_ns=2)
    assert [quote.symbol for quote in standing.quotes] == ["EURUSD"]


def test_after_a_pause_what_waited_is_dropped_and_counted(bench: Bench) -> None:
    """A clock that jumps is what a process sees that was stopped, or a machine that slept."""
    bench.hear(quotes("EURUSD"), LP)
    bench.now_ns += STALL_LIMIT_NS + 1
    bench.hear(lambda it: isinstance(it, FeedStatus) and it.dropped == {"stalled": 1}, LP)
    bench.hear(quotes("EURUSD"), LP)
    assert bench.venue.connections == 2


@pytest.mark.parametrize("lps", [(), (replace(LP, enabled=False),)])
def test_it_ends_with_its_lp(bench: Bench, lps: tuple[Lp, ...]) -> None:
    bench.hear(quotes("EURUSD"), LP)
    last = bench.hear(lambda it: isinstance(it, FeedStatus) and not it.connected, *lps)
    assert last.detail == "stopped"
    assert bench.ended()


def test_it_ends_with_its_parent(bench: Bench) -> None:
    bench.hear(quotes("EURUSD"), LP)
    bench.orphan = True
    assert bench.ended()
