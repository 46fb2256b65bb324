"""REST: the account, its positions, and closing them in all ways."""

import asyncio
import re

import pytest

from tests.web.broker import ADMIN, OTHER, eventually
from tests.web.world import World

pytestmark = pytest.mark.anyio

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6}|\.\d{9})?Z")


async def test_account_and_positions(world: World) -> None:
    empty = (await world.get("/account")).json()
    assert TIME.fullmatch(empty.pop("time"))
    assert empty == {
        "account_id": "1",
        "currency": "USD",
        "balance": "100000.00",
        "equity": "100000.00",
        "credit": "0.00",
        "open_profit": "0.00",
        "margin": "0.00",
        "free_margin": "100000.00",
        "margin_level": None,
    }
    assert (await world.order()).status_code == 201
    account = (await world.get("/account")).json()
    del account["time"]
    assert account == {
        "account_id": "1",
        "currency": "USD",
        "balance": "100000.00",
        "equity": "99999.00",
        "credit": "0.00",
        "open_profit": "-1.00",
        "margin": "366.34",
        "free_margin": "99632.66",
        "margin_level": "27296.77",
    }
    positions = (await world.get("/positions")).json()
    assert TIME.fullmatch(positions["positions"][0].pop("opened_at"))
    assert positions == {
        "positions": [
            {
                "id": "1",
                "symbol": "EURUSD",
                "side": "buy",
                "quantity": "10000",
                "open_price": "1.10010",
                "current_price": "1.10000",
                "profit": "-1.00",
                "margin": "366.34",
                "stop_loss": None,
                "take_profit": None,
                "trailing_stop": None,
            }
        ]
    }


async def test_part_of_a_position_and_then_the_rest_are_closed(world: World) -> None:
    await world.order()
    await world.price("EURUSD", "1.10110", "1.10120")
    part = await world.post("/position/1/close", {"quantity": "4000", "client_order_id": "part"})
    assert part.status_code == 200
    assert part.json()["order"]["reason"] == "close"
    assert part.json()["fills"][0]["profit"] == "4.00"
    again = await world.post("/position/1/close", {"quantity": "4000", "client_order_id": "part"})
    assert again.json() == part.json()
    rest = await world.post("/position/1/close", {})
    assert rest.json()["fills"][0]["quantity"] == "6000"
    assert rest.json()["fills"][0]["side"] == "sell"
    assert (await world.get("/positions")).json() == {"positions": []}
    assert (await world.get("/account")).json()["balance"] == "100010.00"


async def test_a_position_that_is_not_there_or_another_s_is_404(world: World) -> None:
    await world.order()
    assert (await world.post("/position/1/close", {}, OTHER)).status_code == 404
    assert (await world.post("/position/7/close", {})).json()["code"] == "UNKNOWN_POSITION"
    for nonsense in ("0", "x", "-1", "1.5", "9" * 30):
        assert (await world.post(f"/position/{nonsense}/close", {})).status_code == 404
    too_much = await world.post("/position/1/close", {"quantity": "10001"})
    assert (too_much.status_code, too_much.json()["field"]) == (422, "quantity")
    assert len((await world.get("/positions")).json()["positions"]) == 1


async def test_accounts_are_apart_and_an_administrator_only_reads(world: World) -> None:
    await world.order()
    assert (await world.get("/positions", OTHER)).json() == {"positions": []}
    assert (await world.get("/account", OTHER)).json()["equity"] == "100000.00"
    for path in ("/account", "/positions", "/orders", "/trades", "/ledger"):
        refused = await world.get(path, OTHER, account_id="1")
        assert (refused.status_code, refused.json()["field"]) == (403, "account_id")
        assert (await world.get(path, ADMIN, account_id="1")).status_code == 200
    for path in ("/account", "/positions", "/orders", "/trades"):
        assert (await world.get(path, ADMIN)).status_code == 403
    assert len((await world.get("/positions", ADMIN, account_id="1")).json()["positions"]) == 1
    assert (await world.get("/account", ADMIN, account_id="99")).status_code == 404
    assert (await world.order(ADMIN)).status_code == 403
    assert (await world.order(ADMIN, account_id="1")).status_code == 403
    assert (await world.post("/position/1/close", {}, ADMIN)).status_code == 403


