"""Which positions a closing at a venue holds and takes, and what waits meanwhile. Prices are those of examples.py."""

from actors.domain.commands import CancelOrder, ModifyPosition, ObserveStream, SubmitOrder
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderType
from actors.domain.routing.child import ReportKind
from actors.domain.routing.execution import ANSWER_LIMIT_NS
from tests.actors.domain.venue_desk import A_BOOK, BUY, SELL, Desk, children, fills, losing, opened
from tests.examples import ACCOUNT, closing, order, terms

FILL, REJECTED = ReportKind.FILL, ReportKind.REJECTED


def test_a_clients_closing_at_a_venue_holds_the_oldest_and_no_other() -> None:
    """Whatever becomes of it, and however long that is unknown: the stop of the second position is not the first's."""
    desk = Desk()
    for name in ("one", "two"):
        desk.tell(order("EURUSD", BUY, "10000", name, stop_loss="1.095"))
        (child_id,) = desk.state.books.open
        desk.says(FILL, child_id, "10000", "1.1002")
    desk.tell(SubmitOrder(ACCOUNT, "out", terms("EURUSD", SELL, "10000", reduce_only=True)))
    desk.now_ns += 2 * ANSWER_LIMIT_NS
    desk.tell(ObserveStream(desk.now_ns))
    assert children(desk.tick("1.09500", "1.09520")) == [("4-1", "LMAX", e8("10000"))]
    assert [it.position_id for it in desk.account.orders.values()] == [0, 2]
    desk.says(FILL, "4-1", "10000", "1.0950")
    desk.says(FILL, "3-1", "10000", "1.0951")
    assert desk.positions == []


def test_two_closings_at_a_venue_close_two_positions_whichever_is_filled_first() -> None:
    desk = Desk()
    opened(desk, ("buy", "10000", "1.1002", A_BOOK), ("buy", "10000", "1.1002", A_BOOK))
    desk.tell(closing(1))
    desk.tell(SubmitOrder(ACCOUNT, "out", terms("EURUSD", SELL, "10000", reduce_only=True)))
    assert [it[1] for it in fills(desk.says(FILL, "4-1", "10000", "1.1"))] == [2]
    assert [it[1] for it in fills(desk.says(FILL, "3-1", "10000", "1.1"))] == [1]
    assert desk.positions == []


def test_what_a_client_closes_at_a_venue_counts_in_a_stop_out() -> None:
    """As in the first test here, with the client in the place of the stop-out: nothing more is closed for 5 s."""
    desk = losing()
    desk.tell(SubmitOrder(ACCOUNT, "out", terms("EURUSD", SELL, "10000", reduce_only=True)))
    assert fills(desk.tick("1.07470")) == []
    desk.now_ns += ANSWER_LIMIT_NS + 1
    assert children(desk.tick("1.07470")) == [("5-1", "LMAX", e8("10000"))]


def test_the_time_of_a_closing_that_waited_begins_when_it_is_sent() -> None:
    """Its price comes with the tick that would stop the account out."""
    desk = losing()
    waits = terms("EURUSD", SELL, "10000", OrderType.STOP, stop="1.0748", reduce_only=True)
    desk.tell(SubmitOrder(ACCOUNT, "out", waits))
    desk.now_ns += 2 * ANSWER_LIMIT_NS
    desk.tell(ObserveStream(desk.now_ns))
    assert children(desk.tick("1.07470")) == [("4-1", "LMAX", e8("10000"))]
    desk.now_ns += ANSWER_LIMIT_NS
    assert desk.tick("1.07470") == []
    desk.now_ns += 1
    assert children(desk.tick("1.07470")) == [("5-1", "LMAX", e8("10000"))]


def test_what_a_venue_has_filled_in_part_holds_what_the_rest_will_close() -> None:
    desk = Desk()
    opened(desk, ("buy", "10000", "1.1002", A_BOOK), ("buy", "10000", "1.1002", A_BOOK))
    desk.tell(ModifyPosition(ACCOUNT, 2, e8("1.095"), 0, 0))
    desk.tell(SubmitOrder(ACCOUNT, "out", terms("EURUSD", SELL, "20000", reduce_only=True)))
    desk.says(FILL, "3-1", "5000", "1.1", exec_id="e1")
    assert desk.tick("1.09500", "1.09520") == []
    desk.says(FILL, "3-1", "15000", "1.095", exec_id="e2")
    assert desk.positions == []


def test_a_trailing_stop_follows_once_whatever_comes_and_goes() -> None:
    desk = Desk()
    opened(desk, ("buy", "10000", "1.1002", A_BOOK))
    desk.tell(ModifyPosition(ACCOUNT, 1, 0, 0, e8("0.005")))
    for number in range(2, 5):
        desk.tell(SubmitOrder(ACCOUNT, f"far-{number}", terms("EURUSD", SELL, "1000", OrderType.LIMIT, limit="1.2")))
        desk.tell(CancelOrder(ACCOUNT, number))
    (prices,) = desk.state.prices["EURUSD"].by_markup.values()
    assert len(prices.triggers.below_bid) == 1


def test_a_trailing_stop_that_was_reached_while_a_venue_closed_its_position_goes_when_that_fails() -> None:
    """At the next price that is no better, 50 pips below the best."""
    desk = Desk()
    opened(desk, ("buy", "10000", "1.1002", A_BOOK))
    desk.tell(ModifyPosition(ACCOUNT, 1, 0, 0, e8("0.005")))
    desk.tell(closing(1))
    assert desk.tick("1.09500", "1.09520") == []
    desk.says(REJECTED, "2-1")
    desk.says(REJECTED, "2-2")
    assert children(desk.tick("1.09500", "1.09520")) == [("3-1", "LMAX", e8("10000"))]
