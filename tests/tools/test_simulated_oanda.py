"""The simulated OANDA's questions and answers: accounts, prices, candles."""

import asyncio
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from actors.domain.calendar import FOREX, is_open
from actors.domain.money import parse_e8
from tools.venues.market import Market
from tools.venues.oanda import OandaVenue
from tools.venues.oanda.history import MINUTE_NS, MINUTES_LIMIT, Minute, Shown, minutes
from tools.venues.oanda.prices import home_conversion
from tools.venues.recording import find_recordings

ACCOUNT = "101-001-1000001-001"
BEARER = {"Authorization": "Bearer token-of-the-test"}
FRIDAY_CLOSE_NS = 1_768_600_800 * 10**9
"""17:00 in New York on 16 January 2026: 22:00 UTC."""
NOW_NS = FRIDAY_CLOSE_NS + 90 * 24 * 60 * MINUTE_NS


def answers(market: Market, *asked: tuple[str, dict[str, Any]]) -> list[httpx.Response]:
    async def main() -> list[httpx.Response]:
        venue = OandaVenue(market, ACCOUNT, "token-of-the-test")
        url = f"http://127.0.0.1:{venue.listen('127.0.0.1', 0)}/v3"
        try:
            async with httpx.AsyncClient(base_url=url, headers=BEARER) as client:
                return [await client.get(path, params=params) for path, params in asked]
        finally:
            await venue.close()

    return asyncio.run(main())


def starts(response: httpx.Response) -> list[str]:
    return [candle["time"][8:16] for candle in response.json()["candles"]]


def candles(name: str, **params: Any) -> tuple[str, dict[str, Any]]:
    return f"/instruments/{name}/candles", {"granularity": "M1", "price": "BA"} | params


def test_a_span_of_candles_is_what_was_asked_for() -> None:
    begin, end = "2026-01-16T21:58:00Z", "2026-01-18T22:02:00Z"
    whole, first, last, later, five, coins = answers(
        Market(),
        candles("EUR_USD", **{"from": begin, "to": end}),
        candles("EUR_USD", **{"from": begin, "count": 3}),
        candles("EUR_USD", to=end, count=3),
        candles("EUR_USD", **{"from": begin, "count": 2, "includeFirst": "false"}),
        candles("EUR_USD", **{"from": begin, "to": end, "granularity": "M5"}),
        candles("BTC_USD", **{"from": begin, "count": 4}),
    )
    assert starts(whole) == ["16T21:58", "16T21:59", "18T22:00", "18T22:01"]
    assert starts(first) == ["16T21:58", "16T21:59", "18T22:00"]
    assert starts(last) == ["16T21:59", "18T22:00", "18T22:01"]
    assert starts(later) == ["16T21:59", "18T22:00"]
    assert starts(five) == ["16T21:55", "18T22:00"]
    assert starts(coins) == ["16T21:58", "16T21:59", "16T22:00", "16T22:01"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"granularity": "S5"}, "Invalid value specified for 'granularity'"),
        ({"price": "X"}, "Invalid value specified for 'price'"),
        ({"count": "0"}, "Invalid value specified for 'count'"),
        ({"count": "5001"}, "Maximum value for 'count' exceeded"),
        ({"from": "now"}, "Invalid value specified for 'from'"),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "Invalid value specified for 'to'"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-01-05T00:00:00Z"}, "Maximum value for 'count' exceeded"),
        ({"from": "1", "to": "2", "count": "1"}, "'count' cannot be specified"),
    ],
)
def test_candles_that_cannot_be_given(params: dict[str, str], message: str) -> None:
    (response,) = answers(Market(), candles("EUR_USD", **params))
    assert response.status_code == 400
    assert response.json()["errorMessage"].startswith(message)


def test_the_past_is_the_same_for_everyone_and_hangs_together() -> None:
    start_ns = FRIDAY_CLOSE_NS - 500 * MINUTE_NS
    made = list(minutes(Shown(), "EURUSD", start_ns, FRIDAY_CLOSE_NS + 500 * MINUTE_NS, NOW_NS, seed=1))
    assert made[100:] == list(minutes(Shown(), "EURUSD", made[100].start_ns, FRIDAY_CLOSE_NS, NOW_NS, seed=1))
    assert [minute.start_ns for minute in made] == [start_ns + i * MINUTE_NS for i in range(500)]
    assert all(is_open(FOREX, minute.start_ns) for minute in made)
    for earlier, later in pairwise(made):
        assert earlier.bid[3] == later.bid[0]
    for minute in made:
        for opened, high, low, closed in (minute.bid, minute.ask):
            assert low <= min(opened, closed) <= max(opened, closed) <= high
        assert all(bid < ask for bid, ask in zip(minute.bid, minute.ask, strict=True))
    assert len({minute.bid for minute in made}) > 400


