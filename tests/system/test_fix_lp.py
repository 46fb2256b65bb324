"""Very large orders go to the simulated FIX LP, by real processes: whatever breaks, its executions are our fills."""

import contextlib
import itertools
import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.bus.desk_answers import ExposureReport
from actors.bus.requests import GetExposure
from actors.domain.commands import Deposit
from actors.domain.events.venues import ChildChanged
from actors.domain.order import Side
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
