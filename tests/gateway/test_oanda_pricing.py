import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.venues.events import DETAIL_LIMIT_CHARS, VenueEvent, VenueGarbage, VenueHeartbeat, VenueQuote
from gateway.venues.oanda.pricing import LINE_LIMIT_BYTES, OandaPriceStream, pricing_stream_request
from gateway.venues.oanda.rest import Request

TIME = "2026-01-19T13:49:23.953205123Z"
TIME_NS = 1_768_830_563_953_205_123


def price(**changes: Any) -> dict[str, Any]:
    message: dict[str, Any] = {
        "type": "PRICE",
        "time": TIME,
        "bids": [{"price": "1.34159", "liquidity": 1_000_000}, {"price": "1.34157", "liquidity": 5_000_000}],
        "asks": [{"price": "1.34172", "liquidity": 2_000_000}],
        "closeoutBid": "1.34150",
        "closeoutAsk": "1.34180",
        "status": "tradeable",
        "tradeable": True,
        "instrument": "GBP_USD",
    }
    return {name: value for name, value in {**message, **changes}.items() if value is not None}


def line(message: Any) -> bytes:
    return json.dumps(message).encode() + b"\n"


def parse(data: bytes) -> list[VenueEvent]:
    return OandaPriceStream().receive_data(data)


def reasons(data: bytes) -> list[str]:
    return [event.reason if isinstance(event, VenueGarbage) else type(event).__name__ for event in parse(data)]


QUOTE = VenueQuote("GBP_USD", 134_159_000, 134_172_000, 10**14, 2 * 10**14, TIME_NS)
HEARTBEAT = {"type": "HEARTBEAT", "time": "2026-01-19T13:49:25.000000000Z"}


def test_a_price_gives_the_first_bucket_of_each_side() -> None:
    assert parse(line(price())) == [QUOTE]


def test_a_heartbeat_gives_its_time() -> None:
    assert parse(line(HEARTBEAT)) == [VenueHeartbeat(1_768_830_565 * 10**9, 5_000)]


def test_lines_may_be_cut_at_any_byte() -> None:
    data = line(price()) + b"\r\n" + line(HEARTBEAT) + b"not json\n" + line(price(instrument="EUR_USD"))
    whole = parse(data)
    assert [type(event) for event in whole] == [VenueQuote, VenueHeartbeat, VenueGarbage, VenueQuote]
    stream = OandaPriceStream()
    assert [event for byte in data for event in stream.receive_data(bytes([byte]))] == whole
    for cut in range(len(data)):
        stream = OandaPriceStream()
        assert stream.receive_data(data[:cut]) + stream.receive_data(data[cut:]) == whole


