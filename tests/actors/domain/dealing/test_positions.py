"""Protections and closing in all its ways. EURUSD begins at 1.10000/1.10020; orders are for 10,000 EUR.

The account has 10,000 USD.
"""

import pytest

from actors.domain.commands import (
    ClosePosition,
    ClosePositionBy,
    ClosePositions,
    Mode,
    ModifyPosition,
    ObserveTicks,
    ReversePosition,
    Which,
)
from actors.domain.events.orders import OrderFilled
from actors.domain.money import parse_e8 as e8
from actors.domain.money import parse_minor
from actors.domain.order import OrderType, Side
from actors.domain.refusal import Code, Refused
from tests.actors.domain.deals import refusal
from tests.actors.domain.waiting import Desk
from tests.examples import ACCOUNT, closing, terms, tick

BUY, SELL = Side.BUY, Side.SELL
MARKET = OrderType.MARKET
HEDGING, NETTING = Mode.HEDGING, Mode.NETTING


def test_protections_may_be_set_moved_and_taken_away() -> None:
    desk = Desk()
    desk.submit(BUY)
    assert desk.protect(1, stop="1.09", profit="1.12") == ["positionmodified"]
    assert desk.protect(1, stop="1.09", profit="1.12") == []
    assert desk.protect(1, stop="1.095", profit="0") == ["positionmodified"]
    assert desk.tick("1.12", "1.1202") == []
    assert desk.tick("1.09501", "1.09521") == []
    assert desk.tick("1.09400", "1.09420") == ["2 stop_loss: sells 10000 at 1.09400 (-62.00)"]


@pytest.mark.parametrize("change", [("0", "0"), ("1.08", "0")])
def test_a_stop_that_was_given_up_is_none(change: tuple[str, str]) -> None:
    desk = Desk()
    desk.submit(BUY, stop_loss="1.09")
    desk.protect(1, *change)
    assert desk.tick("1.08500", "1.08520") == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (ModifyPosition(ACCOUNT, 1, e8("1.1"), 0), (Code.WRONG_SIDE_OF_MARKET, "stop_loss")),
        (ModifyPosition(ACCOUNT, 1, 0, e8("1.1")), (Code.WRONG_SIDE_OF_MARKET, "take_profit")),
        (ModifyPosition(ACCOUNT, 1, e8("1.099999"), 0), (Code.PRICE_STEP, "stop_loss")),
        (ModifyPosition(ACCOUNT, 1, -1, 0), (Code.PRICE_STEP, "stop_loss")),
        (ModifyPosition(ACCOUNT, 1, 0, 0, -1), (Code.PRICE_STEP, "trailing_stop")),
        (ModifyPosition(ACCOUNT, 1, e8("1.09"), 0, seen=(1, 0, 0)), (Code.VERSION_MISMATCH, "")),
        (ModifyPosition(ACCOUNT, 2, 0, 0), (Code.UNKNOWN_POSITION, "position_id")),
    ],
)
def test_a_protection_that_makes_no_sense_is_refused(command: ModifyPosition, expected: tuple[Code, str]) -> None:
    desk = Desk()
    desk.submit(BUY)
    assert refusal(desk.state, command)[::2] == expected


@pytest.mark.parametrize(
    ("meant", "expected"),
    [
        (("GBPUSD", None), (Code.UNKNOWN_POSITION, "position 1 is one in EURUSD", "position_id")),
        (("GBPUSD", SELL), (Code.UNKNOWN_POSITION, "position 1 is one in EURUSD", "position_id")),
        (("EURUSD", BUY), (Code.NOT_OPPOSITE, "position 1 is closed by the other side", "side")),
    ],
)
def test_a_closing_of_what_the_client_does_not_mean_is_refused(
    meant: tuple[str, Side | None], expected: tuple[Code, str, str]
) -> None:
    desk = Desk()
    desk.submit(BUY)
    assert refusal(desk.state, ClosePosition(ACCOUNT, "close", 1, 0, *meant)) == expected
    (closed,) = desk.tell(ClosePosition(ACCOUNT, "close", 1, 0, "EURUSD", SELL))
    assert isinstance(closed, OrderFilled)
    assert (closed.fill.position_id, closed.fill.side) == (1, SELL)


def test_a_trailing_stop_of_a_long_follows_the_bid() -> None:
    """At 0.01: from 1.10000 up to 1.12000, so it is reached at 1.11000; behind a gap it gets what is there."""
    desk = Desk()
    desk.submit(BUY, trailing_stop="0.01")
    for bid, ask in (("1.09001", "1.09021"), ("1.12000", "1.12020"), ("1.11001", "1.11021")):
        assert desk.tick(bid, ask) == []
    assert desk.tick("1.10900", "1.10920") == ["2 trailing_stop: sells 10000 at 1.10900 (+88.00)"]


