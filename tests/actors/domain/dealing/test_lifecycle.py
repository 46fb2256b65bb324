"""The table of an order's life, read the other way round: what may never happen."""

from itertools import product

import pytest

from actors.domain.dealing.lifecycle import TABLE, Step, after
from actors.domain.order import OrderStatus

WORKING, TRIGGERED = OrderStatus.WORKING, OrderStatus.TRIGGERED
ENDS = [OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED]


@pytest.mark.parametrize(("status", "step"), list(product(ENDS, Step)))
def test_after_its_end_nothing_happens_to_an_order(status: OrderStatus, step: Step) -> None:
    with pytest.raises(KeyError):
        after(status, step)


def test_an_order_triggers_once() -> None:
    assert after(WORKING, Step.TRIGGER) is TRIGGERED
    with pytest.raises(KeyError):
        after(TRIGGERED, Step.TRIGGER)


@pytest.mark.parametrize("status", [WORKING, TRIGGERED])
def test_what_waits_may_change_and_end(status: OrderStatus) -> None:
    assert after(status, Step.MODIFY) is status
    ends = [after(status, step) for step in (Step.FILL, Step.CANCEL, Step.EXPIRE)]
    assert ends == [OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED]


def test_every_status_is_in_the_table_but_the_one_that_is_no_orders() -> None:
    """A refused order never was one: REJECTED is nobody's next status."""
    assert {status for status, _ in TABLE} == {WORKING, TRIGGERED}
    assert set(TABLE.values()) == set(OrderStatus) - {OrderStatus.REJECTED}
