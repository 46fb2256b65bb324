"""OANDA's orders and transactions, as text."""

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.venues.execution import Said, VenueOrder
from gateway.venues.oanda.orders import (
    BadAnswer,
    BadOrder,
    Positions,
    Precision,
    Transaction,
    order_body,
    said_in,
    said_of,
    transaction_number,
)

E8 = 10**8
EURUSD, BITCOIN = Precision(5, 0), Precision(2, 2)
TIME = "2026-11-20T12:00:00.000000001Z"
TIME_NS = 1_795_176_000_000_000_001


def order(**terms: Any) -> VenueOrder:
    given = {"client_id": "17-1-5", "instrument": "EUR_USD", "is_buy": True, "quantity_e8": 100_000 * E8}
    return VenueOrder(**{**given, "time_in_force": "IOC", **terms})


def said(**fields: Any) -> Said | None:
    return said_of(msgspec.json.decode(json.dumps({"id": "7", "time": TIME, **fields}), type=Transaction))


def test_a_market_order() -> None:
    assert order_body(order(is_buy=False, bound_e8=110_020_000), EURUSD) == {
        "order": {
            "type": "MARKET",
            "instrument": "EUR_USD",
            "units": "-100000",
            "timeInForce": "IOC",
            "positionFill": "REDUCE_FIRST",
            "clientExtensions": {"id": "17-1-5"},
            "priceBound": "1.10020",
        }
    }


def test_a_limit_order() -> None:
    terms = {"time_in_force": "GTD", "limit_e8": 6_000_050_000_000, "quantity_e8": E8 // 4, "expires_ns": TIME_NS}
    assert order_body(order(instrument="BTC_USD", **terms), BITCOIN) == {
        "order": {
            "type": "LIMIT",
            "instrument": "BTC_USD",
            "units": "0.25",
            "timeInForce": "GTD",
            "positionFill": "REDUCE_FIRST",
            "clientExtensions": {"id": "17-1-5"},
            "price": "60000.50",
            "triggerCondition": "DEFAULT",
            "gtdTime": TIME,
        }
    }


@pytest.mark.parametrize(("is_buy", "bound"), [(True, "1.10020"), (False, "1.10021")])
def test_a_bound_is_rounded_to_our_advantage(is_buy: bool, bound: str) -> None:
    body = order_body(order(is_buy=is_buy, bound_e8=110_020_700), EURUSD)
    assert body["order"]["priceBound"] == bound


@pytest.mark.parametrize(
    ("terms", "fault"),
    [
        ({"quantity_e8": E8 // 2}, "a quantity of 0.5 has more than 0 digits"),
        ({"quantity_e8": 0}, "the quantity is not above zero"),
        ({"limit_e8": 110_020_700}, "a price of 1.100207 has more than 5 digits"),
        ({"time_in_force": "GTC"}, "no market order that is GTC"),
        ({"client_id": ""}, "1 to 128 characters"),
        ({"bound_e8": 1}, "the bound is not above zero"),
    ],
)
def test_what_oanda_cannot_be_sent(terms: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadOrder, match=fault):
        order_body(order(**terms), EURUSD)


def test_what_transactions_say() -> None:
    names = {"orderID": "6", "clientOrderID": "17-1-5"}
    fill = {"type": "ORDER_FILL", **names, "units": "-3000", "price": "1.1", "fullVWAP": "1.10012"}
    filled = Said("17-1-5", "fill", "7", 3_000 * E8, 110_012_000, time_ns=TIME_NS)
    assert said(**fill) == filled
    cancel = {"type": "ORDER_CANCEL", **names}
    assert said(**cancel, reason="BOUNDS_VIOLATION") == Said(
        "17-1-5", "cancelled", "7", text="BOUNDS_VIOLATION", time_ns=TIME_NS
    )
    assert said(**cancel, reason="TIME_IN_FORCE_EXPIRED") == Said(
        "17-1-5", "expired", "7", text="TIME_IN_FORCE_EXPIRED", time_ns=TIME_NS
    )
    reject = {"type": "MARKET_ORDER_REJECT", "clientExtensions": {"id": "17-1-5"}}
    assert said(**reject, rejectReason="UNITS_INVALID") == Said(
        "17-1-5", "rejected", "7", text="UNITS_INVALID", time_ns=TIME_NS
    )


def test_a_refused_duplicate_says_nothing_of_the_first_order() -> None:
    duplicate = {"clientExtensions": {"id": "17-1-5"}, "rejectReason": "CLIENT_ORDER_ID_ALREADY_EXISTS"}
    assert said(type="MARKET_ORDER_REJECT", **duplicate) is None


@pytest.mark.parametrize("units", ["", "many", "1.123456789", "9" * 30])
def test_a_fill_that_cannot_be_read_is_passed_on_without_figures(units: str) -> None:
    found = said(type="ORDER_FILL", orderID="6", units=units, price="1.1")
    assert found is not None
    assert (found.client_id, found.kind, found.quantity_e8, found.price_e8) == ("order 6", "fill", 0, 0)


@pytest.mark.parametrize("kind", ["CREATE", "DAILY_FINANCING", "TRANSFER_FUNDS", "MARKET_ORDER", "SOMETHING_NEW"])
def test_other_transactions_say_nothing_of_an_order(kind: str) -> None:
    assert said(type=kind, clientExtensions={"id": "17-1-5"}) is None


def test_transactions_are_taken_in_the_order_of_their_numbers() -> None:
    names: dict[str, Any] = {"type": "ORDER_CANCEL", "client_order_id": "17-1-5"}
    assert [it.exec_id for it in said_in([Transaction("10", **names), Transaction("9", **names)])] == ["9", "10"]


def test_positions_are_netted() -> None:
    answer = {
        "lastTransactionID": "9",
        "positions": [
            {"instrument": "EUR_USD", "long": {"units": "100"}, "short": {"units": "-30"}},
            {"instrument": "BTC_USD", "short": {"units": "-0.25"}},
        ],
    }
    positions = msgspec.json.decode(json.dumps(answer), type=Positions)
    assert positions.quantities_e8() == {"EUR_USD": 70 * E8, "BTC_USD": -E8 // 4}


@given(st.text(max_size=30))
def test_a_number_of_a_transaction_is_one_or_refused(text: str) -> None:
    with contextlib.suppress(BadAnswer):
        assert transaction_number(text) >= 0


@given(st.fixed_dictionaries({"type": st.just("ORDER_FILL"), "units": st.text(), "price": st.text(), "id": st.text()}))
def test_no_text_of_a_fill_raises_anything(fields: dict[str, str]) -> None:
    found = said_of(msgspec.convert(fields, Transaction))
    assert found is not None
    assert found.kind == "fill"
