import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.money import parse_e8
from gateway.venues.binance.prices import INSTRUMENTS_LIMIT, MESSAGE_LIMIT_BYTES, BinancePrices, snapshot_message
from gateway.venues.events import DETAIL_LIMIT_CHARS, VenueDepth, VenueEvent, VenueGarbage, VenueQuote

E8, E9 = 10**8, 10**9
BOOK = {"u": 1, "s": "BTCUSDT", "b": "95000.01000000", "B": "0.50000000", "a": "95000.02000000", "A": "12.00000000"}
QUOTE = VenueQuote("BTCUSDT", 9_500_001_000_000, 9_500_002_000_000, 50_000_000, 1_200_000_000, 0)


def frame(stream: str = "btcusdt@bookTicker", **changes: Any) -> str:
    data = {name: value for name, value in {**BOOK, **changes}.items() if value is not None}
    return json.dumps({"stream": stream, "data": data})


def depth(first: int = 1, last: int = 1, **changes: Any) -> bytes:
    data = {"e": "depthUpdate", "E": 1_700_000_000_000, "s": "BTCUSDT", "U": first, "u": last, "b": [], "a": []}
    return json.dumps({"stream": "btcusdt@depth@100ms", "data": {**data, **changes}}).encode()


def snapshot(last: int, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> bytes:
    body = json.dumps({"lastUpdateId": last, "bids": bids, "asks": asks})
    return snapshot_message("BTCUSDT", body.encode())


def parse(message: str | bytes) -> list[VenueEvent]:
    return BinancePrices().receive_message(message)


def test_a_book_ticker_as_text_and_as_bytes() -> None:
    assert parse(frame()) == parse(frame().encode()) == [QUOTE]


def test_one_parser_reads_one_message_after_another() -> None:
    parser = BinancePrices()
    assert [parser.receive_message(text) for text in (frame(), "?", frame(u=2))] == [
        [QUOTE],
        [VenueGarbage("bad_json", "?")],
        [QUOTE],
    ]


def test_an_update_id_that_does_not_rise_is_told_by_symbol() -> None:
    parser = BinancePrices()
    said = [parser.receive_message(frame(u=u, s=s)) for u, s in ((5, "A"), (5, "A"), (4, "A"), (4, "B"), (6, "A"))]
    assert [type(event) for (event,) in said] == [VenueQuote, VenueGarbage, VenueGarbage, VenueQuote, VenueQuote]
    assert said[1:3] == [[VenueGarbage("duplicate", "A: 5 after 5")], [VenueGarbage("out_of_order", "A: 4 after 5")]]


def test_what_another_connection_repeats_says_nothing() -> None:
    parser = BinancePrices()
    parser.receive_message(frame(u=5))
    parser.take_over()
    assert [parser.receive_message(frame(u=u)) for u in (4, 5, 6)] == [[], [], [QUOTE]]
    assert parser.receive_message(frame(u=6)) == [VenueGarbage("duplicate", "BTCUSDT: 6 after 6")]


def test_ever_new_symbols_do_not_fill_the_memory() -> None:
    parser = BinancePrices()
    kinds = Counter(type(parser.receive_message(frame(s=f"S{number}"))[0]) for number in range(3 * INSTRUMENTS_LIMIT))
    assert kinds == {VenueQuote: 2 * INSTRUMENTS_LIMIT, VenueGarbage: INSTRUMENTS_LIMIT}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"b": "0.00000000"}, (0, 9_500_002_000_000, 50_000_000, 1_200_000_000)),
        ({"a": "-1.00000000"}, (9_500_001_000_000, 0, 50_000_000, 1_200_000_000)),
        ({"b": "1.12345", "B": "3"}, (112_345_000, 9_500_002_000_000, 300_000_000, 1_200_000_000)),
    ],
)
def test_other_numbers(changes: dict[str, str], expected: tuple[int, int, int, int]) -> None:
    bid_e8, ask_e8, bid_size_e8, ask_size_e8 = expected
    assert parse(frame(**changes)) == [VenueQuote("BTCUSDT", bid_e8, ask_e8, bid_size_e8, ask_size_e8, 0)]


@pytest.mark.parametrize("reply", ['{"result":null,"id":1}', '{"result":["btcusdt@bookTicker"],"id":"x"}'])
def test_a_reply_that_accepts_says_nothing(reply: str) -> None:
    assert parse(reply) == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "bad_json"),
        ("{", "bad_json"),
        (b"\xff", "bad_json"),
        ("\ud800", "bad_json"),
        ("[" * 5000, "bad_json"),
        ("[]", "unknown_message"),
        ("{}", "unknown_message"),
        (json.dumps(BOOK), "unknown_message"),
        (frame("btcusdt@ticker"), "unknown_message"),
        ('{"stream":"btcusdt@depth","data":{"e":"depthUpdate","b":[],"a":[]}}', "unknown_message"),
        ('{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","b":[],"a":[]}}', "bad_fields"),
        ('{"stream":"btcusdt@snapshot","data":{"lastUpdateId":-1,"bids":[],"asks":[]}}', "bad_fields"),
        ('{"stream":"btcusdt@snapshot"}', "bad_fields"),
        (depth(E=10**13), "bad_fields"),
        (depth(s=""), "bad_instrument"),
        ('{"error":{"code":2,"msg":"Invalid request"},"id":1}', "refused"),
        ('{"code":0,"msg":"Unknown property"}', "refused"),
        (frame(b=None), "bad_fields"),
        (frame(b=95000.01), "bad_fields"),
        (frame(s=""), "bad_instrument"),
        (frame(s="X" * 33), "bad_instrument"),
        (frame(b="1_0.00000000"), "bad_price"),
        (frame(b="1.0.00000000"), "bad_price"),
        (frame(b=".00000001"), "bad_price"),
        (frame(b="٣.00000000"), "bad_price"),
        (frame(a="1e3"), "bad_price"),
        (frame(a="10000000000.00000000"), "bad_price"),
        (frame(a="0.000000001"), "bad_price"),
        (frame(A="lots"), "bad_size"),
        (" " * (MESSAGE_LIMIT_BYTES + 1), "too_long"),
    ],
)
def test_garbage_is_named(message: str | bytes, reason: str) -> None:
    (event,) = parse(message)
    assert isinstance(event, VenueGarbage)
    assert event.reason == reason
    assert len(event.detail) <= DETAIL_LIMIT_CHARS
    assert event.detail.isprintable()


