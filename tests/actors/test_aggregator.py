"""The aggregator's actor, asked by hand."""

from typing import Any

import msgspec
import pykka
import pytest

from actors.aggregator import HEARTBEAT_NS, STALL_LIMIT_NS, Aggregator
from actors.backlog import BACKLOG_TICKS, FRAME_TICKS
from actors.bus import codec, topics
from actors.bus.answers import Answer, DepthReport, Instruments, Lps, Pong, Refusal, Reply, Sources, Ticks
from actors.bus.pump import Inbox, Outbox, Stop
from actors.bus.requests import (
    AggregatorRequest,
    EngineRequest,
    GetDepth,
    GetInstruments,
    GetLps,
    GetSources,
    GetTicks,
    Ping,
)
from actors.bus.streams import (
    FeedStatus,
    LadderBatch,
    LpsAnnounced,
    QuoteBatch,
    StandingQuotes,
    StreamAlive,
    StreamDepth,
    StreamStatus,
)
from actors.domain.instrument import Instrument, InstrumentState
from actors.domain.money import parse_e8 as e8
from actors.domain.prices.book import Depth, Sweep
from actors.domain.prices.evidence import Source
from actors.domain.prices.lp_registry import AddLp, ChangeLp, DisableLp, EnableLp, Known, Lp, Registry
from actors.domain.prices.market import FEED_SILENCE_LIMIT_NS
from actors.domain.prices.pricing import LpTerms
from actors.domain.quote import Ladder, Level, Quote, QuoteLimits, Tick
from actors.lp_desk import LpDesk
from tests.examples import INSTRUMENTS, SECOND_NS, START_NS, instrument, quote

FIRST_SEQ = START_NS // 1_000
ASKER = b"\x00asker"
LENIENT = LpTerms(QuoteLimits(spread_e8=e8("10"), spike_e8=e8("1"), off_market_e8=e8("1")))
"""Prices of these tests move by more than a market's do."""
decode_announced = codec.decoder(LpsAnnounced)


def lp(name: str) -> Lp:
    return Lp(name, "test", {"EURUSD": "EUR_USD"}, limits=LENIENT.limits)


def lp_desk(now_ns: int) -> LpDesk:
    lps = {name: lp(name) for name in ("OANDA", "BINANCE")}
    known = Known(frozenset(INSTRUMENTS), frozenset({"test"}))
    return LpDesk(Registry(1, lps, now_ns, "config", "the first start"), None, known, now_ns)


