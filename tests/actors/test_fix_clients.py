"""Clients trade over FIX: real processes, a client on our own session engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.actors.clients.floor import Floor, Trader, picked

ESSENCE = (150, 39, 11, 41, 14, 151, 103, 102)


@pytest.fixture(scope="module")
def floor(private_folder: Path) -> Iterator[Floor]:
    folder = private_folder / "floor"
    folder.mkdir()
    with Floor(folder) as floor:
        ready(floor)
        yield floor


def ready(floor: Floor) -> None:
    """Until a market order is filled: the engine has prices, and the desk follows it."""
    trader = Trader(floor).log_on()
    number = 0
    while True:
        number += 1
        trader.order(f"opening-{number}", quantity="1")
        report = trader.report()
        if report[150] == "0":
            assert trader.report()[150] == "F"
            break
    trader.cut()


def test_a_market_order_is_new_and_then_traded(floor: Floor) -> None:
    trader = Trader(floor).log_on()
    trader.order("market-1")
    new, trade = trader.report(), trader.report()
    assert picked(new, *ESSENCE) == {150: "0", 39: "0", 11: "market-1", 14: "0", 151: "1000"}
    assert picked(trade, *ESSENCE, 31, 32, 6) == {
        150: "F", 39: "2", 11: "market-1", 14: "1000", 151: "0", 31: "1.1002", 32: "1000", 6: "1.1002",
    }  # fmt: skip
    trader.cut()
