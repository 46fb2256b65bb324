"""Fault drills in simulated time: the published tick is fresh, not crossed, and of nobody in quarantine."""

import csv
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.calendar import FOREX, utc_ns
from actors.domain.money import parse_e8 as e8
from actors.domain.prices.market import FEED_SILENCE_LIMIT_NS, SWEEP_NS, Market, Ticks
from actors.domain.prices.pricing import LpTerms, Mode, Pricing
from actors.domain.quote import Quote, QuoteLimits, Tick
from config import catalogue
from gateway.venues.timestamp import parse_time_ns
from tests.examples import EURUSD, GBPUSD, SECOND_NS, START_NS

MS = 1_000_000
NAMES = ("A", "B", "C")
LIMITS = QuoteLimits(silence_ms=4_000)
LPS = {name: LpTerms(LIMITS, priority=place) for place, name in enumerate(NAMES)}
PATIENT = {name: LpTerms(QuoteLimits(silence_ms=120_000)) for name in NAMES}
SYMBOLS = {it.symbol: it for it in (EURUSD, GBPUSD)}


class Drill:
    """A market whose time goes in steps, and who is connected to it."""

    def __init__(
        self, pricing: Pricing | None = None, now_ns: int = START_NS, lps: dict[str, LpTerms] | None = None
    ) -> None:
        self.market = Market(SYMBOLS, lps or LPS, {"EURUSD": pricing} if pricing else {}, 1, now_ns)
        self.now_ns = now_ns
        self.connected = dict.fromkeys(NAMES, True)
        self.ticks: list[Tick] = []
        self.told_ns = now_ns

    def quote(self, venue: str, bid: str, ask: str, symbol: str = "EURUSD", *, clock_ns: int = 0) -> None:
        made = Quote(symbol, e8(bid), e8(ask), 1, 1, self.now_ns + clock_ns, self.now_ns)
        self._run(lambda ticks: self.market.quote(venue, [made], self.now_ns, ticks))

    def status(self, venue: str, connected: bool) -> None:
        self.connected[venue] = connected
        self._run(lambda ticks: self.market.status(venue, connected, self.now_ns, self.now_ns, ticks))

    def define(self, lps: dict[str, LpTerms]) -> None:
        self._run(lambda ticks: self.market.define(lps, self.now_ns, ticks))

    def wait(self, ms: int) -> None:
        """Time goes in steps of the sweep; the feeds say each second how they are."""
        until_ns = self.now_ns + ms * MS
        while self.now_ns < until_ns:
            self.now_ns = min(until_ns, self.now_ns + SWEEP_NS)
            if self.now_ns - self.told_ns >= SECOND_NS:
                self.told_ns = self.now_ns
                for venue, connected in self.connected.items():
                    self.status(venue, connected)
            self._run(lambda ticks: self.market.pass_time(self.now_ns, ticks))

    def stall(self, ms: int) -> None:
        """Time goes on in one step, in which nobody said or looked at anything."""
        self.now_ns += ms * MS
        self._run(lambda ticks: self.market.pass_time(self.now_ns, ticks))

    def last(self, symbol: str = "EURUSD") -> tuple[str, str, bool]:
        """Whose the last tick's sides are, and whether it is live."""
        tick = self.market.composites[symbol].last
        assert tick is not None
        return tick.lp_bid, tick.lp_ask, tick.live

    def dropped(self, venue: str) -> dict[str, int]:
        (report,) = [report for report in self.market.report(self.now_ns) if report.venue == venue]
        return report.dropped

    def quarantined(self, venue: str) -> bool:
        return self.market.composites["EURUSD"].lines[venue].quarantine.is_on

    def _run(self, step: Callable[[Ticks], None]) -> None:
        ticks: Ticks = {}
        step(ticks)
        for symbol, batch in ticks.items():
            self.ticks += batch
            standing = self.market.composites[symbol].book.quotes
            assert all(standing.keys() >= {tick.lp_bid, tick.lp_ask} for tick in batch if tick.live)
        self.check()

    def check(self) -> None:
        for symbol, composite in self.market.composites.items():
            tick = composite.last
            if tick is None or not tick.live:
                continue
            assert 0 < tick.bid_e8 <= tick.ask_e8, symbol
            for venue in (tick.lp_bid, tick.lp_ask):
                assert not composite.lines[venue].quarantine.is_on
                quote = composite.book.quotes[venue]
                assert self.now_ns - quote.received_ns <= composite.lines[venue].silence_ns + SWEEP_NS
                assert self.connected[venue]
        seqs = [tick.seq for tick in self.ticks if tick.symbol == "EURUSD"]
        assert seqs == list(range(1, len(seqs) + 1))