class Desk:
    def __init__(self, now_ns: int = START_NS) -> None:
        self.lps = lp_desk(now_ns)
        self.actor: pykka.ActorRef[Any] = Aggregator.start(INSTRUMENTS, self.lps, {}, now_ns, first_seq=now_ns // 1_000)

    def ask(self, now_ns: int, **messages: list[list[bytes]]) -> Outbox:
        """What it says, but for its questions to the engine, which are in `questions`."""
        outbox: Outbox = self.actor.ask(Inbox(now_ns, messages), block=True)
        self.questions = [frame for name, (frame, *_) in outbox if name == "engine"]
        return [message for message in outbox if message[0] != "engine"]

    def hear(self, now_ns: int, *said: QuoteBatch | FeedStatus | StandingQuotes) -> list[Tick]:
        """Tells what feeds said; gives the ticks that it made."""
        outbox = self.ask(now_ns, quotes=[[codec.encode(message)] for message in said])
        return [tick for name, (frame,) in outbox if name == "ticks" for tick in ticks_in(frame)]

    def answer(self, body: Any) -> Answer:
        name, (identity, frame) = self.ask(START_NS, requests=[[ASKER, codec.encode(AggregatorRequest(9, body))]])[-1]
        reply: Reply = codec.decoder(Reply)(frame)
        assert (name, identity, reply.request_id) == ("requests", ASKER, 9)
        return reply.body

    def status(self, now_ns: int) -> StreamStatus:
        frames = [frame for _, (frame,) in self.ask(now_ns) if frame.startswith(topics.STATUS)]
        told: StreamStatus = codec.decoder(StreamStatus)(codec.topic_and_body(frames[0])[1])
        return told

    def counter(self, name: str) -> int:
        count: int = getattr(self.actor.proxy(), name).get()
        return count


def ticks_in(frame: bytes) -> list[Tick]:
    topic, body = codec.topic_and_body(frame)
    if not topic.startswith(topics.TICK_PREFIX):
        return []
    ticks: list[Tick] = codec.decoder(list[Tick])(body)
    assert [topics.tick(tick.symbol) for tick in ticks] == [topic] * len(ticks)
    return ticks


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.ask(START_NS)
    return made


def oanda(*quotes: Quote) -> QuoteBatch:
    return QuoteBatch("OANDA", list(quotes))


def binance(*quotes: Quote) -> QuoteBatch:
    return QuoteBatch("BINANCE", list(quotes))


def status(venue: str, connected: bool = True) -> FeedStatus:
    return FeedStatus(venue, connected, "up" if connected else "down", START_NS, 5, {"zero": 1})


def tick(number: int, now_ns: int, bid: str, ask: str, lp_bid: str, lp_ask: str, *, live: bool = True) -> Tick:
    return Tick("EURUSD", FIRST_SEQ + number, now_ns, e8(bid), e8(ask), lp_bid, lp_ask, live)


def test_a_quote_is_a_tick_of_its_symbol(desk: Desk) -> None:
    given = [quote("EURUSD", "1.1", "1.2"), quote("BTCUSD", "60000", "60001"), quote("EURUSD", "1.11", "1.2")]
    first = tick(0, START_NS + 1, "1.1", "1.2", "OANDA", "OANDA")
    second = tick(1, START_NS + 1, "1.11", "1.2", "OANDA", "OANDA")
    bitcoin = Tick("BTCUSD", FIRST_SEQ, START_NS + 1, e8("60000"), e8("60001"), "OANDA", "OANDA", True)
    assert desk.ask(START_NS + 1, quotes=[[codec.encode(oanda(*given))]]) == [
        ("ticks", [codec.encode([first, second], topics.tick("EURUSD"))]),
        ("ticks", [codec.encode([bitcoin], topics.tick("BTCUSD"))]),
    ]


def test_the_best_of_both_sides_is_a_tick_and_what_changes_nothing_is_none(desk: Desk) -> None:
    assert desk.hear(
        START_NS,
        oanda(quote("EURUSD", "1.10", "1.13")),
        binance(quote("EURUSD", "1.11", "1.14")),
        binance(quote("EURUSD", "1.11", "1.15")),
        oanda(quote("EURUSD", "1.09", "1.13")),
        binance(quote("EURUSD", "1.11", "1.12")),
    ) == [
        tick(0, START_NS, "1.10", "1.13", "OANDA", "OANDA"),
        tick(1, START_NS, "1.11", "1.13", "BINANCE", "OANDA"),
        tick(2, START_NS, "1.11", "1.12", "BINANCE", "BINANCE"),
    ]


def test_an_lp_that_is_disconnected_leaves_all_books(desk: Desk) -> None:
    desk.hear(START_NS, oanda(quote("EURUSD", "1.10", "1.13")), binance(quote("EURUSD", "1.11", "1.14")))
    assert desk.hear(START_NS + 5, status("BINANCE", False)) == [
        tick(2, START_NS + 5, "1.10", "1.13", "OANDA", "OANDA")
    ]


def test_without_a_fresh_lp_the_last_tick_says_so_once(desk: Desk) -> None:
    """And when an LP is back, at the same price too, there is a live tick again."""
    desk.hear(START_NS, oanda(quote("EURUSD", "1.10", "1.13")))
    dead = tick(1, START_NS + 5, "1.10", "1.13", "OANDA", "OANDA", live=False)
    assert desk.hear(START_NS + 5, status("OANDA", False)) == [dead]
    assert desk.hear(START_NS + 6, status("OANDA", False)) == []
    assert desk.hear(START_NS + 7, oanda(quote("EURUSD", "1.10", "1.13"))) == [
        tick(2, START_NS + 7, "1.10", "1.13", "OANDA", "OANDA")
    ]


def test_an_lp_that_is_silent_for_too_long_is_not_fresh(desk: Desk) -> None:
    desk.hear(START_NS, oanda(quote("EURUSD", "1.10", "1.13")))
    limit_ns = START_NS + FEED_SILENCE_LIMIT_NS
    assert desk.hear(limit_ns) == []
    assert desk.hear(limit_ns + 1) == [tick(1, limit_ns + 1, "1.10", "1.13", "OANDA", "OANDA", live=False)]


def test_a_status_keeps_an_lp_fresh_whose_prices_do_not_move(desk: Desk) -> None:
    desk.hear(START_NS, oanda(quote("EURUSD", "1.10", "1.13")))
    for second in range(1, 8):
        now_ns = START_NS + second * SECOND_NS
        assert desk.hear(now_ns, msgspec.structs.replace(status("OANDA"), time_ns=now_ns)) == []


def test_a_quote_that_has_waited_is_no_price(desk: Desk) -> None:
    """An aggregator that was stopped finds quotes of long ago in its queue, and the newest may have been dropped."""
    desk.hear(START_NS, oanda(quote("EURUSD", "1.10", "1.13")))
    late_ns = START_NS + FEED_SILENCE_LIMIT_NS
    waited = oanda(quote("EURUSD", "1.11", "1.14"), quote("GBPUSD", "1.3", "1.4"))
    assert [(t.bid_e8, t.live) for t in desk.hear(late_ns, waited)] == [(e8("1.11"), True), (e8("1.3"), True)]
    assert [(t.symbol, t.live) for t in desk.hear(late_ns + 1, waited)] == [("EURUSD", False), ("GBPUSD", False)]
    assert desk.status(late_ns + HEARTBEAT_NS).lps[0].dropped == {"late": 2}


def test_a_status_that_has_waited_keeps_nobody_fresh(desk: Desk) -> None:
    desk.hear(START_NS, oanda(quote("EURUSD", "1.10", "1.13")))
    (tick,) = desk.hear(START_NS + FEED_SILENCE_LIMIT_NS + 1, status("OANDA"))
    assert not tick.live


def test_the_heartbeat_numbers_the_last_ticks_after_them(desk: Desk) -> None:
    now_ns = START_NS + HEARTBEAT_NS
    said = [status("OANDA"), oanda(quote("EURUSD", "1.1", "1.2")), status("BINANCE", False)]
    ticks, alive, told, lps = desk.ask(now_ns, quotes=[[codec.encode(message)] for message in said])
    assert ticks == (
        "ticks",
        [codec.encode([tick(0, now_ns, "1.1", "1.2", "OANDA", "OANDA")], topics.tick("EURUSD"))],
    )
    assert alive == ("ticks", [codec.encode(StreamAlive(now_ns, {"EURUSD": FIRST_SEQ}), topics.ALIVE)])
    assert lps == ("ticks", [desk.lps.announcement()])
    topic, body = codec.topic_and_body(told[1][0])
    heard = codec.decoder(StreamStatus)(body)
    assert (topic, heard.time_ns, heard.feeds) == (topics.STATUS, now_ns, [status("OANDA"), status("BINANCE", False)])
    assert [(lp.venue, lp.connected, lp.quotes, lp.best_share_e6) for lp in heard.lps] == [
        ("OANDA", True, 1, 1_000_000),
        ("BINANCE", False, 0, 0),
    ]
    assert desk.ask(now_ns + HEARTBEAT_NS - 1) == []


def test_depth_is_published_to_those_who_ask_for_it_and_once_a_turn(desk: Desk) -> None:
    def depths(outbox: Outbox) -> list[StreamDepth]:
        parts = [codec.topic_and_body(frame) for name, (frame,) in outbox if name == "ticks"]
        return [codec.decoder(StreamDepth)(body) for topic, body in parts if topic == topics.depth("EURUSD")]

    desk.hear(START_NS, oanda(quote("EURUSD", "1.1", "1.2")))
    (opening,) = depths(desk.ask(START_NS, ticks=[[b"\x01depth:EURUSD\0"]]))
    size = e8("1000000")
    book = Depth([Level(e8("1.1"), size, "OANDA")], [Level(e8("1.2"), size, "OANDA")])
    assert opening == StreamDepth("EURUSD", 1, START_NS, FIRST_SEQ, book)
    said = binance(quote("EURUSD", "1.0", "1.3"), quote("EURUSD", "1.05", "1.3"))
    (after,) = depths(desk.ask(START_NS + 1, quotes=[[codec.encode(said)]]))
    assert after.number == 3
    assert [level.lp for level in after.depth.bids] == ["OANDA", "BINANCE"]
    assert desk.ask(START_NS + 2) == []
    ladder = Ladder("EURUSD", ((e8("1.04"), 7),), (), START_NS + 1)
    (deeper,) = depths(desk.ask(START_NS + 1, quotes=[[codec.encode(LadderBatch("OANDA", [ladder]))]]))
    assert (deeper.number, deeper.tick_seq) == (after.number + 1, after.tick_seq)
    assert deeper.depth.bids == [*after.depth.bids, Level(e8("1.04"), 7, "OANDA")]
    old = msgspec.structs.replace(ladder, received_ns=START_NS - FEED_SILENCE_LIMIT_NS)
    strange = msgspec.structs.replace(ladder, symbol="NONE")
    assert depths(desk.ask(START_NS + 1, quotes=[[codec.encode(LadderBatch("OANDA", [old, strange]))]])) == []
    desk.ask(START_NS + 2, ticks=[[b"\x00depth:EURUSD\0"]])
    assert depths(desk.ask(START_NS + 3, quotes=[[codec.encode(oanda(quote("EURUSD", "1.11", "1.2")))]])) == []


def test_the_book_can_be_asked_for_with_the_price_of_a_size(desk: Desk) -> None:
    desk.hear(
        START_NS, oanda(quote("EURUSD", "1.1", "1.2", size="2")), binance(quote("EURUSD", "1.0", "1.3", size="9"))
    )
    told = desk.answer(GetDepth("EURUSD", e8("4")))
    assert isinstance(told, DepthReport)
    assert (told.buy, told.sell) == (
        Sweep(e8("4"), e8("1.25"), e8("1.3")),
        Sweep(e8("4"), e8("1.05"), e8("1.0")),
    )
    assert desk.answer(GetDepth("NONE", 1)) == Refusal("UNKNOWN_SYMBOL", "there is no such symbol", "symbol")


def test_what_stood_behind_a_tick_can_be_asked_for(desk: Desk) -> None:
    good, crossed = quote("EURUSD", "1.1", "1.2"), quote("EURUSD", "1.3", "1.2")
    desk.hear(START_NS, binance(crossed), oanda(good))
    told = desk.answer(GetSources("EURUSD", FIRST_SEQ))
    assert told == Sources(
        tick(0, START_NS, "1.1", "1.2", "OANDA", "OANDA"),
        [Source("OANDA", good, "", START_NS), Source("BINANCE", crossed, "crossed", START_NS)],
    )
    gone = Refusal("UNKNOWN_TICK", "what stood behind this tick is not kept any more", "seq")
    assert desk.answer(GetSources("EURUSD", FIRST_SEQ + 1)) == desk.answer(GetSources("EURUSD", 0)) == gone


def test_quotes_that_stand_are_taken_whenever_they_were_made(desk: Desk) -> None:
    """An aggregator that has just started has a price of a quiet symbol as soon as its feed says so."""
    now_ns = START_NS + 60 * SECOND_NS
    made = quote("EURUSD", "1.1", "1.2")
    (tick,) = desk.hear(now_ns, StandingQuotes("OANDA", now_ns, [made, quote("NONE", "1", "1")]))
    assert (tick.bid_e8, tick.live) == (e8("1.1"), True)
    assert desk.hear(now_ns, StandingQuotes("OANDA", now_ns, [made])) == []
    late = StandingQuotes("OANDA", now_ns - FEED_SILENCE_LIMIT_NS - 1, [quote("GBPUSD", "1.3", "1.4")])
    assert desk.hear(now_ns, late) == []


def test_a_quote_that_stands_and_is_stale_already_makes_no_tick(desk: Desk) -> None:
    made = quote("EURUSD", "1.1", "1.2")
    now_ns = START_NS + LENIENT.limits.silence_ms * 1_000_000 + 1
    assert desk.hear(now_ns, StandingQuotes("OANDA", now_ns, [made])) == []


def test_after_a_standstill_no_fresh_quote_is_joined_to_a_stale_one(desk: Desk) -> None:
    """What happens to an aggregator that is stopped and goes on: the price is taken back before anything is read."""
    desk.hear(START_NS, oanda(quote("EURUSD", "1.11", "1.14")), binance(quote("EURUSD", "1.10", "1.13")))
    now_ns = START_NS + FEED_SILENCE_LIMIT_NS + 1
    gone, fresh = desk.hear(now_ns, oanda(quote("EURUSD", "1.12", "1.15", received_ns=now_ns, venue_time_ns=now_ns)))
    assert gone == tick(2, now_ns, "1.11", "1.13", "OANDA", "BINANCE", live=False)
    assert fresh == tick(3, now_ns, "1.12", "1.15", "OANDA", "OANDA")


def test_after_a_standstill_feeds_are_asked_for_the_quotes_that_stand(desk: Desk) -> None:
    def announced(now_ns: int) -> list[int]:
        frames = [frame for _, (frame,) in desk.ask(now_ns) if frame.startswith(topics.LPS)]
        return [decode_announced(codec.topic_and_body(frame)[1]).started_ns for frame in frames]

    assert announced(START_NS + STALL_LIMIT_NS) == [START_NS]
    later_ns = START_NS + 2 * STALL_LIMIT_NS + 1
    assert announced(later_ns) == [later_ns]
    assert announced(later_ns + STALL_LIMIT_NS) == [later_ns]
    assert desk.counter("stalled") == 1


def test_numbers_are_covered_before_they_are_published() -> None:
    covered: list[int] = []
    actor = Aggregator.start(INSTRUMENTS, lp_desk(START_NS), {}, START_NS, first_seq=7, cover=covered.append)
    quotes = [quote("EURUSD", "1.1", "1.2"), quote("EURUSD", "1.11", "1.2"), quote("GBPUSD", "1.3", "1.4")]
    actor.ask(Inbox(START_NS, {"quotes": [[codec.encode(oanda(*quotes))]]}))
    assert covered == [8, 7]


def test_a_new_subscriber_gets_the_last_tick_of_what_it_asked_for(desk: Desk) -> None:
    desk.hear(START_NS, oanda(quote("EURUSD", "1.1", "1.2"), quote("GBPUSD", "1.3", "1.4")))
    euro = ("ticks", [codec.encode([tick(0, START_NS, "1.1", "1.2", "OANDA", "OANDA")], topics.tick("EURUSD"))])
    pound_tick = Tick("GBPUSD", FIRST_SEQ, START_NS, e8("1.3"), e8("1.4"), "OANDA", "OANDA", True)
    pound = ("ticks", [codec.encode([pound_tick], topics.tick("GBPUSD"))])
    subscriptions = {
        b"\x01tick:EURUSD\0": [euro],
        b"\x01tick:EUR": [euro],
        b"\x01tick:": [euro, pound],
        b"\x01": [euro, pound, ("ticks", [desk.lps.announcement()])],
        b"\x01tick:USDJPY\0": [],
        b"\x01status\0": [],
        b"\x00tick:EURUSD\0": [],
        b"": [],
        b"hello": [],
    }
    for subscription, expected in subscriptions.items():
        assert desk.ask(START_NS, ticks=[[subscription]]) == expected


def test_a_subscriber_in_the_turn_of_a_tick_gets_it_last(desk: Desk) -> None:
    """The snapshot is never older than the stream: whoever takes both goes by the number."""
    frame = codec.encode(oanda(quote("EURUSD", "1.1", "1.2")))
    made = codec.encode([tick(0, START_NS, "1.1", "1.2", "OANDA", "OANDA")], topics.tick("EURUSD"))
    assert desk.ask(START_NS, quotes=[[frame]], ticks=[[b"\x01tick:EURUSD\0"]]) == [("ticks", [made])] * 2


def test_a_restarted_aggregator_goes_on_at_higher_numbers(desk: Desk) -> None:
    for number in range(100):
        desk.hear(START_NS, oanda(quote("EURUSD", f"1.1{number:03}", "1.2")))
    (last,) = desk.hear(START_NS, oanda(quote("EURUSD", "1.15", "1.2")))
    again = Desk(START_NS + 1_000_000)
    (first,) = again.hear(START_NS, oanda(quote("EURUSD", "1.1", "1.2")))
    assert first.seq > last.seq == FIRST_SEQ + 100


def test_missed_ticks_can_be_asked_for_in_pages(desk: Desk) -> None:
    """The oldest frame beyond the limit is history's alone."""
    made: list[Tick] = []
    quotes = [quote("EURUSD", f"1.{number:05}", "1.9") for number in range(1, BACKLOG_TICKS + 1_011)]
    for start in range(0, len(quotes), 1_000):
        made += desk.hear(START_NS, oanda(*quotes[start : start + 1_000]))
    kept = made[1_000:]
    assert desk.answer(GetTicks("EURUSD", 0)) == Ticks("EURUSD", kept[:FRAME_TICKS])
    assert desk.answer(GetTicks("EURUSD", kept[FRAME_TICKS - 1].seq)) == Ticks(
        "EURUSD", kept[FRAME_TICKS:][:FRAME_TICKS]
    )
    assert desk.answer(GetTicks("EURUSD", made[-1].seq)) == Ticks("EURUSD", [])
    assert desk.answer(GetTicks("EURUSD", 2**64 - 1)) == Ticks("EURUSD", [])
    assert desk.answer(GetTicks("NONE", 0)) == Ticks("NONE", [])
    assert desk.answer(Ping()) == Pong(ready=True, detail="", seq=0)


def test_a_burst_goes_out_in_frames_that_fit(desk: Desk) -> None:
    """As many quotes as one turn can bring: each frame decodes, and no tick is missing."""
    quotes = [quote("EURUSD", f"1.{number:05}", "1.9") for number in range(1, 20_001)]
    said = [[codec.encode(oanda(*quotes[start : start + 500]))] for start in range(0, len(quotes), 500)]
    frames = [frame for _, (frame,) in desk.ask(START_NS, quotes=said)]
    ticks = [ticks_in(frame) for frame in frames]
    assert [len(part) for part in ticks] == [FRAME_TICKS] * 4
    assert [tick.seq for part in ticks for tick in part] == list(range(FIRST_SEQ, FIRST_SEQ + len(quotes)))


def test_garbage_is_counted_and_the_rest_is_served(desk: Desk) -> None:
    good = codec.encode(oanda(quote("EURUSD", "1.1", "1.2")))
    ping = [ASKER, codec.encode(AggregatorRequest(1, Ping()))]
    quotes: list[list[bytes]] = [
        [],
        [b""],
        [b"\x01garbage"],
        [good, b"more"],
        [codec.encode(QuoteBatch("NOBODY", [quote("EURUSD", "1.5", "1.6")]))],
        [codec.encode(FeedStatus("NOBODY", True, "", 0, 0, {}))],
        [codec.encode(["QuoteBatch", "OANDA", [["EURUSD", 1.1, 1.2, 0, 0, 0, 0]]])],
        [good],
    ]
    requests = [[ASKER], [ASKER, b"x"], [ASKER, codec.encode([1, ["Fire"]])], ping]
    outbox = desk.ask(START_NS, quotes=quotes, requests=requests, ticks=[[b"\x01tick:X", b"more"], [b""]])
    assert outbox == [
        ("ticks", [codec.encode([tick(0, START_NS, "1.1", "1.2", "OANDA", "OANDA")], topics.tick("EURUSD"))]),
        ("requests", [ASKER, codec.encode(Reply(1, Pong(True, "", 0, {"bad_frames": 3})))]),
    ]
    assert desk.counter("bad_frames") == 7 + 3


def test_what_is_not_fit_to_be_used_is_counted_by_lp_and_reason(desk: Desk) -> None:
    """The dirt of the recording FX14-2026-01-19 (a side that is zero, bid above ask), and the rest."""
    bad = [
        quote("EURUSD", "0", "1.2"),
        quote("EURUSD", "1.1", "0"),
        quote("EURUSD", "-1", "1.2"),
        quote("EURUSD", "1.1", "-1"),
        quote("EURUSD", "1.3", "1.2"),
        quote("XAUUSD", "1900", "1901"),
    ]
    good = tick(0, START_NS, "1.1", "1.2", "OANDA", "OANDA")
    assert desk.hear(START_NS, oanda(*bad), binance(*bad), oanda(quote("EURUSD", "1.1", "1.2"))) == [good]
    dropped = {"zero": 4, "crossed": 1, "unknown_symbol": 1}
    assert [lp.dropped for lp in desk.status(START_NS + HEARTBEAT_NS).lps] == [dropped, dropped]


def test_at_the_stop_there_is_nothing_left_to_say(desk: Desk) -> None:
    assert desk.actor.ask(Stop(START_NS)) == []


def test_an_lp_that_withdraws_its_price_is_not_dealt_on(desk: Desk) -> None:
    desk.hear(START_NS, oanda(quote("EURUSD", "1.1", "1.1002")))
    (tick,) = desk.hear(START_NS, oanda(quote("EURUSD", "0", "0")))
    assert (tick.bid_e8, tick.live) == (e8("1.1"), False)


def test_lps_are_changed_while_it_runs(desk: Desk) -> None:
    """Added, changed, disabled: in the books at once, in the answer and on the stream."""
    third = lp("THIRD")
    good = QuoteBatch("THIRD", [quote("EURUSD", "1.1", "1.2")])
    assert desk.hear(START_NS, good) == []
    added = desk.answer(AddLp(by="root", lp=third))
    assert isinstance(added, Lps)
    assert (added.registry.version, added.registry.lps["THIRD"], added.registry.by) == (2, third, "root")
    assert desk.hear(START_NS, good) == [tick(0, START_NS, "1.1", "1.2", "THIRD", "THIRD")]
    request = codec.encode(AggregatorRequest(7, DisableLp(by="root", name="THIRD", if_version=2)))
    dead, announced, (name, (asker, reply)) = desk.ask(START_NS, requests=[[ASKER, request]])
    assert [(tick.lp_bid, tick.live) for tick in ticks_in(dead[1][0])] == [("THIRD", False)]
    assert announced == ("ticks", [desk.lps.announcement()])
    assert (name, asker, codec.decoder(Reply)(reply)) == ("requests", ASKER, Reply(7, Lps(desk.lps.registry)))
    assert desk.hear(START_NS, good) == []
    assert desk.answer(GetLps()) == Lps(desk.lps.registry)


def test_whose_limits_change_is_asked_for_the_quotes_that_stand(desk: Desk) -> None:
    """A quiet symbol would have no price till its next quote."""

    def announced(now_ns: int) -> int:
        (frame,) = [frame for _, (frame,) in desk.ask(now_ns) if frame.startswith(topics.LPS)]
        started_ns: int = decode_announced(codec.topic_and_body(frame)[1]).started_ns
        return started_ns

    desk.hear(START_NS, status("OANDA"), oanda(quote("EURUSD", "1.1", "1.1002")))
    desk.answer(ChangeLp(by="somebody", lp=msgspec.structs.replace(lp("OANDA"), priority=7)))
    assert announced(START_NS + HEARTBEAT_NS) == START_NS
    changed = msgspec.structs.replace(lp("OANDA"), limits=QuoteLimits(silence_ms=30_000))
    later_ns = START_NS + HEARTBEAT_NS + 1
    asked = codec.encode(AggregatorRequest(9, ChangeLp(by="somebody", lp=changed)))
    desk.ask(later_ns, requests=[[ASKER, asked]])
    assert announced(later_ns + HEARTBEAT_NS) == later_ns


def test_a_change_that_cannot_be_is_refused_and_nothing_is_published(desk: Desk) -> None:
    before = desk.lps.registry
    request = codec.encode(AggregatorRequest(7, EnableLp(by="root", name="NOBODY")))
    assert desk.ask(START_NS, requests=[[ASKER, request]]) == [
        ("requests", [ASKER, codec.encode(Reply(7, Refusal("UNKNOWN_LP", "there is no LP 'NOBODY'", "name")))])
    ]
    assert desk.lps.registry is before


def test_the_registry_is_told_to_who_subscribes_and_once_a_second(desk: Desk) -> None:
    announced = ("ticks", [desk.lps.announcement()])
    assert desk.ask(START_NS, ticks=[[b"\x01lps\0"]]) == [announced]
    assert announced in desk.ask(START_NS + HEARTBEAT_NS)


def listing(version: int, *changed: Instrument) -> list[list[bytes]]:
    """What the engine answers: the instruments of the tests, some of them others."""
    instruments = {**INSTRUMENTS, **{it.symbol: it for it in changed}}
    return [[codec.encode(Reply(1, Instruments(list(instruments.values()), version)))]]


def test_the_engine_is_asked_for_its_instruments_once_a_second() -> None:
    desk = Desk()

    def asked(now_ns: int) -> list[bytes]:
        desk.ask(now_ns)
        return desk.questions

    first = codec.encode(EngineRequest(1, GetInstruments(0)))
    assert (asked(START_NS), asked(START_NS + SECOND_NS - 1), asked(START_NS + SECOND_NS)) == ([first], [], [first])
    desk.ask(START_NS + SECOND_NS, engine=[*listing(7), [b"garbage"], [codec.encode(Reply(1, Instruments([], 7)))]])
    assert asked(START_NS + 2 * SECOND_NS) == [codec.encode(EngineRequest(1, GetInstruments(7)))]


def test_quotes_are_judged_by_what_staff_have_changed() -> None:
    desk = Desk()
    (tick,) = desk.hear(START_NS, QuoteBatch("OANDA", [quote("EURUSD", "1.10000", "1.10020")]))
    narrow = msgspec.structs.replace(INSTRUMENTS["EURUSD"], price_min_e8=e8("1.11"))
    outbox = desk.ask(START_NS + 1, engine=listing(2, narrow))
    (gone,) = [each for name, (frame,) in outbox if name == "ticks" for each in ticks_in(frame)]
    assert (gone.live, gone.seq) == (False, tick.seq + 1)
    later = [
        quote("EURUSD", price, price, venue_time_ns=START_NS + at, received_ns=START_NS + at)
        for at, price in ((2, "1.10000"), (3, "1.12000"))
    ]
    (better,) = desk.hear(START_NS + 3, QuoteBatch("OANDA", later))
    assert (better.bid_e8, better.live) == (e8("1.12000"), True)


def test_a_symbol_comes_goes_and_comes_back_with_its_numbers() -> None:
    desk = Desk()
    audusd = instrument("AUDUSD", 5, "0.05", "0.2", "2")
    gone = msgspec.structs.replace(audusd, state=InstrumentState.RETIRED)

    def quoted(at_ns: int) -> list[Tick]:
        price = quote("AUDUSD", "0.65000", "0.65010", venue_time_ns=at_ns, received_ns=at_ns)
        return desk.hear(at_ns, QuoteBatch("OANDA", [price]))

    assert quoted(START_NS) == []
    desk.ask(START_NS + 1, engine=listing(2, audusd))
    (first,) = quoted(START_NS + 2)
    assert first.seq == FIRST_SEQ
    entry = Lp("NEW", "test", {"AUDUSD": "AUD_USD"})
    assert isinstance(desk.answer(AddLp(by="root", lp=entry)), Lps)
    outbox = desk.ask(START_NS + 3, engine=listing(3, gone))
    (dead,) = [each for name, (frame,) in outbox if name == "ticks" for each in ticks_in(frame)]
    assert (dead.live, dead.seq) == (False, FIRST_SEQ + 1)
    (announced,) = [frame for name, (frame,) in outbox if frame.startswith(topics.LPS)]
    told = decode_announced(codec.topic_and_body(announced)[1])
    assert (told.registry.lps["NEW"].symbols, "AUDUSD" in told.sessions) == ({}, True)
    assert quoted(START_NS + 4) == []
    desk.ask(START_NS + 5, engine=listing(4, audusd))
    (back,) = quoted(START_NS + 6)
    assert back.seq == FIRST_SEQ + 2
