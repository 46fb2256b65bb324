"""Orders that wait, of each type: when they are dealt, at which price, and how they end.

EURUSD begins at 1.10000/1.10020; orders are for 10,000 where nothing else is said.
"""

from typing import Any

import msgspec
import pytest

from actors.domain.calendar import MINUTE_NS
from actors.domain.commands import SubmitOrder
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderType, Side, TimeInForce
from actors.domain.refusal import Code
from tests.actors.domain.deals import NOW_NS, refusal
from tests.actors.domain.waiting import Desk
from tests.examples import ACCOUNT, SECOND_NS, terms

BUY, SELL = Side.BUY, Side.SELL
MARKET, LIMIT, STOP, STOP_LIMIT = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT
TOUCHED, TRAILING = OrderType.MARKET_IF_TOUCHED, OrderType.TRAILING_STOP
GTD, DAY, IOC, FOK = TimeInForce.GTD, TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK


@pytest.mark.parametrize(
    ("side", "kind", "prices", "not_yet", "at", "gap"),
    [
        # Better than the market: a buy waits for the ask to fall, a sell for the bid to rise.
        (BUY, LIMIT, {"limit": "1.09"}, ("1.08990", "1.09001"), ("1.08980", "1.09000"), ("1.07980", "1.08000")),
        (SELL, LIMIT, {"limit": "1.11"}, ("1.10999", "1.11020"), ("1.11000", "1.11020"), ("1.12000", "1.12020")),
        (BUY, TOUCHED, {"stop": "1.09"}, ("1.08990", "1.09001"), ("1.08980", "1.09000"), ("1.07980", "1.08000")),
        (SELL, TOUCHED, {"stop": "1.11"}, ("1.10999", "1.11020"), ("1.11000", "1.11020"), ("1.12000", "1.12020")),
        # Worse than the market: a buy waits for the ask to rise, a sell for the bid to fall.
        (BUY, STOP, {"stop": "1.11"}, ("1.10990", "1.10999"), ("1.10980", "1.11000"), ("1.11980", "1.12000")),
        (SELL, STOP, {"stop": "1.09"}, ("1.09001", "1.09010"), ("1.09000", "1.09020"), ("1.08000", "1.08020")),
    ],
)
def test_an_order_waits_for_its_side_of_the_spread(
    side: Side,
    kind: OrderType,
    prices: dict[str, str],
    not_yet: tuple[str, str],
    at: tuple[str, str],
    gap: tuple[str, str],
) -> None:
    """And is dealt at the first price that is there, at its own or behind a gap."""
    for bid, ask in (at, gap):
        desk = Desk()
        assert desk.submit(side, kind, **prices) == ["1 accepted working"]
        assert desk.tick(*not_yet) == []
        assert desk.tick(*gap, live=False) == []
        price = ask if side is BUY else bid
        assert desk.tick(bid, ask) == [f"1 client: {side.value}s 10000 at {price}"]
        assert desk.positions() == [f"1: {side.value} 10000 at {price}"]
        assert desk.account.orders == {}


@pytest.mark.parametrize(("side", "limit", "price"), [(BUY, "1.1002", "1.10020"), (SELL, "1.1", "1.10000")])
def test_a_limit_order_whose_price_is_there_is_dealt_at_once(side: Side, limit: str, price: str) -> None:
    assert Desk().submit(side, LIMIT, limit=limit) == [f"1 client: {side.value}s 10000 at {price}"]


def test_a_limit_order_is_dealt_at_the_better_price() -> None:
    assert Desk().submit(BUY, LIMIT, limit="1.2") == ["1 client: buys 10000 at 1.10020"]