PRICES = st.sampled_from(["0", "1.09", "1.1", "1.1001", "1.1002", "1.100001", "1.11", "1.2", "1.5", "4"])
CLOCKS_NS = st.sampled_from([0, -3_600 * SECOND_NS, 3_600 * SECOND_NS, -SECOND_NS, SECOND_NS])
STEPS = st.one_of(
    st.tuples(st.just("quote"), st.sampled_from(NAMES), PRICES, PRICES, CLOCKS_NS),
    st.tuples(st.just("good"), st.sampled_from(NAMES), st.integers(0, 9)),
    st.tuples(st.just("status"), st.sampled_from(NAMES), st.booleans()),
    st.tuples(st.just("wait"), st.integers(1, 6_000)),
    st.tuples(st.just("stall"), st.integers(1, 6_000)),
)
MODES = st.sampled_from(
    [
        Pricing(),
        Pricing(mode=Mode.PRIORITY, hold_ms=1_000),
        Pricing(mode=Mode.WEIGHTED, skew_e8=-5_000),
        Pricing(mode=Mode.SINGLE, single="B", spread_min_e8=50_000),
    ]
)


@settings(max_examples=150, deadline=None)
@given(MODES, st.lists(STEPS, max_size=40))
def test_the_published_tick_is_fresh_sound_and_of_nobody_in_quarantine(pricing: Pricing, steps: list[Any]) -> None:
    drill = Drill(pricing)
    for kind, *what in steps:
        if kind == "quote":
            venue, bid, ask, clock_ns = what
            if drill.connected[venue]:
                drill.quote(venue, bid, ask, clock_ns=clock_ns)
        elif kind == "good":
            venue, points = what
            if drill.connected[venue]:
                drill.quote(venue, f"1.1000{points}", "1.1002")
        elif kind == "status":
            drill.status(*what)
        elif kind == "stall":
            drill.stall(*what)
        else:
            drill.wait(*what)


def test_an_lp_whose_clock_is_an_hour_off_is_out_and_the_operator_sees_the_clock() -> None:
    drill = Drill()
    drill.quote("A", "1.1", "1.1002")
    for _ in range(5):
        drill.quote("B", "1.1001", "1.1003", clock_ns=3_600 * SECOND_NS)
        drill.wait(100)
    assert drill.last() == ("A", "A", True)
    (_, b, _) = drill.market.report(drill.now_ns)
    assert (b.dropped, b.quarantined, b.clock_ahead_ns) == ({"future": 5}, ["EURUSD"], 3_600 * SECOND_NS)


def test_a_spike_is_not_published_and_its_lp_is_back_by_rule() -> None:
    drill = Drill()
    for _ in range(4):
        drill.quote("A", "1.1", "1.1002")
        drill.wait(10)
    for _ in range(3):
        drill.quote("A", "1.2", "1.2002")
        drill.wait(10)
    assert (drill.last(), drill.quarantined("A"), drill.dropped("A")) == (("A", "A", False), True, {"spike": 3})
    for _ in range(100):
        drill.quote("A", "1.1", "1.1002")
        drill.wait(100)
    assert (drill.last(), drill.quarantined("A")) == (("A", "A", True), False)
    assert 0 < drill.dropped("A")["quarantined"] < 60


