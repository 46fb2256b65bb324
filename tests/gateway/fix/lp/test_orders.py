"""Orders and questions to an LP, checked by the dictionary of FIX 4.4."""

import pytest

from actors.domain.money import parse_e8
from gateway.fix.codec import Field, Message
from gateway.fix.dictionary import fix44
from gateway.fix.lp import account, listing, market_data, orders, trades
from gateway.fix.lp.market_data import Wanted
from gateway.fix.validation import Level, check
from gateway.venues.execution import VenueOrder
from tests.gateway.fix.lp.messages import SENT_NS

ORDER = VenueOrder("c1", "EUR/USD", True, parse_e8("500000"), "IOC")
BOUND = VenueOrder("c2", "EUR/USD", False, parse_e8("0.5"), "FOK", bound_e8=parse_e8("1.1"))
DATED = VenueOrder("c3", "EUR/USD", False, parse_e8("1"), "GTD", limit_e8=parse_e8("1.2"), expires_ns=SENT_NS)


@pytest.mark.parametrize(
    ("msg_type", "body"),
    [
        (b"D", orders.new_order(ORDER, SENT_NS, "A", "EUR")),
        (b"D", orders.new_order(BOUND, SENT_NS)),
        (b"D", orders.new_order(DATED, SENT_NS)),
        (b"G", orders.replace(BOUND, "c1", SENT_NS, "A")),
        (b"F", orders.cancel(ORDER, "c4", SENT_NS, "A")),
        (b"H", orders.status("c1", "EUR/USD", True, "A")),
        (b"AF", orders.mass_status("m")),
        (b"V", market_data.subscribe("q", ["EUR/USD", "GBP/USD"], Wanted(1, False, [(460, b"4"), (167, b"FOR")]))),
        (b"x", listing.securities_request("s")),
        (b"AN", account.positions_request("p", "", SENT_NS)),
        (b"AD", trades.order_trades_request("t", "c1")),
        (b"AD", trades.trades_request("t", 0, SENT_NS)),
        (b"BB", account.collateral_inquiry("b", "A")),
    ],
)
def test_what_is_sent_is_as_the_dictionary_says(msg_type: bytes, body: list[Field]) -> None:
    header = [(35, msg_type), (49, b"US"), (56, b"THEM"), (34, b"2"), (52, b"20260119-12:00:00.000")]
    assert check(Message(b"FIX.4.4", [*header, *body]), fix44(), Level.STRICT) is None


def test_a_market_order_with_a_bound_is_a_limit_order() -> None:
    assert dict(orders.new_order(ORDER, SENT_NS)) == {
        11: b"c1", 21: b"1", 55: b"EUR/USD", 54: b"1", 60: b"20260119-12:00:00.000", 38: b"500000", 40: b"1", 59: b"3",
    }  # fmt: skip
    body = dict(orders.new_order(BOUND, SENT_NS))
    assert (body[54], body[38], body[40], body[44], body[59]) == (b"2", b"0.5", b"2", b"1.1", b"4")
