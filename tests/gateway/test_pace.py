from hypothesis import given
from hypothesis import strategies as st

from gateway.venues.pace import S_NS, Pace


def test_a_burst_goes_at_once_and_the_rest_evenly() -> None:
    pace = Pace(10, burst=3, wait_limit_ms=250)
    waits = [pace.reserve(S_NS) for _ in range(6)]
    assert waits == [0, 0, 0, S_NS // 10, S_NS // 5, None]
    assert pace.reserve(S_NS + S_NS // 5) == S_NS // 10
    assert pace.reserve(100 * S_NS) == 0


def test_what_the_lp_holds_back_waits() -> None:
    pace = Pace(10, burst=3, wait_limit_ms=2_000)
    pace.hold(3 * S_NS)
    assert pace.reserve(S_NS) == 2 * S_NS
    assert pace.reserve(S_NS // 2) is None
    pace.hold(2 * S_NS)
    assert pace.reserve(2 * S_NS) == S_NS + S_NS // 10


@given(st.lists(st.integers(0, 400), max_size=80), st.integers(1, 50), st.integers(1, 30))
def test_no_second_has_more_than_burst_and_rate(gaps_ms: list[int], per_second: int, burst: int) -> None:
    pace = Pace(per_second, burst, wait_limit_ms=5_000)
    now_ns, sent_ns = 10 * S_NS, list[int]()
    for gap_ms in gaps_ms:
        now_ns += gap_ms * 1_000_000
        wait_ns = pace.reserve(now_ns)
        if wait_ns is not None:
            assert 0 <= wait_ns <= 5 * S_NS
            sent_ns.append(now_ns + wait_ns)
    assert sent_ns == sorted(sent_ns)
    for first_ns in sent_ns:
        assert sum(first_ns <= at_ns < first_ns + S_NS for at_ns in sent_ns) <= burst + per_second
