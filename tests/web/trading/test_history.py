"""REST: what has been, page by page."""

from typing import Any

import pytest

from actors.bus.history_answers import Bars
from actors.bus.requests import GetBars, GetEntries, GetFills, GetOrders
from actors.domain.commands import DefineGroup, OpenAccount
from actors.domain.group import Group, Markup
from actors.domain.money import parse_e8
from actors.domain.prices.bar import MINUTE_NS, Bar
from tests.web.broker import ADMIN, OTHER, TRADER, eventually
from tests.web.world import World
from web.payloads.times import format_ns

pytestmark = pytest.mark.anyio


async def test_orders_and_trades_come_newest_first_in_pages(world: World) -> None:
    for number in range(5):
        await world.order(client_order_id=f"order-{number}")
    await world.order(OTHER)
    for path, name in (("/orders", "orders"), ("/trades", "trades")):
        first = (await world.get(path, limit=2)).json()
        assert [item["id"] for item in first[name]] == ["5", "4"]
        second = (await world.get(path, limit=2, before=first["next"])).json()
        assert [item["id"] for item in second[name]] == ["3", "2"]
        last = (await world.get(path, limit=2, before=second["next"])).json()
        assert ([item["id"] for item in last[name]], last["next"]) == (["1"], None)
        assert [item["id"] for item in (await world.get(path)).json()[name]] == ["5", "4", "3", "2", "1"]
    assert (await world.get("/orders")).json()["orders"][0] == (await world.order(client_order_id="order-4")).json()[
        "order"
    ]


async def test_history_must_have_what_the_account_was_told(world: World) -> None:
    await world.order()
    seq = world.broker.state.event_seq
    await world.order(OTHER)
    for path, kind in (("/orders", GetOrders), ("/trades", GetFills), ("/ledger", GetEntries)):
        await world.get(path)
        asked = [body for body in world.broker.asked if isinstance(body, kind)]
        assert asked[-1].at_least_seq == seq
    await world.get("/ledger", ADMIN)
    assert world.broker.asked[-1].at_least_seq == seq + 1


async def test_the_ledger_of_a_trader_and_of_the_broker(world: World) -> None:
    await world.order()
    await world.price("EURUSD", "1.10110", "1.10120")
    await world.post("/position/1/close", {})
    mine = (await world.get("/ledger")).json()
    for entry in mine["entries"]:
        assert entry.pop("time").endswith("Z")
        del entry["posting_id"]
    assert mine == {
        "entries": [
            {
                "id": "2",
                "kind": "trade",
                "amount": "10.00",
                "currency": "USD",
                "balance_after": "100010.00",
                "reference": "fill:2",
            },
            {
                "id": "1",
                "kind": "deposit",
                "amount": "100000.00",
                "currency": "USD",
                "balance_after": "100000.00",
                "reference": "deposit:opening-1",
            },
        ],
        "next": None,
    }
    assert [entry["amount"] for entry in (await world.get("/ledger", ADMIN)).json()["entries"]] == ["-10.00"]
    cash = (await world.get("/ledger", ADMIN, account="broker:cash")).json()
    assert [entry["balance_after"] for entry in cash["entries"]] == ["-200000.00", "-100000.00"]
    other = (await world.get("/ledger", ADMIN, account_id="2")).json()
    assert [entry["amount"] for entry in other["entries"]] == ["100000.00"]
    refused = await world.get("/ledger", account="broker:trading")
    assert (refused.status_code, refused.json()["field"]) == (403, "account")
    both = await world.get("/ledger", ADMIN, account="broker:cash", account_id="1")
    assert (both.status_code, both.json()["field"]) == (422, "account")


