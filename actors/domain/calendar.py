"""Trading time: New York's 17:00, trading days, opening hours and value dates, in integers and without zone files.

A `day` is the number of days since 1 January 1970, a `minute` of New York's wall clock one since that day's midnight
there. The zone's rule is that of the Energy Policy Act of 2005, sec. 110: clocks are an hour ahead from 2:00 on the
second Sunday of March to 2:00 on the first Sunday of November. It holds since 2007 and is used for every year.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import msgspec

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)

DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
ROLL_MINUTE = 17 * 60
"""The trading day ends at 17:00 in New York."""
MINUTE_NS = 60 * 10**9
DAY_NS = DAY_MINUTES * MINUTE_NS
NEVER_NS = 2**63 - 1
WINDOWS_LIMIT = 100
CLOSURES_LIMIT = 1000

_WINTER_MINUTES = 5 * 60
_SUMMER_MINUTES = 4 * 60
_CHANGE_MINUTE = 2 * 60
_ORDINAL_OF_DAY_0 = date(1970, 1, 1).toordinal()


def day_of(year: int, month: int, day: int) -> int:
    """The day of a date. Raises ValueError where there is no such date."""
    return date(year, month, day).toordinal() - _ORDINAL_OF_DAY_0


def date_of(day: int) -> date:
    return date.fromordinal(day + _ORDINAL_OF_DAY_0)


def weekday(day: int) -> int:
    """Monday is 0; day 0 was a Thursday."""
    return (day + THURSDAY) % 7


def roll_ns(day: int) -> int:
    """When a trading day ends: 17:00 in New York, which is 21:00 UTC in summer and 22:00 UTC in winter."""
    return utc_ns(day * DAY_MINUTES + ROLL_MINUTE)


def roll_after(now_ns: int) -> int:
    """The next 17:00 in New York; at 17:00 itself, tomorrow's."""
    return roll_ns(trading_day(now_ns))


def trading_day(now_ns: int) -> int:
    """The trading day of a moment: it begins at 17:00 in New York of the day before, and that moment is its first."""
    day = now_ns // DAY_NS
    return day + 1 if now_ns >= roll_ns(day) else day


def utc_ns(minute: int) -> int:
    """The moment of a minute on New York's wall clock.

    Of the hour that comes twice in November it takes the first; of the hour that March leaves out, its end.
    """
    day, minute_of_day = divmod(minute, DAY_MINUTES)
    begins, ends = _summer(date_of(day).year)
    if not (begins, _CHANGE_MINUTE) <= (day, minute_of_day) < (ends, _CHANGE_MINUTE):
        return (minute + _WINTER_MINUTES) * MINUTE_NS
    change = begins * DAY_MINUTES + _CHANGE_MINUTE + _WINTER_MINUTES
    return max(minute + _SUMMER_MINUTES, change) * MINUTE_NS


@lru_cache(maxsize=64)
def _summer(year: int) -> tuple[int, int]:
    """The second Sunday of March and the first of November."""
    march_8, november_1 = day_of(year, 3, 8), day_of(year, 11, 1)
    return march_8 + SUNDAY - weekday(march_8), november_1 + SUNDAY - weekday(november_1)


