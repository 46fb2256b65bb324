"""Gaps against a real PostgreSQL: what is missing is found, what is there is left alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.bus.history_answers import Bars
from actors.bus.requests import GetBars
from actors.domain.calendar import ALWAYS, FOREX, Sessions, Window, is_open
from actors.domain.prices.bar import MINUTE_NS, Bar
from actors.domain.quote import Tick
from actors.store import database
from actors.store.gaps import Gaps, spans
from actors.store.history import History

FRIDAY_CLOSE_NS = 1_768_600_800 * 10**9
"""17:00 in New York on 16 January 2026."""
START_NS = FRIDAY_CLOSE_NS - 10 * MINUTE_NS


@pytest.fixture
def history(database_url: str) -> Iterator[History]:
    opened = History(database.database_url(Path(), database_url))
    yield opened
    opened.close()


@pytest.fixture
def gaps(history: History, database_url: str) -> Iterator[Gaps]:
    opened = Gaps(database.database_url(Path(), database_url))
    yield opened
    opened.close()


def bar(minute: int, price: int = 110_000_000, ticks: int = 7) -> Bar:
    return Bar("EURUSD", START_NS + minute * MINUTE_NS, *(price,) * 4, *(price + 10_000,) * 4, ticks)


def tick(minute: int, price: int, seq: int) -> Tick:
    return Tick("EURUSD", seq, START_NS + minute * MINUTE_NS, price, price + 10_000, "LP", "LP", True)


def stored(history: History) -> list[Bar]:
    answer = history.answer(GetBars("EURUSD", 1, 100, START_NS + 100 * MINUTE_NS))
    assert isinstance(answer, Bars)
    return answer.bars


def test_what_is_filled_has_no_ticks_and_is_filled_once(history: History, gaps: Gaps) -> None:
    assert gaps.fill([bar(1), bar(2)]) == 2
    assert gaps.fill([bar(1, price=1), bar(2, price=1), bar(3)]) == 1
    assert gaps.fill([]) == 0
    assert stored(history) == [bar(minute, ticks=0) for minute in (1, 2, 3)]


def test_bars_of_our_own_ticks_stay_and_take_the_place_of_filled_ones(history: History, gaps: Gaps) -> None:
    history.store_ticks([tick(1, 120_000_000, 1)])
    assert gaps.fill([bar(1), bar(2)]) == 1
    history.store_ticks([tick(2, 130_000_000, 2), tick(2, 140_000_000, 3)])
    first, second = stored(history)
    assert first == bar(1, price=120_000_000, ticks=1)
    assert (second.bid_open_e8, second.bid_low_e8, second.bid_close_e8, second.ticks) == (
        130_000_000,
        130_000_000,
        140_000_000,
        2,
    )
    history.store_ticks([tick(2, 150_000_000, 4)])
    assert stored(history)[1].bid_open_e8 == 130_000_000


def test_missing_minutes_are_found_but_for_those_of_a_closed_market(history: History, gaps: Gaps) -> None:
    gaps.fill([bar(0), bar(1), bar(5)])
    end_ns = FRIDAY_CLOSE_NS + 60 * MINUTE_NS
    assert gaps.missing("EURUSD", START_NS, end_ns, FOREX, 5000) == [(START_NS + 2 * MINUTE_NS, FRIDAY_CLOSE_NS)]
    assert gaps.missing("EURUSD", START_NS, START_NS + 2 * MINUTE_NS, FOREX, 5000) == []
    assert gaps.missing("GBPUSD", START_NS, START_NS + MINUTE_NS, FOREX, 5000) == [(START_NS, START_NS + MINUTE_NS)]


def test_a_database_that_is_away() -> None:
    with pytest.raises(database.DatabaseAway):
        Gaps(database.database_url(Path(), "postgresql://nobody@127.0.0.1:9/nothing"))


HALF_HOURS = Sessions(tuple(Window(day, 0, 30) for day in range(7)))


@given(
    st.sets(st.integers(0, 60)),
    st.integers(-90, 60),
    st.integers(0, 120),
    st.integers(1, 30),
    st.sampled_from([ALWAYS, FOREX, HALF_HOURS]),
)
def test_spans_hold_each_missing_minute_once_and_are_no_longer_than_allowed(
    present: set[int], start: int, minutes: int, limit: int, sessions: Sessions
) -> None:
    taken = {FRIDAY_CLOSE_NS + minute * MINUTE_NS for minute in present}
    start_ns = FRIDAY_CLOSE_NS + start * MINUTE_NS - 1
    end_ns = start_ns + minutes * MINUTE_NS
    made = spans(taken, start_ns, end_ns, sessions, limit)
    asked = [minute_ns for first_ns, last_ns in made for minute_ns in range(first_ns, last_ns, MINUTE_NS)]
    wanted = [
        minute_ns
        for minute_ns in range(start_ns + 1, end_ns, MINUTE_NS)
        if minute_ns not in taken and is_open(sessions, minute_ns)
    ]
    assert asked == sorted(set(asked))
    assert set(wanted) <= set(asked)
    for first_ns, after_ns in made:
        assert first_ns in wanted
        assert after_ns - MINUTE_NS in wanted
        assert after_ns - first_ns <= limit * MINUTE_NS