def test_a_line_without_its_end_says_nothing_yet() -> None:
    assert parse(line(price())[:-1]) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"bids": []}, (0, 134_172_000, 0, 2 * 10**14)),
        ({"asks": None}, (134_159_000, 0, 10**14, 0)),
        ({"bids": [{"price": "0", "liquidity": 1}]}, (0, 134_172_000, 10**8, 2 * 10**14)),
        ({"bids": [{"price": "-1.5", "liquidity": -1}]}, (0, 134_172_000, 0, 2 * 10**14)),
        ({"bids": [{"price": "1.1"}]}, (110_000_000, 134_172_000, 0, 2 * 10**14)),
        ({"bids": [{"price": "1.1", "liquidity": "0.25"}]}, (110_000_000, 134_172_000, 25_000_000, 2 * 10**14)),
        ({"tradeable": False}, (0, 0, 0, 0)),
        ({"status": "non-tradeable"}, (0, 0, 0, 0)),
        ({"status": None, "tradeable": None}, (134_159_000, 134_172_000, 10**14, 2 * 10**14)),
    ],
)
def test_a_side_that_cannot_be_dealt_on_is_zero(changes: dict[str, Any], expected: tuple[int, int, int, int]) -> None:
    bid_e8, ask_e8, bid_size_e8, ask_size_e8 = expected
    quote = VenueQuote("GBP_USD", bid_e8, ask_e8, bid_size_e8, ask_size_e8, TIME_NS)
    assert parse(line(price(**changes))) == [quote]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"{\n", "bad_json"),
        (b"\xff\xfe\n", "bad_json"),
        (b'{"type":"PRICE","instrument":"\xff"}\n', "bad_json"),
        (b'{"\x80type":"PRICE"}\n', "bad_json"),
        (b"[" * 5000 + b"\n", "bad_json"),
        (b'{"type":"PRICE","instrument":"\\ud800"}\n', "bad_json"),
        (line([]), "unknown_message"),
        (line({"type": "TRANSACTION"}), "unknown_message"),
        (line({"errorMessage": "no"}), "unknown_message"),
        (line(price(bids="1.3")), "bad_fields"),
        (line(price(instrument=None)), "bad_fields"),
        (line(price(time=None)), "bad_fields"),
        (line(price(bids=[{"price": 1.3, "liquidity": 1}])), "bad_fields"),
        (line(price(bids=[{"price": "1.3", "liquidity": 0.5}])), "bad_fields"),
        (line(price(instrument="")), "bad_instrument"),
        (line(price(instrument="X" * 33)), "bad_instrument"),
        (line(price(bids=[{"price": "NaN", "liquidity": 1}])), "bad_price"),
        (line(price(bids=[{"price": "1e5", "liquidity": 1}])), "bad_price"),
        (line(price(bids=[{"price": ".12345678", "liquidity": 1}])), "bad_price"),
        (line(price(bids=[{"price": "1.123456789", "liquidity": 1}])), "bad_price"),
        (line(price(asks=[{"price": "10000000000", "liquidity": 1}])), "bad_price"),
        (line(price(asks=[{"price": "0." + "0" * 5000, "liquidity": 1}])), "bad_price"),
        (line(price(asks=[{"price": "1", "liquidity": 10**10}])), "bad_size"),
        (line(price(asks=[{"price": "1", "liquidity": "many"}])), "bad_size"),
        (line(price(time="yesterday")), "bad_time"),
        (line({"type": "HEARTBEAT", "time": ""}), "bad_time"),
    ],
)
def test_garbage_is_named_and_the_next_line_is_read(sent: bytes, reason: str) -> None:
    assert reasons(sent + line(price())) == [reason, "VenueQuote"]


@pytest.mark.parametrize("step", [LINE_LIMIT_BYTES * 3, 10_000])
def test_a_line_beyond_the_limit_is_dropped_once(step: int) -> None:
    data = b"x" * (LINE_LIMIT_BYTES * 2) + b"\n" + line(price())
    stream = OandaPriceStream()
    events = [event for start in range(0, len(data), step) for event in stream.receive_data(data[start : start + step])]
    assert events == [VenueGarbage("too_long", "x" * DETAIL_LIMIT_CHARS), QUOTE]


def test_a_line_at_the_limit_is_read() -> None:
    padded = line(price(note="")).replace(
        b'""', b'"' + b"x" * (LINE_LIMIT_BYTES - len(line(price(note=""))) + 1) + b'"'
    )
    assert len(padded) == LINE_LIMIT_BYTES + 1
    assert parse(padded) == [QUOTE]


@given(
    st.lists(st.one_of(st.binary(max_size=200), st.sampled_from([line(price()), line(HEARTBEAT), b"\n", b'{"type":'])))
)
def test_whatever_comes_only_events_come_out(chunks: list[bytes]) -> None:
    stream = OandaPriceStream()
    events = [event for chunk in chunks for event in stream.receive_data(chunk)]
    assert events == parse(b"".join(chunks))
    assert all(isinstance(event, VenueQuote | VenueHeartbeat | VenueGarbage) for event in events)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from([TIME, "1.5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["price", "liquidity"]), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(price())), json_values))
def test_whatever_a_field_holds_one_event_comes_out(changes: dict[str, Any]) -> None:
    (event,) = parse(line({**price(), **changes}))
    assert isinstance(event, VenueQuote | VenueHeartbeat | VenueGarbage)
    if isinstance(event, VenueQuote):
        assert min(event.bid_e8, event.ask_e8, event.bid_size_e8, event.ask_size_e8, event.time_ns) >= 0
    if isinstance(event, VenueGarbage):
        assert len(event.detail) <= DETAIL_LIMIT_CHARS


def test_the_request_for_a_stream() -> None:
    request = pricing_stream_request(["EUR_USD", "USD_JPY"])
    assert request == Request(
        "GET", "/accounts/{account}/pricing/stream", {"instruments": "EUR_USD,USD_JPY", "snapshot": "true"}
    )


@pytest.mark.parametrize("instruments", [[], [""], ["EUR_USD", "A,B"]])
def test_instruments_that_cannot_be_asked_for_are_refused(instruments: list[str]) -> None:
    with pytest.raises(ValueError, match="at least one instrument"):
        pricing_stream_request(instruments)
