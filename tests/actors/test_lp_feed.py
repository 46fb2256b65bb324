"""The feed's actor, told by hand what its connections hear."""

import csv
import gzip
from collections import Counter
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import pykka
import pytest

from actors.bus import codec
from actors.bus.streams import FeedMessage, FeedStatus, QuoteBatch, QuotesStanding, StreamState
from actors.domain.latency import BOUNDS_US
from actors.domain.lp_registry import Lp
from actors.domain.money import parse_e8 as e8
from actors.domain.quote import Quote
from actors.lp_feed import (
    SILENT_AFTER_NS,
    Asked,
    Beat,
    Connected,
    Faulty,
    Feed,
    Followed,
    Heard,
    Planned,
    Stalled,
    Told,
)
from config import catalogue
from gateway.venues.events import VenueEvent, VenueGarbage, VenueHeartbeat, VenueQuote
from tests.examples import INSTRUMENTS, SECOND_NS, START_NS

LP = Lp("OANDA", "oanda", {"EURUSD": "EUR_USD", "GBPUSD": "GBP_USD", "XAUUSD": "XAU_USD"})
SIZES = e8("1000000"), e8("2000000")
decode = codec.decoder(FeedMessage)

Said = list[QuoteBatch | QuotesStanding | FeedStatus]


@pytest.fixture
def feed(actors_stop: None) -> pykka.ActorRef[Any]:
    """With one stream, which carries all."""
    made = Feed.start("OANDA", INSTRUMENTS, START_NS)
    said(made, Followed(LP))
    said(made, Planned(START_NS, {1: list(LP.symbols.values())}, {}))
    return made


def said(feed: pykka.ActorRef[Any], message: Told) -> Said:
    return [decode(frame) for frame in feed.ask(message, block=True)]


def status(feed: pykka.ActorRef[Any], now_ns: int = START_NS) -> FeedStatus:
    told = said(feed, Beat(now_ns))[0]
    assert isinstance(told, FeedStatus)
    return told


def venue_quote(instrument: str, bid: str, ask: str, time_ns: int = START_NS) -> VenueQuote:
    return VenueQuote(instrument, e8(bid), e8(ask), *SIZES, time_ns)


def ours(symbol: str, bid: str, ask: str, time_ns: int = START_NS, now_ns: int = START_NS) -> Quote:
    return Quote(symbol, e8(bid), e8(ask), *SIZES, time_ns, now_ns)


def withdrawal(symbol: str, now_ns: int) -> Quote:
    return Quote(symbol, 0, 0, 0, 0, 0, now_ns)


def test_quotes_are_passed_on_under_our_names(feed: pykka.ActorRef[Any]) -> None:
    events: list[VenueEvent] = [
        venue_quote("EUR_USD", "1.1", "1.2", START_NS - 5),
        VenueHeartbeat(START_NS),
        venue_quote("GBP_USD", "1.3", "1.4", 0),
    ]
    assert said(feed, Heard(START_NS, 1, events)) == [
        QuoteBatch("OANDA", [ours("EURUSD", "1.1", "1.2", START_NS - 5), ours("GBPUSD", "1.3", "1.4", 0)])
    ]


def test_what_is_not_fit_to_be_used_is_counted_by_reason(feed: pykka.ActorRef[Any]) -> None:
    """The dirt of the recording FX14-2026-01-19 (a side that is zero, bid above ask), and the rest."""
    minute_ns = 60 * SECOND_NS
    events: list[VenueEvent] = [
        venue_quote("EUR_USD", "1.1", "0"),
        venue_quote("EUR_USD", "0", "1.1"),
        venue_quote("EUR_USD", "-1", "1.1"),
        venue_quote("EUR_USD", "1.10001", "1.1"),
        venue_quote("EUR_USD", "0.1", "0.1"),
        venue_quote("EUR_USD", "1", "1.5"),
        venue_quote("EUR_USD", "1.1", "1.2", START_NS - minute_ns),
        venue_quote("EUR_USD", "1.1", "1.2", START_NS + minute_ns),
        venue_quote("XAU_USD", "1900", "1901"),
        venue_quote("NOBODY", "1.1", "1.2"),
        VenueGarbage("bad_json", "{"),
        VenueGarbage("bad_json", "}"),
        VenueHeartbeat(START_NS),
    ]
    assert said(feed, Heard(START_NS, 1, events)) == []
    told = status(feed)
    assert told.dropped == {
        "zero": 3,
        "crossed": 1,
        "bounds": 1,
        "spread": 1,
        "old": 1,
        "future": 1,
        "unknown_symbol": 2,
        "bad_json": 2,
    }
    assert told.quotes == 0


