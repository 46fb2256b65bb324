"""Trading time against the machine's zone files, and value dates worked out by hand from the published conventions.

The domain must not read zone files; a test may, and is skipped by name where there are none.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from actors.domain.calendar import (
    ALWAYS,
    CLOSURES_LIMIT,
    DAY_MINUTES,
    FOREX,
    FRIDAY,
    MONDAY,
    NEVER_NS,
    ROLL_MINUTE,
    SATURDAY,
    SUNDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    WEEK_MINUTES,
    Closure,
    Holidays,
    Sessions,
    SessionState,
    Settlement,
    Window,
    date_of,
    day_of,
    days_rolled,
    is_open,
    roll_after,
    roll_ns,
    settlement,
    state_at,
    trading_day,
    utc_ns,
    value_date,
    weekday,
)

try:
    NEW_YORK = ZoneInfo("America/New_York")
except ZoneInfoNotFoundError:
    NEW_YORK = None  # type: ignore[assignment]

needs_zone_files = pytest.mark.skipif(NEW_YORK is None, reason="the machine has no zone files to compare with")
FIRST_NS, LAST_NS = 1_167_609_600 * 10**9, 2_114_380_800 * 10**9
"""1 January 2007 to 1 January 2037."""
moments = st.integers(FIRST_NS, LAST_NS)


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


INDEX_FUTURES = Sessions(tuple(Window(day, 18 * 60, 23 * 60) for day in (MONDAY, TUESDAY, WEDNESDAY, THURSDAY, SUNDAY)))
"""From 18:00 to 17:00, with an hour's break each day (CME Globex, E-mini S&P 500: trading hours)."""


def closed_on(day: int) -> Closure:
    """A holiday: the whole trading day, from 17:00 of the day before."""
    return Closure((day - 1) * DAY_MINUTES + ROLL_MINUTE, day * DAY_MINUTES + ROLL_MINUTE)


def early_close(day: int, minute_of_day: int) -> Closure:
    """The trading day ends before 17:00."""
    return Closure(day * DAY_MINUTES + minute_of_day, day * DAY_MINUTES + ROLL_MINUTE)


def test_days_are_counted_from_1970() -> None:
    assert day_of(1970, 1, 1) == 0
    assert day_of(2026, 1, 19) == day("2026-01-19") == 20472
    assert date_of(20472) == date(2026, 1, 19)
    assert [weekday(day("2026-01-19") + ahead) for ahead in range(7)] == [0, 1, 2, 3, 4, 5, 6]
    assert weekday(0) == date(1970, 1, 1).weekday()
    assert weekday(-1) == date(1969, 12, 31).weekday()


@pytest.mark.parametrize(
    ("trading", "ends"),
    [
        ("2026-03-06", "2026-03-06T22:00"),  # Friday, winter
        ("2026-03-08", "2026-03-08T21:00"),  # the second Sunday of March: summer since 2:00
        ("2026-03-09", "2026-03-09T21:00"),
        ("2026-10-30", "2026-10-30T21:00"),  # Friday, summer
        ("2026-11-01", "2026-11-01T22:00"),  # the first Sunday of November: winter since 2:00
        ("2026-11-02", "2026-11-02T22:00"),
        ("2009-03-08", "2009-03-08T21:00"),  # 1 March was a Sunday
        ("2020-11-01", "2020-11-01T22:00"),  # 1 November was a Sunday
        ("2015-11-01", "2015-11-01T22:00"),
    ],
)
def test_the_trading_day_ends_at_17_in_new_york(trading: str, ends: str) -> None:
    end_ns = utc(ends)
    assert roll_ns(day(trading)) == end_ns
    assert trading_day(end_ns - 1) == day(trading)
    assert trading_day(end_ns) == day(trading) + 1
    assert roll_after(end_ns - 1) == end_ns
    assert roll_after(end_ns) == roll_ns(day(trading) + 1) > end_ns


@needs_zone_files
def test_every_roll_of_thirty_years_is_that_of_the_zone_files() -> None:
    for number in range(day("2007-01-01"), day("2037-01-01")):
        at = date_of(number)
        wall = datetime(at.year, at.month, at.day, 17, tzinfo=NEW_YORK)
        assert roll_ns(number) == int(wall.timestamp()) * 10**9, at


