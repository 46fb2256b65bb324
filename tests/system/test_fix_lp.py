"""Very large orders go to the simulated FIX LP, by real processes: whatever breaks, its executions are our fills."""

import contextlib
import itertools
import random
import sqlite3
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from actors.bus.answers import AccountReport, Done
from actors.bus.desk_answers import ExposureReport
from actors.bus.requests import GetAccount, GetExposure
from actors.domain.commands import Deposit
from actors.domain.commands.dealing import ModifyOrder, SubmitOrder
from actors.domain.commands.terms import DefineRules
from actors.domain.events.venues import ChildChanged
from actors.domain.money import parse_e8
from actors.domain.order import Order, OrderTerms, OrderType, Side
from actors.domain.routing.rulebook import Book, Rule
from tests.system.running import Broker, eventually
from tests.system.test_execution import Dealing, has_position

NAMES = ("venues", "feeds", "aggregator", "engine", "fix-lp")
LARGE = "500000"
PATIENCE_S = 150.0

Fill = tuple[str, str, int, int]
"""ClOrdID, ExecID, signed quantity and price, both on the 10^-8 scale."""


class FixDealing(Dealing):
    names: tuple[str, ...] = NAMES
    large = LARGE

    def fault(self, *faults: str) -> None:
        """Such as "gaps=1", from now on."""
        path = self.broker.run_dir / "venues" / "fix-faults"
        part = path.with_suffix(".part")
        part.write_text("\n".join(faults))
        part.rename(path)
        eventually(lambda: not path.exists())

    def is_logged_on(self) -> bool:
        """Whether the orders' session is up: of a process that was killed the log does not say that it is down."""
        log = self.broker.log_of_this_life("fix-lp")
        told = [line for line in log.splitlines() if "session=simlp-orders" in line]
        states = [line for line in told if "FIX logged" in line or "FIX connection" in line]
        return bool(states) and "FIX logged on" in states[-1]

    def lp_fills(self) -> list[Fill]:
        """Of the LP's own book."""
        with sqlite3.connect(self.broker.run_dir / "venues" / "fix.sqlite") as book:
            rows = book.execute(
                "SELECT cl_ord_id, exec_id, side, executions.quantity_e8, executions.price_e8"
                " FROM executions JOIN orders USING (order_id)"
            ).fetchall()
        return sorted(
            (name, f"E{number}", quantity if side == "1" else -quantity, price)
            for name, number, side, quantity, price in rows
        )

    def our_fills(self) -> list[Fill]:
        """Of the engine's journal."""
        found = []
        for event in self.events():
            if isinstance(event, ChildChanged) and event.fill is not None:
                child, fill = event.child, event.fill
                signed_e8 = fill.quantity_e8 if child.side is Side.BUY else -fill.quantity_e8
                found.append((f"{child.child_id}-{child.sent_ns}", fill.exec_id, signed_e8, fill.price_e8))
        return sorted(found)

    def counted_e8(self) -> int:
        report = self.ask(GetExposure())
        assert isinstance(report, ExposureReport)
        return sum(desk.at_venues_e8.get("SIMLP", 0) for desk in report.desks)

    def check(self) -> None:
        eventually(self.is_settled, PATIENCE_S)
        assert self.our_fills() == self.lp_fills()
        assert self.counted_e8() == sum(quantity_e8 for _, _, quantity_e8, _ in self.lp_fills())
        assert self.breaks() == []


@pytest.fixture
def dealing(tmp_path: Path) -> Iterator[FixDealing]:
    with contextlib.ExitStack() as stack:
        dealing = FixDealing(Broker(tmp_path / "x" / "var"))
        stack.enter_context(dealing)
        tries = itertools.count()
        eventually(lambda: dealing.buy(f"warm-{next(tries)}", "1000") and has_position(dealing))
        dealing.ask(Deposit(1, 10_000_000_00, "enough", "test"))
        eventually(dealing.is_logged_on)
        eventually(lambda: dealing.is_quoted_by("SIMLP"))
        yield dealing


