"""What the bands show of free margin is never more than there is: with them and without, an order gets the same."""

import random
from typing import Any

import pytest

from actors.domain.broker import apply
from actors.domain.commands import DefineGroup, Mode, ObserveTicks
from actors.domain.dealing import free_margin
from actors.domain.events.event import Event
from actors.domain.events.orders import OrderFilled, OrderRejected
from actors.domain.group import STANDARD, Group
from actors.domain.money import format_e8
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Side
from actors.domain.risk.requirement import Hedging
from actors.domain.risk.stop_out import MarginLevels
from actors.domain.snapshot import restore, snapshot
from actors.domain.state import State
from tests.actors.domain.deals import NOW_NS
from tests.examples import INSTRUMENTS, TICKS, order, tick, trading_state

GROUPS = (
    Group(STANDARD),
    Group(STANDARD, levels=MarginLevels(e8("0.2"), e8("0.1"), True)),
    Group(STANDARD, levels=MarginLevels(e8("2"), e8("1"), True), hedging=Hedging.NET),
    Group(STANDARD, leverage=20, hedging=Hedging.LARGER_LEG),
)
ORDERS = 150


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("group", GROUPS)
def test_an_order_gets_the_same_with_bands_and_without(
    group: Group, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restored state has no bands before its next tick. Orders go up to the limit, while prices move."""
    shown: list[bool] = []
    by_bands = free_margin._is_surely_free

    def asked(*given: Any) -> bool:
        shown.append(by_bands(*given))
        return shown[-1]

    monkeypatch.setattr(free_margin, "_is_surely_free", asked)
    chance = random.Random(f"{mode} {group}")
    state = trading_state("5000.00", mode=mode)
    apply(state, DefineGroup(group), NOW_NS)
    dealt: list[Event] = []
    for number in range(ORDERS):
        if number % 3 == 0:
            _move(state, chance)
        symbol, side = chance.choice([one.symbol for one in TICKS]), chance.choice([Side.BUY, Side.BUY, Side.SELL])
        instrument = INSTRUMENTS[symbol]
        lots = chance.randint(1, 20_000 * 10**8 // instrument.quantity_step_e8) // (1 + number % 7)
        quantity_e8 = min(max(1, lots) * instrument.quantity_step_e8, instrument.quantity_max_e8)
        told = order(symbol, side, format_e8(quantity_e8), f"id-{number}")
        without = apply(restore(snapshot(state)), told, NOW_NS)
        events = apply(state, told, NOW_NS)
        assert events == without
        dealt += events
    assert {type(event) for event in dealt} == {OrderFilled, OrderRejected}
    assert set(shown) == {False, True}


def _move(state: State, chance: random.Random) -> None:
    for known in TICKS:
        now = state.ticks[known.symbol]
        step_e8 = 10 ** (8 - INSTRUMENTS[known.symbol].price_digits)
        moved_e8 = now.bid_e8 + chance.randint(-200, 200) * step_e8
        spread_e8 = now.ask_e8 - now.bid_e8
        seen = tick(known.symbol, format_e8(moved_e8), format_e8(moved_e8 + spread_e8), now.seq + 1)
        apply(state, ObserveTicks((seen,)), NOW_NS)