@pytest.mark.parametrize(
    ("side", "kind", "stop"),
    [
        (BUY, STOP, "1.1002"),
        (BUY, STOP, "1.1"),
        (SELL, STOP, "1.1"),
        (SELL, STOP, "1.1002"),
        (BUY, TOUCHED, "1.1002"),
        (BUY, TOUCHED, "1.11"),
        (SELL, TOUCHED, "1.1"),
        (SELL, TOUCHED, "1.09"),
    ],
)
def test_a_stop_on_the_wrong_side_of_the_market_is_rejected(side: Side, kind: OrderType, stop: str) -> None:
    assert Desk().submit(side, kind, stop=stop) == ["1 rejected WRONG_SIDE_OF_MARKET"]


def test_a_stop_limit_order_that_is_marketable_when_it_triggers_is_dealt() -> None:
    desk = Desk()
    desk.submit(BUY, STOP_LIMIT, stop="1.11", limit="1.112")
    assert desk.tick("1.11100", "1.11120") == ["1 client: buys 10000 at 1.11120"]


def test_a_stop_limit_order_waits_for_its_limit_once_it_has_triggered() -> None:
    """Buy above 1.11, but not above 1.112: the market gaps to 1.12, and comes back."""
    desk = Desk()
    desk.submit(BUY, STOP_LIMIT, stop="1.11", limit="1.112")
    assert desk.tick("1.11980", "1.12000") == ["1 modified triggered"]
    assert desk.tick("1.11190", "1.11201") == []
    assert desk.tick("1.11180", "1.11200") == ["1 client: buys 10000 at 1.11200"]


def test_a_stop_that_is_reached_twice_does_not_deal_beyond_the_limit() -> None:
    """Stop and limit are the same price; the stop was changed and changed back, so that it waits there twice."""
    desk = Desk()
    desk.submit(BUY, STOP_LIMIT, stop="1.11", limit="1.11")
    asked = desk.order(1).terms
    for stop in ("1.12", "1.11"):
        assert desk.modify(1, msgspec.structs.replace(asked, stop_e8=e8(stop))) == ["1 modified working"]
    assert desk.tick("1.12980", "1.13000") == ["1 modified triggered"]
    assert desk.positions() == []


def test_a_trailing_stop_order_follows_the_market_on_its_own_side() -> None:
    """A sell at 0.00500 below the best bid: from 1.10000 up to 1.10800, dealt at 1.10300 or what follows a gap."""
    desk = Desk()
    assert desk.submit(SELL, TRAILING, trail="0.005") == ["1 accepted working"]
    for bid, ask in (("1.09501", "1.09521"), ("1.10800", "1.10820"), ("1.10301", "1.10302")):
        assert desk.tick(bid, ask) == []
    assert desk.tick("1.10250", "1.10900") == ["1 client: sells 10000 at 1.10250"]


def test_a_trailing_stop_order_to_buy_follows_the_ask_down() -> None:
    desk = Desk()
    desk.submit(BUY, TRAILING, trail="0.005")
    for bid, ask in (("1.10499", "1.10519"), ("1.09180", "1.09200"), ("1.00000", "1.09699")):
        assert desk.tick(bid, ask) == []
    assert desk.tick("1.00000", "1.09700") == ["1 client: buys 10000 at 1.09700"]


def test_a_trailing_stop_order_keeps_its_peak_when_something_else_is_changed() -> None:
    desk = Desk()
    desk.submit(SELL, TRAILING, trail="0.005")
    desk.tick("1.10800", "1.10820")
    desk.tick("1.10500", "1.10520")
    assert desk.modify(1, terms("EURUSD", SELL, "4000", TRAILING, trail="0.005")) == ["1 modified working"]
    assert desk.tick("1.10300", "1.10320") == ["1 client: sells 4000 at 1.10300"]


