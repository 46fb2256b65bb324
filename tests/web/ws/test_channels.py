"""The channels of /ws beside the account: group prices, books, bars, alerts, what the staff see; and resuming."""

from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from actors.bus.streams import FeedStatus
from actors.domain.commands import DefineGroup, Deposit, OpenAccount
from actors.domain.group import Group, Markup
from actors.domain.money import parse_e8
from actors.domain.quote import Level
from tests.web.broker import ADMIN, DEALER, OTHER, TRADER, eventually
from tests.web.world import Socket, World

pytestmark = pytest.mark.anyio

EUR = {"symbols": ["EURUSD"]}


async def asked(socket: Socket, **request: Any) -> dict[str, Any]:
    return await socket.ask(id=9, **request)


def of(kind: str) -> Any:
    return lambda message: message.get("type") == kind


async def test_a_header_says_who_is_asking(world: World) -> None:
    url = f"ws://127.0.0.1:{world.port}/ws"
    async with connect(url, additional_headers=world.bearer()) as connection:
        assert (await asked(Socket(connection), op="ping"))["ok"]
    for header in ("Bearer forged", "Basic YTpi"):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(url, additional_headers={"Authorization": header}):
                pass
        assert refused.value.response.status_code == 401


async def test_quotes_and_books_have_the_prices_of_the_group(world: World) -> None:
    gold = Group("gold", Markup(parse_e8("0.0001"), parse_e8("0.0002")))
    world.broker.tell(DefineGroup(gold))
    world.broker.tell(OpenAccount(7, "USD", group="gold"))
    trader = world.broker.users[TRADER]
    world.broker.users["goldie"] = type(trader)(7, "goldie", trader.password_hash, "trader", 7)
    world.broker.depth("EURUSD", 5, [Level(parse_e8("1.1"), parse_e8("10"), "A")], [])
    async with world.socket("goldie") as marked, world.socket() as plain:
        for socket, bid, ask in ((marked, "1.09990", "1.10030"), (plain, "1.10000", "1.10010")):
            assert (await asked(socket, op="subscribe", channel="quotes", **EUR))["ok"]
            (quote,) = (await socket.hear_until(of("quotes")))["quotes"]
            assert (quote["bid"], quote["ask"]) == (bid, ask)
            assert (await asked(socket, op="subscribe", channel="depth", **EUR))["ok"]
            (book,) = (await socket.hear_until(of("depth")))["depth"]
            assert book["bids"] == [{"price": bid, "quantity": "10", "lp": None}]
        world.broker.tell(DefineGroup(Group("gold", Markup(parse_e8("0.0005"), 0))))
        (quote,) = (await marked.hear_until(of("quotes")))["quotes"]
        assert (quote["bid"], quote["ask"]) == ("1.09950", "1.10010")


async def test_a_book_by_price_or_by_lp_while_somebody_follows_it(world: World) -> None:
    bids = [Level(parse_e8("1.1"), parse_e8("10"), "A"), Level(parse_e8("1.1"), parse_e8("5"), "B")]
    world.broker.depth("EURUSD", 7, bids, [Level(parse_e8("1.2"), parse_e8("1"), "B")])
    async with world.socket() as summed, world.socket() as tagged:
        assert (await asked(summed, op="subscribe", channel="depth", **EUR))["ok"]
        assert (await asked(tagged, op="subscribe", channel="depth", tagged=True, **EUR))["ok"]
        (book,) = (await summed.hear_until(of("depth")))["depth"]
        assert book.pop("time").endswith("Z")
        assert book == {
            "symbol": "EURUSD",
            "seq": 7,
            "tick_seq": 1000,
            "bids": [{"price": "1.10000", "quantity": "15", "lp": None}],
            "asks": [{"price": "1.20000", "quantity": "1", "lp": None}],
        }
        (book,) = (await tagged.hear_until(of("depth")))["depth"]
        assert [(level["lp"], level["quantity"]) for level in book["bids"]] == [("A", "10"), ("B", "5")]
        world.broker.depth("EURUSD", 8, [], [])
        (book,) = (await summed.hear_until(lambda message: message["depth"][0]["seq"] == 8))["depth"]
        assert (book["bids"], book["asks"]) == ([], [])
        assert (await asked(summed, op="unsubscribe", channel="depth"))["ok"]
        assert world.web.news.books.latest
    topic = b"depth:EURUSD\0"
    await eventually(lambda: world.broker.depth_topics == [b"\1" + topic, b"\0" + topic])
    assert not world.web.news.books.latest


