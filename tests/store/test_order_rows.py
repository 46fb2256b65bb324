"""Orders and fills to rows and back: nothing is lost, whatever the engine may say."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from actors.domain.events.orders import OrderAccepted, OrderEnded, OrderFilled, OrderModified, OrderRejected
from actors.domain.money import LIMIT_E8
from actors.domain.order import (
    Conversion,
    Fill,
    Order,
    OrderReason,
    OrderStatus,
    OrderTerms,
    OrderType,
    Position,
    Side,
    TimeInForce,
)
from actors.store.order_rows import OrderEvent, fill_of, fill_row, order_of, order_row, position_row
from tests.store import facts

IDS = st.integers(1, 2**63 - 1)
IDS_OR_NONE = st.integers(0, 2**63 - 1)
PRICES = st.integers(1, LIMIT_E8 - 1)
PRICES_OR_NONE = st.integers(0, LIMIT_E8 - 1)
TIMES = st.integers(0, 2**62)
TEXTS = st.text(max_size=64)

TERMS = st.builds(
    OrderTerms,
    TEXTS,
    st.sampled_from(Side),
    st.sampled_from(OrderType),
    PRICES,
    st.sampled_from(TimeInForce),
    *[PRICES_OR_NONE] * 7,
    expires_ns=TIMES,
    reduce_only=st.booleans(),
    oco=TEXTS,
)
ORDERS = st.builds(
    Order,
    IDS,
    IDS,
    TEXTS,
    TERMS,
    TEXTS,
    st.sampled_from(OrderReason),
    st.sampled_from(OrderStatus),
    PRICES_OR_NONE,
    PRICES_OR_NONE,
    IDS_OR_NONE,
    TIMES,
    IDS_OR_NONE,
    PRICES_OR_NONE,
)
FILLS = st.builds(
    Fill,
    IDS,
    IDS,
    IDS,
    IDS,
    TEXTS,
    st.sampled_from(Side),
    PRICES,
    PRICES,
    st.integers(-(2**63), 2**63),
    st.builds(Conversion, TEXTS, IDS_OR_NONE, PRICES, PRICES),
    IDS,
    TIMES,
    st.integers(-(2**63), 2**63),
)


def events_of(order: Order) -> list[OrderEvent]:
    filled = facts.filled(1)
    return [
        OrderAccepted(order),
        OrderModified(order),
        OrderFilled(order, filled.fill, filled.position, (), filled.requirement),
        OrderEnded(order, "OCO", "the other one was filled"),
        OrderRejected(order, "NO_PRICE", "there is none"),
    ]


@given(ORDERS)
def test_an_order_comes_back_from_its_row(order: Order) -> None:
    for event in events_of(order):
        assert order_of(order_row(event)) == order


@given(FILLS, st.sampled_from(["USD", "JPY", "BTC"]))
def test_a_fill_comes_back_from_its_row(fill: Fill, currency: str) -> None:
    assert fill_of(fill_row(fill, currency)) == fill


def test_what_does_not_apply_is_null() -> None:
    terms = OrderTerms("EURUSD", Side.BUY, OrderType.MARKET, facts.E8)
    order = Order(1, 2, "", terms, "", OrderReason.STOP_LOSS, OrderStatus.REJECTED, 0, 0, 0, facts.START_NS)
    row = order_row(OrderRejected(order, "NO_PRICE", "there is none"))
    assert {name for name, value in row.items() if value is None} == {
        "client_order_id",
        "limit_price",
        "stop_price",
        "trail",
        "price_bound",
        "stop_loss",
        "take_profit",
        "trailing_stop",
        "expires",
        "expires_ns",
        "oco",
        "request",
        "average_price",
        "position_id",
        "trail_seq",
        "asked",
    }


def test_only_an_order_that_was_ended_or_rejected_says_why() -> None:
    reasons = [(order_row(event)["code"], order_row(event)["detail"]) for event in events_of(facts.order(1))]
    assert reasons == [
        (None, None),
        (None, None),
        (None, None),
        ("OCO", "the other one was filled"),
        ("NO_PRICE", "there is none"),
    ]


def test_a_position_is_a_row_that_people_can_add_up() -> None:
    position = Position(7, 1, "EURUSD", Side.SELL, 3 * facts.E8, 110_000_003, 990, 0, 0, facts.START_NS, 500_000, 2)
    row: dict[str, Any] = position_row(position, "USD")
    shown = {name: str(row[name]) for name in ("quantity", "open_price", "open_rest", "margin", "trailing_stop")}
    assert shown == {
        "quantity": "3.00000000",
        "open_price": "1.10000003",
        "open_rest": "2E-16",
        "margin": "9.90",
        "trailing_stop": "0.00500000",
    }
    assert row["quantity"] * row["open_price"] + row["open_rest"] == position.cost_e16 / type(row["quantity"])(10**16)