@given(st.one_of(st.binary(), st.text()))
def test_whatever_comes_only_events_come_out(message: str | bytes) -> None:
    assert all(isinstance(event, VenueGarbage) for event in parse(message))


@given(st.dictionaries(st.sampled_from(sorted(BOOK)), st.none() | st.integers() | st.floats() | st.text(max_size=60)))
def test_whatever_a_field_holds_one_event_comes_out(changes: dict[str, Any]) -> None:
    (event,) = parse(frame(**changes))
    assert isinstance(event, VenueQuote | VenueGarbage)


def test_an_order_book_comes_of_a_snapshot_and_updates_and_its_top_unless_the_ticker_has_said_more() -> None:
    parser = BinancePrices()
    assert parser.receive_message(depth(5, 7, b=[["99", "2"]])) == []
    assert list(parser.snapshots_wanted) == ["BTCUSDT"]
    told = parser.receive_message(snapshot(5, [("98", "1")], [("101", "3")]))
    levels = ((99 * E8, 2 * E8), (98 * E8, E8)), ((101 * E8, 3 * E8),)
    assert told == [
        VenueDepth("BTCUSDT", *levels, 1_700_000_000 * E9),
        VenueQuote("BTCUSDT", 99 * E8, 101 * E8, 2 * E8, 3 * E8, 1_700_000_000 * E9),
    ]
    assert parser.receive_message(frame(u=7)) == []
    assert parser.receive_message(frame(u=9)) == [QUOTE]
    assert parser.receive_message(depth(8, 9, a=[["101", "4"]])) == [
        VenueDepth("BTCUSDT", levels[0], ((101 * E8, 4 * E8),), 1_700_000_000 * E9)
    ]


def test_a_gap_takes_the_order_book_back_and_asks_for_a_snapshot() -> None:
    parser = BinancePrices()
    parser.receive_message(depth(1, 1))
    parser.receive_message(snapshot(1, [("98", "1")], [("101", "3")]))
    parser.snapshots_wanted.clear()
    assert parser.receive_message(depth(3, 3)) == [
        VenueGarbage("depth_gap", "BTCUSDT: 3 follows 1"),
        VenueDepth("BTCUSDT", (), (), 1_700_000_000 * E9),
    ]
    assert list(parser.snapshots_wanted) == ["BTCUSDT"]
    assert isinstance(parser.receive_message(snapshot(2, [("98", "1")], [("101", "3")]))[0], VenueDepth)


@given(
    st.dictionaries(
        st.sampled_from(["E", "s", "U", "u", "b", "a"]),
        st.none()
        | st.integers()
        | st.text(max_size=50)
        | st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9))),
    ),
    st.integers(0, 3),
)
def test_whatever_a_depth_update_holds_the_parser_goes_on(changes: dict[str, Any], last: int) -> None:
    parser = BinancePrices()
    parser.receive_message(depth(1, 1))
    parser.receive_message(snapshot(last, [("98", "1")], [("101", "3")]))
    parser.receive_message(depth(**{"first": 2, "last": 2, **changes}))
    assert parser.receive_message(frame(u=10**30)) == [QUOTE]


@given(st.from_regex(r"[0-9]{1,9}\.[0-9]{8}", fullmatch=True))
def test_the_short_cut_for_eight_places_reads_as_any_decimal_does(text: str) -> None:
    (event,) = parse(frame(b=text))
    assert isinstance(event, VenueQuote)
    assert event.bid_e8 == parse_e8(text)


@pytest.mark.parametrize(
    ("name", "quotes", "others"), [("BINANCE.ws.1.0.txt", 84, 4), ("BINANCE_TR.ws.1.0.txt", 47, 8)]
)
def test_recorded_frames(shared: Path, name: str, quotes: int, others: int) -> None:
    parser = BinancePrices()
    kinds: Counter[str] = Counter()
    for text in (shared / "binance" / name).read_text().splitlines()[1:]:
        if text:
            message = text.partition(": ")[2]
            told = parser.receive_message(message)
            if "@depth@" in message:
                assert told == []
                continue
            (event,) = told
            kinds[event.reason if isinstance(event, VenueGarbage) else "quote"] += 1
            if isinstance(event, VenueQuote):
                data = json.loads(message)["data"]
                sent = [parse_e8(data[key]) for key in "baBA"]
                assert event == VenueQuote(data["s"], sent[0], sent[1], sent[2], sent[3], 0)
    assert kinds == {"quote": quotes, "unknown_message": others}
