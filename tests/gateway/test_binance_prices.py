import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.money import parse_e8
from gateway.venues.binance.book_ticker import MESSAGE_LIMIT_BYTES, STREAMS_LIMIT, BinanceBookTickers, stream_url
from gateway.venues.events import DETAIL_LIMIT_CHARS, VenueEvent, VenueGarbage, VenueQuote

BOOK = {"u": 1, "s": "BTCUSDT", "b": "95000.01000000", "B": "0.50000000", "a": "95000.02000000", "A": "12.00000000"}
QUOTE = VenueQuote("BTCUSDT", 9_500_001_000_000, 9_500_002_000_000, 50_000_000, 1_200_000_000, 0)


def frame(stream: str = "btcusdt@bookTicker", **changes: Any) -> str:
    data = {name: value for name, value in {**BOOK, **changes}.items() if value is not None}
    return json.dumps({"stream": stream, "data": data})


def parse(message: str | bytes) -> list[VenueEvent]:
    return BinanceBookTickers().receive_message(message)


def test_a_book_ticker_as_text_and_as_bytes() -> None:
    assert parse(frame()) == parse(frame().encode()) == [QUOTE]


def test_one_parser_reads_one_message_after_another() -> None:
    parser = BinanceBookTickers()
    assert [parser.receive_message(text) for text in (frame(), "?", frame())] == [
        [QUOTE],
        [VenueGarbage("bad_json", "?")],
        [QUOTE],
    ]


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
        ('{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","b":[],"a":[]}}', "unknown_message"),
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


@given(st.from_regex(r"[0-9]{1,9}\.[0-9]{8}", fullmatch=True))
def test_the_short_cut_for_eight_places_reads_as_any_decimal_does(text: str) -> None:
    (event,) = parse(frame(b=text))
    assert isinstance(event, VenueQuote)
    assert event.bid_e8 == parse_e8(text)


@pytest.mark.parametrize(
    ("name", "quotes", "others"), [("BINANCE.ws.1.0.txt", 84, 181), ("BINANCE_TR.ws.1.0.txt", 47, 92)]
)
def test_recorded_frames(shared: Path, name: str, quotes: int, others: int) -> None:
    parser = BinanceBookTickers()
    kinds: Counter[str] = Counter()
    for text in (shared / "binance" / name).read_text().splitlines()[1:]:
        if text:
            message = text.partition(": ")[2]
            (event,) = parser.receive_message(message)
            kinds[event.reason if isinstance(event, VenueGarbage) else "quote"] += 1
            if isinstance(event, VenueQuote):
                data = json.loads(message)["data"]
                sent = [parse_e8(data[key]) for key in "baBA"]
                assert event == VenueQuote(data["s"], sent[0], sent[1], sent[2], sent[3], 0)
    assert kinds == {"quote": quotes, "unknown_message": others}


def test_the_address_of_a_combined_stream() -> None:
    assert stream_url("wss://stream.example:9443/", ["BTCUSDT", "EURUSDT"]) == (
        "wss://stream.example:9443/stream?streams=btcusdt@bookTicker/eurusdt@bookTicker"
    )


@pytest.mark.parametrize("instruments", [[], ["BTC/USDT"], [""], ["A"] * (STREAMS_LIMIT + 1)])
def test_an_address_that_cannot_be_asked_for(instruments: list[str]) -> None:
    with pytest.raises(ValueError, match=r"streams|symbol"):
        stream_url("wss://stream.example", instruments)