async def test_a_silent_stream_empties_the_books(world: World) -> None:
    world.broker.depth("EURUSD", 7, [Level(parse_e8("1.1"), parse_e8("10"), "A")], [])
    async with world.socket() as socket:
        await asked(socket, op="subscribe", channel="depth", **EUR)
        await socket.hear_until(of("depth"))
        world.broker.silent = True
        world.clock.ahead_ns = 5_000_000_000
        (book,) = (await socket.hear_until(of("depth")))["depth"]
        assert (book["seq"], book["bids"]) == (7, [])


async def test_the_bar_of_now_goes_on_from_history(world: World) -> None:
    async with world.socket() as socket:
        for price in ("1.2", "1.05"):
            await world.price("EURUSD", price, "1.3")
        wanted = {"channel": "bars", "timeframe": "D1", **EUR}
        assert (await asked(socket, op="subscribe", max_rate=None, **wanted))["ok"]
        (told,) = (await socket.hear_until(of("bars")))["bars"]
        bar, history = told["bar"], (await world.get("/ohlc", symbol="EURUSD", timeframe="D1")).json()["bars"][-1]
        assert (told["symbol"], told["timeframe"], told["price"]) == ("EURUSD", "D1", "bid")
        assert bar["high"] == "1.20000"
        assert (bar["close"], history["close"]) == ("1.05000", "1.05000")
        ticks = bar["ticks"]
        await world.price("EURUSD", "1.25", "1.3")
        (told,) = (await socket.hear_until(of("bars")))["bars"]
        assert (told["bar"]["high"], told["bar"]["close"], told["bar"]["ticks"]) == ("1.25000", "1.25000", ticks + 1)
    await eventually(lambda: not world.web.news.bars._followers)
    assert not world.web.news.bars.latest


async def test_alerts_to_the_owner_and_to_the_staff_and_to_nobody_else(world: World) -> None:
    async with world.socket() as mine, world.socket(OTHER) as other, world.socket(DEALER) as staff:
        for socket in (mine, other, staff):
            assert (await asked(socket, op="subscribe", channel="alerts"))["ok"]
        for socket, account_id in ((mine, "1"), (other, "2")):
            standing = await socket.hear()
            assert (standing["type"], standing["account_id"], standing["status"]) == ("margin", account_id, "normal")
            assert standing["margin_level"] is None
        assert (await world.order(quantity="2000000")).status_code == 201
        await world.price("EURUSD", "1.0800", "1.0801")
        for socket in (mine, staff):
            alert = await socket.hear_until(of("margin"))
            assert (alert["account_id"], alert["status"]) == ("1", "margin_call")
        await asked(other, op="ping")
        assert [message["status"] for message in other.heard if "type" in message] == ["normal"]
        async with world.socket() as late:
            assert (await asked(late, op="subscribe", channel="alerts"))["ok"]
            standing = await late.hear()
            assert (standing["status"], standing["margin_level"]) == ("margin_call", alert["margin_level"])
            assert standing["seq"] >= alert["seq"]
        unknown = await asked(staff, op="subscribe", channel="alerts", account_id="99")
        assert unknown["error"]["code"] == "UNKNOWN_ACCOUNT"
        seq = alert["seq"]
        async with world.socket() as again:
            assert (await asked(again, op="subscribe", channel="alerts", since=seq - 1))["ok"]
            assert await again.hear() == alert
            refused = await asked(again, op="subscribe", channel="alerts", account_id="2")
            assert refused["error"]["code"] == "FORBIDDEN"


async def test_the_staff_see_exposure_and_lps(world: World) -> None:
    world.broker.feeds = [FeedStatus("LP1", True, "", 1, 3, {})]
    await eventually(lambda: world.web.prices.feeds[0].venue == "LP1")
    async with world.socket(DEALER) as staff, world.socket() as trader:
        for channel in ("exposure", "lps"):
            assert (await asked(trader, op="subscribe", channel=channel))["error"]["code"] == "FORBIDDEN"
            assert (await asked(staff, op="subscribe", channel=channel))["ok"]
        first = await staff.hear_until(of("exposure")) if not of("exposure")(staff.heard[-1]) else staff.heard[-1]
        assert first["type"] == "exposure"
        lps = await staff.hear_until(of("lps"))
        assert [(lp["name"], lp["feed"]["connected"], lp["status"]) for lp in lps["lps"]] == [("LP1", True, None)]
        await world.order()
        exposure = await staff.hear_until(lambda message: message.get("desks"))
        assert [(desk["symbol"], desk["exposure"]) for desk in exposure["desks"]] == [("EURUSD", "10000")]


