"""What orders do to each other and to positions, and how they are changed and cancelled.

EURUSD begins at 1.10000/1.10020; orders are for 10,000 where nothing else is said.
"""

from typing import Any

import pytest

from actors.domain.commands import CancelOrder, ClosePosition, ModifyOrder, ObserveStream, SubmitOrder
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderType, Side, TimeInForce
from actors.domain.refusal import Code, Refused
from actors.domain.risk.limits import Limits
from tests.actors.domain.deals import refusal
from tests.actors.domain.waiting import Desk
from tests.examples import ACCOUNT, terms

BUY, SELL = Side.BUY, Side.SELL
MARKET, LIMIT, STOP, STOP_LIMIT = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT
TOUCHED, TRAILING = OrderType.MARKET_IF_TOUCHED, OrderType.TRAILING_STOP
GTD, DAY, IOC, FOK = TimeInForce.GTD, TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK


def test_a_reduce_only_order_closes_the_oldest_first_and_opens_nothing() -> None:
    """Longs of 3,000 and 4,000 are there, and a short; a sell of 10,000 closes the two longs."""
    desk = Desk()
    for side, quantity in ((BUY, "3000"), (SELL, "500"), (BUY, "4000")):
        desk.submit(side, MARKET, quantity)
    assert desk.submit(SELL, MARKET, reduce_only=True) == [
        "4 client: sells 3000 at 1.10000 (-0.60)",
        "4 client: sells 4000 at 1.10000 (-0.80)",
    ]
    assert desk.positions() == ["2: sell 500 at 1.10000"]
    assert desk.submit(SELL, MARKET, reduce_only=True) == ["5 rejected NOTHING_TO_CLOSE"]


def test_a_reduce_only_order_that_was_cut_is_known_again() -> None:
    desk = Desk()
    desk.submit(BUY, MARKET, "3000")
    asked = terms("EURUSD", SELL, "10000", reduce_only=True)
    desk.send(asked)
    outcome = desk.account.outcomes["order-2"]
    assert (outcome.asked, outcome.order.quantity_e8, outcome.order.filled_e8) == (asked, e8("3000"), e8("3000"))
    assert desk.tell(SubmitOrder(ACCOUNT, "order-2", asked)) == []


def test_a_waiting_reduce_only_order_is_cut_to_what_is_open_when_it_is_reached() -> None:
    desk = Desk()
    desk.submit(BUY, MARKET, "3000")
    desk.submit(SELL, LIMIT, limit="1.11", reduce_only=True)
    desk.submit(SELL, LIMIT, limit="1.12", reduce_only=True)
    assert desk.tick("1.11000", "1.11020") == ["2 client: sells 3000 at 1.11000 (+29.40)"]
    assert desk.tick("1.12000", "1.12020") == ["3 cancelled NOTHING_TO_CLOSE"]


def test_a_reduce_only_order_needs_no_margin() -> None:
    """All is tied up: 368.37 are just enough for 10,000."""
    desk = Desk(deposit="368.37")
    desk.submit(BUY)
    assert desk.submit(BUY, MARKET, "1") == ["2 rejected INSUFFICIENT_MARGIN"]
    assert desk.submit(SELL, MARKET, "4000", reduce_only=True) == ["3 client: sells 4000 at 1.10000 (-0.80)"]


def test_one_cancels_the_others() -> None:
    desk = Desk()
    desk.submit(BUY, STOP, stop="1.11", oco="pair")
    desk.submit(SELL, STOP, stop="1.09", oco="pair")
    desk.submit(SELL, LIMIT, limit="1.2", oco="other")
    assert desk.tick("1.10980", "1.11000") == ["1 client: buys 10000 at 1.11000", "2 cancelled OCO"]
    assert list(desk.account.orders) == [3]
    assert desk.tick("1.08", "1.0802") == []


def test_of_two_that_one_tick_reaches_the_older_is_dealt() -> None:
    desk = Desk()
    desk.submit(BUY, STOP, stop="1.11", oco="pair")
    desk.submit(BUY, STOP, stop="1.105", oco="pair")
    assert desk.tick("1.11980", "1.12000") == ["1 client: buys 10000 at 1.12000", "2 cancelled OCO"]


