"""Long days of orders that cancel each other, at venues that are silent, repeat themselves and lie."""

from collections.abc import Callable
from random import Random

import pytest

from actors.domain.events.orders import OrderEnded, OrderFilled
from actors.domain.order import OrderType, Side, TimeInForce
from actors.domain.routing.child import ReportKind
from tests.properties.test_venues import AtVenues

WAITING = [kind for kind in OrderType if kind is not OrderType.MARKET]
ENDS = [ReportKind.REJECTED, ReportKind.CANCELLED, ReportKind.EXPIRED]
STEPS = 300


class Day:
    def __init__(self, seed: int, *, lies: bool, closes: bool = False) -> None:
        self.chance = Random(seed)
        self.desk = AtVenues()
        self.desk.start()
        self.steps: dict[Callable[[], object], float] = {
            self.order: 25,
            self.market: 25 if closes else 0,
            self.price: 30,
            self.answer: 20,
            self.change: 6,
            self.trouble: 6,
            self.lie: 3 if lies else 0,
        }

    def run(self) -> None:
        for step in self.chance.choices(list(self.steps), list(self.steps.values()), k=STEPS):
            step()
        self.desk.check_replay()

    def order(self) -> None:
        chance = self.chance
        protections = (chance.choice([0, 5]), chance.choice([0, 5]), 0)
        self.desk.submit_waiting(
            chance.randint(1, 2),
            chance.choice(["EURUSD", "EURUSD", "USDJPY"]),
            chance.choice(list(Side)),
            chance.choice(WAITING),
            (chance.randint(-6, 6), chance.randint(-6, 6), chance.randint(1, 6)),
            protections,
            TimeInForce.GTC,
            reduce_only=False,
            oco=chance.choice(["pair", "pair", "other"]),
        )

    def market(self) -> None:
        chance = self.chance
        if chance.random() < 0.1:
            self.desk.assign_group(chance.randint(1, 4), chance.randint(0, 1))
        protections = (chance.choice([0, 2, 5]), chance.choice([0, 2, 5]), chance.choice([0, 3]))
        self.desk.submit(
            chance.randint(1, 2),
            chance.choice(["EURUSD", "EURUSD", "USDJPY"]),
            chance.choice(list(Side)),
            chance.randint(1, 5),
            protections,
            reduce_only=chance.random() < 0.4,
        )

    def price(self) -> None:
        chance = self.chance
        if chance.random() < 0.6:
            self.desk.reach(chance.randint(0, 50), chance.randint(0, 3), chance.randint(-3, 3))
        else:
            self.desk.step(chance.choice(["EURUSD", "USDJPY"]), chance.randint(-6, 6), chance.randint(0, 20))

    def answer(self) -> None:
        chance, desk = self.chance, self.desk
        which, is_lost = chance.randint(0, 3), chance.random() < 0.2
        if chance.random() < 0.5:
            desk.deals(which, chance.choice([1, 2, 4]), chance.randint(0, 3), is_lost)
        else:
            desk.ends(which, chance.choice(ENDS), is_lost)

    def change(self) -> None:
        chance = self.chance
        if chance.random() < 0.3:
            self.desk.cancel_order(chance.randint(0, 9))
        else:
            prices = (chance.randint(-6, 6), chance.randint(-6, 6), chance.randint(1, 6))
            self.desk.modify_order(chance.randint(0, 9), chance.choice(["price", "oco", "back"]), prices)

    def trouble(self) -> None:
        chance, desk = self.chance, self.desk
        kind = chance.randint(0, 3)
        if kind == 0:
            desk.nobody_answers(twice=chance.random() < 0.5)
        elif kind == 1:
            desk.tells_all(chance.randint(0, 5), backwards=chance.random() < 0.5)
        elif kind == 2:
            desk.restart_from_a_snapshot()
        else:
            desk.restart_from_the_journal()

    def lie(self) -> None:
        chance = self.chance
        price = chance.choice([0, 1, 109_990, 110_100, 150_000])
        kind = chance.choice(list(ReportKind))
        self.desk.lies_of(chance.randint(0, 3), kind, chance.randint(0, 8), chance.randint(1, 4), price)


@pytest.mark.parametrize("lies", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_of_orders_with_one_mark_no_two_are_filled(seed: int, lies: bool) -> None:
    """Watched looks at it after every step."""
    day = Day(seed, lies=lies)
    day.run()
    happened = day.desk.happened
    assert any(isinstance(event, OrderFilled) and event.cover and event.order.terms.oco for event in happened)
    assert any(isinstance(event, OrderEnded) and event.code == "OCO" for event in happened)


@pytest.mark.parametrize("lies", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_what_venues_close_in_part_forgets_no_protection(seed: int, lies: bool) -> None:
    """The desk's check looks at what waits after every step."""
    Day(seed, lies=lies, closes=True).run()
