"""An LP that is built on QuickFIX, with the dictionary that it comes with: quotes in, orders out, by real processes."""

import contextlib
import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.domain.commands import Deposit
from actors.domain.order import Side
from tests.interop import children
from tests.ports import free_port
from tests.system.running import Broker, eventually
from tests.system.test_execution import has_position
from tests.system.test_fix_lp import PATIENCE_S, FixDealing

quickfix_lp: Any = pytest.importorskip("tests.interop.quickfix_lp", reason="the interop extra is not installed")

PASSWORD = "a password of the test"
SESSIONS = """
[quick]
lp = "SIMLP"
purpose = "both"
sender = "{us}"
target = "{lp}"
hosts = ["127.0.0.1"]
port = {port}
plain = true
username = "us"
password_env = "LP_QUICK_PASSWORD"
account = "A-1"
full_refresh = {full_refresh}
validation = "strict"
heartbeat_s = 1
reconnect_cap_ms = 500
security_list = true
collateral_s = 1
trade_reports = true
"""


class Lp:
    """The LP's process, and what it has noted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = children.started("tests.interop.quickfix_lp", [str(self.port), str(self.folder)])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def noted(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def fills(self) -> list[tuple[str, str, int]]:
        fills: list[tuple[str, str, int]] = quickfix_lp.fills_of(quickfix_lp.read_orders(self.folder))
        return fills


class QuickDealing(FixDealing):
    names = ("aggregator", "engine", "fix-lp")

    def __init__(self, broker: Broker, lp: Lp) -> None:
        super().__init__(broker)
        self.lp = lp

    def logons(self) -> int:
        return self.broker.log("fix-lp").count("FIX logged on")

    def check(self) -> None:
        eventually(self.is_settled, PATIENCE_S)
        assert [fill[:3] for fill in self.our_fills()] == self.lp.fills()
        assert self.counted_e8() == sum(quantity_e8 for _, _, quantity_e8 in self.lp.fills())
        assert self.breaks() == []
        assert self.lp.noted("rejects") == []


@pytest.fixture(params=["false", "true"], ids=["increments", "snapshots"])
def dealing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[QuickDealing]:
    lp = Lp(tmp_path)
    sessions = tmp_path / "lp_sessions.toml"
    sessions.write_text(SESSIONS.format(us=quickfix_lp.US, lp=quickfix_lp.LP, port=lp.port, full_refresh=request.param))
    settings = {"HEDGEROW_LP_SESSIONS": str(sessions), "LP_QUICK_PASSWORD": PASSWORD}
    with contextlib.ExitStack() as stack:
        stack.callback(lp.kill)
        lp.start()
        dealing = QuickDealing(Broker(tmp_path / "x" / "var", **settings), lp)
        stack.enter_context(dealing)
        tries = itertools.count()
        eventually(lambda: dealing.buy(f"warm-{next(tries)}", "1000") and has_position(dealing))
        dealing.ask(Deposit(1, 10_000_000_00, "enough", "test"))
        yield dealing


def test_quickfix_is_the_lp(dealing: QuickDealing) -> None:
    lp = dealing.lp
    dealing.deal("plain")
    dealing.check()
    assert len(lp.fills()) == 1
    assert {"V", "D", "x", "AD", "BB"} <= set(lp.noted("asked"))
    mute = lp.folder / "mute"
    mute.touch()
    dealing.deal("mute", Side.SELL)
    eventually(lambda: "H" in lp.noted("asked"), PATIENCE_S)
    dealing.check()
    mute.unlink()
    dealing.deal("we-are-killed")
    dealing.broker.kill("fix-lp")
    logons = dealing.logons()
    dealing.broker.start("fix-lp")
    eventually(lambda: dealing.logons() > logons, PATIENCE_S)
    dealing.check()
    logons = dealing.logons()
    dealing.deal("it-is-killed")
    lp.kill()
    lp.start()
    eventually(lambda: dealing.logons() > logons, PATIENCE_S)
    dealing.check()
    dealing.deal("last")
    dealing.check()
    eventually(lambda: lp.noted("asked").count("AN") > 1, PATIENCE_S)
    dealing.check()
    assert len(lp.fills()) >= 3  # An order that was on its way when a side was killed may never have arrived.