def test_a_trailing_stop_of_a_short_follows_the_ask() -> None:
    desk = Desk()
    desk.submit(SELL)
    assert desk.protect(1, trail="0.01") == ["positionmodified"]
    for bid, ask in (("1.10999", "1.11019"), ("1.07980", "1.08000"), ("1.08979", "1.08999")):
        assert desk.tick(bid, ask) == []
    assert desk.tick("1.08980", "1.09000") == ["2 trailing_stop: buys 10000 at 1.09000 (+100.00)"]


def test_a_trailing_stop_keeps_its_peak_while_other_protections_change_and_part_is_closed() -> None:
    desk = Desk()
    desk.submit(BUY, trailing_stop="0.01")
    desk.tick("1.12000", "1.12020")
    desk.tick("1.11500", "1.11520")
    desk.protect(1, stop="1.05", trail="0.01")
    desk.tell(closing(1, "part", "4000"))
    assert desk.tick("1.11001", "1.11021") == []
    assert desk.tick("1.11000", "1.11020") == ["3 trailing_stop: sells 6000 at 1.11000 (+58.80)"]


@pytest.mark.parametrize("between", [(), ("0",)])
@pytest.mark.parametrize(("first", "then"), [("0.005", "0.02"), ("0.02", "0.005")])
def test_of_two_distances_set_at_one_tick_the_last_counts(first: str, then: str, between: tuple[str, ...]) -> None:
    desk = Desk()
    desk.submit(BUY, trailing_stop=first)
    for trail in (*between, then):
        desk.protect(1, trail=trail)
    above, at = {"0.005": ("1.09501", "1.09500"), "0.02": ("1.08001", "1.08000")}[then]
    assert desk.tick(above, "1.1002") == []
    assert len(desk.tick(at, "1.1002")) == 1


def test_a_trailing_stop_that_a_netting_order_brings_takes_the_place_of_the_first() -> None:
    desk = Desk(NETTING)
    desk.submit(BUY, trailing_stop="0.005")
    desk.submit(BUY, trailing_stop="0.02")
    assert desk.tick("1.08001", "1.1002") == []
    assert len(desk.tick("1.08000", "1.1002")) == 1


@pytest.mark.parametrize(
    ("quantity", "gain", "left"), [("4000", "-0.80", ["1: buy 6000 at 1.10020"]), ("0", "-2.00", [])]
)
def test_close(quantity: str, gain: str, left: list[str]) -> None:
    """(1.10000 - 1.10020) x 4,000 = -0.80, or x 10,000 = -2.00."""
    for mode in Mode:
        desk = Desk(mode)
        desk.submit(BUY)
        (event,) = desk.tell(closing(1, quantity=quantity))
        assert isinstance(event, OrderFilled)
        assert event.fill.profit_minor == parse_minor(gain, "USD")
        assert desk.positions() == left


def test_two_opposite_positions_close_each_other_without_a_spread() -> None:
    """10,000 bought at 1.10020, 4,000 sold at 1.11000: (1.11000 - 1.10020) x 4,000 = +39.20, at any price of now."""
    desk = Desk()
    desk.submit(BUY)
    desk.tick("1.11000", "1.11020")
    desk.submit(SELL, MARKET, "4000")
    desk.tick("1.20000", "1.29000")
    assert desk.close_by(1, 2) == [
        "3 close: sells 4000 at 1.11000 (+39.20)",
        "4 close: buys 4000 at 1.11000 (+0.00)",
    ]
    assert desk.positions() == ["1: buy 6000 at 1.10020"]
    assert desk.balance_minor() == 10_039_20


def test_only_opposite_positions_of_a_symbol_close_each_other() -> None:
    desk = Desk()
    desk.submit(BUY)
    desk.submit(BUY)
    desk.send(terms("GBPUSD", SELL, "10000"))
    for one, other, code in (
        (1, 2, Code.NOT_OPPOSITE),
        (1, 1, Code.NOT_OPPOSITE),
        (1, 3, Code.NOT_OPPOSITE),
        (1, 9, Code.UNKNOWN_POSITION),
    ):
        assert refusal(desk.state, ClosePositionBy(ACCOUNT, "by", one, other))[0] is code


def many(desk: Desk) -> None:
    """A winner (1, +98.00), a loser (2, -102.00), one that is even (3), and a loser of another symbol (4, -2.00)."""
    desk.submit(BUY)
    desk.submit(SELL)
    desk.tick("1.11000", "1.11020")
    desk.submit(BUY)
    desk.tick("1.11000", "1.11020")
    desk.tick("1.11020", "1.11040")
    desk.send(terms("GBPUSD", BUY, "10000"))


