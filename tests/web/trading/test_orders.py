"""REST: orders of all types, from their placing to their end, and everything that is wrong with one."""

import re
from decimal import Decimal
from typing import Any

import pytest

from actors.domain.commands import SubmitOrder
from actors.domain.order import OrderTerms, OrderType, Side, TimeInForce
from tests.web.broker import ADMIN, OTHER
from tests.web.world import World

pytestmark = pytest.mark.anyio

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6}|\.\d{9})?Z")
END = "2099-01-01T00:00:00.500Z"


async def test_an_order_is_filled_at_the_ask_and_answered_whole(world: World) -> None:
    tick = world.broker.state.ticks["EURUSD"]
    response = await world.order(client_order_id="one", stop_loss="1.09", take_profit="1.2")
    assert response.status_code == 201
    body = response.json()
    for time in (body["order"].pop("created_at"), body["fills"][0].pop("time")):
        assert TIME.fullmatch(time)
    assert body == {
        "order": {
            "id": "1",
            "account_id": "1",
            "client_order_id": "one",
            "symbol": "EURUSD",
            "side": "buy",
            "type": "market",
            "quantity": "10000",
            "filled_quantity": "10000",
            "average_price": "1.10010",
            "limit_price": None,
            "stop_price": None,
            "trail": None,
            "price_bound": None,
            "time_in_force": "gtc",
            "expires": None,
            "reduce_only": False,
            "oco": None,
            "stop_loss": "1.09000",
            "take_profit": "1.20000",
            "trailing_stop": None,
            "status": "filled",
            "reason": "client",
            "position_id": "1",
        },
        "fills": [
            {
                "id": "1",
                "order_id": "1",
                "position_id": "1",
                "symbol": "EURUSD",
                "side": "buy",
                "price": "1.10010",
                "quantity": "10000",
                "profit": "0.00",
                "commission": "0.00",
                "tick_seq": tick.seq,
            }
        ],
        "code": None,
        "detail": None,
    }


async def test_the_same_order_again_gets_the_first_answer_with_200(world: World) -> None:
    first = await world.order(client_order_id="one")
    again = await world.order(client_order_id="one")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(world.broker.state.accounts[1].positions) == 1


async def test_another_order_under_the_same_id_is_a_conflict(world: World) -> None:
    await world.order(client_order_id="one")
    conflict = await world.order(client_order_id="one", quantity="20000")
    assert conflict.status_code == 409
    assert conflict.json()["code"] == "DUPLICATE_CLIENT_ORDER_ID"
    assert conflict.json()["field"] == "client_order_id"


async def test_a_client_order_id_is_made_where_there_is_none(world: World) -> None:
    ids = {(await world.order()).json()["order"]["client_order_id"] for _ in range(3)}
    assert len(ids) == 3


async def test_a_rejected_order_is_a_problem_with_the_engine_s_code_and_the_order(world: World) -> None:
    for _ in range(2):
        response = await world.order(client_order_id="big", quantity="9000000")
        assert response.status_code == 422
        problem = response.json()
        assert problem["code"] == "INSUFFICIENT_MARGIN"
        assert problem["field"] == "quantity"
        assert problem["order"]["status"] == "rejected"
        assert problem["order"]["average_price"] is None
        assert problem["order"]["position_id"] is None
    world.broker.tick("EURUSD", "1.1", "1.1001", live=False)
    stale = (await world.order()).json()
    assert (stale["status"], stale["code"]) == (422, "NO_PRICE")


