"""When a session is in its hours. Each window begins with both sequence numbers at 1."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gateway.fix.times import SECOND_NS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Schedule:
    """Daily from `start` to `end`, or, with weekdays (Monday is 0), weekly; wall-clock times in the zone.

    Where the end is not after the start, it is that of the next day or week. A time that the zone's clocks skip or
    repeat is taken with the offset before the change.
    """

    start: time
    end: time
    zone: ZoneInfo
    start_weekday: int | None = None
    end_weekday: int | None = None

    def __post_init__(self) -> None:
        if (self.start_weekday is None) != (self.end_weekday is None):
            raise ValueError("a weekly schedule has a weekday for its start and one for its end")

    def window_ns(self, now_ns: int) -> tuple[int, int] | None:
        """The window that has this moment: its start, and its end, which it does not have. None out of hours."""
        today = (_EPOCH + timedelta(seconds=now_ns // SECOND_NS)).astimezone(self.zone).date()
        for back in range(_WEEK_DAYS + 2):
            first = today - timedelta(days=back)
            if self.start_weekday is not None and first.weekday() != self.start_weekday:
                continue
            begin_ns, end_ns = self._moment_ns(first, self.start), self._moment_ns(self._last_day(first), self.end)
            if begin_ns <= now_ns < end_ns:
                return begin_ns, end_ns
        return None

    def next_start_ns(self, now_ns: int) -> int:
        """The first start after this moment."""
        today = (_EPOCH + timedelta(seconds=now_ns // SECOND_NS)).astimezone(self.zone).date()
        days = (today + timedelta(days=ahead) for ahead in range(-1, _WEEK_DAYS + 2))
        starts = (self._moment_ns(day, self.start) for day in days if self.start_weekday in (None, day.weekday()))
        return next(start_ns for start_ns in starts if start_ns > now_ns)

    def _last_day(self, first: date) -> date:
        if self.start_weekday is None or self.end_weekday is None:
            return first + timedelta(days=self.end <= self.start)
        days = (self.end_weekday - self.start_weekday) % _WEEK_DAYS
        return first + timedelta(days=days if days or self.end > self.start else _WEEK_DAYS)

    def _moment_ns(self, day: date, at: time) -> int:
        since = datetime.combine(day, at, self.zone).astimezone(UTC) - _EPOCH
        return (since.days * 86_400 + since.seconds) * SECOND_NS
