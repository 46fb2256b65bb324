"""Limits of groups and of single accounts, and which of them holds. Prices are those of examples.py."""

import msgspec
import pytest

from actors.answering.reports import account_report
from actors.domain.broker import apply
from actors.domain.commands import DefineGroup, ModifyOrder, ReversePosition, SetLimits, SubmitOrder
from actors.domain.events.orders import OrderAccepted
from actors.domain.events.terms import LimitsSet
from actors.domain.group import STANDARD, Group
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Order, OrderType, Side
from actors.domain.refusal import Code
from actors.domain.risk.limits import AS_THE_GROUP, ExposureLimit, Limits, in_force
from actors.domain.snapshot import restore, snapshot
from actors.domain.state import State
from tests.actors.domain.deals import NOW_NS, filled, refusal, rejection
from tests.examples import ACCOUNT, SECOND_NS, closing, encoded, order, terms, trading_state

BUY, SELL = Side.BUY, Side.SELL
NOBODY = ExposureLimit("USD", 1, 1)


def own(state: State, limits: Limits) -> State:
    assert apply(state, SetLimits(ACCOUNT, limits, "olga"), NOW_NS) == [LimitsSet(ACCOUNT, limits, "olga")]
    return state


def test_each_limit_of_its_own_holds_and_the_groups_elsewhere() -> None:
    group = Limits(500, 2_000, 20, e8("50"), ExposureLimit("USD", 1_000_00, 2_000_00))
    assert in_force(group, AS_THE_GROUP) == group
    wider = Limits(600, 3_000, 30, e8("60"), ExposureLimit("EUR", 0, 3_000_00))
    assert in_force(group, wider) == wider
    free = ExposureLimit("USD")
    assert in_force(group, Limits(0, 0, 0, 0, free)) == msgspec.structs.replace(group, exposure=free)
    assert in_force(group, Limits(0, 1, 0, 0)) == msgspec.structs.replace(group, positions=1)
    assert in_force(group, Limits(0, 0, 0, 0, NOBODY)) == msgspec.structs.replace(group, exposure=NOBODY)


def test_the_same_limits_again_change_nothing_and_a_snapshot_keeps_them() -> None:
    state = own(trading_state(), Limits(positions=1))
    assert apply(state, SetLimits(ACCOUNT, Limits(positions=1), "anna"), NOW_NS) == []
    copy = restore(snapshot(state))
    assert encoded(copy) == encoded(state)
    assert copy.accounts[ACCOUNT].limits == state.accounts[ACCOUNT].limits == Limits(500, 1)


def test_the_account_report_has_the_limits_in_force() -> None:
    state = own(trading_state(), Limits(waiting_orders=0, positions=7))
    assert account_report(state, ACCOUNT, NOW_NS).limits == Limits(500, 7)


def test_other_terms_of_the_group_leave_an_accounts_own_limits() -> None:
    state = own(trading_state(), Limits(waiting_orders=0, positions=7))
    apply(state, DefineGroup(Group(STANDARD, limits=Limits(10, 20, 30))), NOW_NS)
    assert state.accounts[ACCOUNT].limits == Limits(10, 7, 30)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(positions=1), ("TOO_MANY_POSITIONS", "the account has 1 open positions: close one first")),
        (Limits(orders_per_second=1), ("LIMIT_EXCEEDED", "1 orders in this second, at most 1")),
    ],
)
def test_an_account_is_limited_beyond_its_group(limits: Limits, expected: tuple[str, str]) -> None:
    state = own(trading_state(), limits)
    filled(state, order("EURUSD", BUY, "1000"))
    assert rejection(state, order("EURUSD", BUY, "1000", "second")) == expected


def test_an_accounts_own_limit_may_be_wider_than_its_groups() -> None:
    state = trading_state()
    apply(state, DefineGroup(Group(STANDARD, limits=Limits(positions=1))), NOW_NS)
    own(state, Limits(positions=2))
    filled(state, order("EURUSD", BUY, "1000"))
    filled(state, order("EURUSD", BUY, "1000", "second"))
    assert rejection(state, order("EURUSD", BUY, "1000", "third"))[0] == "TOO_MANY_POSITIONS"


