"""Clients over FIX whose orders rest at a venue: what they ask is pending until the venue has answered."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.bus.answers import Done
from actors.bus.desk_answers import ExposureReport
from actors.bus.requests import GetExposure
from actors.domain.commands import CancelOrder, DefineRules, ReportExecution
from actors.domain.money import parse_e8
from actors.domain.routing.child import UNSAID, ReportKind, VenueReport
from actors.domain.routing.rulebook import Book, Rule
from gateway.fix.codec import Field
from tests.actors.clients.floor import Floor, Trader, fields_of, picked
from tests.actors.test_fix_clients import ESSENCE, ready

QUANTITY = "5000"
RULES = (
    Rule(rule_id=1, name="rest", book=Book.RESTING, venues=("SIM",), quantity_min_e8=parse_e8(QUANTITY)),
    Rule(rule_id=2, name="default", book=Book.B_BOOK),
)
PLACE: tuple[Field, ...] = ((40, b"2"), (44, b"1.05"), (59, b"1"))


@pytest.fixture(scope="module")
def floor(private_folder: Path) -> Iterator[Floor]:
    folder = private_folder / "resting"
    folder.mkdir()
    with Floor(folder) as floor:
        ready(floor)
        assert isinstance(floor.ask_engine(DefineRules(RULES, ("SIM",))), Done)
        yield floor


@pytest.fixture
def trader(floor: Floor) -> Iterator[Trader]:
    trader = Trader(floor).log_on()
    yield trader
    trader.close()


def exposure(floor: Floor) -> ExposureReport:
    report = floor.ask_engine(GetExposure())
    assert isinstance(report, ExposureReport)
    return report


def says(floor: Floor, kind: ReportKind, quantity: str = "0", price: str = "0") -> None:
    """The venue, of its only order; of what it is asked for, where something is."""
    report = exposure(floor)
    child = report.children[0].child
    exec_id = str(report.changes[0].asked_ns) if report.changes and quantity == "0" else "e1"
    said = VenueReport("SIM", child.child_id, exec_id, kind, parse_e8(quantity), parse_e8(price), UNSAID, UNSAID, "", 0)
    assert isinstance(floor.ask_engine(ReportExecution(said)), Done)


def place(trader: Trader, name: str) -> None:
    trader.order(name, *PLACE, quantity=QUANTITY)
    assert picked(trader.report(), 150, 39, 11) == {150: "0", 39: "0", 11: name}
    says(trader.floor, ReportKind.ACCEPTED)


def replace(trader: Trader, name: str, original: str, price: bytes) -> dict[int, str]:
    trader.change("G", name, original, (38, QUANTITY.encode()), (40, b"2"), (44, price), (59, b"1"))
    return picked(trader.report(), *ESSENCE)


def test_a_replace_and_a_cancel_are_pending_until_the_venue_answers(floor: Floor, trader: Trader) -> None:
    place(trader, "one")
    pending = {150: "E", 39: "E", 41: "one", 14: "0", 151: QUANTITY}
    assert replace(trader, "two", "one", b"1.06") == pending | {11: "two"}
    says(floor, ReportKind.KEPT)
    assert picked(trader.report(), *ESSENCE) == {39: "0", 11: "two", 41: "one", 102: "99"}
    assert replace(trader, "three", "one", b"1.06") == pending | {11: "three"}
    says(floor, ReportKind.REPLACED)
    assert picked(trader.report(), *ESSENCE, 44) == {
        150: "5", 39: "0", 11: "three", 41: "one", 14: "0", 151: QUANTITY, 44: "1.06",
    }  # fmt: skip
    trader.change("F", "four", "three", (38, QUANTITY.encode()))
    assert picked(trader.report(), *ESSENCE) == {150: "6", 39: "6", 11: "four", 41: "three", 14: "0", 151: QUANTITY}
    trader.cut()
    floor.kill("fix_clients")
    floor.start("fix_clients")
    says(floor, ReportKind.CANCELLED)
    trader.log_on()
    told = [fields_of(one) for one in trader.passed]
    while not (ends := [picked(one, *ESSENCE) for one in told if one[150] == "4"]):
        told.append(trader.report())
    assert ends == [{150: "4", 39: "4", 11: "four", 41: "three", 14: "0", 151: "0"}]


def test_a_cancel_that_a_fill_has_crossed_is_refused(floor: Floor, trader: Trader) -> None:
    place(trader, "five")
    trader.change("F", "six", "five", (38, QUANTITY.encode()))
    assert picked(trader.report(), 150, 11) == {150: "6", 11: "six"}
    says(floor, ReportKind.FILL, QUANTITY, "1.05")
    assert picked(trader.report(), *ESSENCE) == {150: "F", 39: "2", 11: "five", 14: QUANTITY, 151: "0"}
    assert picked(trader.report(), *ESSENCE) == {39: "2", 11: "six", 41: "five", 102: "0"}


def test_what_others_have_cancelled_is_told_when_it_is_over(floor: Floor, trader: Trader) -> None:
    place(trader, "seven")
    order_id = exposure(floor).children[0].child.parent_id
    assert isinstance(floor.ask_engine(CancelOrder(1, order_id)), Done)
    trader.change("F", "eight", "seven", (38, QUANTITY.encode()))
    refused = trader.report()
    assert picked(refused, *ESSENCE) == {39: "0", 11: "eight", 41: "seven", 102: "3"}
    assert refused[58].startswith("AT_VENUE")
    says(floor, ReportKind.CANCELLED)
    assert picked(trader.report(), *ESSENCE) == {150: "4", 39: "4", 11: "seven", 14: "0", 151: "0"}