@pytest.mark.parametrize(("first", "then"), [("0.005", "0.02"), ("0.02", "0.005")])
def test_a_new_distance_begins_at_the_market_and_the_old_one_is_forgotten(first: str, then: str) -> None:
    """Changed between two ticks, so that both begin at the same one."""
    desk = Desk()
    desk.submit(SELL, TRAILING, trail=first)
    assert desk.modify(1, terms("EURUSD", SELL, "10000", TRAILING, trail=then)) == ["1 modified working"]
    reached = {"0.005": "1.09500", "0.02": "1.08000"}[then]
    above = {"0.005": "1.09501", "0.02": "1.08001"}[then]
    assert desk.tick(above, "1.10020") == []
    assert desk.tick(reached, "1.10020") == [f"1 client: sells 10000 at {reached}"]


@pytest.mark.parametrize("force", [IOC, FOK])
@pytest.mark.parametrize(
    ("kind", "prices"),
    [
        (LIMIT, {"limit": "1.09"}),
        (STOP, {"stop": "1.11"}),
        (STOP_LIMIT, {"stop": "1.11", "limit": "1.11"}),
        (TOUCHED, {"stop": "1.09"}),
        (TRAILING, {"trail": "0.01"}),
    ],
)
def test_what_is_for_now_does_not_wait(force: TimeInForce, kind: OrderType, prices: dict[str, Any]) -> None:
    desk = Desk()
    assert desk.submit(BUY, kind, time_in_force=force, **prices) == ["1 cancelled NOT_MARKETABLE"]
    assert desk.account.orders == {}


@pytest.mark.parametrize("force", [IOC, FOK, DAY])
def test_what_is_for_now_is_dealt_whole_where_its_price_is_there(force: TimeInForce) -> None:
    assert Desk().submit(BUY, LIMIT, limit="1.1002", time_in_force=force) == ["1 client: buys 10000 at 1.10020"]
    assert Desk().submit(BUY, MARKET, time_in_force=force) == ["1 client: buys 10000 at 1.10020"]


def test_an_order_good_till_a_date_ends_there() -> None:
    """Also where the tick that comes with its end would have reached it."""
    desk = Desk()
    end_ns = NOW_NS + 2 * SECOND_NS
    desk.submit(BUY, LIMIT, limit="1.09", time_in_force=GTD, expires_ns=end_ns)
    assert desk.later(end_ns - 1) == []
    desk.now_ns = end_ns
    assert desk.tick("1.08", "1.0802") == ["1 expired EXPIRED"]


@pytest.mark.parametrize("expires_ns", [0, NOW_NS, NOW_NS - 1, 2**62])
def test_good_till_a_date_needs_one_that_lies_ahead(expires_ns: int) -> None:
    asked = terms("EURUSD", BUY, "1", LIMIT, limit="1.09", time_in_force=GTD, expires_ns=expires_ns)
    assert refusal(Desk().state, SubmitOrder(ACCOUNT, "x", asked))[::2] == (Code.BAD_TERMS, "expires")


def test_a_day_order_ends_at_five_in_new_york() -> None:
    """It begins on 19 January 2026 at 13:49:23 UTC: New York has winter time, its 17:00 is 22:00 UTC."""
    desk = Desk()
    desk.submit(BUY, LIMIT, limit="1.09", time_in_force=DAY)
    end_ns = 1_768_860_000_000_000_000
    assert desk.order(1).terms.expires_ns == end_ns
    assert desk.later(end_ns - 1) == []
    assert desk.later(end_ns) == ["1 expired EXPIRED", "daysealed"]


def test_a_day_order_of_summer_ends_an_hour_earlier() -> None:
    """On 1 July 2026 17:00 in New York is 21:00 UTC. After it an order is for the next day."""
    desk = Desk()
    roll_ns = 1_782_939_600_000_000_000
    desk.later(roll_ns - MINUTE_NS)
    desk.submit(BUY, LIMIT, limit="1.09", time_in_force=DAY)
    assert desk.later(roll_ns) == ["1 expired EXPIRED", "daysealed"]
    desk.submit(BUY, LIMIT, limit="1.09", time_in_force=DAY)
    assert desk.order(2).terms.expires_ns == roll_ns + 24 * 60 * MINUTE_NS


