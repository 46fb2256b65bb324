from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from actors.domain.money import parse_e8 as e8
from actors.domain.prices.bar import MINUTE_NS, Bar, bar_of, join
from actors.domain.quote import Tick
from tests.examples import START_NS, tick

MINUTE_START_NS = START_NS - START_NS % MINUTE_NS


def test_one_tick_makes_a_bar_from_the_start_of_its_minute() -> None:
    bid, ask = e8("1.1"), e8("1.2")
    given = tick("EURUSD", "1.1", "1.2", time_ns=MINUTE_START_NS + 59_999_999_999)
    assert bar_of(given) == Bar("EURUSD", MINUTE_START_NS, bid, bid, bid, bid, ask, ask, ask, ask, 1)


def test_the_next_minute_begins_with_its_first_nanosecond() -> None:
    assert bar_of(tick("EURUSD", "1", "2", time_ns=MINUTE_START_NS + MINUTE_NS)).start_ns == MINUTE_START_NS + MINUTE_NS


def test_spans_are_counted_from_the_epoch() -> None:
    """2026-01-19T13:49:23Z lies in the five minutes from 13:45 and in the hour from 13:00."""
    given = tick("EURUSD", "1", "2", time_ns=START_NS)
    starts = [bar_of(given, minutes * MINUTE_NS).start_ns // 1_000_000_000 for minutes in (1, 5, 60, 1440)]
    assert starts == [1_768_830_540, 1_768_830_300, 1_768_827_600, 1_768_780_800]


def test_join() -> None:
    """Bids 1.2, 1.1, 1.3; asks are 0.01 above."""
    ticks = [tick("EURUSD", "1.2", "1.21"), tick("EURUSD", "1.1", "1.11"), tick("EURUSD", "1.3", "1.31")]
    assert reduce(join, map(bar_of, ticks)) == Bar(
        "EURUSD",
        MINUTE_START_NS,
        e8("1.2"),
        e8("1.3"),
        e8("1.1"),
        e8("1.3"),
        e8("1.21"),
        e8("1.31"),
        e8("1.11"),
        e8("1.31"),
        3,
    )


TICKS = st.lists(
    st.builds(lambda bid, ask: Tick("EURUSD", 1, START_NS, bid, ask, "A", "A", True), st.integers(1), st.integers(1)),
    min_size=2,
    max_size=8,
)


@given(TICKS, st.data())
def test_bars_join_to_the_same_wherever_they_are_cut(ticks: list[Tick], data: st.DataObject) -> None:
    """So M5 may be made of M1, and a bar that is stored in two parts is the bar."""
    bars = [bar_of(tick) for tick in ticks]
    cut = data.draw(st.integers(1, len(bars) - 1))
    whole = join(reduce(join, bars[:cut]), reduce(join, bars[cut:]))
    bids, asks = [tick.bid_e8 for tick in ticks], [tick.ask_e8 for tick in ticks]
    assert whole == Bar(
        "EURUSD",
        MINUTE_START_NS,
        bids[0],
        max(bids),
        min(bids),
        bids[-1],
        asks[0],
        max(asks),
        min(asks),
        asks[-1],
        len(ticks),
    )
