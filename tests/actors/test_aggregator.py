"""The aggregator's actor, asked by hand."""

from typing import Any

import msgspec
import pykka
import pytest

from actors.aggregator import BACKLOG_TICKS, FEED_SILENCE_LIMIT_NS, FRAME_TICKS, HEARTBEAT_NS, Aggregator
from actors.bus import codec, topics
from actors.bus.answers import Answer, Lps, Pong, Refusal, Reply, Ticks
from actors.bus.pump import Inbox, Outbox, Stop
from actors.bus.requests import AggregatorRequest, GetLps, GetTicks, Ping
from actors.bus.streams import FeedStatus, QuoteBatch, QuotesStanding, StreamAlive, StreamStatus
from actors.domain.lp_registry import AddLp, DisableLp, EnableLp, Known, Lp, Registry
from actors.domain.money import parse_e8 as e8
from actors.domain.quote import Quote, Tick
from actors.lp_desk import LpDesk
from tests.examples import INSTRUMENTS, SECOND_NS, START_NS, quote

FIRST_SEQ = START_NS // 1_000
ASKER = b"\x00asker"


class Desk:
    def __init__(self, now_ns: int = START_NS) -> None:
        lps = {name: Lp(name, "test", {"EURUSD": "EUR_USD"}) for name in ("OANDA", "BINANCE")}
        known = Known(frozenset(INSTRUMENTS), frozenset({"test"}))
        self.lps = LpDesk(Registry(1, lps, now_ns, "config", "the first start"), None, known, now_ns)
        self.actor: pykka.ActorRef[Any] = Aggregator.start(INSTRUMENTS, self.lps, now_ns)

    def ask(self, now_ns: int, **messages: list[list[bytes]]) -> Outbox:
        outbox: Outbox = self.actor.ask(Inbox(now_ns, messages), block=True)
        return outbox

    def hear(self, now_ns: int, *said: QuoteBatch | FeedStatus) -> list[Tick]:
        """Tells what feeds said; gives the ticks that it made."""
        outbox = self.ask(now_ns, quotes=[[codec.encode(message)] for message in said])
        return [tick for name, (frame,) in outbox if name == "ticks" for tick in ticks_in(frame)]

    def answer(self, body: Any) -> Answer:
        outbox = self.ask(START_NS, requests=[[ASKER, codec.encode(AggregatorRequest(9, body))]])
        name, (identity, frame) = outbox[-1]
        reply: Reply = codec.decoder(Reply)(frame)
        assert (name, identity, reply.request_id) == ("requests", ASKER, 9)
        return reply.body

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
def desk(actors_stop: None) -> Desk:
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
    assert desk.counter("late_quotes") == 2


def test_a_status_that_has_waited_keeps_nobody_fresh(desk: Desk) -> None:
    desk.hear(START_NS, oanda(quote("EURUSD", "1.10", "1.13")))
    (tick,) = desk.hear(START_NS + FEED_SILENCE_LIMIT_NS + 1, status("OANDA"))
    assert not tick.live


def test_the_heartbeat_numbers_the_last_ticks_after_them(desk: Desk) -> None:
    now_ns = START_NS + HEARTBEAT_NS
    said = [status("OANDA"), oanda(quote("EURUSD", "1.1", "1.2")), status("BINANCE", False)]
    assert desk.ask(now_ns, quotes=[[codec.encode(message)] for message in said]) == [
        ("ticks", [codec.encode([tick(0, now_ns, "1.1", "1.2", "OANDA", "OANDA")], topics.tick("EURUSD"))]),
        ("ticks", [codec.encode(StreamAlive(now_ns, {"EURUSD": FIRST_SEQ}), topics.ALIVE)]),
        ("ticks", [codec.encode(StreamStatus(now_ns, [status("OANDA"), status("BINANCE", False)]), topics.STATUS)]),
        ("ticks", [desk.lps.announcement()]),
    ]
    assert desk.ask(now_ns + HEARTBEAT_NS - 1) == []


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
        b"\x01lps\0": [("ticks", [desk.lps.announcement()])],
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
    """The oldest beyond the limit are history's alone."""
    made: list[Tick] = []
    quotes = [quote("EURUSD", f"1.{number:05}", "1.9") for number in range(1, BACKLOG_TICKS + 11)]
    for start in range(0, len(quotes), 1_000):
        made += desk.hear(START_NS, oanda(*quotes[start : start + 1_000]))
    kept = made[-BACKLOG_TICKS:]
    assert desk.answer(GetTicks("EURUSD", 0)) == Ticks("EURUSD", kept[:FRAME_TICKS])
    assert desk.answer(GetTicks("EURUSD", kept[FRAME_TICKS - 1].seq)) == Ticks("EURUSD", kept[FRAME_TICKS:])
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
        ("requests", [ASKER, codec.encode(Reply(1, Pong(True, "", 0)))]),
    ]
    assert desk.counter("bad_frames") == 7 + 3


def test_quotes_that_no_feed_would_pass_on_are_dropped(desk: Desk) -> None:
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
    assert desk.counter("bad_quotes") == 2 * len(bad)


def test_at_the_stop_there_is_nothing_left_to_say(desk: Desk) -> None:
    assert desk.actor.ask(Stop(START_NS)) == []


def test_an_lp_that_withdraws_its_price_is_not_dealt_on(desk: Desk) -> None:
    desk.hear(START_NS, oanda(quote("EURUSD", "1.1", "1.1002")))
    (tick,) = desk.hear(START_NS, oanda(quote("EURUSD", "0", "0")))
    assert (tick.bid_e8, tick.live) == (e8("1.1"), False)


def test_lps_are_changed_while_it_runs(desk: Desk) -> None:
    """Added, changed, disabled: at the book at once, in the answer and on the stream."""
    third = Lp("THIRD", "test", {"EURUSD": "EUR/USD"})
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


def test_a_change_that_cannot_be_is_refused_and_nothing_is_published(desk: Desk) -> None:
    before = desk.lps.registry
    request = codec.encode(AggregatorRequest(7, EnableLp(by="root", name="NOBODY")))
    assert desk.ask(START_NS, requests=[[ASKER, request]]) == [
        ("requests", [ASKER, codec.encode(Reply(7, Refusal("UNKNOWN_LP", "there is no LP 'NOBODY'", "name")))])
    ]
    assert desk.lps.registry is before


def test_a_new_aggregator_takes_the_quotes_that_stand(desk: Desk) -> None:
    """However long ago the LP made them, its feed stands by them at `time_ns`; one that has waited since is late."""
    old = quote("EURUSD", "1.1", "1.2", received_ns=START_NS - 600 * SECOND_NS)
    late = [[codec.encode(QuotesStanding("OANDA", START_NS - 4 * SECOND_NS, [old]))]]
    assert desk.ask(START_NS, quotes=late) == []
    now = [[codec.encode(QuotesStanding("OANDA", START_NS, [old]))]]
    ((_, (frame,)),) = desk.ask(START_NS, quotes=now)
    assert ticks_in(frame) == [tick(0, START_NS, "1.1", "1.2", "OANDA", "OANDA")]