@pytest.mark.parametrize(
    ("which", "symbol", "closed"),
    [
        (Which.ALL, "", [1, 2, 3, 4]),
        (Which.ALL, "EURUSD", [1, 2, 3]),
        (Which.WINNERS, "", [1]),
        (Which.LOSERS, "", [2, 4]),
        (Which.LOSERS, "GBPUSD", [4]),
    ],
)
def test_close_many(which: Which, symbol: str, closed: list[int]) -> None:
    """One order for each, and one outcome with all their fills."""
    desk = Desk()
    many(desk)
    command = ClosePositions(ACCOUNT, "many", which, symbol)
    events = desk.tell(command)
    fills = [event.fill for event in events if isinstance(event, OrderFilled)]
    assert [fill.position_id for fill in fills] == closed
    assert [fill.order_id for fill in fills] == [5 + number for number in range(len(closed))]
    assert sorted(desk.account.positions) == sorted({1, 2, 3, 4} - set(closed))
    assert desk.account.outcomes["many"].fills == tuple(fills)
    assert desk.tell(command) == []
    assert desk.balance_minor() == 10_000_00 + sum(fill.profit_minor for fill in fills)


def test_what_has_no_price_stays_open_when_all_are_closed() -> None:
    desk = Desk()
    many(desk)
    desk.tick("1.11", "1.112", live=False)
    assert desk.close_many(Which.ALL) == ["5 close: sells 10000 at 1.25000 (-2.00)"]
    assert refusal(desk.state, ClosePositions(ACCOUNT, "x", Which.ALL))[::2] == (Code.NOTHING_TO_CLOSE, "which")
    assert refusal(desk.state, ClosePositions(ACCOUNT, "x", Which.ALL, "XAUUSD"))[0] is Code.UNKNOWN_SYMBOL


@pytest.mark.parametrize("mode", Mode)
def test_reverse(mode: Mode) -> None:
    """Closed at the bid, and opened the other way at the same price."""
    desk = Desk(mode)
    desk.submit(BUY, stop_loss="1.09")
    assert desk.reverse(1) == ["2 close: sells 10000 at 1.10000 (-2.00)", "3 close: sells 10000 at 1.10000"]
    assert desk.positions() == ["2: sell 10000 at 1.10000"]
    assert desk.account.positions[2].stop_loss_e8 == 0


def test_a_reversal_uses_the_margin_that_it_gives_back() -> None:
    """368.37 are just enough for 10,000: 366.37 are left to sell them, and 366.30 + 2.00 of spread are needed."""
    desk = Desk(deposit="370.37")
    desk.submit(BUY)
    assert len(desk.reverse(1)) == 2
    assert desk.state.summary(desk.account, desk.now_ns).free_margin_minor == 7
    desk = Desk(deposit="370.29")
    desk.submit(BUY)
    assert refusal(desk.state, ReversePosition(ACCOUNT, "r", 1))[0] is Code.INSUFFICIENT_MARGIN
    assert desk.positions() == ["1: buy 10000 at 1.10020"]


@pytest.mark.parametrize(("deposit", "is_dealt"), [("1026.16", False), ("1026.17", True)])
@pytest.mark.parametrize("mode", Mode)
def test_a_loss_is_converted_on_its_own_when_it_is_realised(mode: Mode, deposit: str, is_dealt: bool) -> None:
    """An account in EUR, whose cross EURUSD has a wide spread of 1.10000/1.16020.

    10,000 GBPUSD bought at 1.25020, now 1.27000: +198.00 USD. 0.02 BTC sold at 60,000, now 70,000: -200.00 USD.
    Open, they are -2.00 USD: -1.82 EUR. When the loss is booked it costs 200.00 / 1.1 = 181.82 EUR, and the gain with
    the spread of the new 0.02 BTC is worth (198.00 - 0.20) / 1.1602 = 170.49 EUR. Margin is 378.47 EUR for GBPUSD and
    0.02 x 70,000 x 50 % / 1.1 = 636.37 EUR for the new position: 181.82 - 170.49 + 378.47 + 636.37 = 1,026.17 EUR.
    """
    desk = Desk(mode, deposit, "EUR")
    desk.send(terms("GBPUSD", BUY, "10000"))
    desk.send(terms("BTCUSD", SELL, "0.02"))
    ticks = tick("GBPUSD", "1.27000", "1.27020", 2), tick("BTCUSD", "69990", "70000", 2)
    for one in (*ticks, tick("EURUSD", "1.10000", "1.16020", 2)):
        desk.tell(ObserveTicks((one,)))
    free_minor = {NETTING: by_order, HEDGING: by_reversal}[mode](desk)
    assert free_minor == (0 if is_dealt else None)


def by_order(desk: Desk) -> int | None:
    """Free margin after the turn; None where it was refused."""
    is_dealt = len(desk.send(terms("BTCUSD", BUY, "0.04"))) == 2
    return desk.state.summary(desk.account, desk.now_ns).free_margin_minor if is_dealt else None


def by_reversal(desk: Desk) -> int | None:
    try:
        desk.reverse(2)
    except Refused:
        return None
    return desk.state.summary(desk.account, desk.now_ns).free_margin_minor