BAD_ORDERS: list[tuple[dict[str, Any], int, str]] = [
    ({"symbol": "EURXXX"}, 422, "symbol"),
    ({"symbol": ""}, 422, "symbol"),
    ({"symbol": 7}, 422, "symbol"),
    ({"quantity": "0"}, 422, "quantity"),
    ({"quantity": "-5"}, 422, "quantity"),
    ({"quantity": "0.123456789"}, 422, "quantity"),
    ({"quantity": "1.5"}, 422, "quantity"),
    ({"quantity": "9" * 30}, 422, "quantity"),
    ({"quantity": "9" * 300}, 422, "quantity"),
    ({"quantity": "100000000"}, 422, "quantity"),
    ({"quantity": "NaN"}, 422, "quantity"),
    ({"quantity": "Infinity"}, 422, "quantity"),
    ({"quantity": "1e5"}, 422, "quantity"),
    ({"quantity": ""}, 422, "quantity"),
    ({"quantity": "\uff11\uff10"}, 422, "quantity"),
    ({"quantity": 10000}, 422, "quantity"),
    ({"quantity": None}, 422, "quantity"),
    ({"quantity": ["1"]}, 422, "quantity"),
    ({"side": "hold"}, 422, "side"),
    ({"type": "iceberg"}, 422, "type"),
    ({"type": "limit"}, 422, "limit_price"),
    ({"type": "stop"}, 422, "stop_price"),
    ({"type": "stop_limit", "stop_price": "1.2"}, 422, "limit_price"),
    ({"type": "stop_limit", "limit_price": "1.2"}, 422, "stop_price"),
    ({"type": "market_if_touched"}, 422, "stop_price"),
    ({"type": "trailing_stop"}, 422, "trail"),
    ({"limit_price": "1.1"}, 422, "limit_price"),
    ({"stop_price": "1.1"}, 422, "stop_price"),
    ({"trail": "0.01"}, 422, "trail"),
    ({"type": "limit", "limit_price": "1.1", "price_bound": "1.2"}, 422, "price_bound"),
    ({"type": "limit", "limit_price": "1.1", "stop_price": "1.2"}, 422, "stop_price"),
    ({"type": "limit", "limit_price": "1.1000001"}, 422, "limit_price"),
    ({"type": "stop", "stop_price": "1.2000001"}, 422, "stop_price"),
    ({"price_bound": "1.2000001"}, 422, "price_bound"),
    ({"type": "limit", "limit_price": "0"}, 422, "limit_price"),
    ({"type": "limit", "limit_price": 1.1}, 422, "limit_price"),
    ({"time_in_force": "forever"}, 422, "time_in_force"),
    ({"time_in_force": None}, 422, "time_in_force"),
    ({"time_in_force": "gtd"}, 422, "expires"),
    ({"expires": "2030-01-01T00:00:00Z"}, 422, "expires"),
    ({"time_in_force": "gtd", "expires": "2020-01-01T00:00:00Z"}, 422, "expires"),
    ({"time_in_force": "gtd", "expires": "tomorrow"}, 422, "expires"),
    ({"time_in_force": "gtd", "expires": 1900000000}, 422, "expires"),
    ({"reduce_only": "yes"}, 422, "reduce_only"),
    ({"oco": ""}, 422, "oco"),
    ({"oco": "x" * 33}, 422, "oco"),
    ({"trailing_stop": "-0.01"}, 422, "trailing_stop"),
    ({"stop_loss": "x"}, 422, "stop_loss"),
    ({"stop_loss": "0"}, 422, "stop_loss"),
    ({"stop_loss": "1.0000001"}, 422, "stop_loss"),
    ({"take_profit": "-1"}, 422, "take_profit"),
    ({"client_order_id": "two words"}, 422, "client_order_id"),
    ({"client_order_id": "x" * 65}, 422, "client_order_id"),
    ({"client_order_id": ""}, 422, "client_order_id"),
    ({"account_id": "2"}, 403, "account_id"),
    ({"account_id": "0"}, 422, "account_id"),
    ({"account_id": 1}, 422, "account_id"),
    ({"leverage": "500"}, 422, "leverage"),
]


async def test_a_bad_order_is_a_problem_that_names_the_field(world: World) -> None:
    before = world.broker.state.ledger.balances(), world.broker.state.event_seq
    for change, status, field in BAD_ORDERS:
        response = await world.order(**change)
        problem = response.json()
        assert (change, response.status_code, problem["field"]) == (change, status, field)
        assert response.headers["content-type"] == "application/problem+json"
        assert sorted(problem) == ["code", "detail", "field", "status", "title", "type"]
        assert problem["status"] == status
    assert (world.broker.state.ledger.balances(), world.broker.state.event_seq) == before


