"""Session hours, daily and weekly, over changes of the clocks."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from gateway.fix.schedule import Schedule
from gateway.fix.times import SECOND_NS

NEW_YORK = ZoneInfo("America/New_York")
DAILY = Schedule(time(17), time(16, 55), NEW_YORK)
WEEKLY = Schedule(time(17), time(16, 55), NEW_YORK, start_weekday=6, end_weekday=4)
OFFICE = Schedule(time(8), time(17), ZoneInfo("Europe/London"))


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_NS


@pytest.mark.parametrize(
    ("schedule", "moment", "window"),
    [
        (DAILY, "2026-01-19T21:59:59", None),
        (DAILY, "2026-01-19T22:00:00", ("2026-01-19T22:00:00", "2026-01-20T21:55:00")),
        (DAILY, "2026-01-20T21:54:59", ("2026-01-19T22:00:00", "2026-01-20T21:55:00")),
        (DAILY, "2026-03-08T12:00:00", ("2026-03-07T22:00:00", "2026-03-08T20:55:00")),
        (WEEKLY, "2026-01-21T00:00:00", ("2026-01-18T22:00:00", "2026-01-23T21:55:00")),
        (WEEKLY, "2026-01-24T00:00:00", None),
        (OFFICE, "2026-07-01T07:00:00", ("2026-07-01T07:00:00", "2026-07-01T16:00:00")),
        (OFFICE, "2026-07-01T06:59:59", None),
    ],
)
def test_windows(schedule: Schedule, moment: str, window: tuple[str, str] | None) -> None:
    expected = (ns(window[0]), ns(window[1])) if window else None
    assert schedule.window_ns(ns(moment)) == expected


@pytest.mark.parametrize(
    ("schedule", "moment", "start"),
    [
        (WEEKLY, "2026-01-24T00:00:00", "2026-01-25T22:00:00"),
        (WEEKLY, "2026-01-25T22:00:00", "2026-02-01T22:00:00"),
        (OFFICE, "2026-07-01T16:00:00", "2026-07-02T07:00:00"),
    ],
)
def test_next_starts(schedule: Schedule, moment: str, start: str) -> None:
    assert schedule.next_start_ns(ns(moment)) == ns(start)


def test_half_a_week_is_none() -> None:
    with pytest.raises(ValueError, match="weekday"):
        Schedule(time(8), time(17), NEW_YORK, start_weekday=1)
