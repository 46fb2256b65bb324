"""The offset of an LP's clock, and the histogram of what quotes took beyond the shortest way."""

from hypothesis import given
from hypothesis import strategies as st

from actors.domain.latency import BOUNDS_US, WINDOW_NS, LpLatency

MS_NS = 1_000_000
HOUR_NS = 3_600_000_000_000


def bucket(latency_us: int) -> list[int]:
    """The counts of one quote that took so long."""
    place = sum(bound < latency_us for bound in BOUNDS_US)
    return [int(number == place) for number in range(len(BOUNDS_US) + 1)]


def test_nothing_is_known_before_the_first_quote() -> None:
    latency = LpLatency()
    assert (latency.offset_ns, sum(latency.counts)) == (None, 0)


def test_a_clock_that_is_an_hour_slow_is_an_offset_and_no_latency() -> None:
    latency = LpLatency()
    latency.add(0, HOUR_NS + 2 * MS_NS)
    latency.add(MS_NS, HOUR_NS + 10 * MS_NS)
    assert latency.offset_ns == HOUR_NS + 2 * MS_NS
    assert latency.counts == [a + b for a, b in zip(bucket(0), bucket(7_000), strict=True)]


def test_a_bound_belongs_to_its_bucket_and_part_of_a_microsecond_counts_whole() -> None:
    for latency_ns, latency_us in ((BOUNDS_US[0] * 1_000, 100), (BOUNDS_US[0] * 1_000 + 1, 101)):
        latency = LpLatency()
        latency.add(0, 0)
        latency.add(0, latency_ns)
        assert latency.counts == [a + b for a, b in zip(bucket(0), bucket(latency_us), strict=True)]


def test_a_clock_that_is_set_is_followed_within_two_windows() -> None:
    latency = LpLatency()
    latency.add(0, 0)
    for turn in range(1, 4):
        latency.add(turn * WINDOW_NS - HOUR_NS, turn * WINDOW_NS)
    assert latency.offset_ns == HOUR_NS


@given(st.lists(st.tuples(st.integers(-HOUR_NS, HOUR_NS), st.integers(0, WINDOW_NS)), max_size=50))
def test_every_quote_is_counted_once(steps: list[tuple[int, int]]) -> None:
    latency, now_ns = LpLatency(), 10 * HOUR_NS
    for behind_ns, pause_ns in steps:
        now_ns += pause_ns
        latency.add(now_ns - behind_ns, now_ns)
    assert sum(latency.counts) == len(steps)
