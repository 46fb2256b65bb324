import random
from collections.abc import Sequence

import msgspec
import pytest

from actors.domain.prices.filters import Corridor, Screen
from actors.domain.quote import Drop, Quote, QuoteLimits
from tests.examples import EURUSD, START_NS, quote

LIMITS = QuoteLimits()
MS = 1_000_000


def screen(limits: QuoteLimits = LIMITS) -> Screen:
    return Screen(EURUSD, limits, Corridor())


def at(bid: str, ask: str, ms: int = 0, seq: int = 0) -> Quote:
    """Made and received so many milliseconds after START_NS."""
    time_ns = START_NS + ms * MS
    made = quote("EURUSD", bid, ask, venue_time_ns=time_ns, received_ns=time_ns)
    return msgspec.structs.replace(made, venue_seq=seq)


@pytest.mark.parametrize(
    ("given", "drop"),
    [
        (quote("EURUSD", "1.10000", "1.10020"), None),
        (quote("EURUSD", "1.10000", "1.10000"), None),
        (quote("EURUSD", "0", "1.10020"), Drop.ZERO),
        (quote("EURUSD", "1.10000", "0"), Drop.ZERO),
        (quote("EURUSD", "-1.1", "1.10020"), Drop.ZERO),
        (quote("EURUSD", "1.10021", "1.10020"), Drop.CROSSED),
        (quote("EURUSD", "0.49999", "0.50001"), Drop.BOUNDS),
        (quote("EURUSD", "2.99999", "3.00001"), Drop.BOUNDS),
        (quote("EURUSD", "0.5", "0.5"), None),
        (quote("EURUSD", "3", "3"), None),
        (quote("EURUSD", "1.100001", "1.1001"), Drop.PRECISION),
        (quote("EURUSD", "1.1", "1.10000001"), Drop.PRECISION),
        (quote("EURUSD", "1.00000", "1.10000"), None),
        (quote("EURUSD", "1.00000", "1.10001"), Drop.SPREAD),
        (quote("EURUSD", "1.1", "1.1", venue_time_ns=START_NS - 60_000 * MS), None),
        (quote("EURUSD", "1.1", "1.1", venue_time_ns=START_NS - 60_000 * MS - 1), Drop.OLD),
        (quote("EURUSD", "1.1", "1.1", venue_time_ns=START_NS + 5_000 * MS), None),
        (quote("EURUSD", "1.1", "1.1", venue_time_ns=START_NS + 5_000 * MS + 1), Drop.FUTURE),
        (quote("EURUSD", "1.1", "1.1", venue_time_ns=0), None),
    ],
)
def test_a_quote_by_itself(given: Quote, drop: Drop | None) -> None:
    assert screen().verdict(given, "A", {}) is drop


def test_what_follows_the_first_quote_is_younger() -> None:
    """The first one says what the LP stands by, whenever it made it: a snapshot's prices may be old."""
    one = screen()
    made_ns = START_NS - 8_000 * MS
    assert one.verdict(quote("EURUSD", "1.1", "1.1", venue_time_ns=made_ns), "A", {}) is None
    later_ns = START_NS + 5_000 * MS
    for age_ms, drop in ((5_001, Drop.OLD), (5_000, None)):
        given = quote("EURUSD", "1.1", "1.2", venue_time_ns=later_ns - age_ms * MS, received_ns=later_ns)
        assert one.verdict(given, "A", {}) is drop


def test_a_quote_that_was_withdrawn_may_come_again() -> None:
    """As a new connection tells it: the same price, made at the same time."""
    one, again = screen(), at("1.1", "1.1")
    assert [one.verdict(again, "A", {}), one.verdict(again, "A", {})] == [None, Drop.DUPLICATE]
    one.withdraw()
    assert one.verdict(again, "A", {}) is None


def test_the_first_reason_counts() -> None:
    """Crossed, wide and old at once: what the LP's zero says comes before what we know of the symbol."""
    late_ns = START_NS - 70_000 * MS
    cases = [("0", "1"), ("2", "1"), ("0.1", "9"), ("1", "2.000001"), ("1", "2"), ("1", "1")]
    reasons = [screen().verdict(quote("EURUSD", *case, venue_time_ns=late_ns), "A", {}) for case in cases]
    assert reasons == [Drop.ZERO, Drop.CROSSED, Drop.BOUNDS, Drop.PRECISION, Drop.SPREAD, Drop.OLD]


def test_an_lp_may_have_a_precision_of_its_own() -> None:
    finer = screen(QuoteLimits(price_digits=6))
    assert [finer.verdict(quote("EURUSD", bid, "1.2"), "A", {}) for bid in ("1.100001", "1.1000001")] == [
        None,
        Drop.PRECISION,
    ]


