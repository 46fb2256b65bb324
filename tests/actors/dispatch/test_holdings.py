"""A venue's account against the books."""

from pathlib import Path

from actors.dispatch.holdings import COMPARE_NS, Reconciliation
from actors.domain.commands import DefineInstrument, ReportHolding
from actors.domain.dealing.venues import report_holding
from actors.domain.events.venues import BreakFound
from actors.domain.routing.child import Break, BreakReason
from actors.domain.state import State
from actors.store.dispatch import Dispatch
from gateway.venues.execution import Holdings
from tests.examples import EURUSD, START_NS

E8 = 10**8


def rounds(store: Dispatch, *held_and_counted: tuple[int, int]) -> list[list[ReportHolding]]:
    """What each round tells the engine."""
    it = Reconciliation("OANDA", {"EUR_USD": "EURUSD"})
    told = []
    for number, (held, counted) in enumerate(held_and_counted, 1):
        assert it.wants_venue(START_NS + number * COMPARE_NS, store)
        assert not it.wants_venue(START_NS + number * COMPARE_NS, store)
        it.venue_holds(Holdings(store.cursor, {"EUR_USD": held * E8}), store)
        assert it.wants_engine(0)
        told.append(it.engine_counts({"EURUSD": counted * E8}, store))
    return told


def kept(path: Path, cursor: str = "5") -> Dispatch:
    store = Dispatch(path / "oanda.sqlite", START_NS)
    store.take([], cursor=cursor)
    return store


def test_a_difference_is_told_once_when_two_rounds_have_seen_it(tmp_path: Path) -> None:
    told = ReportHolding("OANDA", "EURUSD", 7 * E8)
    same, other = (5, 5), (7, 5)
    assert rounds(kept(tmp_path), same, other, same, other, other, other, same, other, other) == [
        *([], [], [], [], [told], [], [], [], [told])
    ]


def test_another_difference_is_told_too(tmp_path: Path) -> None:
    assert rounds(kept(tmp_path), (7, 5), (8, 5), (8, 5)) == [[], [], [ReportHolding("OANDA", "EURUSD", 8 * E8)]]


def test_a_venue_that_is_ahead_of_what_was_heard_is_not_compared(tmp_path: Path) -> None:
    store, it = kept(tmp_path), Reconciliation("OANDA", {})
    assert it.wants_venue(COMPARE_NS, store)
    for holdings in (Holdings("6", {"EUR_USD": 1}), None):
        it.venue_holds(holdings, store)
        assert not it.wants_engine(0)
        assert it.engine_counts({}, store) == []


def test_the_engine_makes_a_break_of_what_it_does_not_count() -> None:
    state = State()
    state.instruments[EURUSD.symbol] = DefineInstrument(EURUSD).instrument
    detail = "OANDA holds -3 EURUSD, and 0 were dealt there"
    found = BreakFound(Break("OANDA:EURUSD", BreakReason.HOLDING, detail, None))
    assert report_holding(state, ReportHolding("OANDA", "EURUSD", -3 * E8), START_NS) == [found]
    assert report_holding(state, ReportHolding("OANDA", "EURUSD", 0), START_NS) == []