async def test_who_comes_back_is_told_what_was_missed_and_nothing_twice(world: World) -> None:
    async with world.socket() as socket:
        await asked(socket, op="subscribe", channel="account")
        await world.order(client_order_id="seen")
        since = (await socket.hear_until(of("fill")))["seq"]
    await world.order(client_order_id="missed")
    await world.post("/position/1/close", {})
    world.broker.tell(Deposit(1, 100, "gift", "test"))
    async with world.socket() as socket:
        assert (await asked(socket, op="subscribe", channel="account", since=since))["ok"]
        told = [await socket.hear() for _ in range(8)]
        kinds = [(message["type"], message["seq"] - since) for message in told]
        assert kinds == [
            ("order", 1),
            ("fill", 1),
            ("order", 2),
            ("fill", 2),
            ("position", 2),
            ("money", 3),
            ("account", 3),
            ("position", 3),
        ]
        assert [told[0]["client_order_id"], told[4]["status"], told[7]["id"]] == ["missed", "closed", "2"]
        await world.order(client_order_id="live")
        assert (await socket.hear_until(of("fill")))["seq"] == since + 4


async def test_a_resume_that_reaches_back_too_far_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too far back; from a longer journal than the one that was put back; from an event that is not heard of yet."""
    monkeypatch.setattr("web.live.accounts.CATCH_UP_LIMIT_S", 0.05)
    async with world.socket() as socket:

        async def refusals(since: int) -> list[str]:
            asking = [await asked(socket, op="subscribe", channel=each, since=since) for each in ("account", "alerts")]
            return [refused["error"]["code"] for refused in asking]

        world.web.backend.accounts.recent._complete_from = 5
        assert await refusals(3) == await refusals(10**9) == ["EVENTS_GONE"] * 2
        assert (await asked(socket, op="subscribe", channel="account", since=4))["ok"]
        world.broker.silent = world.broker.loses_events = True
        world.broker.tell(Deposit(1, 100, "unheard", "test"))
        assert await refusals(world.broker.state.event_seq) == ["UNAVAILABLE"] * 2


async def test_orders_over_the_socket_are_those_of_rest(world: World) -> None:
    order = {"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "10000", "client_order_id": "mine"}
    async with world.socket() as socket, world.socket(ADMIN) as admin:
        placed = await asked(socket, op="place", body=order)
        assert (placed["ok"], placed["repeated"], placed["body"]["order"]["status"]) == (True, False, "filled")
        again = await world.post("/order", order)
        assert (again.status_code, again.json()) == (200, placed["body"])
        assert (await asked(socket, op="place", body=order)) == {**placed, "repeated": True}
        other = await asked(socket, op="place", body={**order, "quantity": "1"})
        assert other["error"] == (await world.post("/order", {**order, "quantity": "1"})).json()
        assert other["error"]["code"] == "DUPLICATE_CLIENT_ORDER_ID"
        limit = {**order, "type": "limit", "limit_price": "1.05", "client_order_id": "waits"}
        number = (await asked(socket, op="place", body=limit))["body"]["order"]["id"]
        assert (await asked(socket, op="modify", order_id=number, body={"limit_price": "1.06"})) == {
            "id": 9,
            "ok": True,
        }
        assert (await world.waiting())[0]["limit_price"] == "1.06000"
        assert (await asked(socket, op="cancel", order_id=number))["ok"]
        assert (await asked(socket, op="cancel", order_id=number))["error"]["code"] == "UNKNOWN_ORDER"
        assert (await asked(socket, op="protect", position_id="1", body={"stop_loss": "1.05"}))["ok"]
        assert (await asked(socket, op="close", position_id="1", body={"quantity": "4000"}))["ok"]
        assert (await asked(socket, op="reverse", position_id="1"))["ok"]
        await world.order()
        assert (await asked(socket, op="close_by", position_id="2", body={"other_position_id": "3"}))["ok"]
        closed = await asked(socket, op="close_many", body={"which": "all"})
        assert closed["body"]["order"]["status"] == "filled"
        assert (await world.get("/positions")).json() == {"positions": []}
        for refused in (
            await asked(admin, op="place", body=order),
            await asked(socket, op="place", body={**order, "account_id": "2"}),
        ):
            assert refused["error"]["code"] == "FORBIDDEN"
    async with world.socket(username=None) as nobody:
        assert (await asked(nobody, op="place", body=order))["error"]["code"] == "UNAUTHORISED"