def test_an_order_that_is_dealt_at_once_cancels_those_that_wait() -> None:
    desk = Desk()
    desk.submit(BUY, LIMIT, limit="1.09", oco="pair")
    assert desk.submit(BUY, MARKET, oco="pair") == ["2 client: buys 10000 at 1.10020", "1 cancelled OCO"]


def test_a_bracket_is_an_order_whose_position_has_both_protections() -> None:
    """(1.12000 - 1.09000) x 10,000 = +300.00."""
    desk = Desk()
    desk.submit(BUY, LIMIT, limit="1.09", stop_loss="1.08", take_profit="1.12")
    assert desk.tick("1.08980", "1.09000") == ["1 client: buys 10000 at 1.09000"]
    assert desk.tick("1.12000", "1.12020") == ["2 take_profit: sells 10000 at 1.12000 (+300.00)"]
    assert desk.tick("1.07", "1.0702") == []


def test_an_order_whose_stop_loss_the_gap_has_passed_is_cancelled() -> None:
    desk = Desk()
    desk.submit(BUY, LIMIT, limit="1.09", stop_loss="1.08")
    assert desk.tick("1.07000", "1.07020") == ["1 cancelled WRONG_SIDE_OF_MARKET"]


def test_a_changed_price_is_the_one_that_counts() -> None:
    desk = Desk()
    desk.submit(BUY, LIMIT, limit="1.09")
    assert desk.modify(1, terms("EURUSD", BUY, "5000", LIMIT, limit="1.08")) == ["1 modified working"]
    assert desk.tick("1.08980", "1.09000") == []
    assert desk.tick("1.07980", "1.08000") == ["1 client: buys 5000 at 1.08000"]


def test_a_change_to_a_price_that_is_there_is_dealt_at_once() -> None:
    desk = Desk()
    desk.submit(BUY, LIMIT, limit="1.09")
    change = terms("EURUSD", BUY, "10000", LIMIT, limit="1.2")
    assert desk.modify(1, change) == ["1 modified working", "1 client: buys 10000 at 1.10020"]
    assert desk.tick("1.08", "1.0802") == []


def test_a_change_that_could_not_be_paid_for_is_refused_and_the_order_stays() -> None:
    desk = Desk(deposit="100.00")
    desk.submit(BUY, LIMIT, limit="1.09")
    change = terms("EURUSD", BUY, "10000", LIMIT, limit="1.2")
    assert refusal(desk.state, ModifyOrder(ACCOUNT, 1, change))[0] is Code.INSUFFICIENT_MARGIN
    assert list(desk.account.orders) == [1]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (terms("EURUSD", SELL, "1", STOP, stop="1.09"), (Code.BAD_TERMS, "type")),
        (terms("GBPUSD", BUY, "1", STOP, stop="1.3"), (Code.BAD_TERMS, "type")),
        (terms("EURUSD", BUY, "1", LIMIT, limit="1.09"), (Code.BAD_TERMS, "type")),
        (terms("EURUSD", BUY, "1", STOP), (Code.BAD_TERMS, "stop")),
        (terms("EURUSD", BUY, "1", STOP, stop="1.1", limit="1.1"), (Code.BAD_TERMS, "limit")),
        (terms("EURUSD", BUY, "1", STOP, stop="1.11", time_in_force=FOK), (Code.BAD_TERMS, "time_in_force")),
        (terms("EURUSD", BUY, "0", STOP, stop="1.11"), (Code.QUANTITY_OUT_OF_RANGE, "quantity")),
        (terms("EURUSD", BUY, "1", STOP, stop="1.1"), (Code.WRONG_SIDE_OF_MARKET, "stop")),
        (terms("EURUSD", BUY, "1", STOP, stop="1.111111"), (Code.PRICE_STEP, "stop")),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(change: Any, expected: tuple[Code, str]) -> None:
    desk = Desk()
    desk.submit(BUY, STOP, stop="1.11")
    assert refusal(desk.state, ModifyOrder(ACCOUNT, 1, change))[::2] == expected


def test_an_order_is_cancelled_once() -> None:
    desk = Desk()
    desk.submit(BUY, LIMIT, limit="1.09")
    assert desk.cancel(1) == ["1 cancelled CANCELLED"]
    assert desk.tick("1.08", "1.0802") == []
    assert refusal(desk.state, CancelOrder(ACCOUNT, 1))[::2] == (Code.UNKNOWN_ORDER, "order_id")


