"""REST: limits, margin by symbol, and what an order would do; each preview against the order itself."""

import pytest

from actors.domain.charges import Commission, CommissionBasis
from actors.domain.commands import DefineGroup
from actors.domain.group import Group
from actors.domain.money import parse_e8
from tests.web.world import World

pytestmark = pytest.mark.anyio


async def test_limits_and_margin(world: World) -> None:
    assert (await world.get("/account/limits")).json() == {
        "account_id": "1",
        "group": "standard",
        "leverage": None,
        "margin_call_level": "100.00",
        "stop_out_level": "50.00",
        "waiting_orders": 500,
        "positions": 2_000,
        "orders_per_second": None,
        "order_lots": None,
        "exposure": None,
    }
    await world.order()
    margin = (await world.get("/account/margin")).json()
    del margin["time"]
    assert margin == {
        "account_id": "1",
        "currency": "USD",
        "equity": "99999.00",
        "margin": "366.34",
        "maintenance_margin": "366.34",
        "reserved": "0.00",
        "free_margin": "99632.66",
        "margin_level": "27296.77",
        "symbols": {"EURUSD": {"initial": "366.34", "maintenance": "366.34"}},
    }


@pytest.mark.parametrize(("symbol", "side", "quantity"), [("EURUSD", "buy", "20000"), ("USDJPY", "sell", "5000")])
async def test_a_preview_is_what_the_order_then_does(world: World, symbol: str, side: str, quantity: str) -> None:
    charged = Commission(CommissionBasis.LOT, parse_e8("3.5"), 0, "USD")
    world.broker.tell(DefineGroup(Group("standard", commission=charged)))
    await world.order()
    query = {"symbol": symbol, "side": side, "quantity": quantity}
    seen = (await world.get("/risk/margin-preview", **query)).json()
    dealt = (await world.order(type="market", **query)).json()
    account = (await world.get("/account")).json()
    assert [seen[name] for name in ("equity", "margin", "free_margin", "margin_level")] == [
        account[name] for name in ("equity", "margin", "free_margin", "margin_level")
    ]
    assert (seen["price"], seen["commission"]) == (dealt["fills"][0]["price"], dealt["fills"][0]["commission"])
    assert seen["sufficient"] is True
    assert len((await world.get("/positions")).json()["positions"]) == 2


async def test_a_preview_of_too_much_says_so_and_what_no_order_can_be_is_refused(world: World) -> None:
    query = {"symbol": "EURUSD", "side": "buy", "quantity": "5000000"}
    assert (await world.get("/risk/margin-preview", **query)).json()["sufficient"] is False
    assert (await world.order(**query)).json()["code"] == "INSUFFICIENT_MARGIN"
    for change, code in (
        ({"symbol": "XXXYYY"}, "UNKNOWN_SYMBOL"),
        ({"quantity": "1.5"}, "QUANTITY_STEP"),
        ({"quantity": "99999999"}, "QUANTITY_OUT_OF_RANGE"),
    ):
        refused = await world.get("/risk/margin-preview", **{**query, **change})
        assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_a_size_risks_no_more_than_is_said(world: World) -> None:
    query = {"symbol": "EURUSD", "side": "buy", "stop_loss": "1.0951"}
    assert (await world.get("/risk/lot-size", **query, risk="100")).json() == {
        "symbol": "EURUSD",
        "side": "buy",
        "price": "1.10010",
        "stop_loss": "1.09510",
        "risk": "100.00",
        "quantity": "20000",
        "lots": "0.2",
        "loss": "100.00",
        "limited_by": None,
    }
    by_share = (await world.get("/risk/lot-size", **query, risk_percent="0.5")).json()
    assert (by_share["risk"], by_share["quantity"]) == ("500.00", "100000")
    most = (await world.get("/risk/lot-size", **query, risk="9999999")).json()
    assert (most["quantity"], most["limited_by"]) == ("10000000", "quantity_max")
    assert (await world.get("/risk/lot-size", **query, risk="0.001")).json()["field"] == "risk"
    none = (await world.get("/risk/lot-size", **{**query, "stop_loss": "0.5"}, risk="0.01")).json()
    assert (none["quantity"], none["loss"]) == ("0", "0.00")


async def test_a_size_in_another_currency_is_converted_at_the_side_of_a_loss(world: World) -> None:
    query = {"symbol": "USDJPY", "side": "sell", "stop_loss": "151", "risk": "100"}
    size = (await world.get("/risk/lot-size", **query)).json()
    # A yen of loss is bought at the bid, 150.000: 15,000 yen at risk, 1 yen to lose on each dollar.
    assert (size["price"], size["quantity"], size["loss"]) == ("150.000", "15000", "100.00")


async def test_sizes_that_cannot_be(world: World) -> None:
    query = {"symbol": "EURUSD", "side": "buy", "stop_loss": "1.0951"}
    for change, field in (
        ({}, "risk"),
        ({"risk": "1", "risk_percent": "1"}, "risk"),
        ({"risk_percent": "101"}, "risk_percent"),
        ({"risk": "1", "stop_loss": "1.2"}, "stop_loss"),
    ):
        refused = await world.get("/risk/lot-size", **{**query, **change})
        assert (change, refused.status_code, refused.json()["field"]) == (change, 422, field)
