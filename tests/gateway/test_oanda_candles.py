import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.venues.oanda.candles import (
    MINUTE_NS,
    PAGE_LIMIT_CANDLES,
    Candle,
    Page,
    Prices,
    candles_request,
    pages,
    parse_candles,
)
from gateway.venues.oanda.rest import Answer, Request, Unanswered

START_NS = 1_768_830_540 * 10**9
END_NS = START_NS + 10 * MINUTE_NS


def side(text: str = "1.1 1.3 1.0 1.2") -> dict[str, str]:
    return dict(zip("ohlc", text.split(), strict=True))


def candle(minute: int = 49, **changes: Any) -> dict[str, Any]:
    said = {"time": f"2026-01-19T13:{minute}:00.000000000Z", "volume": 7, "complete": True}
    return said | {"bid": side(), "ask": side("1.2 1.4 1.1 1.3")} | changes


def parse(*candles: Any, instrument: str = "EUR_USD", granularity: str = "M1") -> Page:
    body = json.dumps({"instrument": instrument, "granularity": granularity, "candles": candles})
    return parse_candles(Answer(200, body.encode()), "EUR_USD", START_NS, END_NS)


BID = Prices(110_000_000, 130_000_000, 100_000_000, 120_000_000)
ASK = Prices(120_000_000, 140_000_000, 110_000_000, 130_000_000)


def test_candles_are_read_and_the_running_one_is_marked() -> None:
    assert parse(candle(49), candle(51, complete=False)) == Page(
        [Candle(START_NS, BID, ASK, 7, True), Candle(START_NS + 2 * MINUTE_NS, BID, ASK, 7, False)], 0
    )


def test_candles_outside_the_span_are_not_wanted() -> None:
    assert parse(candle(48), candle(58), candle(59)) == Page([Candle(START_NS + 9 * MINUTE_NS, BID, ASK, 7, True)], 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"bid": side("1.1 1.0 1.0 1.0")},
        {"bid": side("1.1 1.3 1.2 1.2")},
        {"bid": side("0 1.3 0 1.2")},
        {"bid": side("1.25 1.3 1.0 1.2")},
        {"ask": side("1.2 1.4 1.1 NaN")},
        {"ask": side("1.2 1.4 1.1 1.3000000001")},
        {"ask": None},
        {"volume": -1},
        {"volume": 2**40},
        {"time": "2026-01-19T13:49:01Z"},
        {"time": "now"},
        {"complete": "yes"},
    ],
)
def test_a_candle_that_cannot_be_right_is_left_out_and_counted(wrong: dict[str, Any]) -> None:
    assert parse(candle(49, **wrong), candle(50)) == Page([Candle(START_NS + MINUTE_NS, BID, ASK, 7, True)], 1)


def test_a_minute_counts_once_and_time_does_not_go_back() -> None:
    page = parse(candle(50), candle(50), candle(49))
    assert ([entry.start_ns for entry in page.candles], page.dropped) == ([START_NS + MINUTE_NS], 2)


def test_the_answer_to_another_question_is_refused() -> None:
    for other in ({"instrument": "GBP_USD"}, {"granularity": "M5"}):
        with pytest.raises(Unanswered, match="not asked for"):
            parse(candle(), **other)
    with pytest.raises(Unanswered, match="not asked for"):
        parse(*[candle()] * (PAGE_LIMIT_CANDLES + 2))


@given(st.binary(max_size=200))
def test_whatever_comes_only_unanswered_is_raised(body: bytes) -> None:
    with pytest.raises(Unanswered):
        parse_candles(Answer(200, body), "EUR_USD", START_NS, END_NS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ohlc"), inner, max_size=4),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.sampled_from(sorted(candle())), json_values), max_size=4))
def test_whatever_a_candle_holds_each_is_read_or_dropped(changes: list[dict[str, Any]]) -> None:
    page = parse(*(candle(49 + i, **change) for i, change in enumerate(changes)))
    assert len(page.candles) + page.dropped <= len(changes)
    for entry in page.candles:
        assert START_NS <= entry.start_ns < END_NS
        for prices in (entry.bid, entry.ask):
            assert 0 < prices.low_e8 <= prices.open_e8 <= prices.high_e8


def test_a_long_span_is_asked_for_in_pages() -> None:
    step_ns = PAGE_LIMIT_CANDLES * MINUTE_NS
    assert list(pages(0, 2 * step_ns + 1)) == [(0, step_ns), (step_ns, 2 * step_ns), (2 * step_ns, 2 * step_ns + 1)]
    assert list(pages(5, 5)) == []
    assert candles_request("EUR_USD", START_NS, END_NS) == Request(
        "GET",
        "/instruments/EUR_USD/candles",
        {
            "price": "BA",
            "granularity": "M1",
            "from": "2026-01-19T13:49:00.000000000Z",
            "to": "2026-01-19T13:59:00.000000000Z",
        },
    )