class Window(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A part of each week in which an instrument is traded, by New York's wall clock."""

    weekday: int
    """On which it opens; Monday is 0."""
    opens_minute: int
    """Of that day, from its midnight."""
    lasts_minutes: int

    @property
    def minute_of_week(self) -> int:
        return self.weekday * DAY_MINUTES + self.opens_minute


class Closure(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A holiday, or what an early close takes away: closed from one minute of New York's wall clock to another."""

    starts_minute: int
    ends_minute: int


class Sessions(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When an instrument is traded: the weekly windows, less the closures, both in order and apart from each other.

    Windows may touch. Raises ValueError where the terms contradict each other.
    """

    windows: tuple[Window, ...]
    closures: tuple[Closure, ...] = ()

    def __post_init__(self) -> None:
        if len(self.windows) > WINDOWS_LIMIT or len(self.closures) > CLOSURES_LIMIT:
            raise ValueError(f"at most {WINDOWS_LIMIT} windows and {CLOSURES_LIMIT} closures")
        last = 0
        for window in self.windows:
            start = window.minute_of_week
            sound = MONDAY <= window.weekday <= SUNDAY and 0 <= window.opens_minute < DAY_MINUTES
            if not (sound and start >= last and window.lasts_minutes > 0):
                raise ValueError(f"{window} is no window of the week, or out of order")
            last = start + window.lasts_minutes
        if self.windows and last - WEEK_MINUTES > self.windows[0].minute_of_week:
            raise ValueError("the week's last window runs into its first")
        last = 0
        for closure in self.closures:
            if not last <= closure.starts_minute < closure.ends_minute <= NEVER_NS // MINUTE_NS:
                raise ValueError(f"{closure} is no closure, or out of order")
            last = closure.ends_minute


FOREX = Sessions((Window(SUNDAY, ROLL_MINUTE, 5 * DAY_MINUTES),))
"""Sunday 17:00 to Friday 17:00."""
ALWAYS = Sessions((Window(MONDAY, 0, WEEK_MINUTES),))
"""Crypto."""


class SessionState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Open or closed up to `until_ns`, when it changes; NEVER_NS: it stays so. Keep it and ask again only then."""

    open: bool
    until_ns: int


def is_open(sessions: Sessions, now_ns: int) -> bool:
    return _window_at(sessions, now_ns)[0] and not _closure_at(sessions, now_ns)[0]


def state_at(sessions: Sessions, now_ns: int) -> SessionState:
    """Whether it is open, and how long it stays so: windows that touch, and closures that do, count as one."""
    opened = is_open(sessions, now_ns)
    until_ns = now_ns
    while until_ns < NEVER_NS and is_open(sessions, until_ns) is opened:
        closed, closure_ns = _closure_at(sessions, until_ns)
        until_ns = closure_ns if closed else min(closure_ns, _window_at(sessions, until_ns)[1])
    return SessionState(opened, until_ns)


def _window_at(sessions: Sessions, now_ns: int) -> tuple[bool, int]:
    """Whether this moment lies in a window, and when that window ends or the next one begins."""
    if not sessions.windows:
        return False, NEVER_NS
    if sum(window.lasts_minutes for window in sessions.windows) == WEEK_MINUTES:
        return True, NEVER_NS
    # New York's week by winter time, which is never a later one than by the clock; and from the week before that, for
    # the window that began in it.
    day = (now_ns // MINUTE_NS - _WINTER_MINUTES) // DAY_MINUTES
    monday_minute = (day - weekday(day) - 7) * DAY_MINUTES
    while True:
        for window in sessions.windows:
            start = monday_minute + window.minute_of_week
            start_ns = utc_ns(start)
            if now_ns < start_ns:
                return False, start_ns
            end_ns = utc_ns(start + window.lasts_minutes)
            if now_ns < end_ns:
                return True, end_ns
        monday_minute += WEEK_MINUTES


def _closure_at(sessions: Sessions, now_ns: int) -> tuple[bool, int]:
    """Whether this moment lies in a closure, and when that closure ends or the next one begins."""
    for closure in sessions.closures:
        if (closure.ends_minute + _WINTER_MINUTES) * MINUTE_NS <= now_ns:
            continue
        start_ns = utc_ns(closure.starts_minute)
        if now_ns < start_ns:
            return False, start_ns
        end_ns = utc_ns(closure.ends_minute)
        if now_ns < end_ns:
            return True, end_ns
    return False, NEVER_NS


Holidays = Mapping[str, tuple[int, ...]]
"""By currency: the days on which nothing is settled in it, apart from Saturdays and Sundays."""

_WANT_USD_CLEAR = ("ARS", "CLP", "MXN")


class Settlement(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When a spot deal in a currency pair is settled: so many clear days after its trading day."""

    base: str
    quote: str
    spot_days: int
    """2 for most pairs, 1 for USDCAD (London FX, Value Dates)."""

    def __post_init__(self) -> None:
        if not 0 <= self.spot_days <= 10:
            raise ValueError(f"spot is 0 to 10 days after the trade, not {self.spot_days}")


def settlement(base: str, quote: str) -> Settlement:
    """The market's convention: T+1 for USDCAD, T+2 for its crosses and everything else."""
    return Settlement(base, quote, 1 if (base, quote) in (("USD", "CAD"), ("CAD", "USD")) else 2)


def value_date(pair: Settlement, trade_day: int, holidays: Holidays) -> int:
    """The spot value date of a trading day (London FX, Value Dates; ObjectLab, Currency Date Calculation).

    Each currency counts its own clear days; the later one holds, and moves on until both and the dollar settle, even
    in a pair without dollars. A holiday of the dollar on the way does not count, but for ARS, CLP and MXN. What is
    dealt on a weekend is Monday's. Pairs of the Gulf, which rest on Fridays, are not catered for.
    """
    while weekday(trade_day) >= SATURDAY:
        trade_day += 1
    day = trade_day
    for currency, other in ((pair.base, pair.quote), (pair.quote, pair.base)):
        clear = currency != "USD" or other in _WANT_USD_CLEAR
        day = max(day, _clear_days_after(trade_day, pair.spot_days, holidays.get(currency, ()) if clear else ()))
    closed = (*holidays.get(pair.base, ()), *holidays.get(pair.quote, ()), *holidays.get("USD", ()))
    return _clear_days_after(day - 1, 1, closed)


def days_rolled(pair: Settlement, trade_day: int, holidays: Holidays) -> int:
    """By how many days the roll that ends a trading day moves the value date: what financing is charged for.

    For a T+2 pair 1 on Monday, Tuesday, Thursday and Friday, 3 on Wednesday (from Friday to Monday), 0 on the weekend;
    holidays shift it, and no day is charged twice or left out.
    """
    return value_date(pair, trade_day + 1, holidays) - value_date(pair, trade_day, holidays)


def _clear_days_after(day: int, count: int, closed: tuple[int, ...]) -> int:
    for _ in range(count):
        day += 1
        while weekday(day) >= SATURDAY or day in closed:
            day += 1
    return day
