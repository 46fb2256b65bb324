import pytest

from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderReason, Position, Side
from actors.domain.trigger import SPARE_ENTRIES, Reached, Triggers
from tests.examples import tick

STOP, PROFIT = OrderReason.STOP_LOSS, OrderReason.TAKE_PROFIT


def position(
    position_id: int, side: Side, stop_loss: str = "0", take_profit: str = "0", account_id: int = 1
) -> Position:
    return Position(position_id, account_id, "EURUSD", side, 1, e8("1.1"), 0, e8(stop_loss), e8(take_profit), 0)


@pytest.mark.parametrize(
    ("watched", "bid", "ask", "reason"),
    [
        # A long closes at the bid.
        (position(1, Side.BUY, "1.09000", "1.11000"), "1.09001", "1.09003", None),
        (position(1, Side.BUY, "1.09000", "1.11000"), "1.09000", "1.09002", STOP),
        (position(1, Side.BUY, "1.09000", "1.11000"), "1.05000", "1.05002", STOP),
        (position(1, Side.BUY, "1.09000", "1.11000"), "1.10999", "1.11001", None),
        (position(1, Side.BUY, "1.09000", "1.11000"), "1.11000", "1.11002", PROFIT),
        (position(1, Side.BUY, "1.09000", "1.11000"), "1.15000", "1.15002", PROFIT),
        # A short closes at the ask.
        (position(1, Side.SELL, "1.11000", "1.09000"), "1.10997", "1.10999", None),
        (position(1, Side.SELL, "1.11000", "1.09000"), "1.10998", "1.11000", STOP),
        (position(1, Side.SELL, "1.11000", "1.09000"), "1.15000", "1.15002", STOP),
        (position(1, Side.SELL, "1.11000", "1.09000"), "1.08999", "1.09001", None),
        (position(1, Side.SELL, "1.11000", "1.09000"), "1.08998", "1.09000", PROFIT),
        (position(1, Side.SELL, "1.11000", "1.09000"), "1.05000", "1.05002", PROFIT),
        # Without prices nothing is watched.
        (position(1, Side.BUY), "0.00001", "99999", None),
        (position(1, Side.SELL), "0.00001", "99999", None),
    ],
)
def test_what_a_tick_reaches(watched: Position, bid: str, ask: str, reason: OrderReason | None) -> None:
    triggers = Triggers()
    triggers.watch(watched)
    assert triggers.reached(tick("EURUSD", bid, ask)) == ([Reached(1, 1, reason)] if reason else [])


def test_what_was_reached_is_taken_out() -> None:
    triggers = Triggers()
    triggers.watch(position(1, Side.BUY, "1.09"))
    assert triggers.reached(tick("EURUSD", "1.08", "1.09")) == [Reached(1, 1, STOP)]
    assert triggers.reached(tick("EURUSD", "1.08", "1.09")) == []


def test_one_tick_reaches_many_in_order_of_position_and_leaves_the_rest() -> None:
    """Longs with stops at 1.09, 1.08, 1.10 and a short whose profit is at 1.092: the tick is 1.09000/1.09100."""
    triggers = Triggers()
    for watched in (
        position(4, Side.SELL, "1.20", "1.092", account_id=2),
        position(3, Side.BUY, "1.10"),
        position(2, Side.BUY, "1.08"),
        position(1, Side.BUY, "1.09"),
    ):
        triggers.watch(watched)
    assert triggers.reached(tick("EURUSD", "1.09000", "1.09100")) == [
        Reached(1, 1, STOP),
        Reached(3, 1, STOP),
        Reached(4, 2, PROFIT),
    ]
    assert triggers.reached(tick("EURUSD", "1.08000", "1.08100")) == [Reached(2, 1, STOP)]


def test_positions_that_have_gone_do_not_pile_up() -> None:
    triggers = Triggers()
    triggers.watch(position(1, Side.BUY, "1.08", "1.2"))
    for number in range(2, 10_000):
        triggers.watch(position(number, Side.SELL, "1.2", "1.08"))
        triggers.forget(number)
        triggers.forget(number)
    assert len(triggers) <= 2 + SPARE_ENTRIES
    found = triggers.reached(tick("EURUSD", "1.07", "1.071"))
    assert Reached(1, 1, STOP) in found
    triggers.watch(position(10_000, Side.BUY, "1.0"))
    assert Reached(10_000, 1, STOP) in triggers.reached(tick("EURUSD", "0.9", "0.901"))