def test_another_end_takes_the_place_of_the_first() -> None:
    desk = Desk()
    desk.submit(BUY, LIMIT, limit="1.09", time_in_force=GTD, expires_ns=NOW_NS + SECOND_NS)
    later_ns = NOW_NS + 5 * SECOND_NS
    desk.modify(1, terms("EURUSD", BUY, "10000", LIMIT, limit="1.09", time_in_force=GTD, expires_ns=later_ns))
    assert desk.later(NOW_NS + SECOND_NS) == []
    assert desk.later(later_ns) == ["1 expired EXPIRED"]


def test_a_day_order_is_known_again_and_may_be_changed_as_it_was_read() -> None:
    """It is shown with the end of its day, which the client never sent."""
    desk = Desk()
    asked = terms("EURUSD", BUY, "10000", LIMIT, limit="1.09", time_in_force=DAY)
    desk.send(asked)
    assert desk.tell(SubmitOrder(ACCOUNT, "order-1", asked)) == []
    shown = desk.order(1).terms
    assert desk.modify(1, shown) == desk.modify(1, asked) == []
    assert desk.modify(1, msgspec.structs.replace(shown, limit_e8=e8("1.08"))) == ["1 modified working"]


@pytest.mark.parametrize(("side", "bound", "is_dealt"), [
    (BUY, "1.1002", True), (BUY, "1.10019", False), (SELL, "1.1", True), (SELL, "1.10001", False),
])  # fmt: skip
def test_a_price_beyond_the_bound_is_not_dealt_at(side: Side, bound: str, is_dealt: bool) -> None:
    price = "1.10020" if side is BUY else "1.10000"
    expected = f"1 client: {side.value}s 10000 at {price}" if is_dealt else "1 rejected PRICE_BOUND"
    assert Desk().submit(side, MARKET, bound=bound) == [expected]


def test_a_stop_that_gaps_beyond_its_bound_is_cancelled() -> None:
    desk = Desk()
    desk.submit(BUY, STOP, stop="1.11", bound="1.112")
    assert desk.tick("1.11980", "1.12000") == ["1 cancelled PRICE_BOUND"]


def test_a_waiting_order_that_cannot_be_paid_for_is_cancelled_when_it_is_reached() -> None:
    """100 USD for 10,000 at 1.09: 362.97 of margin."""
    desk = Desk(deposit="100.00")
    assert desk.submit(BUY, LIMIT, limit="1.09") == ["1 accepted working"]
    assert desk.tick("1.08980", "1.09000") == ["1 cancelled INSUFFICIENT_MARGIN"]


@pytest.mark.parametrize(
    ("kind", "prices", "field"),
    [
        (MARKET, {"limit": "1"}, "limit"),
        (MARKET, {"stop": "1"}, "stop"),
        (MARKET, {"trail": "1"}, "trail"),
        (LIMIT, {}, "limit"),
        (LIMIT, {"limit": "1", "stop": "1"}, "stop"),
        (STOP_LIMIT, {"stop": "1.2"}, "limit"),
        (STOP_LIMIT, {"limit": "1.2"}, "stop"),
        (TRAILING, {}, "trail"),
        (TRAILING, {"trail": "0.1", "limit": "1"}, "limit"),
        (LIMIT, {"limit": "1", "expires_ns": NOW_NS + 1}, "expires"),
        (LIMIT, {"limit": "1", "oco": "x" * 33}, "oco"),
        (LIMIT, {"limit": "1", "oco": "a\n"}, "oco"),
    ],
)
def test_an_order_says_what_its_type_needs_and_no_more(kind: OrderType, prices: dict[str, Any], field: str) -> None:
    asked = terms("EURUSD", BUY, "1", kind, **prices)
    assert refusal(Desk().state, SubmitOrder(ACCOUNT, "x", asked))[::2] == (Code.BAD_TERMS, field)