def test_a_very_large_order_is_filled_over_fix_and_what_goes_wrong_is_known_in_the_end(dealing: FixDealing) -> None:
    dealing.deal("plain")
    dealing.check()
    assert len(dealing.lp_fills()) == 1
    faults = (
        "duplicate_executions=1",
        "gaps=1",
        "low_sequence_numbers=1",
        "silent_orders=1",
        "cut_orders=1",
        "lost_orders=1",
        "resting_orders=1",
        "partial_permille=1000",
        "reject_permille=1000",
    )
    for number, fault in enumerate(faults):
        eventually(dealing.is_logged_on)
        dealing.fault("partial_permille=0", "reject_permille=0", fault)
        dealing.deal(f"order-{number}")
        eventually(dealing.is_settled, PATIENCE_S)
    dealing.check()
    lost, cancelled, refused = 1, 1, 1
    assert len({name for name, *_ in dealing.lp_fills()}) == 1 + len(faults) - lost - cancelled - refused


def test_each_process_is_killed_at_any_moment(dealing: FixDealing) -> None:
    chance = random.Random(11)
    for number in range(20):
        name = ("fix-lp", "venues", "engine", "fix-lp", "fix-lp")[number % 5]
        dealing.deal(f"order-{number}", chance.choice((Side.BUY, Side.SELL)))
        time.sleep(chance.random() * 0.03)
        dealing.broker.kill(name)
        dealing.broker.start(name)
        time.sleep(chance.random() * 2.0)
    dealing.check()
    eventually(dealing.is_logged_on)
    fills = len(dealing.lp_fills())
    dealing.deal("last")
    dealing.check()
    assert len(dealing.lp_fills()) == fills + 1 > 5


def test_a_limit_order_rests_there_is_changed_and_filled_whatever_is_killed(dealing: FixDealing) -> None:
    rest = Rule(rule_id=1, name="rest", book=Book.RESTING, venues=("SIMLP",), quantity_min_e8=parse_e8(LARGE))
    default = Rule(rule_id=2, name="default", book=Book.B_BOOK)
    assert isinstance(dealing.ask(DefineRules((rest, default), ("OANDA", "SIMLP"))), Done)
    terms = OrderTerms("EURUSD", Side.BUY, OrderType.LIMIT, parse_e8(LARGE), limit_e8=parse_e8("0.80000"))
    tries = itertools.count()

    def resting() -> list[int]:
        """Orders at the LP of which nothing is asked."""
        report = dealing.ask(GetExposure())
        assert isinstance(report, ExposureReport)
        return [it.child.parent_id for it in report.children if it.child.is_working] if not report.changes else []

    def is_placed() -> bool:
        # A price may be missing at first; an order that was marked and never sent is given back.
        if not dealing.is_settled():
            return bool(resting())
        dealing.ask(SubmitOrder(1, f"rest-{next(tries)}", terms))
        return False

    def is_changed(wanted: OrderTerms) -> bool:
        """A change that was marked and never sent is refused, and asked for anew."""
        order = next((it for it in orders() if it.order_id == number), None)
        if order is None or order.terms == wanted:
            return True
        if resting():
            dealing.ask(ModifyOrder(1, number, wanted))
        return False

    def orders() -> list[Order]:
        report = dealing.ask(GetAccount(1))
        assert isinstance(report, AccountReport)
        return list(report.orders)

    eventually(is_placed, PATIENCE_S)
    (number,) = resting()
    for price, name in (("0.81000", "fix-lp"), ("0.82000", "venues"), ("0.83000", "engine")):
        wanted = msgspec.structs.replace(terms, limit_e8=parse_e8(price))
        dealing.ask(ModifyOrder(1, number, wanted))
        dealing.broker.kill(name)
        dealing.broker.start(name)
        eventually(partial(is_changed, wanted), PATIENCE_S)
    assert dealing.lp_fills() == []
    dearer = msgspec.structs.replace(terms, limit_e8=parse_e8("1.80000"))
    eventually(lambda: is_changed(dearer) and not orders(), PATIENCE_S)
    dealing.check()
    assert len(dealing.lp_fills()) == 1