def test_prices_of_a_wrong_symbol_stay_out_for_good_where_another_lp_knows_better() -> None:
    """GBPUSD's prices under EURUSD's name, which by themselves are as good as any."""
    drill = Drill()
    for _ in range(3):
        drill.quote("A", "1.1", "1.1002")
        drill.quote("B", "1.1001", "1.1003")
        drill.wait(100)
    for _ in range(200):
        drill.quote("A", "1.1", "1.1002")
        drill.quote("B", "1.34", "1.3402")
        drill.wait(100)
        assert drill.last()[0] == "A"
    assert drill.quarantined("B")


def moving(drill: Drill, venue: str, bid: str, ask: str, ms: int) -> None:
    """The LP quotes this price all the time, twice a second."""
    for _ in range(ms // 500):
        drill.quote(venue, bid, ask)
        drill.wait(500)


def test_an_lp_that_froze_at_an_old_price_is_set_aside_for_the_one_that_moved() -> None:
    """Long before its quote is stale by itself: after ten seconds in which it says nothing."""
    drill = Drill(lps=PATIENT)
    drill.quote("A", "1.1", "1.1002")
    drill.quote("B", "1.1001", "1.1003")
    drill.wait(100)
    moving(drill, "B", "1.13", "1.1302", 9_500)
    assert (drill.last(), drill.quarantined("B")) == (("A", "A", True), True)
    moving(drill, "B", "1.131", "1.1312", 2_000)
    assert (drill.last(), drill.quarantined("B"), drill.dropped("A")) == (("B", "B", True), False, {"outrun": 1})
    drill.quote("A", "1.1311", "1.1313")
    assert drill.last() == ("A", "B", True)


def test_an_lp_that_was_only_quiet_takes_its_place_back() -> None:
    """The other one moved alone, and stays out from then on, however long the first is quiet again."""
    drill = Drill(lps=PATIENT)
    drill.quote("A", "1.1", "1.1002")
    drill.quote("B", "1.1001", "1.1003")
    moving(drill, "B", "1.13", "1.1302", 12_000)
    assert drill.last() == ("B", "B", True)
    drill.quote("A", "1.1", "1.1003")
    assert drill.last() == ("A", "A", True)
    moving(drill, "B", "1.13", "1.1302", 30_000)
    assert drill.last() == ("A", "A", True)


def test_an_lp_that_was_never_near_the_others_outruns_nobody() -> None:
    drill = Drill(lps=PATIENT)
    drill.quote("A", "1.1", "1.1002")
    moving(drill, "B", "1.34", "1.3402", 30_000)
    assert drill.last() == ("A", "A", True)


def test_one_lp_that_moves_does_not_outrun_two_that_agree() -> None:
    drill = Drill(lps=PATIENT)
    for venue in NAMES:
        drill.quote(venue, "1.1", "1.1002")
    moving(drill, "B", "1.13", "1.1302", 30_000)
    assert drill.last() == ("A", "A", True)


@pytest.mark.parametrize("venues", ["AB", "ABC"])
def test_in_a_flash_move_all_are_right_as_soon_as_most_have_moved(venues: str) -> None:
    drill = Drill(lps=PATIENT)
    for venue in venues:
        drill.quote(venue, "1.1", "1.1002")
    drill.wait(1_000)
    for _ in range(3):
        drill.quote("B", "1.07", "1.0702")
        drill.wait(100)
    assert (drill.last(), drill.quarantined("B")) == (("A", "A", True), True)
    drill.quote("A", "1.0701", "1.0703")
    assert (drill.last(), drill.quarantined("B"), drill.dropped("A")) == (("A", "A", True), False, {})
    assert drill.ticks[-1].bid_e8 == e8("1.0701")
    drill.quote("B", "1.0702", "1.0704")
    assert drill.last() == ("B", "A", True)
    assert drill.dropped("C") == ({"outrun": 1} if "C" in venues else {})


def test_a_new_precision_is_dropped_and_said() -> None:
    drill = Drill()
    for number in range(4):
        drill.quote("A", f"1.10000{number + 1}", "1.1002")
    assert (drill.ticks, drill.dropped("A"), drill.quarantined("A")) == ([], {"precision": 4}, True)


def test_a_silent_symbol_beside_a_living_stream_is_seen() -> None:
    drill = Drill()
    drill.quote("A", "1.1", "1.1002")
    for second in range(6):
        drill.quote("A", "1.3", f"1.300{second + 1}", "GBPUSD")
        drill.wait(1_000)
    assert (drill.last("EURUSD"), drill.last("GBPUSD")) == (("A", "A", False), ("A", "A", True))
    assert drill.dropped("A") == {"stale": 1}


def test_in_a_closed_market_silence_is_no_alarm() -> None:
    forex = msgspec.structs.replace(EURUSD, sessions=FOREX)
    saturday_ns = utc_ns((20_477 * 24 + 12) * 60)
    drill = Drill(now_ns=saturday_ns)
    drill.market = Market({"EURUSD": forex}, LPS, {}, 1, saturday_ns)
    drill.quote("A", "1.1", "1.1002")
    drill.wait(5_000)
    assert (drill.last(), drill.dropped("A")) == (("A", "A", False), {"closed": 1})


def test_a_flapping_first_lp_does_not_make_the_price_flap() -> None:
    drill = Drill(Pricing(mode=Mode.PRIORITY, hold_ms=2_000))
    drill.quote("B", "1.1", "1.1002")
    leaders = []
    for _ in range(10):
        drill.status("A", True)
        drill.quote("A", "1.1001", "1.1003")
        drill.quote("B", "1.1", "1.1002")
        drill.wait(500)
        leaders.append(drill.last()[0])
        drill.status("A", False)
        drill.wait(200)
    drill.status("A", True)
    for _ in range(6):
        drill.quote("A", "1.1001", "1.1003")
        drill.wait(500)
    assert (leaders, drill.last()) == (["B"] * 10, ("A", "A", True))


def test_a_silent_feed_and_crossed_lps() -> None:
    drill = Drill()
    drill.quote("A", "1.1", "1.1002")
    drill.wait(10)
    drill.quote("B", "1.1005", "1.1007")
    assert drill.last() == ("B", "B", True)
    del drill.connected["A"]
    drill.wait(FEED_SILENCE_LIMIT_NS // MS)
    drill.connected["A"] = True
    drill.quote("B", "1.1005", "1.1008")
    drill.wait(SWEEP_NS // MS)
    assert (drill.last(), list(drill.market.composites["EURUSD"].book.quotes)) == (("B", "B", True), ["B"])


def test_lps_come_and_go_and_change_while_running() -> None:
    drill = Drill()
    drill.quote("A", "1.1", "1.1002")
    drill.quote("B", "1.1001", "1.1003")
    drill.define({"A": LPS["A"], "D": LpTerms(LIMITS)})
    assert drill.last() == ("A", "A", True)
    drill.connected["D"] = True
    drill.quote("D", "1.1", "1.10015")
    assert drill.last() == ("A", "D", True)
    with pytest.raises(KeyError):
        drill.quote("B", "1.1", "1.2")
    drill.define({"A": LpTerms(QuoteLimits(price_digits=3))})
    assert not drill.last()[2]


def test_of_a_real_lp_only_the_dirt_is_dropped(shared: Path) -> None:
    """FX14-2026-01-19 holds 942 rows with a zero side and 4 that are crossed, in 63,093; once a price is not confirmed
    for more than a minute."""
    instruments = catalogue.instruments()
    market = Market(instruments, {"LP": LpTerms()}, {}, 1, START_NS)
    ticks: Ticks = {}
    with gzip.open(shared / "ticks" / "FX14-2026-01-19.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            now_ns = parse_time_ns(row["time"])
            made = Quote(row["symbol"], e8(row["bid"]), e8(row["ask"]), 1, 1, now_ns, now_ns)
            market.quote("LP", [made], now_ns, ticks)
            market.pass_time(now_ns, ticks)
    (told,) = market.report(now_ns)
    assert (told.quotes, told.dropped, told.quarantined) == (63_093, {"zero": 942, "crossed": 4, "stale": 1}, [])
    assert all(0 < tick.bid_e8 <= tick.ask_e8 for batch in ticks.values() for tick in batch)
