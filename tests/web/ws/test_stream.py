"""/ws: who may, what is asked, prices and an account live, and the limits."""

import asyncio
import contextlib
import socket as sockets
import statistics
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from actors.domain.commands import Deposit, SubmitOrder
from tests.conftest import Figure
from tests.web.broker import ADMIN, OTHER, eventually
from tests.web.world import Socket, World, running
from web.auth.allowance import ADDRESS, USER
from web.serving.proxy import networks
from web.serving.server import Limits

pytestmark = pytest.mark.anyio

EUR = {"channel": "quotes", "symbols": ["EURUSD"]}
ORDER = {"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "1000"}
FLOOD = 100


def without_times(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in ("time", "created_at", "opened_at")}


def quotes(message: dict[str, Any]) -> list[int]:
    """The numbers of the quotes in a message."""
    return [quote["seq"] for quote in message.get("quotes", ())]


def all_quotes(socket: Socket) -> list[int]:
    return [seq for message in socket.heard for seq in quotes(message)]


async def subscribed(socket: Socket) -> list[dict[str, Any]]:
    """Subscribes to the account; gives the snapshot."""
    assert await socket.ask(id=1, op="subscribe", channel="account") == {"id": 1, "ok": True}
    snapshot = []
    while not (await socket.ask(id=2, op="ping"))["ok"]:
        pass
    position = next(i for i, message in enumerate(socket.heard) if message.get("id") == 1)
    snapshot = [message for message in socket.heard[position:] if "type" in message]
    return snapshot


async def test_before_auth_nothing_is_served(world: World) -> None:
    async with world.socket(username=None) as socket:
        for request in (
            {"op": "subscribe", **EUR},
            {"op": "subscribe", "channel": "account"},
            {"op": "unsubscribe", **EUR},
            {"op": "ping"},
        ):
            answer = await socket.ask(id=5, **request)
            assert answer["ok"] is False
            assert answer["error"]["code"] == "UNAUTHORISED"
        assert await socket.ask(id="a", op="auth", token=world.token()) == {"id": "a", "ok": True}
        assert await socket.ask(id=6, op="ping") == {"id": 6, "ok": True}


async def test_a_forged_token_is_answered_and_closes(world: World) -> None:
    async with world.socket(username=None) as socket:
        answer = await socket.ask(id=1, op="auth", token=world.token()[:-2] + "xx")
        assert (answer["ok"], answer["error"]["code"]) == (False, "INVALID_TOKEN")
        assert await socket.closed() == 4401


async def test_who_does_not_say_who_they_are_is_sent_away(world: World) -> None:
    async with world.socket(username=None) as silent, world.socket() as known:
        await eventually(lambda: len(world.web.sockets) == 2)
        world.clock.ahead_ns = 10_000_000_000
        assert await silent.closed() == 4401
        assert await known.ask(id=1, op="ping") == {"id": 1, "ok": True}


async def test_a_token_that_expires_closes_the_socket(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world.socket() as socket, world.socket() as renewed:
        world.clock.ahead_ns = 300 * 1_000_000_000
        assert (await renewed.ask(id=1, op="auth", token=world.token()))["ok"]
        other = await renewed.ask(id=2, op="auth", token=world.token(OTHER))
        assert other["error"]["code"] == "FORBIDDEN"
        assert await renewed.closed() == 4401
        with monkeypatch.context() as unswept:
            unswept.setattr(world.web.sockets, "sweep", lambda *_: None)
            world.clock.ahead_ns = 600 * 1_000_000_000
            assert (await socket.ask(id=3, op="cancel", order_id="1"))["error"]["code"] == "INVALID_TOKEN"
        assert await socket.closed() == 4401


async def test_requests_that_are_wrong_are_answered_with_what_is_wrong(world: World) -> None:
    async with world.socket() as socket:
        for text, request_id, code, field in (
            ("{", None, "MALFORMED_JSON", None),
            ('{"id": 1, "op": NaN}', None, "MALFORMED_JSON", None),
            ("[]", None, "INVALID_FIELD", None),
            ('{"op": "ping"}', None, "INVALID_FIELD", "id"),
            ('{"id": 1}', 1, "INVALID_FIELD", "op"),
            ('{"id": 1, "op": "dance"}', 1, "INVALID_FIELD", "op"),
            ('{"id": 1, "op": "ping", "loud": true}', 1, "INVALID_FIELD", "loud"),
            ('{"id": 1, "op": "subscribe"}', 1, "INVALID_FIELD", "channel"),
            ('{"id": 1, "op": "subscribe", "channel": "ticks"}', 1, "INVALID_FIELD", "channel"),
            ('{"id": 1, "op": "subscribe", "channel": "depth"}', 1, "INVALID_FIELD", "symbols"),
            ('{"id": 1, "op": "subscribe", "channel": "lps"}', 1, "FORBIDDEN", None),
            ('{"id": 1, "op": "subscribe", "channel": "account", "max_rate": 5}', 1, "INVALID_FIELD", "max_rate"),
            ('{"id": 1, "op": "subscribe", "channel": "bars", "symbols": ["EURUSD"]}', 1, "INVALID_FIELD", "timeframe"),
            ('{"id": 1, "op": "place", "body": {"symbol": "EURUSD"}}', 1, "INVALID_FIELD", "body.side"),
            ('{"id": 1, "op": "subscribe", "channel": "quotes"}', 1, "INVALID_FIELD", "symbols"),
            ('{"id": 1, "op": "subscribe", "channel": "quotes", "symbols": []}', 1, "INVALID_FIELD", "symbols"),
            ('{"id": 1, "op": "subscribe", "channel": "quotes", "symbols": "EURUSD"}', 1, "INVALID_FIELD", "symbols"),
            ('{"id": 1, "op": "subscribe", "channel": "quotes", "symbols": ["NO"]}', 1, "UNKNOWN_SYMBOL", "symbols"),
            (
                '{"id": 1, "op": "subscribe", "channel": "quotes", "symbols": ["EURUSD"], "max_rate": 11}',
                1,
                "INVALID_FIELD",
                "max_rate",
            ),
            ('{"id": 1, "op": "subscribe", "channel": "account", "account_id": "2"}', 1, "FORBIDDEN", "account_id"),
            ('{"id": "%s", "op": "ping"}' % ("x" * 65), "x" * 65, "INVALID_FIELD", "id"),
        ):
            await socket.connection.send(text)
            answer = await socket.hear()
            assert (text, answer["id"], answer["ok"]) == (text, request_id, False)
            assert (text, answer["error"]["code"], answer["error"].get("field")) == (text, code, field)
        await socket.connection.send(b'{"id": 9, "op": "ping"}')
        assert await socket.hear() == {"id": 9, "ok": True}
        await socket.connection.send("x" * 70_000)
        assert await socket.closed() == 1009


async def test_ticks_a_snapshot_then_the_last_value_at_most_ten_times_a_second(world: World) -> None:
    async with world.socket() as socket:
        assert await socket.ask(id=1, op="subscribe", **EUR) == {"id": 1, "ok": True}
        told = await socket.hear()
        assert told.keys() == {"type", "quotes"}
        (snapshot,) = told["quotes"]
        assert snapshot.pop("time").endswith("Z")
        assert snapshot == {
            "symbol": "EURUSD",
            "bid": "1.10000",
            "ask": "1.10010",
            "seq": 1000,
            "lp_bid": "oanda",
            "lp_ask": "binance",
            "live": True,
        }
        turns_before = world.web.news.quotes._turns
        for number in range(500):
            world.broker.tick("EURUSD", "1.1", f"1.{20_000 + number}")
            if number % 10 == 0:
                await asyncio.sleep(0.01)
        await socket.hear_until(lambda message: quotes(message)[-1:] == [1500])
        assert socket.heard[-1]["quotes"][0]["ask"] == "1.20499"
        ticks = all_quotes(socket)
        assert ticks == sorted(set(ticks))
        assert len(ticks) <= world.web.news.quotes._turns - turns_before + 1
        assert (await socket.ask(id=2, op="unsubscribe", **EUR))["ok"]
        world.broker.tick("EURUSD", "1.3", "1.4")
        await asyncio.sleep(0.25)
        assert await socket.ask(id=3, op="ping") == {"id": 3, "ok": True}
        assert socket.heard[-2:] == [{"id": 2, "ok": True}, {"id": 3, "ok": True}]


async def test_every_tick_for_who_asks_for_every_tick(world: World) -> None:
    async with world.socket() as socket:
        await socket.ask(id=1, op="subscribe", max_rate=None, **EUR)
        for number in range(300):
            world.broker.tick("EURUSD", "1.1", f"1.{20_000 + number}")
        await socket.hear_until(lambda message: quotes(message)[-1:] == [1300])
        assert all_quotes(socket) == list(range(1000, 1301))


async def test_a_lost_tick_is_asked_for(world: World) -> None:
    async with world.socket() as socket:
        await socket.ask(id=1, op="subscribe", **EUR)
        world.broker.tick("EURUSD", "1.5", "1.6", lost=True)
        told = await socket.hear_until(lambda message: quotes(message) == [1001])
        (tick,) = told["quotes"]
        assert (tick["bid"], tick["ask"]) == ("1.50000", "1.60000")


async def test_an_account_from_snapshot_through_fill_to_close(world: World) -> None:
    await world.order()
    async with world.socket() as socket:
        account, position = await subscribed(socket)
        seq = world.broker.state.event_seq
        assert without_times(account) == {
            "type": "account",
            "account_id": "1",
            "currency": "USD",
            "balance": "100000.00",
            "equity": "99999.00",
            "credit": "0.00",
            "open_profit": "-1.00",
            "margin": "366.34",
            "free_margin": "99632.66",
            "margin_level": "27296.77",
            "seq": seq,
        }
        shown = (await world.get("/positions")).json()["positions"][0]
        assert position == {"type": "position", "status": "open", "seq": seq, **shown}
        await world.price("EURUSD", "1.10110", "1.10120")
        moved = await socket.hear_until(lambda message: message.get("type") == "account")
        assert (moved["equity"], moved["open_profit"], moved["seq"]) == ("100010.00", "10.00", seq)
        assert socket.heard[-2]["current_price"] == "1.10110"
        socket.heard.clear()
        closed = (await world.post("/position/1/close", {})).json()
        await socket.hear_until(lambda message: message.get("type") == "account")
        order, fill, position, account = socket.heard
        rest = closed["order"]
        assert order == {"seq": seq + 1, **rest, "type": "order", "order_type": "market", "code": None, "detail": None}
        assert fill == {"type": "fill", "seq": seq + 1, **closed["fills"][0]}
        assert without_times(position) == {
            "type": "position",
            "status": "closed",
            "seq": seq + 1,
            "id": "1",
            "symbol": "EURUSD",
            "side": "buy",
            "quantity": "0",
            "open_price": "1.10010",
            "current_price": "1.10110",
            "profit": "10.00",
            "margin": "0.00",
            "stop_loss": None,
            "take_profit": None,
            "trailing_stop": None,
        }
        assert (account["balance"], account["equity"], account["margin_level"]) == ("100010.00", "100010.00", None)


async def test_rejections_and_deposits_are_told_too(world: World) -> None:
    async with world.socket() as socket:
        await subscribed(socket)
        await world.order(quantity="9000000")
        order = await socket.hear()
        assert (order["type"], order["status"], order["average_price"]) == ("order", "rejected", None)
        world.broker.tell(Deposit(1, 500, "more", "test"))
        money, account = await socket.hear(), await socket.hear()
        assert without_times(money) == {
            "type": "money",
            "account_id": "1",
            "posting_id": "3",
            "kind": "deposit",
            "amount": "5.00",
            "currency": "USD",
            "reference": "deposit:more",
            "seq": world.broker.state.event_seq,
        }
        assert (account["type"], account["balance"]) == ("account", "100005.00")


async def test_a_waiting_order_is_told_of_from_its_acceptance_to_its_end(world: World) -> None:
    await world.order(type="limit", limit_price="1.09", client_order_id="before")
    async with world.socket() as socket:
        account, waiting = await subscribed(socket)
        assert (account["type"], waiting["type"], waiting["client_order_id"]) == ("account", "order", "before")
        shown = (await world.waiting())[0]
        assert waiting == {
            **shown,
            "type": "order",
            "order_type": "limit",
            "code": None,
            "detail": None,
            "seq": world.broker.state.event_seq,
        }
        assert (await world.order(type="stop", stop_price="1.2")).status_code == 201
        assert (await world.put("/order/2", {"quantity": "5000"})).status_code == 204
        assert (await world.delete("/order/2")).status_code == 204
        told = [await socket.hear() for _ in range(3)]
        assert [(message["order_type"], message["status"], message["quantity"]) for message in told] == [
            ("stop", "working", "10000"),
            ("stop", "working", "5000"),
            ("stop", "cancelled", "5000"),
        ]
        await world.price("EURUSD", "1.0898", "1.0899")
        filled = [await socket.hear() for _ in range(4)]
        assert [message["type"] for message in filled] == ["order", "fill", "position", "account"]
        assert (await world.put("/position/1", {"stop_loss": "1.08"})).status_code == 204
        position = await socket.hear_until(lambda message: message.get("stop_loss"))
        assert (position["type"], position["stop_loss"], position["status"]) == ("position", "1.08000", "open")


async def test_accounts_are_apart(world: World) -> None:
    async with world.socket() as mine, world.socket(OTHER) as other, world.socket(ADMIN) as admin:
        await subscribed(mine)
        await subscribed(other)
        refused = await admin.ask(id=1, op="subscribe", channel="account")
        assert refused["error"]["code"] == "FORBIDDEN"
        assert (await admin.ask(id=2, op="subscribe", channel="account", account_id="1"))["ok"]
        unknown = await admin.ask(id=3, op="subscribe", channel="account", account_id="99")
        assert unknown["error"]["code"] == "UNKNOWN_ACCOUNT"
        assert list(world.web.backend.accounts._watches) == [1, 2]
        other.heard.clear()
        await world.order()
        for socket in (mine, admin):
            fill = await socket.hear_until(lambda message: message.get("type") == "fill")
            assert fill["position_id"] == "1"
        await other.ask(id=9, op="ping")
        assert [message["type"] for message in other.heard if "type" in message] == []
    await eventually(lambda: not world.web.backend.accounts._watches)


async def test_no_account_event_is_dropped_or_conflated(world: World) -> None:
    async with world.socket() as socket:
        await subscribed(socket)
        for burst in range(10):
            await asyncio.gather(*(world.order(quantity="1") for _ in range(20)))
            world.broker.tick("EURUSD", "1.1", f"1.2{burst}")
        last = world.broker.state.event_seq
        await socket.hear_until(lambda message: message.get("seq") == last and message["type"] == "account")
        fills = [message["seq"] for message in socket.heard if message.get("type") == "fill"]
        assert fills == list(range(last - 199, last + 1))


async def test_a_hole_in_the_event_stream_is_filled_from_the_journal(world: World) -> None:
    async with world.socket() as socket:
        await subscribed(socket)
        world.broker.loses_events = True
        for _ in range(5):
            await world.order(quantity="1")
        world.broker.loses_events = False
        await world.order(quantity="1")
        await world.order(quantity="1")
        last = world.broker.state.event_seq
        await socket.hear_until(lambda message: message.get("seq") == last and message["type"] == "account")
        fills = [message["seq"] for message in socket.heard if message.get("type") == "fill"]
        assert fills == list(range(last - 6, last + 1))
        assert world.web.events.gaps >= 1


async def test_events_that_cannot_be_had_close_the_socket_and_the_next_has_it_all(world: World) -> None:
    async with world.socket() as socket:
        await subscribed(socket)
        world.broker.loses_events = world.broker.forgets_events = True
        await world.order()
        assert await socket.closed() == 4410
    world.broker.loses_events = False
    async with world.socket() as again:
        account, position = await subscribed(again)
        assert (account["type"], position["id"]) == ("account", "1")
        await world.order()
        fill = await again.hear_until(lambda message: message.get("type") == "fill")
        assert fill["position_id"] == "2"


async def test_an_event_between_the_engine_s_answer_and_its_arrival_is_not_lost(world: World) -> None:
    """The snapshot is of the moment before the fill, and the fill's event overtakes it on its way."""
    await world.order()
    overtaking: list[Any] = []

    def fill_now() -> None:
        if not overtaking:
            command = next(body for body in world.broker.asked if isinstance(body, SubmitOrder))
            overtaking.append(world.broker._engine(SubmitOrder(1, "overtaking", command.terms)))

    world.broker.before_account_report = fill_now
    world.broker.delay_s = 0.05
    async with world.socket() as socket:
        snapshot = await subscribed(socket)
        assert [message["id"] for message in snapshot if message["type"] == "position"] == ["1", "2"]
        assert snapshot[0]["seq"] == world.broker.state.event_seq


async def test_an_account_while_the_engine_is_away_is_refused_and_can_be_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.socket() as socket:
        world.broker.mute.add("engine")
        with monkeypatch.context() as hasty:
            hasty.setattr("web.live.accounts.ACCOUNT_TIMEOUT_MS", 50)
            assert (await socket.ask(id=1, op="subscribe", channel="account"))["error"]["code"] == "UNAVAILABLE"
        assert not world.web.backend.accounts._watches
        world.broker.mute.clear()
        assert (await subscribed(socket))[0]["type"] == "account"


async def test_a_client_that_does_not_read_is_closed_and_the_others_live(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.ws.outlet.UNSENT_LIMIT_BYTES", 100_000)
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", world.port))
    async with (
        world.socket() as well,
        connect(f"ws://127.0.0.1:{world.port}/ws", sock=raw, max_queue=1, ping_interval=None) as connection,
    ):
        lazy = Socket(connection)
        assert (await lazy.ask(id=0, op="auth", token=world.token()))["ok"]
        await lazy.ask(id=1, op="subscribe", max_rate=None, **EUR)
        await well.ask(id=1, op="subscribe", **EUR)
        streams = [socket.ws_connection.stream.socket for socket in world.web.sockets]  # type: ignore[attr-defined]
        slow = next(stream for stream in streams if stream.getpeername() == raw.getsockname())
        slow.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, 4_096)
        connection.transport.pause_reading()
        sent = 0
        while not world.web.sockets.closed_slow:
            world.broker.tick("EURUSD", "1.1", f"1.{20_000 + sent % 1_000}")
            sent += 1
            assert sent < 100_000
            await asyncio.sleep(0)
        connection.transport.resume_reading()
        with contextlib.suppress(Exception):
            while True:
                await lazy.hear()
        assert await lazy.closed() == 4408
        last = world.broker.state.ticks["EURUSD"].seq
        await well.hear_until(lambda message: quotes(message)[-1:] == [last])
        assert await well.ask(id=2, op="ping") == {"id": 2, "ok": True}


async def test_only_pages_of_our_own_may_connect(world: World) -> None:
    url = f"ws://127.0.0.1:{world.port}/ws"
    for origin in ("http://evil.example", f"http://127.0.0.1:{world.port + 1}", "null"):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(url, additional_headers={"Origin": origin}):
                pass
        assert refused.value.response.status_code == 403
    async with connect(url, additional_headers={"Origin": f"http://127.0.0.1:{world.port}"}):
        pass
    plain = await world.http.get("/ws")
    assert (plain.status_code, plain.json()["code"]) == (426, "UPGRADE_REQUIRED")


async def test_so_many_connections_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.ws.stream.SOCKETS_LIMIT", 1)
    async with world.socket():
        with pytest.raises(InvalidStatus) as refused:
            async with connect(f"ws://127.0.0.1:{world.port}/ws"):
                pass
        assert refused.value.response.status_code == 503
    await eventually(lambda: not len(world.web.sockets))
    async with world.socket():
        pass


async def test_garbage_on_the_streams_is_counted_and_life_goes_on(world: World) -> None:
    prices, events = world.web.prices, world.web.events
    for garbage in (b"tick:EURUSD\0", b"tick:EURUSD\0\x01\xff", b"tick:EURUSD\0\x02\x90", b"alive\0\x01\x90"):
        world.broker.publish(garbage)
    for garbage in (b"events\0", b"events\0\x01\xc1", b"events\0\x01" + b"\x91" * 300):
        world.broker.publish(garbage, events=True)
    await eventually(lambda: (prices.bad_frames, events.bad_frames) == (4, 3))
    await world.price("EURUSD", "1.3", "1.4")
    assert (await world.order()).status_code == 201


async def test_rest_and_all_sockets_of_an_account_have_one_allowance(tmp_path: Path) -> None:
    async with running(tmp_path, rates_per_s={USER: 5, ADDRESS: 1_000}) as world, world.socket() as one:
        world.clock.hold()
        async with world.socket() as two:
            left = [await socket.ask(id=1, op="ping") for _ in range(6) for socket in (one, two)]
            assert [answer["ok"] for answer in left] == [True] * 12
        statuses = [(await world.get("/account")).status_code for _ in range(12)]
        assert statuses[0] == 200
        assert statuses[-1] == 429
        refused = await one.ask(id=2, op="place", body=ORDER)
        assert (refused["error"]["status"], refused["error"]["code"]) == (429, "TOO_MANY_REQUESTS")
        assert refused["error"]["retry_after_s"] == 1
        assert not [asked for asked in world.broker.asked if isinstance(asked, SubmitOrder)]
        assert (await world.get("/account", OTHER)).status_code == 200


async def test_an_address_that_connects_too_often_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, rates_per_s={USER: 1_000, ADDRESS: 2}) as world:
        world.clock.hold()
        for _ in range(8):
            async with world.socket(username=None):
                pass
        with pytest.raises(InvalidStatus) as refused:
            async with world.socket(username=None):
                pass
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["retry-after"] == "1"


async def test_what_an_address_may_guess_on_a_socket_is_counted(tmp_path: Path) -> None:
    rates = {USER: 1_000, ADDRESS: 3}
    async with running(tmp_path, rates_per_s=rates) as world, world.socket(username=None) as socket:
        world.clock.hold()
        codes = [(await socket.ask(id=1, op="ping"))["error"]["code"] for _ in range(13)]
    assert codes[:8] == ["UNAUTHORISED"] * 8
    assert codes[-1] == "TOO_MANY_REQUESTS"


async def test_an_address_has_so_many_sockets_and_no_more(tmp_path: Path) -> None:
    """By X-Forwarded-For too: what a proxy may have in all is no client's."""
    limits = Limits(address_connections=2)
    async with running(tmp_path, limits, proxies=networks(["127.0.0.1"])) as world:
        url = f"ws://127.0.0.1:{world.port}/ws"

        def coming_from(address: str) -> Any:
            return connect(url, additional_headers={"X-Forwarded-For": address})

        async with coming_from("2001:db8::1"), coming_from("2001:db8::2"), coming_from("192.0.2.1"):
            with pytest.raises(InvalidStatus) as refused:
                async with coming_from("2001:db8::3"):
                    pass
            assert refused.value.response.status_code == 503
            async with coming_from("2001:db8:0:1::1"):
                pass


async def test_a_storm_of_subscriptions_is_refused_and_nobody_else_waits(tmp_path: Path, figure: Figure) -> None:
    """20 sockets subscribe and unsubscribe as fast as they can; how long another client waits is told as a ratio."""
    async with running(tmp_path, rates_per_s={USER: 100, ADDRESS: 1_000_000}) as world:
        async with contextlib.AsyncExitStack() as stack:
            calm = await stack.enter_async_context(world.socket(OTHER))
            storms = [await stack.enter_async_context(world.socket()) for _ in range(20)]
            before = await _round_trips_s(calm)
            world.clock.hold()  # However long the storm takes, nobody's allowance grows meanwhile.
            flooding = [asyncio.create_task(_flood(storm)) for storm in storms]
            stormy = await _round_trips_s(calm)
            answers = [answer for answered in await asyncio.gather(*flooding) for answer in answered]
            codes = {answer["error"]["code"] for answer in answers if not answer["ok"]}
            assert (len(answers), codes) == (20 * FLOOD, {"TOO_MANY_REQUESTS"})
            assert world.web.news.quotes.clients <= 20
        ratio = statistics.median(stormy) / statistics.median(before)
        figure("subscribe storm: another client's median round trip, to that of before", ratio)
        assert min(stormy) / min(before) < 30  # a busy machine makes any of them slow, and none quick
        await eventually(lambda: not world.web.news.quotes.clients)


async def _flood(socket: Socket) -> list[dict[str, Any]]:
    for number in range(1, FLOOD + 1):
        await socket.say(id=number, op="subscribe" if number % 2 else "unsubscribe", **EUR)
    await socket.hear_until(lambda message: message.get("id") == FLOOD)
    return [message for message in socket.heard if "ok" in message and message["id"]]


async def _round_trips_s(socket: Socket) -> list[float]:
    taken = []
    for _ in range(50):
        began_s = time.perf_counter()
        await socket.ask(id=1, op="ping")
        taken.append(time.perf_counter() - began_s)
    return taken


async def test_subscriptions_to_accounts_are_bounded(plenty: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.ws.channels.ACCOUNTS_LIMIT", 2)
    async with plenty.socket(ADMIN) as socket:
        for account_id in ("1", "1", "2"):
            assert (await socket.ask(id=1, op="subscribe", channel="alerts", account_id=account_id))["ok"]
        refused = await socket.ask(id=2, op="subscribe", channel="account", account_id="1")
        assert (refused["error"]["status"], refused["error"]["code"]) == (422, "TOO_MANY_SUBSCRIPTIONS")
        assert (await socket.ask(id=3, op="unsubscribe", channel="alerts", account_id="1"))["ok"]
        assert (await socket.ask(id=4, op="subscribe", channel="account", account_id="1"))["ok"]


async def test_an_account_is_not_shown_before_its_symbols_are_known(world: World) -> None:
    await world.order()
    known = dict(world.web.prices.instruments)
    async with world.socket() as socket:
        world.web.prices.instruments.clear()
        refused = await socket.ask(id=1, op="subscribe", channel="account")
        assert refused["error"]["code"] == "UNAVAILABLE"
        world.web.prices.instruments.update(known)
        assert (await socket.ask(id=2, op="subscribe", channel="account"))["ok"]