async def test_a_missing_field_is_named(world: World) -> None:
    whole = {"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "1"}
    for missing in whole:
        response = await world.post("/order", {name: value for name, value in whole.items() if name != missing})
        assert (response.status_code, response.json()["field"]) == (422, missing)


async def test_what_is_not_json_is_400(world: World) -> None:
    order = b'{"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "1"}'
    for body in (
        b"",
        b"{",
        order[:-1],
        order + b" more",
        order.replace(b'"1"', b"NaN"),
        b"\xff\xfe",
        b'{"symbol": "\xff"}',
    ):
        response = await world.post("/order", body)
        assert (body, response.status_code, response.json()["code"]) == (body, 400, "MALFORMED_JSON")
    for body in (b"[" * 60_000, b"[]", b"null", b'"order"', b"1"):
        assert (await world.post("/order", body)).status_code in (400, 422)
    assert world.broker.state.accounts[1].positions == {}


async def test_orders_carry_what_was_said(world: World) -> None:
    await world.order(client_order_id="one", stop_loss="1.05")
    submitted = [body for body in world.broker.asked if isinstance(body, SubmitOrder)]
    assert [order.terms for order in submitted] == [
        OrderTerms("EURUSD", Side.BUY, OrderType.MARKET, 1_000_000_000_000, stop_loss_e8=105_000_000)
    ]


WAITING: list[tuple[dict[str, Any], OrderTerms]] = [
    (
        {"type": "limit", "limit_price": "1.09", "stop_loss": "1.08", "take_profit": "1.2", "trailing_stop": "0.01"},
        OrderTerms(
            "EURUSD",
            Side.BUY,
            OrderType.LIMIT,
            10**12,
            limit_e8=109_000_000,
            stop_loss_e8=108_000_000,
            take_profit_e8=120_000_000,
            trailing_stop_e8=1_000_000,
        ),
    ),
    (
        {"type": "stop", "stop_price": "1.2", "price_bound": "1.21", "oco": "pair"},
        OrderTerms("EURUSD", Side.BUY, OrderType.STOP, 10**12, stop_e8=120_000_000, bound_e8=121_000_000, oco="pair"),
    ),
    (
        {"type": "stop_limit", "stop_price": "1.2", "limit_price": "1.21", "reduce_only": True},
        OrderTerms(
            "EURUSD",
            Side.BUY,
            OrderType.STOP_LIMIT,
            10**12,
            limit_e8=121_000_000,
            stop_e8=120_000_000,
            reduce_only=True,
        ),
    ),
    (
        {"type": "market_if_touched", "side": "sell", "stop_price": "1.2", "time_in_force": "gtd", "expires": END},
        OrderTerms(
            "EURUSD",
            Side.SELL,
            OrderType.MARKET_IF_TOUCHED,
            10**12,
            TimeInForce.GTD,
            stop_e8=120_000_000,
            expires_ns=4_070_908_800_500_000_000,
        ),
    ),
    (
        {"type": "trailing_stop", "side": "sell", "trail": "0.01"},
        OrderTerms("EURUSD", Side.SELL, OrderType.TRAILING_STOP, 10**12, trail_e8=1_000_000),
    ),
]


async def test_orders_of_all_types_wait(world: World) -> None:
    for number, (said, terms) in enumerate(WAITING, 1):
        response = await world.order(**said, client_order_id=f"order-{number}")
        assert response.status_code == 201
        body = response.json()
        assert (body["fills"], body["code"], body["detail"]) == ([], None, None)
        order = body["order"]
        assert (order["id"], order["status"], order["filled_quantity"]) == (str(number), "working", "0")
        assert (order["average_price"], order["position_id"]) == (None, None)
        assert world.broker.state.accounts[1].orders[number].terms == terms
        for field, value in said.items():
            same = Decimal(order[field]) == Decimal(value) if is_price(value) else order[field] == value
            assert same, field
        again = await world.order(**said, client_order_id=f"order-{number}")
        assert (again.status_code, again.json()) == (200, body)
        assert (await world.get(f"/order/{number}")).json() == {"order": order}
        assert (await world.waiting())[0] == order
    assert len(await world.waiting()) == len(WAITING)


def is_price(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9.]+", value) is not None


async def test_what_cannot_be_filled_at_once_is_cancelled_and_says_why(world: World) -> None:
    for time_in_force in ("ioc", "fok"):
        response = await world.order(
            type="limit", limit_price="1.09", time_in_force=time_in_force, client_order_id=time_in_force
        )
        body = response.json()
        assert (response.status_code, body["order"]["status"], body["fills"]) == (201, "cancelled", [])
        assert (body["code"], "market" in body["detail"]) == ("NOT_MARKETABLE", True)
        assert body["order"]["time_in_force"] == time_in_force
    filled = await world.order(type="limit", limit_price="1.11", time_in_force="fok")
    assert (filled.status_code, filled.json()["order"]["average_price"]) == (201, "1.10010")
    assert await world.waiting() == []


async def test_rules_that_reject_name_the_field_where_there_is_one(world: World) -> None:
    for change, code, field in (
        ({"price_bound": "1.1"}, "PRICE_BOUND", "price_bound"),
        ({"reduce_only": True}, "NOTHING_TO_CLOSE", "reduce_only"),
        ({"type": "stop", "stop_price": "1.05"}, "WRONG_SIDE_OF_MARKET", None),
    ):
        problem = (await world.order(**change)).json()
        assert (problem["status"], problem["code"], problem.get("field")) == (422, code, field)
        assert problem["order"]["status"] == "rejected"


async def test_a_change_keeps_what_it_does_not_name(world: World) -> None:
    await world.order(type="limit", limit_price="1.09", stop_loss="1.08", time_in_force="day", oco="pair")
    changed = await world.put("/order/1", {"limit_price": "1.085", "take_profit": "1.2", "stop_loss": None})
    assert (changed.status_code, changed.content) == (204, b"")
    order = (await world.get("/order/1")).json()["order"]
    assert (order["limit_price"], order["stop_loss"], order["take_profit"]) == ("1.08500", None, "1.20000")
    assert (order["quantity"], order["time_in_force"], order["oco"]) == ("10000", "day", "pair")
    assert TIME.fullmatch(order["expires"])
    until = {"time_in_force": "gtd", "expires": END}
    assert (await world.put("/order/1", until)).status_code == 204
    assert (await world.put("/order/1", {"quantity": "5000"})).status_code == 204
    order = (await world.get("/order/1")).json()["order"]
    assert (order["quantity"], order["time_in_force"], order["expires"]) == ("5000", "gtd", END)
    assert (await world.put("/order/1", {"time_in_force": "gtc", "oco": None})).status_code == 204
    order = (await world.get("/order/1")).json()["order"]
    assert (order["time_in_force"], order["expires"], order["oco"]) == ("gtc", None, None)


async def test_a_change_that_cannot_be_is_named(world: World) -> None:
    await world.order(type="limit", limit_price="1.09")
    before = world.broker.state.event_seq
    for body, status, field in (
        ({"stop_price": "1.2"}, 422, "stop_price"),
        ({"limit_price": None}, 422, "limit_price"),
        ({"limit_price": "1.0900001"}, 422, "limit_price"),
        ({"quantity": None}, 422, "quantity"),
        ({"quantity": "0"}, 422, "quantity"),
        ({"quantity": "99999999"}, 422, "quantity"),
        ({"time_in_force": "ioc"}, 422, "time_in_force"),
        ({"time_in_force": "gtd"}, 422, "expires"),
        ({"expires": END}, 422, "expires"),
        ({"symbol": "USDJPY"}, 422, "symbol"),
        ({"side": "sell"}, 422, "side"),
        ({"type": "stop"}, 422, "type"),
    ):
        response = await world.put("/order/1", body)
        assert (body, response.status_code, response.json()["field"]) == (body, status, field)
    assert (await world.put("/order/1", {"limit_price": "1.09"})).status_code == 204
    assert world.broker.state.event_seq == before


async def test_cancelled_once(world: World) -> None:
    await world.order(type="limit", limit_price="1.09", client_order_id="one")
    assert (await world.put("/order/1", {}, OTHER)).status_code == 404
    assert (await world.delete("/order/1", OTHER)).status_code == 404
    for administers in (await world.put("/order/1", {}, ADMIN), await world.delete("/order/1", ADMIN)):
        assert administers.status_code == 403
    cancelled = await world.delete("/order/1")
    assert (cancelled.status_code, cancelled.content) == (204, b"")
    assert (await world.get("/order/1")).json()["order"]["status"] == "cancelled"
    for gone in (await world.delete("/order/1"), await world.put("/order/1", {"quantity": "1"})):
        assert (gone.status_code, gone.json()["code"]) == (404, "UNKNOWN_ORDER")
    again = await world.order(type="limit", limit_price="1.09", client_order_id="one")
    assert (again.status_code, again.json()["order"]["status"], again.json()["code"]) == (200, "cancelled", "CANCELLED")
    assert await world.waiting() == []


async def test_an_order_is_found_by_its_id_and_by_its_name(world: World) -> None:
    await world.order(client_order_id="filled")
    await world.order(type="limit", limit_price="1.09", client_order_id="waits:1")
    await world.order(client_order_id="big", quantity="9000000")
    for number, name, status in ((1, "filled", "filled"), (2, "waits:1", "working"), (3, "big", "rejected")):
        by_id = await world.get(f"/order/{number}")
        assert (by_id.status_code, by_id.json()["order"]["status"]) == (200, status)
        for path in (f"/order/@{name}", f"/order/@{name.replace(':', '%3A')}"):
            assert (await world.get(path)).json() == by_id.json()
        assert (await world.get(f"/order/{number}", ADMIN, account_id="1")).json() == by_id.json()
        for path in (f"/order/{number}", f"/order/@{name}"):
            missing = await world.get(path, OTHER)
            assert (missing.status_code, missing.json()["code"]) == (404, "UNKNOWN_ORDER")
    for path in ("/order/4", "/order/@none", "/order/@%FF"):
        assert (await world.get(path)).status_code in (400, 404)
    for path in ("/order/0", "/order/x", "/order/@", "/order/1/2"):
        assert (await world.get(path)).json()["code"] == "NOT_FOUND"
    assert (await world.post("/order/1", {})).headers["allow"] == "GET, PUT, DELETE, HEAD, OPTIONS"


async def test_an_order_that_waits_is_found_while_history_is_away(world: World) -> None:
    await world.order(type="limit", limit_price="1.09", client_order_id="one")
    world.broker.mute.add("persistence")
    for path in ("/order/1", "/order/@one"):
        assert (await world.get(path)).json()["order"]["status"] == "working"
    assert len(await world.waiting()) == 1


async def test_an_order_that_waits_is_changed_and_cancelled_by_its_name(world: World) -> None:
    await world.order(type="limit", limit_price="1.09", client_order_id="mine")
    assert (await world.put("/order/@mine", {"limit_price": "1.08"})).status_code == 204
    assert (await world.waiting())[0]["limit_price"] == "1.08000"
    assert (await world.delete("/order/@mine", OTHER)).json()["code"] == "UNKNOWN_ORDER"
    assert (await world.delete("/order/@mine")).status_code == 204
    again = await world.delete("/order/@mine")
    assert (again.status_code, again.json()["code"]) == (404, "UNKNOWN_ORDER")


async def test_of_the_orders_of_one_request_the_last_is_found(world: World) -> None:
    await world.order()
    await world.order()
    await world.post("/positions/close", {"which": "all", "client_order_id": "both"})
    assert (await world.get("/order/@both")).json()["order"]["id"] == "4"


async def test_orders_that_wait_come_in_pages(world: World) -> None:
    for number in range(3):
        await world.order(type="limit", limit_price=f"1.0{number}", client_order_id=f"order-{number}")
    await world.order()
    first = (await world.get("/orders", status="working", limit=2)).json()
    assert ([order["id"] for order in first["orders"]], first["next"]) == (["3", "2"], "2")
    last = (await world.get("/orders", status="working", limit=2, before=first["next"])).json()
    assert ([order["id"] for order in last["orders"]], last["next"]) == (["1"], None)
    assert [order["status"] for order in (await world.get("/orders")).json()["orders"]] == ["filled"] + 3 * ["working"]
    refused = await world.get("/orders", status="filled")
    assert (refused.status_code, refused.json()["field"]) == (422, "status")
    assert await world.waiting(OTHER) == []


async def test_a_change_that_is_not_answered_has_an_unknown_outcome(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.handling.dealing.COMMAND_TIMEOUT_MS", 100)
    world.broker.mute.add("engine")
    response = await world.delete("/order/1")
    assert (response.status_code, response.json()["code"]) == (504, "OUTCOME_UNKNOWN")
    assert "client_order_id" not in response.json()
