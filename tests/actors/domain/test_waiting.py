"""What waits and was given up does not pile up."""

import pytest

from actors.domain.broker import apply
from actors.domain.commands import CancelOrder, ModifyPosition, ObserveTicks, SubmitOrder
from actors.domain.events.orders import OrderEnded, OrderFilled
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderStatus, OrderType, Side, TimeInForce
from actors.domain.snapshot import restore, snapshot
from actors.domain.trigger import SPARE_ENTRIES
from tests.actors.domain.deals import NOW_NS, filled
from tests.examples import ACCOUNT, SECOND_NS, encoded, order, terms, tick, trading_state

BUY, SELL = Side.BUY, Side.SELL
TIMES = 3 * SPARE_ENTRIES


def test_ends_of_orders_that_are_gone_are_cleared_away() -> None:
    """Of an order that stays the end stays too, and comes."""
    state = trading_state()
    stays = terms(
        "EURUSD", BUY, "1", OrderType.LIMIT, limit="1", time_in_force=TimeInForce.GTD, expires_ns=NOW_NS + SECOND_NS
    )
    goes = terms(
        "EURUSD", BUY, "1", OrderType.LIMIT, limit="1", time_in_force=TimeInForce.GTD, expires_ns=NOW_NS + 9 * SECOND_NS
    )
    apply(state, SubmitOrder(ACCOUNT, "stays", stays), NOW_NS)
    for number in range(2, TIMES):
        apply(state, SubmitOrder(ACCOUNT, f"goes-{number}", goes), NOW_NS)
        apply(state, CancelOrder(ACCOUNT, number), NOW_NS)
        assert len(state.expiries) <= SPARE_ENTRIES + 4
    later_ns = NOW_NS + SECOND_NS
    (event,) = apply(state, ObserveTicks((tick("GBPUSD", "1.25", "1.26", 2),)), later_ns)
    assert isinstance(event, OrderEnded)
    assert (event.order.client_order_id, event.order.status) == ("stays", OrderStatus.EXPIRED)


@pytest.mark.parametrize("side", Side)
def test_trailing_stops_that_were_given_up_are_cleared_away(side: Side) -> None:
    """Another distance each time; the last one is the one that holds."""
    state = trading_state()
    filled(state, order("EURUSD", side, "1000"))
    for number in range(TIMES):
        apply(state, ModifyPosition(ACCOUNT, 1, 0, 0, e8("0.02") + e8("0.00001") * (number % 2)), NOW_NS)
        triggers = state.prices["EURUSD"].of(state.accounts[ACCOUNT].group).triggers
        assert len(triggers.below_bid) + len(triggers.above_ask) <= SPARE_ENTRIES + 2
    copy = restore(snapshot(state))
    for one in (state, copy):
        up, down = ("1.12", "1.1202"), ("1.08", "1.0802")
        ahead, back = (up, down) if side is BUY else (down, up)
        assert apply(one, ObserveTicks((tick("EURUSD", *ahead, 2),)), NOW_NS) == []
        (event,) = apply(one, ObserveTicks((tick("EURUSD", *back, 3),)), NOW_NS)
        assert isinstance(event, OrderFilled)
    assert encoded(copy) == encoded(state)


def test_a_restored_state_follows_from_the_same_prices() -> None:
    """A trail that was given up makes no difference to where the next begins, though only one of the two has it."""
    state = trading_state()
    filled(state, order("EURUSD", BUY, "1000"))
    apply(state, ModifyPosition(ACCOUNT, 1, 0, 0, e8("0.03")), NOW_NS)
    apply(state, ModifyPosition(ACCOUNT, 1, 0, 0, 0), NOW_NS)
    # No price for trails to follow, and yet the price of the symbol from now on.
    apply(state, ObserveTicks((tick("EURUSD", "1.2", "1.2002", 2, live=False),)), NOW_NS)
    copy = restore(snapshot(state))
    for one in (state, copy):
        apply(one, ObserveTicks((tick("EURUSD", "1.19", "1.1902", 3),)), NOW_NS)
        apply(one, ModifyPosition(ACCOUNT, 1, 0, 0, e8("0.03")), NOW_NS)
    assert encoded(copy) == encoded(state)
    trails = [one.prices["EURUSD"].of(one.accounts[ACCOUNT].group).triggers.below_bid for one in (state, copy)]
    assert [len(trail) for trail in trails] == [2, 1]
