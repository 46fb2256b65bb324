"""One cancels the others, where a venue has one of them. EURUSD is at 1.10000/1.10020; LMAX is asked, then CURRENEX."""

import pytest

from actors.domain.commands import ModifyOrder, ObserveStream, SubmitOrder
from actors.domain.events.event import Event
from actors.domain.events.orders import OrderAccepted, OrderEnded, OrderFilled, OrderModified, OrderRejected
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderReason, OrderStatus, OrderType, Side
from actors.domain.refusal import Code
from actors.domain.routing.child import ReportKind
from actors.domain.routing.execution import ANSWER_LIMIT_NS
from actors.domain.snapshot import restore, snapshot
from tests.actors.domain.deals import refusal
from tests.actors.domain.venue_desk import BUY, SELL, Desk
from tests.examples import ACCOUNT, order, terms

STOP, LIMIT, MARKET, TRAIL = OrderType.STOP, OrderType.LIMIT, OrderType.MARKET, OrderType.TRAILING_STOP


def wait(desk: Desk, name: str, side: Side, kind: OrderType, mark: str = "pair", **prices: str) -> None:
    (accepted,) = desk.tell(SubmitOrder(ACCOUNT, name, terms("EURUSD", side, "10000", kind, oco=mark, **prices)))  # type: ignore[arg-type]
    assert isinstance(accepted, OrderAccepted)


def at_venue(desk: Desk) -> list[int]:
    return [it.order_id for it in desk.account.orders.values() if it.at_venue_e8]


def refused(desk: Desk, child: str) -> list[Event]:
    """By both venues."""
    desk.says(ReportKind.REJECTED, f"{child}-1")
    return desk.says(ReportKind.REJECTED, f"{child}-2")


def pair() -> Desk:
    """Two stops to buy, both reached by one tick: the older one is at LMAX."""
    desk = Desk()
    wait(desk, "a", BUY, STOP, stop="1.11")
    wait(desk, "b", BUY, STOP, stop="1.105")
    desk.tick("1.11980", "1.12000")
    assert (at_venue(desk), list(desk.account.orders)) == ([1], [1, 2])
    return desk


@pytest.mark.parametrize("restarts", [False, True])
def test_while_a_venue_has_one_the_other_is_held_and_lives_where_nothing_was_filled(restarts: bool) -> None:
    desk = pair()
    assert desk.tick("1.12100", "1.12120") == []
    if restarts:
        desk.state = restore(snapshot(desk.state))
    ended = refused(desk, "1")[-1]
    assert isinstance(ended, OrderEnded)
    assert (ended.order.order_id, list(desk.account.orders), at_venue(desk)) == (1, [2], [])
    desk.tick("1.12100", "1.12130")
    assert at_venue(desk) == [2]


def test_one_that_is_held_waits_for_its_price_again() -> None:
    """It was reached meanwhile, and the price has gone back."""
    desk = pair()
    refused(desk, "1")
    assert desk.tick("1.10000", "1.10020") == []
    desk.tick("1.10500", "1.10500")
    assert at_venue(desk) == [2]


@pytest.mark.parametrize("quantity", ["1", "10000"])
def test_what_is_filled_of_one_cancels_the_others(quantity: str) -> None:
    desk = pair()
    wait(desk, "c", SELL, STOP, "another", stop="1.05")
    (_, filled, cancelled, *_) = desk.says(ReportKind.FILL, "1-1", quantity, "1.12")
    assert isinstance(filled, OrderFilled)
    assert isinstance(cancelled, OrderEnded)
    assert (cancelled.order.order_id, cancelled.order.status, cancelled.code) == (2, OrderStatus.CANCELLED, "OCO")
    assert list(desk.account.orders) == ([1, 3] if quantity == "1" else [3])


def test_an_unknown_outcome_holds_the_other_until_it_is_known() -> None:
    desk = pair()
    for _ in range(3):
        desk.now_ns += 8 * ANSWER_LIMIT_NS
        desk.tell(ObserveStream(desk.now_ns))
        desk.tick("1.12100", "1.12120")
        assert at_venue(desk) == [1]
    desk.says(ReportKind.FILL, "1-1", "10000", "1.12")
    assert desk.account.orders == {}
    assert [quantity_e8 for _, quantity_e8, _, _ in desk.positions] == [e8("10000")]


