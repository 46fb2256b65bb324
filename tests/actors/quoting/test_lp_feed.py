"""The feed's actor, told by hand what its connections hear."""

from typing import Any

import msgspec
import pykka
import pytest

from actors.bus import codec
from actors.bus.streams import FeedMessage, FeedStatus, LadderBatch, QuoteBatch, StandingQuotes, StreamState
from actors.domain.money import parse_e8 as e8
from actors.domain.prices.lp_registry import Lp
from actors.domain.quote import Ladder, Quote
from actors.quoting.feed_line import OVERDUE_WORDS
from actors.quoting.lp_feed import (
    SILENT_AFTER_NS,
    Asked,
    Beat,
    Connected,
    Faulty,
    Feed,
    Followed,
    Heard,
    Misfit,
    Planned,
    Stalled,
    Told,
)
from gateway.venues.events import VenueDepth, VenueEvent, VenueGarbage, VenueHeartbeat, VenueQuote
from tests.examples import INSTRUMENTS, SECOND_NS, START_NS

LP = Lp("OANDA", "oanda", {"EURUSD": "EUR_USD", "GBPUSD": "GBP_USD", "XAUUSD": "XAU_USD"})
SIZES = e8("1000000"), e8("2000000")
decode = codec.decoder(FeedMessage)

Said = list[QuoteBatch | LadderBatch | StandingQuotes | FeedStatus]


@pytest.fixture
def feed() -> pykka.ActorRef[Any]:
    """With one stream, which carries all."""
    made = Feed.start("OANDA", INSTRUMENTS, START_NS)
    said(made, Followed(START_NS, LP))
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


def test_of_each_order_book_the_last_is_passed_on(feed: pykka.ActorRef[Any]) -> None:
    """Behind the quotes that came with it; at most 20 levels of a side, and none of a symbol that is not ours."""
    levels = tuple((price, 1) for price in range(100, 75, -1))
    events: list[VenueEvent] = [
        VenueDepth("EUR_USD", levels, (), 0),
        venue_quote("EUR_USD", "1.1", "1.2"),
        VenueDepth("USD_JPY", levels, levels, 0),
        VenueDepth("GBP_USD", (), (), 0),
        VenueDepth("EUR_USD", levels, ((101, 2),), 0),
    ]
    assert said(feed, Heard(START_NS, 1, events)) == [
        QuoteBatch("OANDA", [ours("EURUSD", "1.1", "1.2")]),
        LadderBatch(
            "OANDA",
            [Ladder("EURUSD", levels[:20], ((101, 2),), START_NS), Ladder("GBPUSD", (), (), START_NS)],
        ),
    ]


def test_quotes_are_passed_on_under_our_names(feed: pykka.ActorRef[Any]) -> None:
    events: list[VenueEvent] = [
        venue_quote("EUR_USD", "1.1", "1.2", START_NS - 5),
        VenueHeartbeat(START_NS),
        venue_quote("GBP_USD", "1.3", "1.4", 0),
    ]
    assert said(feed, Heard(START_NS, 1, events)) == [
        QuoteBatch("OANDA", [ours("EURUSD", "1.1", "1.2", START_NS - 5), ours("GBPUSD", "1.3", "1.4", 0)])
    ]


def test_what_is_not_fit_is_passed_on_for_the_aggregator_to_judge_and_what_is_not_ours_is_counted(
    feed: pykka.ActorRef[Any],
) -> None:
    events: list[VenueEvent] = [
        venue_quote("EUR_USD", "1.1", "0"),
        venue_quote("NOBODY", "1.1", "1.2"),
        VenueGarbage("bad_json", "{"),
        VenueGarbage("bad_json", "}"),
    ]
    assert said(feed, Heard(START_NS, 1, events)) == [QuoteBatch("OANDA", [ours("EURUSD", "1.1", "0")])]
    assert (status(feed).quotes, status(feed).dropped) == (1, {"unknown_symbol": 1, "bad_json": 2})


def test_a_price_that_the_lp_withdraws_does_not_stand(feed: pykka.ActorRef[Any]) -> None:
    said(feed, Heard(START_NS, 1, [venue_quote("EUR_USD", "1.1", "1.2")]))
    assert len(said(feed, Asked(START_NS))) == 2
    said(feed, Heard(START_NS, 1, [venue_quote("EUR_USD", "0", "0")]))
    assert len(said(feed, Asked(START_NS))) == 1


def test_a_chunk_without_quotes_says_nothing(feed: pykka.ActorRef[Any]) -> None:
    assert said(feed, Heard(START_NS, 1, [VenueHeartbeat(START_NS)])) == []


