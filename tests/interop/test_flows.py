"""Orders both ways between our engine and QuickFIX, while either is killed and the network is cut."""

import random
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from tests.interop import children
from tests.interop.flow import STORE, Relay
from tests.ports import free_port

pytest.importorskip("quickfix", reason="the interop extra is not installed")

ORDERS = 3_000
FAULTS = ("ours", "theirs", "cut", "ours", "theirs", "cut")
SETTLE_LIMIT_S = 150


class Flow:
    def __init__(self, folder: Path, our_role: str, next_expected: str):
        port = free_port()
        self.relay = Relay(port)
        roles = ("initiator", "acceptor") if our_role == "initiator" else ("acceptor", "initiator")
        self._commands = {
            name: (f"tests.interop.{module}", [
                role, str(port if role == "acceptor" else self.relay.port), str(folder), str(ORDERS), next_expected
            ])
            for name, module, role in zip(("ours", "theirs"), ("our_side", "quickfix_side"), roles, strict=True)
        }  # fmt: skip
        self._folder = folder
        self._processes = {name: self._started(name) for name in self._commands}

    def _started(self, name: str) -> subprocess.Popen[str]:
        return children.started(*self._commands[name])

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes.values()]

    def kill(self, name: str) -> None:
        with self._processes[name] as process:
            process.kill()

    def hit(self, fault: str) -> None:
        if fault == "cut":
            self.relay.cut()
        else:
            self.kill(fault)
            self._processes[fault] = self._started(fault)

    def close(self) -> None:
        for name in self._processes:
            self.kill(name)
        self.relay.close()

    def received_by_us(self) -> list[tuple[int, int]]:
        return self._rows("SELECT seq, number FROM received ORDER BY seq")

    def received_by_them(self) -> list[int]:
        path = self._folder / "received"
        return [int(line) for line in path.read_text("ascii").split("\n")[:-1]] if path.exists() else []

    def our_next_numbers(self) -> tuple[int, int]:
        (numbers,) = self._rows("SELECT next_out, next_in FROM fix_sessions")
        return numbers

    def their_next_numbers(self) -> tuple[int, int]:
        (path,) = self._folder.glob("*.seqnums")
        next_out, _, next_in = path.read_text("ascii").partition(":")
        return int(next_out), int(next_in)

    def _rows(self, query: str) -> list[tuple[int, int]]:
        with sqlite3.connect(self._folder / STORE, SETTLE_LIMIT_S) as db:
            try:
                return db.execute(query).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" not in str(error):
                    raise
                return []  # Not made yet.
            finally:
                db.rollback()

    def flows_on(self) -> None:
        """Until each side has received more than it has by now, or all."""
        before = (len(self.received_by_us()), len(self.received_by_them()))
        deadline = time.monotonic() + SETTLE_LIMIT_S
        while not self.is_settled() and time.monotonic() < deadline:
            ours, theirs = len(self.received_by_us()), len(self.received_by_them())
            if ours > before[0] and theirs > before[1]:
                break
            time.sleep(0.02)

    def agrees(self) -> bool:
        """Whether what each sends next is what the other expects next."""
        return self.our_next_numbers() == self.their_next_numbers()[::-1]

    def is_settled(self) -> bool:
        ours, theirs = self.received_by_us(), self.received_by_them()
        return bool(ours and theirs) and ours[-1][1] == theirs[-1] == ORDERS - 1


def once(numbers: list[int]) -> list[int]:
    """Without the repetitions of a number right after it."""
    return [number for at, number in enumerate(numbers) if at == 0 or number != numbers[at - 1]]


@pytest.mark.parametrize("next_expected", ["N", "Y"])
@pytest.mark.parametrize("our_role", ["initiator", "acceptor"])
def test_both_streams_arrive_in_order_and_the_numbers_agree(tmp_path: Path, our_role: str, next_expected: str) -> None:
    chance = random.Random(our_role)
    flow = Flow(tmp_path, our_role, next_expected)
    try:
        for fault in FAULTS:
            flow.flows_on()
            time.sleep(chance.uniform(0, 0.3))
            flow.hit(fault)
        deadline = time.monotonic() + SETTLE_LIMIT_S
        while not flow.is_settled() and time.monotonic() < deadline:
            time.sleep(0.1)
        while not (agreed := flow.agrees()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert agreed, (flow.our_next_numbers(), flow.their_next_numbers())
        flow.kill("ours")
        flow.kill("theirs")
        ours = [number for _, number in flow.received_by_us()]
        assert once(ours) == list(range(ORDERS))
        assert len(ours) <= ORDERS + FAULTS.count("theirs")
        assert sorted(set(flow.received_by_them())) == list(range(ORDERS))
    finally:
        flow.close()
