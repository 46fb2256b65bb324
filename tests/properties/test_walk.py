"""Long days of the engine, the same on every machine: they go where hypothesis, which begins anew, seldom comes."""

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from actors.domain.commands import Which
from actors.domain.events.accounts import (
    DaySealed,
    MarginStatusChanged,
    MoneyMoved,
    NegativeBalanceForgiven,
    SwapCharged,
)
from actors.domain.events.orders import OrderEnded, OrderFilled, OrderModified, OrderRejected
from actors.domain.events.terms import GroupAssigned, GroupDefined, HolidaysDefined, LimitsSet
from actors.domain.order import OrderReason, OrderType, Side, TimeInForce
from tests.properties.trading import Named, Trading

SYMBOLS = ["EURUSD", "EURUSD", "EURUSD", "USDJPY", "EURGBP", "BTCUSD", "EURJPY", "GBPUSD"]
WAITING = [kind for kind in OrderType if kind is not OrderType.MARKET]
FORCES = [*[TimeInForce.GTC] * 3, *TimeInForce]
STEPS = 150


class Walk:
    """One long day."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.desk = Trading()
        self.desk.start()
        self.sent: list[Named] = []
        self.steps: dict[Callable[[], object], float] = {
            self.price: 20,
            self.order: 20,
            self.change: 12,
            self.close: 6,
            self.trouble: 3,
            self.again: 4,
            self.money: 5,
        }

    def run(self) -> None:
        for step in self.chance.choices(list(self.steps), list(self.steps.values()), k=STEPS):
            step()
        self.desk.check_replay()

    def symbol(self) -> str:
        return self.chance.choice(SYMBOLS)

    def shift(self) -> int:
        return self.chance.randint(-30, 30)

    def pick(self) -> int:
        return self.chance.randint(0, 50)

    def prices(self) -> tuple[int, int, int]:
        return self.shift(), self.shift(), self.chance.randint(1, 25)

    def protections(self) -> tuple[int, int, int]:
        one, two, three = (self.chance.choice([0, self.chance.randint(1, 25)]) for _ in range(3))
        return one, two, three

    def price(self) -> None:
        chance, desk = self.chance, self.desk
        kind = chance.randint(0, 4)
        if kind == 0:
            desk.move(self.symbol(), self.shift(), chance.randint(0, 30), chance.randint(1, 3))
        elif kind <= 2:
            desk.step(self.symbol(), chance.randint(-4, 4), chance.randint(0, 30))
        else:
            desk.reach(self.pick(), chance.randint(0, 3), chance.randint(-3, 3))

    def order(self) -> None:
        chance, desk = self.chance, self.desk
        account_id, symbol, side = chance.randint(1, 4), self.symbol(), chance.choice(list(Side))
        reduce_only = chance.random() < 0.3
        if chance.random() < 0.3:
            size = chance.randint(1, 10)
            sent = desk.submit(account_id, symbol, side, size, self.protections(), reduce_only)
        else:
            kind, force = chance.choice(WAITING), chance.choice(FORCES)
            mark = chance.choice(["", "", "pair", "other"])
            sent = desk.submit_waiting(
                account_id, symbol, side, kind, self.prices(), self.protections(), force, reduce_only, mark
            )
        self.sent.append(sent)

    def change(self) -> None:
        chance, desk = self.chance, self.desk
        kind = chance.random()
        if kind < 0.5:
            change = chance.choice(["price", "quantity", "force", "oco", "back"])
            desk.modify_order(self.pick(), change, self.prices())
        elif kind < 0.6:
            desk.cancel_order(self.pick())
        else:
            desk.modify_position(self.pick(), self.protections(), chance.random() < 0.5)

    def close(self) -> None:
        chance, desk = self.chance, self.desk
        kind = chance.randint(0, 5)
        if kind <= 2:
            self.sent.append(desk.close(self.pick(), chance.randint(0, 4)))
        elif kind == 3:
            self.sent.append(desk.close_by(self.pick(), self.pick()))
        elif kind == 4:
            symbol = chance.choice(["", self.symbol()])
            self.sent.append(desk.close_many(chance.randint(1, 4), chance.choice(list(Which)), symbol))
        else:
            self.sent.append(desk.reverse(self.pick()))

    def trouble(self) -> None:
        chance, desk = self.chance, self.desk
        kind = chance.randint(0, 4)
        if kind == 0:
            desk.lose_all_lps(self.symbol(), self.shift())
        elif kind == 1:
            desk.come_late(self.symbol(), self.shift(), chance.randint(0, 3))
        elif kind == 2:
            desk.miss_a_tick([self.symbol()])
        else:
            desk.time_passes(chance.choice([1, 3, 20_000, 80_000]), silent=chance.random() < 0.1)

    def money(self) -> None:
        chance, desk = self.chance, self.desk
        kind, account_id = chance.randint(0, 6), chance.randint(1, 4)
        if kind <= 1:
            desk.withdraw(account_id, chance.randint(-1, 500))
            for position in list(desk.state.accounts[account_id].positions.values()):
                desk.move(position.symbol, self.shift(), chance.randint(0, 30), 1)
        elif kind == 2:
            desk.grant_credit(account_id, chance.randint(-20_000, 50_000))
        elif kind == 3:
            desk.adjust(account_id, chance.randint(-20_000, 20_000))
        elif kind == 4:
            desk.define_group(chance.randint(0, 9))
            desk.assign_group(account_id, len(desk.happened))
        elif kind == 5:
            desk.set_limits(account_id, chance.choice([0, 0, 0, chance.randint(1, 5)]))
        else:
            desk.define_holidays(chance.choice(["USD", "EUR", "JPY"]), chance.sample(range(15), 3))

    def again(self) -> None:
        chance, desk = self.chance, self.desk
        kind = chance.randint(0, 4)
        if kind == 0:
            desk.restart_from_a_snapshot()
        elif kind == 1:
            desk.restart_from_the_journal()
        elif self.sent:
            (desk.reuse_an_id if kind == 2 else desk.repeat)(chance.choice(self.sent))


@pytest.mark.parametrize("first_seed", range(0, 60, 10))
def test_what_must_hold_holds_on_long_days(first_seed: int) -> None:
    for seed in range(first_seed, first_seed + 10):
        Walk(seed).run()


def test_the_days_see_everything() -> None:
    """A walk that no order is filled on would prove nothing."""
    seen: Counter[object] = Counter()
    for seed in range(60):
        walk = Walk(seed)
        walk.run()
        for event in walk.desk.happened:
            seen[type(event)] += 1
            if isinstance(event, OrderFilled):
                seen[event.order.reason] += 1
                seen[event.order.terms.type] += 1
            elif isinstance(event, OrderEnded | OrderRejected):
                seen[event.code] += 1
            elif isinstance(event, OrderModified):
                seen[event.order.status] += 1
    codes = ["OCO", "EXPIRED", "CANCELLED", "NOT_MARKETABLE", "NOTHING_TO_CLOSE", "EXPOSURE_LIMIT"]
    kinds = [
        GroupAssigned,
        GroupDefined,
        LimitsSet,
        HolidaysDefined,
        MoneyMoved,
        MarginStatusChanged,
        NegativeBalanceForgiven,
        SwapCharged,
        DaySealed,
    ]
    assert min(seen[kind] for kind in [*OrderReason, *OrderType, *codes, *kinds]) >= 3