def test_what_comes_after_the_fill_comes_too_late() -> None:
    desk = Desk()
    desk.submit(BUY, LIMIT, limit="1.09")
    change = ModifyOrder(ACCOUNT, 1, desk.order(1).terms)
    desk.tick("1.08980", "1.09000")
    for late in (CancelOrder(ACCOUNT, 1), change, CancelOrder(2, 1)):
        with pytest.raises(Refused):
            desk.tell(late)
    assert desk.positions() == ["1: buy 10000 at 1.09000"]


def test_without_a_live_price_an_order_may_be_cancelled_and_not_changed() -> None:
    desk = Desk()
    desk.submit(BUY, LIMIT, limit="1.09")
    desk.tell(ObserveStream(desk.now_ns, ("EURUSD",)))
    change = terms("EURUSD", BUY, "10000", LIMIT, limit="1.08")
    assert refusal(desk.state, ModifyOrder(ACCOUNT, 1, change))[0] is Code.NO_PRICE
    assert desk.cancel(1) == ["1 cancelled CANCELLED"]


def test_an_account_has_so_many_waiting_orders_and_no_more() -> None:
    desk = Desk()
    for _ in range(Limits().waiting_orders):
        desk.submit(BUY, LIMIT, "1", limit="1")
    last = Limits().waiting_orders + 1
    assert desk.submit(BUY, LIMIT, "1", limit="1") == [f"{last} rejected TOO_MANY_ORDERS"]
    assert desk.submit(BUY, MARKET, "1") == [f"{last + 1} client: buys 1 at 1.10020"]
    desk.cancel(1)
    assert desk.submit(BUY, LIMIT, "1", limit="1") == [f"{last + 2} accepted working"]


def test_a_waiting_orders_outcome_is_told_as_it_is_at_the_time() -> None:
    """And the fill is added to it."""
    desk = Desk()
    asked = terms("EURUSD", BUY, "10000", LIMIT, limit="1.09")
    desk.send(asked)
    waits = desk.account.outcomes["order-1"]
    assert (waits.asked, waits.order, waits.fills) == (asked, desk.order(1), ())
    desk.modify(1, terms("EURUSD", BUY, "5000", LIMIT, limit="1.08"))
    desk.tick("1.07980", "1.08000")
    filled = desk.account.outcomes["order-1"]
    assert (filled.asked, filled.order.quantity_e8, len(filled.fills)) == (asked, e8("5000"), 1)
    assert desk.tell(SubmitOrder(ACCOUNT, "order-1", asked)) == []
    with pytest.raises(Refused):
        desk.tell(ClosePosition(ACCOUNT, "order-1", 1))


def test_protections_are_dealt_with_before_orders() -> None:
    """A tick that stops a position and reaches an order: the margin of the one is free for the other."""
    desk = Desk(deposit="500.00")
    desk.submit(BUY, stop_loss="1.09")
    desk.submit(BUY, LIMIT, limit="1.0902")
    assert desk.tick("1.09000", "1.09020") == [
        "3 stop_loss: sells 10000 at 1.09000 (-102.00)",
        "2 client: buys 10000 at 1.09020",
    ]


def test_fills_carry_the_tick_that_they_were_made_at() -> None:
    desk = Desk()
    desk.submit(BUY, LIMIT, limit="1.09")
    desk.tick("1.0950", "1.0952")
    desk.tick("1.0880", "1.0890")
    outcome = desk.account.outcomes["order-1"]
    assert [fill.tick_seq for fill in outcome.fills] == [3]


def test_a_change_of_other_terms_than_were_seen_is_refused() -> None:
    desk = Desk()
    desk.submit(BUY, LIMIT, limit="1.05")
    seen, new = (terms("EURUSD", BUY, "10000", LIMIT, limit=limit) for limit in ("1.05", "1.06"))
    other = terms("EURUSD", BUY, "10000", LIMIT, limit="1.04")
    assert refusal(desk.state, ModifyOrder(ACCOUNT, 1, new, other))[::2] == (Code.VERSION_MISMATCH, "")
    assert len(desk.tell(ModifyOrder(ACCOUNT, 1, new, seen))) == 1
    assert desk.tell(ModifyOrder(ACCOUNT, 1, new, seen)) == []
