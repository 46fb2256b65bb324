"""Worked examples of margin level, margin call, stop-out and negative-balance protection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.money import parse_e8 as e8
from actors.domain.refusal import Code, Refused
from actors.domain.risk.stop_out import (
    Bounds,
    MarginLevels,
    MarginStatus,
    bounds,
    check_levels,
    forgiven_minor,
    level_e4,
    status,
    stop_out_order,
)

NORMAL, MARGIN_CALL, STOP_OUT = MarginStatus
HALF = MarginLevels(e8("1"), e8("0.5"), True)


def test_oandas_published_margin_level() -> None:
    """OANDA UK, "Margin-related calculations", example 1, OANDA One: equity 49,800.00 / margin 28,559.97 = 174.37 %."""
    assert level_e4(49_800_00, 28_559_97) == 17436  # 174.369…
    assert level_e4(49_800_00, 0) is None
    assert level_e4(-1, 3) == -3_334


@pytest.mark.parametrize(
    ("equity_minor", "expected"),
    [(100_00, NORMAL), (99_99, MARGIN_CALL), (50_00, MARGIN_CALL), (49_99, STOP_OUT), (-1, STOP_OUT)],
)
def test_levels_are_passed_below_them(equity_minor: int, expected: MarginStatus) -> None:
    """Margin 100.00: call below 100.00, stop-out below 50.00 (ESMA: less than half)."""
    assert status(equity_minor, 100_00, HALF) is expected


def test_a_published_stop_out_at_40_percent() -> None:
    """TradersWay's help: 1 lot at 1:500 takes 200 USD of margin; 40 % of it is 80: below that, positions are closed."""
    levels = MarginLevels(e8("1"), e8("0.4"), False)
    assert (status(80_00, 200_00, levels), status(79_99, 200_00, levels)) == (MARGIN_CALL, STOP_OUT)


def test_a_hedge_without_margin_is_stopped_out_when_its_money_is_gone() -> None:
    assert [status(equity_minor, 0, HALF) for equity_minor in (1, 0, -1)] == [NORMAL, NORMAL, STOP_OUT]


def test_bounds_round_up() -> None:
    """Margin 0.33: half of it is 0.165, so at 0.17 the stop-out is not reached and at 0.16 it is."""
    assert [bounds(now, 33, HALF) for now in MarginStatus] == [Bounds(33, None), Bounds(17, 33), Bounds(None, 17)]


@given(st.integers(-(10**12), 10**12), st.integers(0, 10**10), st.integers(0, e8("2")), st.integers(0, e8("2")))
def test_bounds_are_those_of_the_status(equity_minor: int, margin_minor: int, one_e8: int, other_e8: int) -> None:
    levels = MarginLevels(max(one_e8, other_e8), min(one_e8, other_e8), True)
    within = bounds(status(equity_minor, margin_minor, levels), margin_minor, levels)
    for now in MarginStatus:
        of_status = bounds(now, margin_minor, levels)
        above = of_status.floor_minor is None or equity_minor >= of_status.floor_minor
        below = of_status.ceiling_minor is None or equity_minor < of_status.ceiling_minor
        assert (above and below) == (of_status == within)


def test_the_largest_loss_goes_first() -> None:
    """Losses of 300, 120 and 120, gains of 10 and 80: the worst first, of two alike the older one, gains at the end."""
    profits = [(5, 80_00), (4, -120_00), (3, -300_00), (2, -120_00), (1, 10_00)]
    assert stop_out_order(profits) == [3, 2, 4, 1, 5]


def test_a_stop_out_goes_on_until_the_level_is_back() -> None:
    """Balance 1,000.00, margin 3 x 400.00, profits -300.00, -250.00 and +20.00: equity 470.00, 39.16 %: stop-out.

    Closing the first: balance 700.00, margin 800.00, profits -230.00: equity is still 470.00, now 58.75 %: a call.
    """
    profits = {1: -250_00, 2: -300_00, 3: 20_00}
    balance_minor, closed = 1_000_00, []
    for position_id in stop_out_order(profits.items()):
        if status(balance_minor + sum(profits.values()), 400_00 * len(profits), HALF) is not STOP_OUT:
            break
        balance_minor += profits.pop(position_id)
        closed.append(position_id)
    assert (closed, balance_minor, sum(profits.values())) == ([2], 700_00, -230_00)
    assert status(470_00, 800_00, HALF) is MARGIN_CALL


def test_what_the_broker_forgives() -> None:
    """After a gap a balance of -35.20 is brought to nothing where clients are protected, and only then."""
    unprotected = MarginLevels(e8("1"), e8("0.5"), False)
    assert [forgiven_minor(balance_minor, HALF) for balance_minor in (-35_20, 0, 35_20)] == [35_20, 0, 0]
    assert forgiven_minor(-35_20, unprotected) == 0


@pytest.mark.parametrize(("call", "stop_out"), [("0.5", "0.6"), ("1", "-0.1"), ("101", "0.5")])
def test_levels_that_contradict_each_other(call: str, stop_out: str) -> None:
    with pytest.raises(Refused) as refused:
        check_levels(MarginLevels(e8(call), e8(stop_out), True))
    assert refused.value.code is Code.BAD_INSTRUMENT
    check_levels(HALF)