async def test_ticks_oldest_first(world: World) -> None:
    await world.price("EURUSD", "1.2", "1.20001")
    ticks = (await world.get("/ticks", symbol="EURUSD")).json()
    for tick in ticks["ticks"]:
        assert tick.pop("time").endswith("Z")
    assert ticks == {
        "symbol": "EURUSD",
        "ticks": [
            {"seq": 1000, "bid": "1.10000", "ask": "1.10010", "lp_bid": "oanda", "lp_ask": "binance", "live": True},
            {"seq": 1001, "bid": "1.20000", "ask": "1.20001", "lp_bid": "oanda", "lp_ask": "binance", "live": True},
        ],
        "next": None,
    }
    newest = await world.get("/ticks", symbol="EURUSD", limit=1)
    assert ([tick["seq"] for tick in newest.json()["ticks"]], newest.json()["next"]) == ([1001], "1001")
    earlier = (await world.http.get(newest.links["next"]["url"], headers=world.bearer())).json()
    assert ([tick["seq"] for tick in earlier["ticks"]], earlier["next"]) == ([1000], None)


async def test_bars_on_the_bid_and_on_the_ask(world: World) -> None:
    for price, value in ((None, "1.10000"), ("bid", "1.10000"), ("ask", "1.10010")):
        parameters: dict[str, Any] = {"symbol": "EURUSD", "timeframe": "M5", "limit": 1} | (
            {"price": price} if price else {}
        )
        bars = (await world.get("/ohlc", **parameters)).json()
        assert bars["bars"][0].pop("time").endswith(":00Z")
        assert bars == {
            "symbol": "EURUSD",
            "timeframe": "M5",
            "bars": [{"open": value, "high": value, "low": value, "close": value, "ticks": 1}],
            "next": None,
        }
    await world.get("/ohlc", symbol="EURUSD", timeframe="D1", before="2026-01-19T14:30:00.5+01:00")
    assert world.broker.asked[-1] == GetBars("EURUSD", 1_440, 501, 1_768_829_400_500_000_000)


async def test_a_bad_parameter_is_named(world: World) -> None:
    ohlc = {"symbol": "EURUSD", "timeframe": "M1"}
    for path, parameters, status, field in (
        ("/ohlc", ohlc | {"symbol": "NOPE"}, 404, "symbol"),
        ("/ohlc", {"timeframe": "M1"}, 422, "symbol"),
        ("/ohlc", {"symbol": "EURUSD"}, 422, "timeframe"),
        ("/ohlc", ohlc | {"timeframe": "M2"}, 422, "timeframe"),
        ("/ohlc", ohlc | {"limit": "0"}, 422, "limit"),
        ("/ohlc", ohlc | {"limit": "1001"}, 422, "limit"),
        ("/ohlc", ohlc | {"limit": "ten"}, 422, "limit"),
        ("/ohlc", ohlc | {"before": "yesterday"}, 422, "before"),
        ("/ohlc", ohlc | {"before": "1969-12-31T00:00:00Z"}, 422, "before"),
        ("/ohlc", ohlc | {"before": "9999-12-31T00:00:00Z"}, 422, "before"),
        ("/ohlc", ohlc | {"price": "mid"}, 422, "price"),
        ("/ticks", {"symbol": "NOPE"}, 404, "symbol"),
        ("/ticks", {"symbol": "EURUSD", "before": "-1"}, 422, "before"),
        ("/orders", {"limit": "501"}, 422, "limit"),
        ("/orders", {"before": "x"}, 422, "before"),
        ("/orders", {"account_id": "me"}, 422, "account_id"),
        ("/trades", {"before": "9" * 20}, 422, "before"),
        ("/ledger", {"account": ""}, 422, "account"),
    ):
        response = await world.get(path, **parameters)
        assert (path, parameters, response.status_code, response.json().get("field")) == (
            path,
            parameters,
            status,
            field,
        )


