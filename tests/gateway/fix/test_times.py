"""UTCTimestamp from and to nanoseconds."""

import pytest

from gateway.fix.times import parse_utc_timestamp, utc_timestamp

NOON_NS = 1_768_824_000_000_000_000


def test_a_time_is_rounded_down_to_its_millisecond() -> None:
    assert utc_timestamp(NOON_NS + 1_999_999) == b"20260119-12:00:00.001"
    assert utc_timestamp(NOON_NS + 2_000_000) == b"20260119-12:00:00.002"


@pytest.mark.parametrize(
    ("text", "since_ns"),
    [
        (b"20260119-12:00:00", 0),
        (b"20260119-12:00:00.1", 100_000_000),
        (b"20260119-12:00:00.002", 2_000_000),
        (b"20260119-12:00:00.000000003", 3),
    ],
)
def test_up_to_nine_digits_of_fraction_are_read(text: bytes, since_ns: int) -> None:
    assert parse_utc_timestamp(text) == NOON_NS + since_ns


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"20260119",
        b"20260119-12:00:00.",
        b"20260119-12:00:00.0000000001",
        b"20260119-12:00:00,1",
        b"20260119-12:00:00.1x",
        b"20260119-24:00:00",
        b"20260230-12:00:00",
        b"20260119-12:00:00." + b"0" * 60_000,
    ],
)
def test_what_is_no_time_is_none(text: bytes) -> None:
    assert parse_utc_timestamp(text) is None