async def test_a_silent_engine_leaves_the_outcome_unknown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await world.get("/account")).status_code == 200
    world.broker.mute.add("engine")
    with monkeypatch.context() as hasty:
        hasty.setattr("web.handling.dealing.COMMAND_TIMEOUT_MS", 100)
        response = await world.order(client_order_id="one")
    assert response.status_code == 504
    assert response.json()["code"] == "OUTCOME_UNKNOWN"
    assert response.json()["client_order_id"] == "one"
    assert "safe" in response.json()["detail"]
    world.broker.mute.clear()
    # It was not carried out this time; had it been, the answer would be the same with 200.
    assert (await world.order(client_order_id="one")).status_code == 201


async def test_a_late_answer_is_dropped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.broker.delay_s = 0.2
    with monkeypatch.context() as hasty:
        hasty.setattr("web.live.accounts.ACCOUNT_TIMEOUT_MS", 50)
        assert (await world.get("/account")).status_code == 503
    await eventually(lambda: world.web.backend.engine.dropped == 1)
    world.broker.delay_s = 0
    assert (await world.get("/account")).status_code == 200


async def test_protections_what_is_not_named_stays_and_null_takes_away(world: World) -> None:
    await world.order(stop_loss="1.09", take_profit="1.2")
    changed = await world.put("/position/1", {"stop_loss": None, "trailing_stop": "0.005"})
    assert (changed.status_code, changed.content) == (204, b"")
    position = (await world.get("/positions")).json()["positions"][0]
    assert (position["stop_loss"], position["take_profit"], position["trailing_stop"]) == (None, "1.20000", "0.00500")
    before = world.broker.state.event_seq
    assert (await world.put("/position/1", {})).status_code == 204
    assert world.broker.state.event_seq == before


async def test_changes_at_the_same_time_undo_nothing_of_each_other(world: World) -> None:
    await world.order()
    await world.order(type="limit", limit_price="1.05000")
    wanted = {"stop_loss": "1.04", "take_profit": "1.2", "trailing_stop": "0.2"}
    puts = [world.put("/position/1", {name: value}) for name, value in wanted.items()]
    puts += [world.put("/order/2", {name: value}) for name, value in wanted.items()]
    assert [answer.status_code for answer in await asyncio.gather(*puts)] == [204] * 6
    (position,) = (await world.get("/positions")).json()["positions"]
    order = (await world.get("/order/2")).json()["order"]
    expected = {"stop_loss": "1.04000", "take_profit": "1.20000", "trailing_stop": "0.20000"}
    assert {name: position[name] for name in wanted} == {name: order[name] for name in wanted} == expected


async def test_protections_that_cannot_be_are_named(world: World) -> None:
    await world.order()
    for body, status, code, field in (
        ({"stop_loss": "1.11"}, 422, "WRONG_SIDE_OF_MARKET", "stop_loss"),
        ({"take_profit": "1.0"}, 422, "WRONG_SIDE_OF_MARKET", "take_profit"),
        ({"trailing_stop": "0.000001"}, 422, "PRICE_STEP", "trailing_stop"),
        ({"stop_loss": "0"}, 422, "INVALID_FIELD", "stop_loss"),
        ({"stop_loss": 1}, 422, "INVALID_FIELD", "stop_loss"),
        ({"quantity": "1"}, 422, "INVALID_FIELD", "quantity"),
    ):
        problem = (await world.put("/position/1", body)).json()
        assert (body, problem["status"], problem["code"], problem["field"]) == (body, status, code, field)
    missing = await world.put("/position/7", {"stop_loss": "1.0"})
    assert (missing.status_code, missing.json()["code"]) == (404, "UNKNOWN_POSITION")
    assert (await world.put("/position/1", {"stop_loss": "1.0"}, OTHER)).status_code == 404
    assert (await world.put("/position/1", {"stop_loss": "1.0"}, ADMIN)).status_code == 403
    assert (await world.post("/position/1", {})).headers["allow"] == "PUT, OPTIONS"