def test_a_price_that_the_lp_withdraws_is_counted_and_passed_on(feed: pykka.ActorRef[Any]) -> None:
    ((batch),) = said(feed, Heard(START_NS, 1, [venue_quote("EUR_USD", "0", "0"), venue_quote("NOBODY", "0", "0")]))
    assert isinstance(batch, QuoteBatch)
    assert [(quote.symbol, quote.bid_e8, quote.ask_e8) for quote in batch.quotes] == [("EURUSD", 0, 0)]
    assert (status(feed).quotes, status(feed).dropped) == (0, {"zero": 2})


def test_a_chunk_without_quotes_says_nothing(feed: pykka.ActorRef[Any]) -> None:
    assert said(feed, Heard(START_NS, 1, [VenueHeartbeat(START_NS)])) == []


def test_the_status_has_the_streams_the_symbols_and_the_clock(feed: pykka.ActorRef[Any]) -> None:
    (up,) = said(feed, Connected(START_NS + 1, 1, True, "connected"))
    said(feed, Heard(START_NS + 7, 1, [venue_quote("EUR_USD", "1.1", "1.2", START_NS - 2 * SECOND_NS)]))
    quick = [1, *[0] * len(BOUNDS_US)]
    expected = FeedStatus(
        "OANDA",
        True,
        "connected",
        START_NS + 9,
        1,
        {},
        START_NS,
        (StreamState(True, "connected", 3, START_NS + 7, 1),),
        {"EURUSD": START_NS + 7, "GBPUSD": 0, "XAUUSD": 0},
        {},
        2 * SECOND_NS + 7,
        tuple(quick),
    )
    assert status(feed, START_NS + 9) == expected
    assert up == msgspec.structs.replace(
        expected,
        time_ns=START_NS + 1,
        quotes=0,
        streams=(StreamState(True, "connected", 3, 0, 1),),
        quoted_ns=dict.fromkeys(expected.quoted_ns, 0),
        clock_offset_ns=None,
        latency=(0,) * len(quick),
    )


def two_streams(feed: pykka.ActorRef[Any]) -> None:
    said(feed, Planned(START_NS, {1: ["EUR_USD"], 2: ["GBP_USD"]}, {"XAU_USD": "unlisted"}))
    for stream, quote in ((1, venue_quote("EUR_USD", "1.1", "1.2")), (2, venue_quote("GBP_USD", "1.3", "1.4"))):
        said(feed, Connected(START_NS, stream, True, "connected"))
        said(feed, Heard(START_NS, stream, [quote]))


def test_a_dead_stream_beside_a_living_one_takes_its_quotes_back(feed: pykka.ActorRef[Any]) -> None:
    two_streams(feed)
    withdrawn, told = said(feed, Connected(START_NS + 5, 2, False, "lost"))
    assert withdrawn == QuoteBatch("OANDA", [withdrawal("GBPUSD", START_NS + 5)])
    assert isinstance(told, FeedStatus)
    assert (told.connected, told.detail) == (True, "1 of 2 streams: lost")
    assert [stream.connected for stream in told.streams] == [True, False]
    assert told.missing == {"XAUUSD": "unlisted"}
    (told,) = said(feed, Connected(START_NS + 6, 2, False, "lost again"))
    assert isinstance(told, FeedStatus)
    withdrawn, told = said(feed, Connected(START_NS + 7, 1, False, "lost too"))
    assert isinstance(told, FeedStatus)
    assert (told.connected, told.detail) == (False, "lost too")


