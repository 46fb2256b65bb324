from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.money import (
    NotExact,
    Rounding,
    div,
    format_e8,
    format_minor,
    minor_digits,
    mul_div,
    parse_e8,
    parse_minor,
)

AS_DECIMAL = {
    Rounding.FLOOR: ROUND_FLOOR,
    Rounding.CEILING: ROUND_CEILING,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
}


@pytest.mark.parametrize(
    ("amount", "divisor", "floor", "ceiling", "half_even"),
    [
        (7, 2, 3, 4, 4),
        (5, 2, 2, 3, 2),
        (3, 2, 1, 2, 2),
        (-5, 2, -3, -2, -2),
        (-3, 2, -2, -1, -2),
        (-7, 3, -3, -2, -2),
        (8, 3, 2, 3, 3),
        (6, 3, 2, 2, 2),
        (0, 3, 0, 0, 0),
    ],
)
def test_div_rounds_as_named(amount: int, divisor: int, floor: int, ceiling: int, half_even: int) -> None:
    assert [div(amount, divisor, rounding) for rounding in Rounding] == [floor, ceiling, half_even]


@given(
    st.integers(-(10**30), 10**30), st.integers(-(10**20), 10**20), st.integers(1, 10**20), st.sampled_from(Rounding)
)
def test_mul_div_is_what_decimal_arithmetic_says(a: int, b: int, c: int, rounding: Rounding) -> None:
    with localcontext(prec=200):
        exact = Decimal(a) * Decimal(b) / Decimal(c)
        assert mul_div(a, b, c, rounding) == int(exact.to_integral_value(AS_DECIMAL[rounding]))


@pytest.mark.parametrize("divisor", [0, -1])
def test_a_divisor_that_is_not_positive_is_a_fault(divisor: int) -> None:
    with pytest.raises(ZeroDivisionError):
        div(1, divisor, Rounding.FLOOR)


@pytest.mark.parametrize(
    ("text", "value_e8"),
    [
        ("1", 100_000_000),
        ("1.10020", 110_020_000),
        ("0.00000001", 1),
        ("-0.00000001", -1),
        ("+2.5", 250_000_000),
        ("-0", 0),
        ("007", 700_000_000),
        ("1.000000000000000", 100_000_000),
        ("1.100000010", 110_000_001),
        ("999999999999999999999999", 999_999_999_999_999_999_999_999 * 10**8),
    ],
)
def test_parse_e8(text: str, value_e8: int) -> None:
    assert parse_e8(text) == value_e8


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-",
        "+",
        ".",
        "1.",
        ".5",
        "--1",
        "+-1",
        "1e5",
        "1E-5",
        "NaN",
        "nan",
        "Infinity",
        "1,5",
        "1_000",
        "1 000",
        " 1",
        "1\n",
        "0x10",
        "1.2.3",
        "1.-2",
        "1.00000000.",
        "1.x000000000",
        "0.000000001",
        "0.123456789",
        "1.0000000001",
        "\uff11",
        "1.\uff15",
        "\u00b2",
        "1" * 25,
        "9" * 5_000,
        "0." + "0" * 5_000 + "1",
        "\x00",
        "1\x00",
    ],
)
def test_what_is_no_plain_decimal_or_too_precise_is_refused(text: str) -> None:
    with pytest.raises(NotExact):
        parse_e8(text)


@given(st.text(max_size=40) | st.text("0123456789.+-eE_ ", max_size=20))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        value_e8 = parse_e8(text)
    except NotExact:
        return
    assert Decimal(value_e8) == Decimal(text) * 10**8


@given(st.integers(-(10**30), 10**30), st.integers(0, 8))
def test_formatted_text_parses_to_the_same_value(value_e8: int, digits: int) -> None:
    text = format_e8(value_e8, digits)
    assert parse_e8(text) == value_e8
    assert len(text.partition(".")[2]) >= digits


@pytest.mark.parametrize(
    ("value_e8", "digits", "text"),
    [
        (110_020_000, 0, "1.1002"),
        (110_020_000, 5, "1.10020"),
        (100_000_000, 0, "1"),
        (100_000_000, 2, "1.00"),
        (1, 0, "0.00000001"),
        (-1, 0, "-0.00000001"),
        (-250_000_000, 0, "-2.5"),
        (0, 0, "0"),
    ],
)
def test_format_e8(value_e8: int, digits: int, text: str) -> None:
    assert format_e8(value_e8, digits) == text


@pytest.mark.parametrize(
    ("text", "currency", "amount_minor"),
    [
        ("10.50", "USD", 1_050),
        ("-0.01", "EUR", -1),
        ("1500", "JPY", 1_500),
        ("1500.0", "JPY", 1_500),
        ("0.1", "BTC", 10**7),
    ],
)
def test_parse_minor(text: str, currency: str, amount_minor: int) -> None:
    assert parse_minor(text, currency) == amount_minor


@pytest.mark.parametrize(("text", "currency"), [("10.505", "USD"), ("1500.5", "JPY"), ("1500.", "JPY"), ("1e3", "USD")])
def test_more_than_the_minor_unit_is_refused(text: str, currency: str) -> None:
    with pytest.raises(NotExact):
        parse_minor(text, currency)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [(1_050, "USD", "10.50"), (-1, "USD", "-0.01"), (0, "USD", "0.00"), (1_500, "JPY", "1500"), (-5, "JPY", "-5")],
)
def test_format_minor(amount_minor: int, currency: str, text: str) -> None:
    assert format_minor(amount_minor, currency) == text


def test_a_currency_without_an_entry_has_cents() -> None:
    assert [minor_digits(currency) for currency in ("USD", "JPY", "BTC", "XYZ")] == [2, 0, 8, 2]
