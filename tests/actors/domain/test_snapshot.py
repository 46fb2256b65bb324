"""A state that was put to rest and taken up again does what the one that never stopped does."""

import msgspec
import pytest

from actors.domain.broker import apply
from actors.domain.commands import (
    CancelOrder,
    Input,
    Mode,
    ModifyOrder,
    ModifyPosition,
    ObserveTicks,
    SubmitOrder,
)
from actors.domain.events.event import Event
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderType, Side, TimeInForce
from actors.domain.quote import Tick
from actors.domain.snapshot import Snapshot, Trails, restore, snapshot
from actors.domain.state import State
from actors.domain.trigger import Followed, Reached, Waiting
from tests.examples import ACCOUNT, SECOND_NS, START_NS, encoded, opening, terms, trading_inputs

BUY, SELL = Side.BUY, Side.SELL


def submit(name: str, side: Side, kind: OrderType, account_id: int = ACCOUNT, **more: str) -> Input:
    return SubmitOrder(account_id, name, terms("EURUSD", side, "1000", kind, **more))  # type: ignore[arg-type]


def prices(seq: int, bid: str, ask: str) -> Input:
    return ObserveTicks((Tick("EURUSD", seq, START_NS, e8(bid), e8(ask), "A", "B", True),))


DAY_ORDER = terms("EURUSD", BUY, "1000", OrderType.LIMIT, limit="1.05", time_in_force=TimeInForce.DAY)
GTD_ORDER = terms(
    "EURUSD",
    BUY,
    "1000",
    OrderType.LIMIT,
    limit="1.06",
    time_in_force=TimeInForce.GTD,
    expires_ns=START_NS + 5 * SECOND_NS,
)
DAY: list[Input] = [
    *trading_inputs(),
    *opening("20000", "EUR", 2, Mode.NETTING),
    submit("a", BUY, OrderType.MARKET, trailing_stop="0.01"),
    submit("b", SELL, OrderType.TRAILING_STOP, trail="0.02"),
    submit("c", BUY, OrderType.MARKET, 2, trailing_stop="0.03", stop_loss="1.05"),
    prices(2, "1.11000", "1.11020"),
    submit("d", BUY, OrderType.STOP_LIMIT, stop="1.12", limit="1.115"),
    submit("e", BUY, OrderType.MARKET, trailing_stop="0.015"),
    submit("f", BUY, OrderType.STOP, stop="1.13", oco="pair"),
    submit("g", SELL, OrderType.STOP, stop="1.07", oco="pair"),
    SubmitOrder(ACCOUNT, "h", DAY_ORDER),
    SubmitOrder(ACCOUNT, "i", GTD_ORDER),
    prices(3, "1.11980", "1.12000"),
    ModifyPosition(ACCOUNT, 1, 0, e8("1.2"), e8("0.005")),
    ModifyOrder(ACCOUNT, 2, terms("EURUSD", SELL, "1000", OrderType.TRAILING_STOP, trail="0.012")),
    submit("j", SELL, OrderType.MARKET_IF_TOUCHED, stop="1.15"),
    CancelOrder(ACCOUNT, 8),
    prices(4, "1.11400", "1.11420"),
    prices(5, "1.10000", "1.10020"),
    submit("k", BUY, OrderType.MARKET, 2),
    prices(6, "1.06500", "1.06520"),
    submit("l", SELL, OrderType.TRAILING_STOP, trail="0.01"),
    prices(7, "1.05900", "1.05920"),
]


def lived(inputs: list[Input], state: State) -> list[Event]:
    return [
        event for number, told in enumerate(inputs) for event in apply(state, told, START_NS + number * SECOND_NS // 10)
    ]


@pytest.mark.parametrize("cut", range(8, len(DAY)))
def test_a_restored_state_goes_on_as_if_nothing_had_been(cut: int) -> None:
    state = State()
    lived(DAY[:cut], state)
    saved = encoded(state)
    copy = restore(msgspec.msgpack.decode(saved, type=Snapshot))
    assert encoded(copy) == saved
    assert lived(DAY[cut:], copy) == lived(DAY[cut:], state)
    assert encoded(copy) == encoded(state)


def test_a_trailing_stop_is_kept_with_the_peak_that_it_has_seen() -> None:
    """From 1.10000 up to 1.12000 and back to 1.11500, 0.01 below: reached at 1.11000."""
    state = State()
    lived([*trading_inputs(), submit("a", BUY, OrderType.MARKET, trailing_stop="0.01")], state)
    lived([prices(2, "1.12", "1.1202"), prices(3, "1.115", "1.1152")], state)
    saved = snapshot(state)
    mark = state.accounts[ACCOUNT].positions[1].trail_seq
    stop = Followed(e8("0.01"), e8("1.12"), Reached(Waiting.TRAILING_STOP, 1, ACCOUNT, mark))
    assert saved.trails == [Trails("EURUSD", [stop], [])]
    copy = restore(saved)
    assert lived([prices(4, "1.11001", "1.11021")], copy) == []
    assert len(lived([prices(5, "1.11000", "1.11020")], copy)) == 1


def test_what_was_given_up_is_not_kept() -> None:
    """A distance that was changed, an order that was cancelled."""
    state = State()
    lived([*trading_inputs(), submit("a", BUY, OrderType.MARKET, trailing_stop="0.01")], state)
    lived(
        [
            ModifyPosition(ACCOUNT, 1, 0, 0, e8("0.02")),
            submit("b", SELL, OrderType.TRAILING_STOP, trail="0.02"),
            CancelOrder(ACCOUNT, 2),
        ],
        state,
    )
    (trails,) = snapshot(state).trails
    assert [(one.distance_e8, one.waiting.what) for one in trails.below_bid] == [(e8("0.02"), Waiting.TRAILING_STOP)]


def test_ends_are_kept() -> None:
    state = State()
    lived([*trading_inputs(), SubmitOrder(ACCOUNT, "i", GTD_ORDER)], state)
    copy = restore(snapshot(state))
    end_ns = START_NS + 5 * SECOND_NS
    assert apply(copy, prices(2, "1.0", "1.0002"), end_ns) == apply(state, prices(2, "1.0", "1.0002"), end_ns) != []
