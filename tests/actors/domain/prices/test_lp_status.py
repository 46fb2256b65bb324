from collections import Counter

from actors.domain.prices.lp_status import CLOCK_WINDOW_NS, LATENCY_BUCKETS, RATE_WINDOW_NS, LpRecord, LpStatus
from actors.domain.quote import Quote
from tests.examples import SECOND_NS, START_NS, quote

US, MS = 1_000, 1_000_000


def made(venue_time_ns: int, received_ns: int) -> Quote:
    return quote("EURUSD", "1", "1", venue_time_ns=venue_time_ns, received_ns=received_ns)


def report(record: LpRecord, now_ns: int, tick_sides: int = 0) -> LpStatus:
    return record.report(Counter(), [], tick_sides, now_ns)


def test_of_an_lp_that_said_nothing_nothing_is_known() -> None:
    told = report(LpRecord("A", START_NS), START_NS)
    assert (told.connected, told.last_quote_age_ns, told.quotes, told.best_share_e6, told.uptime_e6) == (
        False,
        -1,
        0,
        0,
        0,
    )
    assert (told.clock_ahead_ns, told.quotes_per_second_e3) == (None, 0)
    assert told.to_received == told.to_published == [0] * LATENCY_BUCKETS


def test_latencies_go_into_buckets_of_powers_of_two_microseconds() -> None:
    """The LP's clock is a second off, which is no latency."""
    record = LpRecord("A", START_NS)
    for way_ns in (0, 999, 1 * US, 3 * US, 4 * US, 3_600 * SECOND_NS):
        record.take([made(START_NS + SECOND_NS - way_ns, START_NS)], START_NS + 700 * US)
    told = report(record, START_NS)
    assert [(place, count) for place, count in enumerate(told.to_received) if count] == [
        (0, 2),
        (1, 1),
        (2, 1),
        (3, 1),
        (LATENCY_BUCKETS - 1, 1),
    ]
    assert told.to_published[10] == 6


def test_the_lps_clock_is_ahead_by_what_its_freshest_quote_is() -> None:
    """An hour off; jitter on the way only makes quotes older. What is older than two windows is forgotten."""
    hour_ns = 3_600 * SECOND_NS
    record = LpRecord("A", START_NS)
    for way_ms in (20, 5, 300):
        record.take([made(START_NS + hour_ns - way_ms * MS, START_NS)], START_NS)
    assert report(record, START_NS).clock_ahead_ns == hour_ns - 5 * MS
    for window in (1, 2):
        record.pass_time(START_NS + window * CLOCK_WINDOW_NS)
    assert report(record, START_NS).clock_ahead_ns is None
    record.take([made(START_NS - 7 * MS, START_NS)], START_NS)
    assert report(record, START_NS).clock_ahead_ns == -7 * MS


def test_rate_uptime_age_and_share() -> None:
    record = LpRecord("A", START_NS)
    record.connect(True, START_NS)
    for second in range(10):
        record.take([made(0, START_NS + second * SECOND_NS)], START_NS)
    record.best = 3
    told = report(record, START_NS + RATE_WINDOW_NS, tick_sides=12)
    assert (told.quotes_per_second_e3, told.last_quote_age_ns) == (1_000, 1 * SECOND_NS)
    assert (told.best, told.best_share_e6) == (3, 250_000)
    record.pass_time(START_NS + RATE_WINDOW_NS)
    record.connect(False, START_NS + RATE_WINDOW_NS)
    record.connect(False, START_NS + 2 * RATE_WINDOW_NS)
    record.pass_time(START_NS + 2 * RATE_WINDOW_NS)
    told = report(record, START_NS + 4 * RATE_WINDOW_NS)
    assert (told.connected, told.connected_ns, told.uptime_e6) == (False, RATE_WINDOW_NS, 250_000)
    assert told.quotes_per_second_e3 == 0


def test_drops_and_quarantines_are_told() -> None:
    record = LpRecord("A", START_NS)
    record.drops["unknown_symbol"] += 2
    told = record.report(Counter({"zero": 3}), ["EURUSD"], 0, START_NS)
    assert (told.dropped, told.quarantined) == ({"unknown_symbol": 2, "zero": 3}, ["EURUSD"])