def test_waiting_orders_are_limited_by_account() -> None:
    state = own(trading_state(), Limits(waiting_orders=1))
    far = terms("EURUSD", BUY, "1000", OrderType.LIMIT, limit="1.09")
    (event,) = apply(state, SubmitOrder(ACCOUNT, "first", far), NOW_NS)
    assert isinstance(event, OrderAccepted)
    expected = ("TOO_MANY_ORDERS", "1 orders wait already, at most 1 may")
    assert rejection(state, SubmitOrder(ACCOUNT, "second", far)) == expected


def waiting(state: State, quantity: str) -> Order:
    far = terms("EURUSD", BUY, quantity, OrderType.LIMIT, limit="1.09")
    (event,) = apply(state, SubmitOrder(ACCOUNT, "waits", far), NOW_NS)
    assert isinstance(event, OrderAccepted)
    return event.order


SIZE = "quantity 20001 > 0.2 lots of 100000, the largest order of the account"


def test_the_largest_order_is_in_lots_of_the_instrument() -> None:
    state = own(trading_state(), Limits(order_lots_e8=e8("0.2")))
    assert rejection(state, order("EURUSD", BUY, "20001")) == ("LIMIT_EXCEEDED", SIZE)
    far = terms("EURUSD", BUY, "20001", OrderType.LIMIT, limit="1.09")
    assert rejection(state, SubmitOrder(ACCOUNT, "far", far)) == ("LIMIT_EXCEEDED", SIZE)
    filled(state, order("EURUSD", BUY, "20000", "as large as may be"))


def test_a_waiting_order_does_not_grow_beyond_the_largest() -> None:
    state = own(trading_state(), Limits(order_lots_e8=e8("0.2")))
    it = waiting(state, "20000")
    larger = msgspec.structs.replace(it.terms, quantity_e8=e8("20001"))
    assert refusal(state, ModifyOrder(ACCOUNT, it.order_id, larger)) == (Code.LIMIT_EXCEEDED, SIZE, "quantity")


def test_what_closes_is_never_too_large_but_a_reversal_may_be() -> None:
    state = trading_state()
    filled(state, order("EURUSD", BUY, "20001"))
    own(state, Limits(order_lots_e8=e8("0.2")))
    assert refusal(state, ReversePosition(ACCOUNT, "turn", 1)) == (Code.LIMIT_EXCEEDED, SIZE, "quantity")
    filled(state, closing(1))


@pytest.mark.parametrize(
    "limits",
    [
        Limits(waiting_orders=-1),
        Limits(positions=-1),
        Limits(orders_per_second=10**8),
        Limits(order_lots_e8=-1),
        Limits(exposure=ExposureLimit("", 1)),
        Limits(exposure=ExposureLimit("usd", 1)),
        Limits(exposure=ExposureLimit("USD", -1, 1)),
        Limits(exposure=ExposureLimit("USD", 0, 10**17 + 1)),
    ],
)
def test_limits_that_cannot_be_meant_are_refused(limits: Limits) -> None:
    assert refusal(trading_state(), SetLimits(ACCOUNT, limits, "olga"))[0] is Code.BAD_TERMS
    assert refusal(trading_state(), DefineGroup(Group(STANDARD, limits=limits)))[0] is Code.BAD_TERMS
    if limits.exposure != ExposureLimit():
        assert refusal(trading_state(), DefineGroup(Group(STANDARD, exposure=limits.exposure)))[0] is Code.BAD_TERMS


def test_limits_are_of_an_account_that_is_there_and_set_by_somebody() -> None:
    assert refusal(trading_state(), SetLimits(9, Limits(), "olga"))[0] is Code.UNKNOWN_ACCOUNT
    assert refusal(trading_state(), SetLimits(ACCOUNT, Limits(), ""))[0] is Code.BAD_ACTOR


def test_orders_of_the_next_second_are_counted_anew() -> None:
    state = own(trading_state(), Limits(orders_per_second=1))
    filled(state, order("EURUSD", BUY, "1000"))
    filled(state, order("EURUSD", BUY, "1000", "second"), NOW_NS + SECOND_NS)
