from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.venues.timestamp import BadTime, parse_time_ns
from tools.venues.oanda.wire import date_time

SECOND_NS = 1_768_830_563 * 10**9


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-01-19T13:49:23Z", SECOND_NS),
        ("2026-01-19T13:49:23.5Z", SECOND_NS + 500_000_000),
        ("2026-01-19T13:49:23.000000001Z", SECOND_NS + 1),
        ("2026-01-19T14:49:23.25+01:00", SECOND_NS + 250_000_000),
        ("1768830563", SECOND_NS),
        ("1768830563.000000001", SECOND_NS + 1),
    ],
)
def test_times(text: str, time_ns: int) -> None:
    assert parse_time_ns(text) == time_ns


@given(st.integers(0, 2**63 - 1), st.booleans())
def test_every_time_comes_back_to_the_nanosecond(time_ns: int, unix: bool) -> None:
    assert parse_time_ns(date_time(time_ns, unix)) == time_ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-19",
        "2026-01-19 13:49:23Z",
        "2026-01-19T13:49:23",
        "2026-02-30T13:49:23Z",
        "2026-01-19T13:49:60Z",
        "2026-01-19T13:49:23.Z",
        "2026-01-19T13:49:23.0000000001Z",
        "2026-01-19T13:49:23Z\n",
        "2026-W03-1T13:49:23Z",
        "\uff12026-01-19T13:49:23Z",
        "2026-01-19T13:49:23+99:00",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-23:00",
        "2300-01-01T00:00:00Z",
        "-1",
        "1e9",
        "17688305630",
    ],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(BadTime):
        parse_time_ns(text)


@given(st.text())
def test_any_text_is_a_time_or_bad(text: str) -> None:
    with suppress(BadTime):
        assert 0 <= parse_time_ns(text) < 2**63