@needs_zone_files
@given(moments)
def test_a_moments_trading_day_is_its_date_in_new_york_seven_hours_on(now_ns: int) -> None:
    wall = datetime.fromtimestamp(now_ns // 10**9, NEW_YORK).replace(tzinfo=None)
    assert date_of(trading_day(now_ns)) == (wall + timedelta(hours=7)).date()
    assert now_ns < roll_after(now_ns) <= now_ns + 25 * 3600 * 10**9


@pytest.mark.parametrize(
    ("wall", "moment"),
    [
        ("2026-03-08T01:59", "2026-03-08T06:59"),
        ("2026-03-08T02:00", "2026-03-08T07:00"),
        ("2026-03-08T02:30", "2026-03-08T07:00"),  # left out
        ("2026-03-08T03:00", "2026-03-08T07:00"),
        ("2026-03-08T03:01", "2026-03-08T07:01"),
        ("2026-11-01T00:59", "2026-11-01T04:59"),
        ("2026-11-01T01:30", "2026-11-01T05:30"),  # the first of two
        ("2026-11-01T02:00", "2026-11-01T07:00"),
    ],
)
def test_the_hours_when_clocks_change(wall: str, moment: str) -> None:
    assert utc_ns(utc(wall) // (60 * 10**9)) == utc(moment)


@needs_zone_files
@given(moments)
def test_a_wall_clock_is_read_as_the_zone_files_read_it(now_ns: int) -> None:
    wall = datetime.fromtimestamp(now_ns // 10**9 // 60 * 60, NEW_YORK)
    assume(wall.fold == 0)
    assert utc_ns(utc(wall.replace(tzinfo=None).isoformat()) // (60 * 10**9)) == int(wall.timestamp()) * 10**9


@pytest.mark.parametrize(
    ("at", "opened", "until"),
    [
        ("2026-01-18T21:59", False, "2026-01-18T22:00"),  # Sunday, winter: 17:00 is 22:00 UTC
        ("2026-01-18T22:00", True, "2026-01-23T22:00"),
        ("2026-01-23T21:59", True, "2026-01-23T22:00"),
        ("2026-01-23T22:00", False, "2026-01-25T22:00"),
        ("2026-03-06T22:00", False, "2026-03-08T21:00"),  # the weekend on which summer begins is an hour shorter
        ("2026-03-08T21:00", True, "2026-03-13T21:00"),
        ("2026-10-30T21:00", False, "2026-11-01T22:00"),  # and that on which it ends an hour longer
    ],
)
def test_forex_is_open_from_sunday_to_friday(at: str, opened: bool, until: str) -> None:
    assert state_at(FOREX, utc(at)) == SessionState(opened, utc(until))
    assert is_open(FOREX, utc(at)) is opened


@pytest.mark.parametrize(
    ("at", "opened", "until"),
    [
        ("2026-01-18T22:30", False, "2026-01-18T23:00"),  # Sunday: 18:00 is 23:00 UTC
        ("2026-01-18T23:00", True, "2026-01-19T22:00"),
        ("2026-01-19T22:00", False, "2026-01-19T23:00"),  # the daily break
        ("2026-01-19T23:00", True, "2026-01-20T22:00"),
        ("2026-01-23T21:59", True, "2026-01-23T22:00"),
        ("2026-01-23T22:00", False, "2026-01-25T23:00"),  # the weekend
    ],
)
def test_an_index_has_a_break_each_day(at: str, opened: bool, until: str) -> None:
    assert state_at(INDEX_FUTURES, utc(at)) == SessionState(opened, utc(until))


def test_crypto_never_closes_and_nothing_else_never_opens() -> None:
    now_ns = utc("2026-01-25T04:59")
    assert state_at(ALWAYS, now_ns) == SessionState(True, NEVER_NS)
    assert state_at(Sessions(()), now_ns) == SessionState(False, NEVER_NS)
    daily = Sessions(tuple(Window(number, 0, DAY_MINUTES) for number in range(7)))
    assert state_at(daily, now_ns) == SessionState(True, NEVER_NS)


def test_holidays_and_early_closes() -> None:
    """The day after Thanksgiving 2026 ends at 13:15 (18:15 UTC); Christmas Day is closed, from 17:00 of the 24th."""
    thanksgiving, christmas = early_close(day("2026-11-27"), 13 * 60 + 15), closed_on(day("2026-12-25"))
    index = Sessions(INDEX_FUTURES.windows, (thanksgiving, christmas))
    assert [
        state_at(index, utc(at))
        for at in ("2026-11-26T23:00", "2026-11-27T18:15", "2026-12-24T21:00", "2026-12-24T22:00", "2026-12-25T23:00")
    ] == [
        SessionState(True, utc("2026-11-27T18:15")),
        SessionState(False, utc("2026-11-29T23:00")),
        SessionState(True, utc("2026-12-24T22:00")),
        SessionState(False, utc("2026-12-27T23:00")),  # a Friday: the weekend joins on
        SessionState(False, utc("2026-12-27T23:00")),
    ]
    forex = Sessions(FOREX.windows, (closed_on(day("2026-12-25")), closed_on(day("2027-01-01"))))
    assert state_at(forex, utc("2026-12-24T22:00")) == SessionState(False, utc("2026-12-27T22:00"))
    assert state_at(forex, utc("2026-12-28T00:00")) == SessionState(True, utc("2026-12-31T22:00"))
    crypto = Sessions(ALWAYS.windows, (closed_on(day("2026-12-25")), closed_on(day("2026-12-26"))))
    assert state_at(crypto, utc("2026-12-01T00:00")) == SessionState(True, utc("2026-12-24T22:00"))
    assert state_at(crypto, utc("2026-12-25T00:00")) == SessionState(False, utc("2026-12-26T22:00"))
    assert state_at(crypto, utc("2026-12-27T00:00")) == SessionState(True, NEVER_NS)


def test_a_window_of_nearly_a_week_is_seen_on_its_last_evening() -> None:
    """Sunday evening in New York is Monday in UTC: the window that began a week before is still open."""
    sessions = Sessions((Window(SUNDAY, 23 * 60 + 30, WEEK_MINUTES - 1),))
    assert state_at(sessions, utc("2026-01-26T04:00")) == SessionState(True, utc("2026-01-26T04:29"))


@st.composite
def weekly_sessions(draw: st.DrawFn) -> Sessions:
    bounds = draw(st.lists(st.integers(0, WEEK_MINUTES - 1), unique=True, max_size=12).map(sorted))
    shift = draw(st.booleans()) and len(bounds) > 2  # the last window then runs into the next week
    if shift:
        bounds = [*bounds[1:], bounds[0] + WEEK_MINUTES]
    windows = tuple(
        Window(*divmod(start, DAY_MINUTES), end - start) for start, end in zip(bounds[::2], bounds[1::2], strict=False)
    )
    edges = draw(
        st.lists(st.integers(FIRST_NS // (60 * 10**9), LAST_NS // (60 * 10**9)), unique=True, max_size=6).map(sorted)
    )
    closures = tuple(Closure(start, end) for start, end in zip(edges[::2], edges[1::2], strict=False))
    return Sessions(windows, closures)


@needs_zone_files
@given(weekly_sessions(), moments)
def test_open_is_what_the_wall_clock_says(sessions: Sessions, now_ns: int) -> None:
    wall = datetime.fromtimestamp(now_ns // 10**9, NEW_YORK)
    assume(wall.fold == 0)  # the hour that comes twice belongs to what was open in it first
    minute = utc(wall.replace(tzinfo=None, second=0).isoformat()) // (60 * 10**9)
    of_week = (minute + 3 * DAY_MINUTES) % WEEK_MINUTES
    in_window = any(
        (of_week - window.weekday * DAY_MINUTES - window.opens_minute) % WEEK_MINUTES < window.lasts_minutes
        for window in sessions.windows
    )
    closed = any(closure.starts_minute <= minute < closure.ends_minute for closure in sessions.closures)
    assert is_open(sessions, now_ns) is (in_window and not closed)


@given(weekly_sessions(), moments, st.integers(0, 1000))
def test_a_state_holds_until_its_end_and_no_longer(sessions: Sessions, now_ns: int, share: int) -> None:
    state = state_at(sessions, now_ns)
    assert now_ns < state.until_ns
    later_ns = now_ns + (min(state.until_ns, 2 * LAST_NS) - 1 - now_ns) * share // 1000
    assert is_open(sessions, now_ns) is is_open(sessions, later_ns) is state.open
    assert state_at(sessions, later_ns) == state
    if state.until_ns < NEVER_NS:
        assert is_open(sessions, state.until_ns) is not state.open


@pytest.mark.parametrize(
    ("windows", "closures"),
    [
        ((Window(7, 0, 60),), ()),
        ((Window(-1, 0, 60),), ()),
        ((Window(MONDAY, DAY_MINUTES, 60),), ()),
        ((Window(MONDAY, 0, 0),), ()),
        ((Window(MONDAY, 0, WEEK_MINUTES + 1),), ()),
        ((Window(MONDAY, 0, 61), Window(MONDAY, 60, 60)), ()),
        ((Window(MONDAY, 60, 60), Window(MONDAY, 0, 60)), ()),
        ((Window(MONDAY, 0, 60), Window(SUNDAY, 0, DAY_MINUTES + 1)), ()),
        (tuple(Window(MONDAY, number, 1) for number in range(101)), ()),
        ((), (Closure(10, 10),)),
        ((), (Closure(-1, 10),)),
        ((), (Closure(10, 30), Closure(20, 40))),
        ((), (Closure(0, 2**60),)),
        ((), tuple(Closure(number, number + 1) for number in range(CLOSURES_LIMIT + 1))),
    ],
)
def test_sessions_that_contradict_themselves_cannot_be_made(
    windows: tuple[Window, ...], closures: tuple[Closure, ...]
) -> None:
    with pytest.raises(ValueError, match=r"window|closure"):
        Sessions(windows, closures)


def test_sessions_are_checked_where_they_come_in() -> None:
    sessions = Sessions(FOREX.windows, (closed_on(day("2026-12-25")),))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(sessions), type=Sessions) == sessions
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode([[[0, 0, -5]], []]), type=Sessions)


EURUSD, USDCAD, USDJPY = settlement("EUR", "USD"), settlement("USD", "CAD"), settlement("USD", "JPY")


def test_the_convention_is_two_days_and_one_for_the_canadian_dollar() -> None:
    assert [settlement(base, quote).spot_days for base, quote in (("EUR", "USD"), ("USD", "CAD"), ("GBP", "CAD"))] == [
        2,
        1,
        2,
    ]
    with pytest.raises(ValueError, match="spot is 0 to 10 days"):
        Settlement("EUR", "USD", -1)


def nights(pair: Settlement, first: str, count: int, holidays: Holidays) -> list[int]:
    return [days_rolled(pair, day(first) + ahead, holidays) for ahead in range(count)]


def test_a_week_without_holidays() -> None:
    """Monday 19 January 2026. T+2: Wed, Thu, Fri, Mon, Tue, then the next week's Wed. T+1: Tue, Wed, Thu, Fri, Mon."""
    assert [date_of(value_date(EURUSD, day("2026-01-19") + ahead, {})).day for ahead in range(8)] == [
        21, 22, 23, 26, 27, 28, 28, 28,
    ]  # fmt: skip
    assert [date_of(value_date(USDCAD, day("2026-01-19") + ahead, {})).day for ahead in range(8)] == [
        20, 21, 22, 23, 26, 27, 27, 27,
    ]  # fmt: skip
    # Wednesday's roll moves a T+2 value date from Friday to Monday, Thursday's a T+1 one.
    assert nights(EURUSD, "2026-01-19", 7, {}) == [1, 1, 3, 1, 1, 0, 0]
    assert nights(USDCAD, "2026-01-19", 7, {}) == [1, 1, 1, 3, 1, 0, 0]
    assert weekday(day("2026-01-19") + 2) == WEDNESDAY


def test_what_is_dealt_after_fridays_close_is_mondays() -> None:
    for pair in (EURUSD, USDCAD, USDJPY):
        monday = value_date(pair, day("2026-01-26"), {})
        assert value_date(pair, day("2026-01-24"), {}) == value_date(pair, day("2026-01-25"), {}) == monday
    assert weekday(day("2026-01-24")) == SATURDAY
    assert weekday(trading_day(utc("2026-01-23T22:00")) - 1) == FRIDAY


JULY_4_2013 = {"USD": (day("2013-07-04"),)}
JULY_4_2023 = {"USD": (day("2023-07-04"),), "CAD": (day("2023-07-03"),)}


@pytest.mark.parametrize(
    ("base", "quote", "traded", "holidays", "settled"),
    [
        # ObjectLab, Currency Date Calculation: GBP/EUR of 2 July 2013; T+2 is the dollar's holiday, so the 5th.
        ("GBP", "EUR", "2013-07-02", JULY_4_2013, "2013-07-05"),
        # London FX, Value Dates: dealt on a Monday, the dollar has a holiday on Tuesday: EURUSD settles on Wednesday,
        # USDMXN on Thursday.
        ("EUR", "USD", "2023-07-03", JULY_4_2023, "2023-07-05"),
        ("USD", "MXN", "2023-07-03", JULY_4_2023, "2023-07-06"),
        # T+1 falls on the dollar's holiday; that of the trading day itself (Canada Day) is of no account.
        ("USD", "CAD", "2023-07-03", JULY_4_2023, "2023-07-05"),
        # Dealt on Friday 30 June, Canada rests on Monday the 3rd and the dollar on the 4th.
        ("USD", "CAD", "2023-06-30", JULY_4_2023, "2023-07-05"),
        ("GBP", "CAD", "2023-06-30", JULY_4_2023, "2023-07-05"),
        ("GBP", "CAD", "2023-07-03", JULY_4_2023, "2023-07-05"),
    ],
)
def test_value_dates_around_holidays(base: str, quote: str, traded: str, holidays: Holidays, settled: str) -> None:
    assert date_of(value_date(settlement(base, quote), day(traded), holidays)) == date.fromisoformat(settled)
    assert date_of(value_date(settlement(quote, base), day(traded), holidays)) == date.fromisoformat(settled)


def test_holidays_shift_what_a_roll_charges() -> None:
    # Thanksgiving, Thursday 26 November 2026. Value dates of Monday to Friday and the next Monday: Wed 25, Fri 27 (not
    # the 26th), Fri 27, Mon 30, Tue 1, Wed 2.
    thanksgiving = {"USD": (day("2026-11-26"),)}
    assert nights(EURUSD, "2026-11-23", 7, thanksgiving) == [2, 0, 3, 1, 1, 0, 0]
    # Golden Week 2026: Japan rests on 29 April, 4, 5 and 6 May. Wednesday 29 April settles on Friday 1 May, Thursday on
    # the 7th, Friday to Wednesday on the 8th, then Monday 11, Tuesday 12, Wednesday 13.
    golden_week = {"JPY": tuple(day(f"2026-{rest}") for rest in ("04-29", "05-04", "05-05", "05-06"))}
    assert nights(USDJPY, "2026-04-29", 10, golden_week) == [6, 1, 0, 0, 0, 0, 0, 3, 1, 1]


@given(
    st.sampled_from([EURUSD, USDCAD, USDJPY, settlement("EUR", "JPY"), settlement("USD", "MXN")]),
    st.lists(st.tuples(st.sampled_from(["EUR", "USD", "CAD", "JPY", "MXN"]), st.integers(20450, 20550)), max_size=40),
    st.integers(20450, 20540),
)
def test_no_night_is_charged_twice_or_left_out(pair: Settlement, rests: list[tuple[str, int]], first: int) -> None:
    holidays: dict[str, tuple[int, ...]] = {}
    for currency, number in rests:
        holidays[currency] = (*holidays.get(currency, ()), number)
    charged = [days_rolled(pair, number, holidays) for number in range(first, first + 60)]
    assert min(charged) >= 0
    assert sum(charged) == value_date(pair, first + 60, holidays) - value_date(pair, first, holidays)
    settled = value_date(pair, first, holidays)
    assert weekday(settled) < SATURDAY
    assert not any(settled in holidays.get(currency, ()) for currency in (pair.base, pair.quote, "USD"))