async def test_symbols_with_their_last_prices(world: World) -> None:
    symbols = (await world.get("/symbols")).json()["symbols"]
    assert [symbol["symbol"] for symbol in symbols] == ["EURUSD", "USDJPY"]
    assert symbols[1].pop("time").endswith("Z")
    assert symbols[1] == {
        "symbol": "USDJPY",
        "base": "USD",
        "quote": "JPY",
        "description": "USD against JPY",
        "price_digits": 3,
        "quantity_min": "1",
        "quantity_max": "10000000",
        "quantity_step": "1",
        "margin_rate": "0.0333",
        "bid": "150.000",
        "ask": "150.010",
        "seq": 1000,
        "live": True,
    }
    world.broker.silent = True
    world.clock.ahead_ns = 3_000_000_000

    async def live() -> list[bool]:
        return [symbol["live"] for symbol in (await world.get("/symbols")).json()["symbols"]]

    async def none_live() -> bool:
        return await live() == [False, False]

    async def both_live() -> bool:
        return await live() == [True, True]

    await eventually(none_live)
    world.broker.silent = False
    await eventually(both_live)


async def test_symbols_and_ticks_have_the_prices_of_the_group(world: World) -> None:
    """The market's are 1.10000/1.10010: at least 4 pips, then a pip down. The staff see the market's."""
    gold = Group("gold", Markup(spread_min_e8=parse_e8("0.0004"), skew_e8=-parse_e8("0.0001")))
    world.broker.tell(DefineGroup(gold))
    world.broker.tell(OpenAccount(7, "USD", group="gold"))
    trader = world.broker.users[TRADER]
    world.broker.users["goldie"] = type(trader)(7, "goldie", trader.password_hash, "trader", 7)
    for who, bid, ask in (("goldie", "1.09975", "1.10015"), (ADMIN, "1.10000", "1.10010")):
        listed = (await world.get("/symbols", who)).json()["symbols"][0]
        assert (listed["symbol"], listed["bid"], listed["ask"]) == ("EURUSD", bid, ask)
        (tick,) = (await world.get("/ticks", who, symbol="EURUSD")).json()["ticks"]
        assert (tick["bid"], tick["ask"]) == (bid, ask)
    world.broker.tell(DefineGroup(Group("gold")))

    async def is_the_markets() -> bool:
        return bool((await world.get("/symbols", "goldie")).json()["symbols"][0]["bid"] == "1.10000")

    await eventually(is_the_markets)


async def test_while_the_instruments_are_not_known_no_symbol_is_unknown(world: World) -> None:
    world.web.prices.instruments.clear()
    for path, parameters in (("/symbols", {}), ("/ticks", {"symbol": "EURUSD"})):
        response = await world.get(path, **parameters)
        assert (path, response.status_code, response.json()["code"]) == (path, 503, "UNAVAILABLE")


async def test_history_away_is_503(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.handling.asking.HISTORY_TIMEOUT_MS", 50)
    world.broker.mute.add("persistence")
    for path, parameters in (
        ("/orders", {}),
        ("/trades", {}),
        ("/ledger", {}),
        ("/ticks", {"symbol": "EURUSD"}),
        ("/ohlc", {"symbol": "EURUSD", "timeframe": "M1"}),
    ):
        response = await world.get(path, **parameters)
        assert (path, response.status_code, response.json()["code"]) == (path, 503, "UNAVAILABLE")
    assert (await world.get("/positions")).status_code == 200


async def test_bars_are_read_page_by_page_to_the_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = [MINUTE_NS * (1_000_000 + number) for number in range(5)]
    prices = (parse_e8("1.1"),) * 4
    known = [Bar("EURUSD", start_ns, *prices, *prices, 1) for start_ns in minutes]

    def answer(asked: Any) -> Any:
        if not isinstance(asked, GetBars):
            return world.broker._history(asked)
        before = [bar for bar in known if not asked.before_ns or bar.start_ns < asked.before_ns]
        return Bars(asked.symbol, asked.minutes, before[-asked.limit :])

    monkeypatch.setattr(world.broker._services[1], "_serve", answer)
    seen: list[str] = []
    url: str | None = "/ohlc?symbol=EURUSD&timeframe=M1&limit=2"
    while url:
        page = await world.http.get(url, headers=world.bearer())
        seen = [bar["time"] for bar in page.json()["bars"]] + seen
        url = page.links.get("next", {}).get("url")
    assert seen == [format_ns(start_ns) for start_ns in minutes]
