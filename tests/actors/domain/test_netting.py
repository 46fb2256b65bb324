"""What a fill does in a hedging account and in a netting one.

EURUSD begins at 1.10000/1.10020; orders are for 10,000 EUR where nothing else is said; the account has 10,000 USD.
"""

from random import Random

import msgspec
import pytest

from actors.domain.commands import (
    DefineInstrument,
    Mode,
    ObserveTicks,
    SubmitOrder,
)
from actors.domain.events.orders import OrderFilled
from actors.domain.money import Rounding
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderType, Position, Side
from actors.domain.risk.margin import SAME_CURRENCY, to_minor
from tests.actors.domain.waiting import Desk
from tests.examples import ACCOUNT, EURUSD, terms

BUY, SELL = Side.BUY, Side.SELL
MARKET = OrderType.MARKET
HEDGING, NETTING = Mode.HEDGING, Mode.NETTING


def test_a_hedging_account_has_a_position_for_each_order() -> None:
    desk = Desk()
    desk.submit(BUY)
    desk.submit(SELL, MARKET, "4000")
    desk.submit(BUY)
    assert desk.positions() == ["1: buy 10000 at 1.10020", "2: sell 4000 at 1.10000", "3: buy 10000 at 1.10020"]


def test_a_netting_account_adds_takes_away_and_turns_round() -> None:
    """10,000 at 1.10020 and 10,000 at 1.11020 are 20,000 at 1.10520; then 5,000, and 25,000 are sold at 1.12000."""
    desk = Desk(NETTING)
    desk.submit(BUY)
    desk.tick("1.11000", "1.11020")
    assert desk.submit(BUY) == ["2 client: buys 10000 at 1.11020"]
    assert desk.positions() == ["1: buy 20000 at 1.10520"]
    desk.tick("1.12000", "1.12020")
    assert desk.submit(SELL, MARKET, "5000") == ["3 client: sells 5000 at 1.12000 (+74.00)"]
    assert desk.positions() == ["1: buy 15000 at 1.10520"]
    assert desk.submit(SELL, MARKET, "25000") == [
        "4 client: sells 15000 at 1.12000 (+222.00)",
        "4 client: sells 10000 at 1.12000",
    ]
    assert desk.positions() == ["2: sell 10000 at 1.12000"]


def test_what_the_average_price_leaves_over_is_kept() -> None:
    """1 at 1.10020 and 2 at 1.10030 cost 3.30080: 1.10026666 each, and 2 of 10^-8 more."""
    desk = Desk(NETTING)
    desk.submit(BUY, MARKET, "1")
    desk.tick("1.10010", "1.10030")
    desk.submit(BUY, MARKET, "2")
    (position,) = desk.account.positions.values()
    assert (position.open_price_e8, position.open_rest_e16) == (110_026_666, 2 * e8("1"))
    assert position.cost_e16 == e8("3.3008") * e8("1")


def signed_cost_e16(position: Position) -> int:
    """What is tied up in it: 0 when it is closed, for nothing of it may be left over."""
    return position.cost_e16 if position.side is BUY else -position.cost_e16


@pytest.mark.parametrize("seed", range(10))
def test_what_a_netting_account_wins_is_what_it_got_less_what_it_paid(seed: int) -> None:
    """Over any path: each fill books, rounded to the cent, the money that it brought and the change of what is tied up.

    Summed up to when all is closed again the changes are nothing: what is left is proceeds less cost, to the 10^-16.
    """
    chance = Random(seed)
    desk = Desk(NETTING, "9000000.00")
    desk.tell(DefineInstrument(msgspec.structs.replace(EURUSD, quantity_step_e8=1, quantity_min_e8=1)))
    tied_e16 = cash_e16 = realised_e16 = 0
    for _ in range(100):
        last = desk.state.ticks["EURUSD"]
        bid_e8 = e8("1.1") + chance.randint(-9_000, 9_000) * 1_000
        desk.tell(
            ObserveTicks((msgspec.structs.replace(last, seq=last.seq + 1, bid_e8=bid_e8, ask_e8=bid_e8 + 2_000),))
        )
        asked = terms("EURUSD", chance.choice([BUY, SELL]), "1")
        asked = msgspec.structs.replace(asked, quantity_e8=chance.randint(1, 10**12))
        for event in desk.tell(SubmitOrder(ACCOUNT, desk.next_id(), asked)):
            assert isinstance(event, OrderFilled)
            fill = event.fill
            money_e16 = fill.quantity_e8 * fill.price_e8 * (-1 if fill.side is BUY else 1)
            gain_e16 = money_e16 + signed_cost_e16(event.position) - tied_e16
            assert fill.profit_minor == to_minor(gain_e16, SAME_CURRENCY, "USD", Rounding.HALF_EVEN)
            tied_e16 = signed_cost_e16(event.position)
            cash_e16 += money_e16
            realised_e16 += gain_e16
            assert cash_e16 + tied_e16 == realised_e16
            if not event.position.quantity_e8:
                assert (tied_e16, event.position.open_rest_e16) == (0, 0)