def test_a_fill_after_the_end_is_a_break_and_not_the_clients() -> None:
    desk = pair()
    refused(desk, "1")
    desk.tick("1.12100", "1.12130")
    desk.says(ReportKind.FILL, "1-1", "10000", "1.12")
    assert desk.positions == []
    desk.says(ReportKind.FILL, "2-1", "10000", "1.1213")
    assert [quantity_e8 for _, quantity_e8, _, _ in desk.positions] == [e8("10000")]


def test_nothing_joins_a_mark_of_which_a_venue_has_an_order() -> None:
    desk = pair()
    (rejected,) = desk.tell(SubmitOrder(ACCOUNT, "c", terms("EURUSD", SELL, "10000", MARKET, oco="pair")))
    assert isinstance(rejected, OrderRejected)
    assert (rejected.code, rejected.detail) == ("AT_VENUE", "order 1 of the same mark is with a venue")
    wait(desk, "d", BUY, LIMIT, "", limit="1.1")
    join = ModifyOrder(ACCOUNT, 4, terms("EURUSD", BUY, "10000", LIMIT, oco="pair", limit="1.1"))
    assert refusal(desk.state, join)[0] is Code.AT_VENUE


def test_one_that_leaves_the_mark_waits_by_itself() -> None:
    desk = pair()
    leave = ModifyOrder(ACCOUNT, 2, terms("EURUSD", BUY, "10000", STOP, stop="1.125", oco="other"))
    (changed,) = desk.tell(leave)
    assert isinstance(changed, OrderModified)
    desk.tick("1.12500", "1.12500")
    assert at_venue(desk) == [1, 2]


@pytest.mark.parametrize(
    ("meanwhile", "not_yet", "at"),
    [
        # It is not reached, and goes on from the best bid that it has seen.
        ("1.09501", "1.09501", "1.09500"),
        # It is, and is due again where the price is no better than when the venue gave the other back.
        ("1.09400", "1.09401", "1.09400"),
    ],
)
def test_a_trailing_stop_that_is_held_goes_on(meanwhile: str, not_yet: str, at: str) -> None:
    """50 pips behind a bid of 1.10000; meanwhile an order to buy is at the venue."""
    desk = Desk()
    wait(desk, "a", SELL, TRAIL, trail="0.005")
    wait(desk, "b", BUY, LIMIT, limit="1.099")
    desk.tick("1.09890", "1.09900")
    assert at_venue(desk) == [2]
    desk.tick(meanwhile, "1.1")
    refused(desk, "2")
    desk.tick(not_yet, "1.1")
    assert at_venue(desk) == []
    desk.tick(at, "1.1")
    assert at_venue(desk) == [1]


def test_of_a_bracket_one_closing_is_at_the_venue_at_a_time() -> None:
    """The stop loss is sent; the take profit is reached before the venue answers, and goes when it has refused."""
    desk = Desk()
    desk.tell(order("EURUSD", BUY, "10000", stop_loss="1.095", take_profit="1.105"))
    desk.says(ReportKind.FILL, "1-1", "10000", "1.10020")
    desk.tick("1.09500", "1.09520")
    assert at_venue(desk) == [2]
    assert desk.tick("1.10500", "1.10520") == []
    desk.now_ns += ANSWER_LIMIT_NS // 2
    refused(desk, "2")
    desk.tick("1.10510", "1.10520")
    (profit,) = desk.account.orders.values()
    assert (profit.reason, at_venue(desk)) == (OrderReason.TAKE_PROFIT, [3])
    desk.says(ReportKind.FILL, "3-1", "4000", "1.1051")
    assert [quantity_e8 for _, quantity_e8, _, _ in desk.positions] == [e8("6000")]
    assert desk.tick("1.09500", "1.09520") == []
    assert at_venue(desk) == [3]
