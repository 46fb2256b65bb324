"""RFC 3339 text, exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.payloads.times import LIMIT_NS, format_ns, parse_ns


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (1_768_833_000_000_000_000, "2026-01-19T14:30:00Z"),
        (1_768_833_000_500_000_000, "2026-01-19T14:30:00.500Z"),
        (1_768_833_000_000_001_000, "2026-01-19T14:30:00.000001Z"),
        (1_768_833_000_000_000_001, "2026-01-19T14:30:00.000000001Z"),
    ],
)
def test_a_time_and_its_text(time_ns: int, text: str) -> None:
    assert format_ns(time_ns) == text
    assert parse_ns(text) == time_ns


@given(st.integers(1, LIMIT_NS - 1))
def test_every_time_comes_back(time_ns: int) -> None:
    assert parse_ns(format_ns(time_ns)) == time_ns


def test_offsets_and_small_letters() -> None:
    assert parse_ns("2026-01-19t15:30:00+01:00") == parse_ns("2026-01-19T14:30:00z")
    assert parse_ns("2026-01-19T12:00:00.5-02:30") == 1_768_833_000_500_000_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-19",
        "2026-01-19T14:30:00",
        "2026-01-19 14:30:00Z",
        "2026-01-19T14:30Z",
        "2026-13-19T14:30:00Z",
        "2026-02-30T14:30:00Z",
        "2026-01-19T25:30:00Z",
        "2026-01-19T14:30:00.Z",
        "2026-01-19T14:30:00.1234567890Z",
        "2026-01-19T14:30:00+25:00",
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2262-04-12T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "\uff12026-01-19T14:30:00Z",
        "1768833000",
    ],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        parse_ns(text)