def test_what_was_shown_is_what_the_candles_are_made_of() -> None:
    shown = Shown()
    now_ns = FRIDAY_CLOSE_NS - 10 * MINUTE_NS
    for second, bid in ((1, "1.10"), (20, "1.30"), (40, "1.05"), (50, "1.20"), (70, "2")):
        shown.show("EURUSD", bid, "1.4", now_ns + second * 10**9)
    for bad in (("0", "1"), ("x", "1"), ("1", "0")):
        shown.show("EURUSD", *bad, now_ns + 55 * 10**9)
    made = minutes(shown, "EURUSD", now_ns - MINUTE_NS, FRIDAY_CLOSE_NS, now_ns + 75 * 10**9, seed=1)
    made_up, first, running = made
    assert made_up.start_ns == now_ns - MINUTE_NS
    bids = (parse_e8("1.10"), parse_e8("1.30"), parse_e8("1.05"), parse_e8("1.20"))
    assert first == Minute(now_ns, bids, (140_000_000,) * 4, 4)
    assert (running.start_ns, running.volume) == (now_ns + MINUTE_NS, 1)


def test_only_the_last_minutes_shown_are_kept() -> None:
    shown = Shown()
    for minute in range(MINUTES_LIMIT + 5):
        shown.show("EURUSD", "1", "2", minute * MINUTE_NS)
    assert min(shown.within("EURUSD", 0, NOW_NS)) == 5 * MINUTE_NS


def test_the_running_minute_is_not_complete(tmp_path: Path) -> None:
    (tmp_path / "EURUSD.csv").write_text("time,bid,ask\n2026-01-19T13:49:20Z,1.1,1.2\n")
    market = Market(find_recordings([tmp_path]), speed=0, once=True)
    prices, made = answers(
        market,
        (f"/accounts/{ACCOUNT}/pricing", {"instruments": "EUR_USD"}),
        candles("EUR_USD", **{"from": str(time.time_ns() // 10**9 - 30)}),
    )
    (price,) = prices.json()["prices"]
    assert price["bids"] == [{"price": "1.1", "liquidity": 1_000_000}]
    # The last one, unless a minute has begun since.
    shown = [each["volume"] for each in made.json()["candles"][-2:] if each["bid"] == dict.fromkeys("ohlc", "1.10000")]
    assert shown == [1]


def test_prices_since_a_time_are_those_that_came_after_it() -> None:
    path = f"/accounts/{ACCOUNT}/pricing"
    first, none, bad = answers(
        Market(),
        (path, {"instruments": "EUR_USD,BTC_USD"}),
        (path, {"instruments": "EUR_USD", "since": "2200-01-01T00:00:00Z"}),
        (path, {"instruments": "EUR_USD", "since": "yesterday"}),
    )
    assert [price["instrument"] for price in first.json()["prices"]] == ["EUR_USD", "BTC_USD"]
    assert none.json()["prices"] == []
    assert (bad.status_code, bad.json()) == (400, {"errorMessage": "Invalid value specified for 'since'"})


def test_what_a_currency_is_worth_at_home() -> None:
    latest = {"EUR_USD": ("1.1", "1.2"), "USD_JPY": ("100", "125"), "USD_CHF": ("0", "1")}
    assert home_conversion("USD", latest) == {
        "currency": "USD",
        **dict.fromkeys(("accountGain", "accountLoss", "positionValue"), "1.00000000"),
    }
    assert home_conversion("EUR", latest) == {
        "currency": "EUR",
        "accountGain": "1.10000000",
        "accountLoss": "1.20000000",
        "positionValue": "1.15000000",
    }
    yen = home_conversion("JPY", latest)
    assert yen == {
        "currency": "JPY",
        "accountGain": "0.00800000",
        "accountLoss": "0.01000000",
        "positionValue": "0.00900000",
    }
    assert home_conversion("CHF", latest) is None
    assert home_conversion("NOK", latest) is None
