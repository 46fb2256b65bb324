"""Counters in the log."""

from structlog.testing import capture_logs

from actors.counters import INTERVAL_NS, CounterLog


def test_a_change_is_logged_once_and_not_too_often() -> None:
    counters = {"bad_frames": 0, "late_quotes": 0}
    with capture_logs() as lines:
        log = CounterLog(lambda: counters)
        log.tell(INTERVAL_NS)
        assert lines == []
        counters["late_quotes"] = 2
        log.tell(2 * INTERVAL_NS - 1)
        assert lines == []
        log.tell(2 * INTERVAL_NS)
        log.tell(3 * INTERVAL_NS)
        assert lines == [{"event": "counters", "log_level": "info", "late_quotes": 2}]
        counters["bad_frames"] = 1
        log.tell(3 * INTERVAL_NS + 1, last=True)
    assert lines[1:] == [{"event": "counters", "log_level": "info", "bad_frames": 1, "late_quotes": 2}]
