"""SIGKILL of every side while orders go to and fro: each execution is told once, each order dealt once."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.bus.answers import AccountReport
from actors.bus.requests import GetAccount
from tests.actors.clients.floor import Floor, Trader, fields_of, picked
from tests.actors.test_fix_clients import ready

ROUNDS = 6
ORDERS = 40


@pytest.fixture
def floor(private_folder: Path, tmp_path: Path) -> Iterator[Floor]:
    folder = private_folder / tmp_path.name
    folder.mkdir()
    with Floor(folder) as floor:
        ready(floor)
        yield floor


@pytest.mark.parametrize("victim", ["fix_clients", "engine", "client"])
def test_each_order_is_dealt_and_told_once_whoever_is_killed(floor: Floor, victim: str) -> None:
    chance = random.Random(victim)
    asked: list[str] = []
    told: Counter[tuple[str, str]] = Counter()
    for round_number in range(ROUNDS):
        trader = Trader(floor).log_on()
        collect(told, trader)
        if round_number % 2 == 0:
            until_open(trader)
        asked += order_many(trader, f"{victim}-{round_number}")
        for _ in range(chance.randrange(12)):
            trader.listen(0.005)
        if victim != "client":
            floor.kill(victim)
            floor.start(victim)
        collect(told, trader)
        trader.close()
    trader = Trader(floor).log_on()
    collect(told, trader)
    until_open(trader)
    asked += order_many(trader, f"{victim}-after")
    while missing(asked, told):
        received = len(trader.received)
        trader.until(lambda: len(trader.received) > received)  # noqa: B023
        collect(told, trader)
    trader.close()
    results = {name: {kind: count for (of, kind), count in told.items() if of == name} for name in asked}
    ends = [{kind: count for kind, count in one.items() if kind not in "AI"} for one in results.values()]
    assert all(counts in ({"0": 1, "F": 1}, {"8": 1}) for counts in ends), results
    report = floor.ask_engine(GetAccount(1))
    assert isinstance(report, AccountReport)
    traded = sum("F" in counts for counts in results.values())
    assert traded >= ORDERS
    assert len(report.positions) == traded + 1, "each that was told, and the one of before"


def until_open(trader: Trader) -> None:
    """Until the desk takes orders: after a restart it first tells what has happened."""
    status = b""
    while status != b"2":
        trader.send("g", (335, b"open"), (263, b"0"))
        status = trader.next("h").get(340) or b""


def order_many(trader: Trader, name: str) -> list[str]:
    names = [f"{name}-{number}" for number in range(ORDERS)]
    for each in names:
        trader.order(each, quantity="1")
    return names


def collect(told: Counter[tuple[str, str]], trader: Trader) -> None:
    for message in [*trader.passed, *trader.received]:
        report = fields_of(message)
        if report[35] == "8" and 11 in report:
            told[report[11], report[150]] += 1
    trader.passed.clear()
    trader.received.clear()


def missing(asked: list[str], told: Counter[tuple[str, str]]) -> list[str]:
    return [name for name in asked if not told[name, "F"] and not told[name, "8"]]


def test_an_engine_that_is_away_is_said_to_be(floor: Floor) -> None:
    trader = Trader(floor).log_on()
    trader.order("before", (40, b"2"), (44, b"1.05"), (59, b"1"))
    assert trader.report()[150] == "0"
    floor.kill("engine")
    refused = "A"
    number = 0
    while refused != "8":
        number += 1
        trader.order(f"away-{number}", quantity="1")
        trader.listen(0.3)
        refused = next((one.get(150) or b"" for one in trader.received if one.get(150) == b"8"), b"").decode()
    told = next(fields_of(one) for one in trader.received if one.get(150) == b"8")
    assert (told[58].split(":")[0], told[103]) == ("UNAVAILABLE", "0")
    trader.change("F", "away-cancel", "before", (38, b"1000"))
    assert picked(trader.cancel_reject(), 102, 39, 41) == {102: "2", 39: "0", 41: "before"}
    trader.send("g", (335, b"s"), (263, b"0"))
    assert trader.next("h").get(340) == b"0"
    trader.send("BB", (909, b"m"))
    assert picked(fields_of(trader.next("j")), 372, 379, 380) == {372: "BB", 379: "m", 380: "4"}
    floor.start("engine")
    number = 0
    while told.get(150) != "4":
        number += 1
        assert number < 1000
        time.sleep(0.01)
        trader.change("F", f"back-{number}", "before", (38, b"1000"))
        while told.get(11) != f"back-{number}":
            told = fields_of(trader.next("8", "9"))
    trader.close()


def test_a_stop_says_goodbye_and_a_restart_goes_on(floor: Floor) -> None:
    trader = Trader(floor).log_on()
    trader.order("kept", (40, b"2"), (44, b"1.05"), (59, b"1"))
    assert trader.report()[150] == "0"
    assert floor.stop("fix_clients") == 0
    trader.until(lambda: not trader.session.is_logged_on)
    floor.start("fix_clients")
    trader.log_on()
    told: dict[int, str] = {}
    for number in range(1_000):  # Until it has found the engine it answers that it cannot.
        trader.change("F", f"off-{number}", "kept", (38, b"1000"))
        told = trader.report()
        if told[35] == "8":
            break
        time.sleep(0.01)
    assert picked(told, 150, 41) == {150: "4", 41: "kept"}
    trader.close()