def test_the_status_has_the_streams_and_the_symbols(feed: pykka.ActorRef[Any]) -> None:
    (up,) = said(feed, Connected(START_NS + 1, 1, True, "connected"))
    said(feed, Heard(START_NS + 7, 1, [venue_quote("EUR_USD", "1.1", "1.2")]))
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
    )
    assert status(feed, START_NS + 9) == expected
    assert up == msgspec.structs.replace(
        expected,
        time_ns=START_NS + 1,
        quotes=0,
        streams=(StreamState(True, "connected", 3, 0, 1),),
        quoted_ns=dict.fromkeys(expected.quoted_ns, 0),
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
    (told,) = said(feed, Connected(START_NS + 7, 1, False, "lost too"))
    assert isinstance(told, FeedStatus)
    assert (told.connected, told.detail) == (False, "lost too")


def test_a_symbol_that_is_not_asked_for_any_more_is_withdrawn(feed: pykka.ActorRef[Any]) -> None:
    two_streams(feed)
    withdrawn, told = said(feed, Planned(START_NS + 5, {1: ["EUR_USD"]}, {}))
    assert withdrawn == QuoteBatch("OANDA", [withdrawal("GBPUSD", START_NS + 5)])
    assert isinstance(told, FeedStatus)
    assert told.quoted_ns == {"EURUSD": START_NS}


def test_the_price_of_a_symbol_that_has_another_name_at_the_lp_is_withdrawn_at_once(feed: pykka.ActorRef[Any]) -> None:
    """It was perhaps that of another instrument. What still comes under the name before it is nobody's."""
    two_streams(feed)
    renamed = msgspec.structs.replace(LP, symbols={"EURUSD": "EUR_USD.a", "GBPUSD": "GBP_USD"})
    assert said(feed, Followed(START_NS + 5, renamed)) == [QuoteBatch("OANDA", [withdrawal("EURUSD", START_NS + 5)])]
    assert said(feed, Followed(START_NS + 6, renamed)) == []
    assert said(feed, Heard(START_NS + 7, 1, [venue_quote("EUR_USD", "1.1", "1.2")])) == []


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
        assert standing == StandingQuotes("OANDA", message.now_ns, quotes)
    assert len(said(feed, Beat(START_NS + 5))) == 1


def test_an_overdue_heartbeat_takes_the_prices_of_its_stream_back_until_something_comes(
    feed: pykka.ActorRef[Any],
) -> None:
    """Two heartbeats have to be missing before the connection is given up."""
    two_streams(feed)
    beats_ns = START_NS + 5 * SECOND_NS
    said(feed, Heard(beats_ns, 2, [VenueHeartbeat(beats_ns, 5_000)]))
    due_ns = beats_ns + 6 * SECOND_NS
    assert len(said(feed, Beat(due_ns))) == 1
    withdrawn, told = said(feed, Beat(due_ns + 1))
    assert withdrawn == QuoteBatch("OANDA", [withdrawal("GBPUSD", due_ns + 1)])
    assert isinstance(told, FeedStatus)
    assert (told.connected, told.dropped) == (True, {"overdue": 1})
    assert [stream.detail for stream in told.streams] == ["connected", OVERDUE_WORDS]
    assert len(said(feed, Beat(due_ns + 2))) == 1
    _, standing = said(feed, Asked(due_ns + 3))
    assert standing == StandingQuotes("OANDA", due_ns + 3, [ours("EURUSD", "1.1", "1.2")])
    assert said(feed, Heard(due_ns + 4, 2, [VenueGarbage("bad_json", "{")])) == []
    late = venue_quote("GBP_USD", "1.5", "1.6")
    assert said(feed, Heard(due_ns + 5, 2, [late])) == [
        StandingQuotes("OANDA", due_ns + 5, [ours("EURUSD", "1.1", "1.2"), ours("GBPUSD", "1.3", "1.4")]),
        QuoteBatch("OANDA", [ours("GBPUSD", "1.5", "1.6", now_ns=due_ns + 5)]),
    ]
    assert status(feed, due_ns + 6).streams[1].detail == "connected"


def test_with_bad_settings_nothing_stands(feed: pykka.ActorRef[Any]) -> None:
    two_streams(feed)
    (told,) = said(feed, Faulty(START_NS + 5, "settings: no url"))
    assert isinstance(told, FeedStatus)
    assert len(said(feed, Asked(START_NS + 6))) == 1
    assert (told.connected, told.detail, told.streams) == (False, "settings: no url", ())


def test_a_stall_is_counted(feed: pykka.ActorRef[Any]) -> None:
    assert said(feed, Stalled()) == []
    assert status(feed).dropped == {"stalled": 1}


def test_symbols_that_do_not_fit_are_said(feed: pykka.ActorRef[Any]) -> None:
    """They come all the same."""
    assert said(feed, Misfit({"EURUSD": "unlisted"})) == []
    told = status(feed)
    assert (told.misfits, told.missing) == ({"EURUSD": "unlisted"}, {})
