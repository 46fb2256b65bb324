"""The feed's actor with what a connection hears, and its runner on a real socket."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pykka
import pytest
import zmq
from pydantic import SecretStr

from actors.bus import codec, sockets
from actors.bus.streams import FeedMessage, FeedStatus, QuoteBatch
from actors.domain.money import parse_e8 as e8
from actors.domain.quote import Quote
from actors.feed import Beat, Connected, Feed, FeedRunner, Heard, SimulatedStream, binance_stream, oanda_stream
from config import catalogue
from config.settings import Settings
from gateway.connection import Connection
from gateway.venues.binance.stream import BinanceStream
from gateway.venues.events import VenueEvent, VenueGarbage, VenueHeartbeat, VenueQuote
from gateway.venues.interface import ConnectionLost, Events, Patience
from gateway.venues.oanda.stream import OandaStream
from tests.examples import SECOND_NS, START_NS

SYMBOLS = {"EUR_USD": "EURUSD", "GBP_USD": "GBPUSD", "XAU_USD": "XAUUSD"}
decode = codec.decoder(FeedMessage)


@pytest.fixture
def feed(actors_stop: None) -> pykka.ActorRef[Any]:
    return Feed.start("OANDA", SYMBOLS)


def said(feed: pykka.ActorRef[Any], message: Heard | Connected | Beat) -> list[QuoteBatch | FeedStatus]:
    return [decode(frame) for frame in feed.ask(message, block=True)]


def venue_quote(instrument: str, bid: str, ask: str, time_ns: int = START_NS) -> VenueQuote:
    return VenueQuote(instrument, e8(bid), e8(ask), e8("1000000"), e8("2000000"), time_ns)


def test_quotes_are_passed_on_under_our_names(feed: pykka.ActorRef[Any]) -> None:
    events: list[VenueEvent] = [
        venue_quote("EUR_USD", "1.1", "1.2", START_NS - 5),
        VenueHeartbeat(START_NS),
        venue_quote("GBP_USD", "1.3", "1.4", 0),
    ]
    sizes = e8("1000000"), e8("2000000")
    assert said(feed, Heard(START_NS, events)) == [
        QuoteBatch(
            "OANDA",
            [
                Quote("EURUSD", e8("1.1"), e8("1.2"), *sizes, START_NS - 5, START_NS),
                Quote("GBPUSD", e8("1.3"), e8("1.4"), *sizes, 0, START_NS),
            ],
        )
    ]


def test_what_is_not_ours_is_counted_and_all_else_is_passed_on_as_it_is(feed: pykka.ActorRef[Any]) -> None:
    """What is fit to be used the aggregator judges, which has all LPs before it."""
    events: list[VenueEvent] = [
        venue_quote("EUR_USD", "1.1", "0"),
        venue_quote("EUR_USD", "0", "0"),
        venue_quote("EUR_USD", "1.3", "1.1", START_NS - 60 * SECOND_NS),
        venue_quote("NOBODY", "1.1", "1.2"),
        VenueGarbage("bad_json", "{"),
        VenueGarbage("bad_json", "}"),
        VenueHeartbeat(START_NS),
    ]
    ((batch),) = said(feed, Heard(START_NS, events))
    assert isinstance(batch, QuoteBatch)
    assert [(quote.bid_e8, quote.ask_e8) for quote in batch.quotes] == [(e8("1.1"), 0), (0, 0), (e8("1.3"), e8("1.1"))]
    dropped = {"unknown_symbol": 1, "bad_json": 2}
    assert said(feed, Beat(START_NS)) == [FeedStatus("OANDA", False, "not connected yet", START_NS, 3, dropped)]


def test_a_chunk_without_quotes_says_nothing(feed: pykka.ActorRef[Any]) -> None:
    assert said(feed, Heard(START_NS, [VenueHeartbeat(START_NS)])) == []


def test_the_status_follows_the_connection_and_counts(feed: pykka.ActorRef[Any]) -> None:
    said(feed, Heard(START_NS, [venue_quote("EUR_USD", "1.1", "1.2")] * 3))
    assert said(feed, Connected(START_NS + 1, True, "up")) == [FeedStatus("OANDA", True, "up", START_NS + 1, 3, {})]
    assert said(feed, Beat(START_NS + 2)) == [FeedStatus("OANDA", True, "up", START_NS + 2, 3, {})]
    assert said(feed, Connected(START_NS + 3, False, "lost")) == [
        FeedStatus("OANDA", False, "lost", START_NS + 3, 3, {})
    ]


class Talking:
    """A stream that says the same again and again."""

    def __init__(self, *events: VenueEvent) -> None:
        self._events = list(events)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Events]:
        yield self._say()

    async def _say(self) -> AsyncIterator[list[VenueEvent]]:
        while True:
            yield self._events
            await asyncio.sleep(0.01)


def test_a_running_feed_publishes_quotes_and_its_state_until_it_is_stopped(
    feed: pykka.ActorRef[Any], tmp_path: Path
) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    collecting = sockets.collector(context, f"ipc://{tmp_path}/quotes")
    reporting = sockets.reporter(context, f"ipc://{tmp_path}/quotes")
    stream = Talking(venue_quote("EUR_USD", "1.1", "1.2"))
    heard: list[QuoteBatch | FeedStatus] = []

    def drain(timeout_ms: int) -> None:
        while collecting.poll(timeout_ms):
            heard.append(decode(collecting.recv()))

    def enough() -> bool:
        drain(0)
        return {type(message) for message in heard} == {QuoteBatch, FeedStatus}

    runner = FeedRunner(
        feed,
        lambda on_events, on_state: Connection(stream, on_events, on_state, Patience(), random.Random(1)),
        reporting,
        lambda: START_NS,
    )
    runner.run(enough)
    drain(200)
    quote = Quote("EURUSD", e8("1.1"), e8("1.2"), e8("1000000"), e8("2000000"), START_NS, START_NS)
    assert QuoteBatch("OANDA", [quote]) in heard
    last = heard[-1]
    assert isinstance(last, FeedStatus)
    assert (last.connected, last.detail, last.quotes > 0) == (False, "stopped", True)
    context.destroy(linger=0)


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


LPS = catalogue.lps()


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"oanda": {}}', '{"oanda": []}'])
def test_simulated_lps_that_are_not_up_are_a_lost_connection(tmp_path: Path, content: str | None) -> None:
    """Whatever the file holds at the moment: it is looked at again with the next try."""
    stream = oanda_stream(settings(run_dir=tmp_path), LPS["OANDA"], Patience())
    if content is not None:
        (tmp_path / "venues.json").write_text(content)
    assert isinstance(stream, SimulatedStream)
    with pytest.raises(ConnectionLost):
        stream.open()


def test_the_settings_choose_between_the_real_lp_and_the_simulated_one(tmp_path: Path) -> None:
    real = settings(
        run_dir=tmp_path,
        oanda_url="https://stream-fxpractice.oanda.com",
        oanda_account="101-001-1-001",
        oanda_token=SecretStr("token"),
        binance_url="wss://stream.binance.com:9443",
    )
    assert isinstance(oanda_stream(real, LPS["OANDA"], Patience()), OandaStream)
    assert isinstance(binance_stream(real, LPS["BINANCE"], Patience()), BinanceStream)
    simulated = settings(run_dir=tmp_path)
    assert isinstance(oanda_stream(simulated, LPS["OANDA"], Patience()), SimulatedStream)
    assert isinstance(binance_stream(simulated, LPS["BINANCE"], Patience()), SimulatedStream)


@pytest.mark.parametrize("missing", ["oanda_account", "oanda_token"])
def test_an_oanda_host_needs_account_and_token(
    tmp_path: Path, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"oanda_url": "https://x", "oanda_account": "1", "oanda_token": SecretStr("t"), "run_dir": tmp_path}
    del values[missing]
    with pytest.raises(SystemExit):
        oanda_stream(settings(**values), LPS["OANDA"], Patience())
    assert capsys.readouterr().err == (
        "hedgerow: HEDGEROW_OANDA_URL needs HEDGEROW_OANDA_ACCOUNT and HEDGEROW_OANDA_TOKEN beside it.\n"
    )


def test_a_token_that_cannot_be_sent_is_said_in_one_line_and_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"oanda_url": "https://x", "oanda_account": "1", "oanda_token": SecretStr("to ken"), "run_dir": tmp_path}
    with pytest.raises(SystemExit):
        oanda_stream(settings(**values), LPS["OANDA"], Patience())
    said = "hedgerow: HEDGEROW_OANDA_TOKEN, HEDGEROW_OANDA_ACCOUNT: the OANDA token must be printable ASCII without "
    assert capsys.readouterr().err == said + "blanks.\n"
