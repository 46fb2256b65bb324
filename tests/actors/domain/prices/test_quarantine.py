from actors.domain.prices.quarantine import Quarantine
from actors.domain.quote import QuoteLimits

MS = 1_000_000
LIMITS = QuoteLimits(faults=3, fault_window_ms=1_000, good_quotes=2, hold_ms=500)


def test_so_many_faults_within_the_window_begin_it() -> None:
    quarantine = Quarantine(LIMITS)
    assert [quarantine.fault(ms * MS) for ms in (0, 400, 1_001, 1_300)] == [False, False, False, True]
    assert (quarantine.is_on, quarantine.times) == (True, 1)
    assert not quarantine.fault(1_300 * MS)


def test_good_quotes_in_a_row_and_a_time_without_fault_end_it() -> None:
    quarantine = Quarantine(LIMITS)
    for ms in (0, 1, 2):
        quarantine.fault(ms * MS)
    assert [quarantine.good(ms * MS) for ms in (100, 200, 501)] == [False, False, False]
    quarantine.fault(502 * MS)
    assert [quarantine.good(ms * MS) for ms in (1_002, 1_003)] == [False, True]
    assert not quarantine.is_on
    assert not quarantine.fault(1_004 * MS)