def test_the_order_is_that_of_the_lps_clock_and_of_its_numbers() -> None:
    judge = screen()
    said = [
        at("1.1", "1.2", 5),
        at("1.1", "1.2", 4),
        at("1.1", "1.2", 5, 7),
        at("1.1", "1.2", 6, 6),
        at("1.1", "1.2", 5, 8),
    ]
    assert [judge.verdict(each, "A", {}) for each in said] == [None, Drop.OUT_OF_ORDER, None, Drop.OUT_OF_ORDER, None]
    judge.forget()
    assert judge.verdict(at("1.1", "1.2", 1, 1), "A", {}) is None


def test_the_same_quote_again_is_a_duplicate_where_the_lp_dates_or_numbers_it() -> None:
    judge = screen()
    first = at("1.1", "1.2", 5)
    assert [judge.verdict(each, "A", {}) for each in (first, first, at("1.1", "1.2", 6))] == [
        None,
        Drop.DUPLICATE,
        None,
    ]
    dateless = quote("EURUSD", "1.1", "1.2", venue_time_ns=0)
    plain = screen()
    assert [plain.verdict(dateless, "A", {}), plain.verdict(dateless, "A", {})] == [None, None]


def test_a_spike_is_far_from_the_last_quotes_and_a_price_that_stays_is_none() -> None:
    judge = screen()
    before = [judge.verdict(at("1.1", "1.1001", ms), "A", {}) for ms in range(7)]
    after = [judge.verdict(at("1.2", "1.2001", 10 + ms), "A", {}) for ms in range(5)]
    assert (before, after) == ([None] * 7, [Drop.SPIKE] * 3 + [None] * 2)


def test_after_a_pause_a_market_may_open_anywhere() -> None:
    judge = screen()
    assert [judge.verdict(at("1.1", "1.1001", ms), "A", {}) for ms in range(3)] == [None] * 3
    assert judge.verdict(at("1.2", "1.2001", 3 + LIMITS.median_ms), "A", {}) is None


def test_where_other_lps_have_a_price_they_decide() -> None:
    """A move that they have made is no spike, and one that they have not is none of the market's."""
    moves = {("1.1", "1.1001"): Drop.OFF_MARKET, ("1.2", "1.2001"): None, ("1.21", "1.2101"): None}
    for names in ("B", "BCD"):
        for move, drop in moves.items():
            corridor = Corridor()
            judge = Screen(EURUSD, LIMITS, corridor)
            for ms in range(3):
                assert judge.verdict(at("1.1", "1.1001", ms), "A", {}) is None
            others: dict[str, Quote] = {}
            for name in names:
                others[name] = at("1.2", "1.2001")
                assert Screen(EURUSD, LIMITS, corridor).verdict(others[name], name, others) is None
            assert judge.verdict(at(*move, 5), "A", others) is drop


def test_an_lp_alone_is_judged_by_its_own_past_though_another_one_vouched_for_it() -> None:
    corridor = Corridor()
    a, b = Screen(EURUSD, LIMITS, corridor), Screen(EURUSD, LIMITS, corridor)
    assert [a.verdict(at("1.1", "1.1001", ms), "A", {}) for ms in range(3)] == [None] * 3
    there = at("1.2", "1.2001", 3)
    assert b.verdict(there, "B", {}) is a.verdict(there, "A", {"B": there}) is None
    assert a.verdict(at("1.2", "1.2001", 4), "A", {}) is Drop.SPIKE


@pytest.mark.parametrize("seed", range(200))
def test_the_short_way_decides_as_the_long_one(seed: int) -> None:
    """The corridor spares the median; whoever works it out each time comes to the same. LPs are lost, and pause."""
    chance = random.Random(seed)
    limits = QuoteLimits(spike_e8=5_000_000, off_market_e8=4_000_000, spread_e8=6_000_000)
    corridor = Corridor()
    short = {name: Screen(EURUSD, limits, corridor) for name in "ABCD"}
    long = {name: Screen(EURUSD, limits, Blind()) for name in "ABCD"}
    standing: dict[str, Quote] = {}
    time_ns = START_NS
    for _ in range(100):
        name = chance.choice("ABCD")
        time_ns += chance.choice([1, 1, 1, 40_000 * MS])
        if chance.random() < 0.1:
            standing.pop(name, None)
            if chance.random() < 0.3:
                short[name].forget()
                long[name].forget()
            continue
        bid_e8 = (100 + chance.choice([-10, -5, -2, -1, 0, 0, 0, 1, 2, 5, 10])) * 1_000_000
        made = Quote("EURUSD", bid_e8, bid_e8 + chance.choice([0, 1_000, 4_000_000, 6_500_000]), 1, 1, time_ns, time_ns)
        drop = long[name].verdict(made, name, standing)
        assert short[name].verdict(made, name, standing) is drop
        if drop is None:
            standing[name] = made
        else:
            standing.pop(name, None)


class Blind(Corridor):
    """Never spares the way."""

    def lay(self, mids: Sequence[int], price_min_e8: int, price_max_e8: int) -> None:
        self.close()