def test_a_symbol_that_is_not_asked_for_any_more_is_withdrawn(feed: pykka.ActorRef[Any]) -> None:
    two_streams(feed)
    withdrawn, told = said(feed, Planned(START_NS + 5, {1: ["EUR_USD"]}, {}))
    assert withdrawn == QuoteBatch("OANDA", [withdrawal("GBPUSD", START_NS + 5)])
    assert isinstance(told, FeedStatus)
    assert told.quoted_ns == {"EURUSD": START_NS}


def test_a_silent_symbol_beside_a_living_one_is_said(feed: pykka.ActorRef[Any]) -> None:
    two_streams(feed)
    later_ns = START_NS + SILENT_AFTER_NS
    said(feed, Heard(later_ns, 1, [venue_quote("EUR_USD", "1.1", "1.2", later_ns)]))
    assert status(feed, later_ns).missing == {"XAUUSD": "unlisted"}
    assert status(feed, later_ns + 1).missing == {"XAUUSD": "unlisted", "GBPUSD": "silent"}
    said(feed, Connected(later_ns + 2, 2, False, "lost"))
    assert status(feed, later_ns + 3).missing == {"XAUUSD": "unlisted"}


def test_the_quotes_that_stand_are_told_to_a_new_aggregator(feed: pykka.ActorRef[Any]) -> None:
    """Three times, for its connection to us may come up after it has said that it is there."""
    two_streams(feed)
    said(feed, Connected(START_NS + 1, 2, False, "lost"))
    quotes = [ours("EURUSD", "1.1", "1.2")]
    for message in (Asked(START_NS + 2), Beat(START_NS + 3), Beat(START_NS + 4)):
        _, standing = said(feed, message)
        assert standing == QuotesStanding("OANDA", message.now_ns, quotes)
    assert len(said(feed, Beat(START_NS + 5))) == 1


def test_bad_settings_are_told_and_withdraw_everything(feed: pykka.ActorRef[Any]) -> None:
    two_streams(feed)
    withdrawn, told = said(feed, Faulty(START_NS + 5, "settings: no url"))
    assert isinstance(withdrawn, QuoteBatch)
    assert isinstance(told, FeedStatus)
    assert [quote.symbol for quote in withdrawn.quotes] == ["EURUSD", "GBPUSD"]
    assert (told.connected, told.detail, told.streams) == (False, "settings: no url", ())


def test_a_stall_is_counted(feed: pykka.ActorRef[Any]) -> None:
    assert said(feed, Stalled()) == []
    assert status(feed).dropped == {"stalled": 1}


def test_the_recordings_dirt_is_never_passed_on(shared: Path, actors_stop: None) -> None:
    """FX14-2026-01-19 holds 942 rows with a zero side and 4 that are crossed, in 63,093."""
    feed = Feed.start("RECORDING", catalogue.instruments(), START_NS)
    said(feed, Followed(Lp("RECORDING", "recording", {symbol: symbol for symbol in catalogue.instruments()})))
    quotes: Counter[str] = Counter()
    with gzip.open(shared / "ticks" / "FX14-2026-01-19.csv.gz", "rt") as file:
        for second, rows in groupby(csv.DictReader(file), key=lambda row: row["time"][:19]):
            now_ns = int(datetime.fromisoformat(second + "Z").timestamp()) * SECOND_NS
            events: list[VenueEvent] = [venue_quote(row["symbol"], row["bid"], row["ask"], now_ns) for row in rows]
            for message in said(feed, Heard(now_ns, 1, events)):
                assert isinstance(message, QuoteBatch)
                assert all(0 < quote.bid_e8 <= quote.ask_e8 for quote in message.quotes)
                quotes.update(quote.symbol for quote in message.quotes)
    told = status(feed)
    assert told.dropped == {"zero": 942, "crossed": 4}
    assert (told.quotes, quotes.total(), len(quotes)) == (63_093 - 946, 63_093 - 946, 14)