async def test_a_position_is_closed_by_its_opposite(world: World) -> None:
    await world.order()
    await world.order(side="sell", quantity="4000")
    body = {"other_position_id": "2", "client_order_id": "by"}
    closed = await world.post("/position/1/close-by", body)
    assert closed.status_code == 200
    assert [(fill["position_id"], fill["quantity"]) for fill in closed.json()["fills"]] == [
        ("1", "4000"),
        ("2", "4000"),
    ]
    assert (await world.post("/position/1/close-by", body)).json() == closed.json()
    positions = (await world.get("/positions")).json()["positions"]
    assert [(position["id"], position["quantity"]) for position in positions] == [("1", "6000")]
    await world.order(symbol="USDJPY", side="sell")
    for other, status, code in (("3", 422, "NOT_OPPOSITE"), ("9", 404, "UNKNOWN_POSITION")):
        problem = (await world.post("/position/1/close-by", {"other_position_id": other})).json()
        assert (problem["status"], problem["code"], problem["field"]) == (status, code, "other_position_id")
    assert (await world.post("/position/1/close-by", {})).json()["field"] == "other_position_id"


async def test_a_position_is_reversed(world: World) -> None:
    await world.order()
    reversed_ = await world.post("/position/1/reverse", {"client_order_id": "back"})
    assert reversed_.status_code == 200
    assert [fill["position_id"] for fill in reversed_.json()["fills"]] == ["1", "2"]
    positions = (await world.get("/positions")).json()["positions"]
    assert [(position["side"], position["quantity"]) for position in positions] == [("sell", "10000")]
    assert (await world.post("/position/1/reverse", {})).status_code == 404
    conflict = await world.post("/position/2/reverse", {"client_order_id": "back"})
    assert (conflict.status_code, conflict.json()["code"]) == (409, "DUPLICATE_CLIENT_ORDER_ID")


async def test_winners_losers_or_all_are_closed(world: World) -> None:
    await world.order()
    await world.order(side="sell")
    await world.order(symbol="USDJPY")
    await world.price("EURUSD", "1.10110", "1.10120")

    async def left() -> list[str]:
        return [position["id"] for position in (await world.get("/positions")).json()["positions"]]

    winners = await world.post("/positions/close", {"which": "winners"})
    assert (winners.status_code, [fill["profit"] for fill in winners.json()["fills"]]) == (200, ["10.00"])
    assert await left() == ["2", "3"]
    assert (await world.post("/positions/close", {"which": "losers", "symbol": "EURUSD"})).status_code == 200
    assert await left() == ["3"]
    assert (await world.post("/positions/close", {"which": "all"})).status_code == 200
    assert await left() == []
    for body, code, field in (
        ({"which": "all"}, "NOTHING_TO_CLOSE", "which"),
        ({"which": "all", "symbol": "EURXXX"}, "UNKNOWN_SYMBOL", "symbol"),
        ({"which": "some"}, "INVALID_FIELD", "which"),
        ({}, "INVALID_FIELD", "which"),
    ):
        problem = (await world.post("/positions/close", body)).json()
        assert (problem["status"], problem["code"], problem["field"]) == (422, code, field)


async def test_an_administrator_closes_nothing(world: World) -> None:
    await world.order()
    for path, body in (
        ("/position/1/close-by", {"other_position_id": "2"}),
        ("/position/1/reverse", {}),
        ("/positions/close", {"which": "all"}),
    ):
        assert (await world.post(path, body, ADMIN)).status_code == 403
    assert len(world.broker.state.accounts[1].positions) == 1
