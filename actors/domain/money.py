"""Exact numbers: integers inside, decimal text at the edge, and every rounding named.

Prices and quantities are integers on one scale, 10^-8 (`price_e8`, `quantity_e8`). Money is an integer in its
currency's minor units (`amount_minor`: cents for USD, yen for JPY). A float never touches either.
"""

from enum import Enum

SCALE_DIGITS = 8
SCALE = 10**SCALE_DIGITS
LIMIT_E8 = 10**18
"""No price or quantity that comes from outside may reach it: products of two stay cheap and fit NUMERIC(20, 8)."""

MINOR_DIGITS = {"JPY": 0, "HUF": 2, "BTC": 8, "ETH": 8, "USDT": 2}
"""Digits after the point of a currency's minor unit (ISO 4217); a currency not named here has two."""


_MINOR_UNITS: dict[str, int] = {currency: 10**digits for currency, digits in MINOR_DIGITS.items()}


class NotExact(ValueError):
    """The text is no plain decimal, or has more precision than the scale: refused, never rounded."""


class Rounding(Enum):
    """How `mul_div` and `div` settle what the division leaves over."""

    FLOOR = "floor"
    """Towards minus infinity."""
    CEILING = "ceiling"
    """Towards plus infinity."""
    HALF_EVEN = "half_even"
    """To the nearest; a tie goes to the even neighbour."""


# For the hot path: in Python 3.11 looking a member up in its class takes longer than a division.
CEILING = Rounding.CEILING
FLOOR = Rounding.FLOOR
HALF_EVEN = Rounding.HALF_EVEN


def mul_div(a: int, b: int, c: int, rounding: Rounding) -> int:
    """`a * b / c`, rounded once, as named. `c` must be positive."""
    return div(a * b, c, rounding)


def div(a: int, c: int, rounding: Rounding) -> int:
    """`a / c`, rounded as named. `c` must be positive."""
    if c <= 0:
        raise ZeroDivisionError(f"the divisor must be positive, not {c}")
    if rounding is FLOOR:
        return a // c
    if rounding is CEILING:
        return -(-a // c)
    whole, rest = divmod(a, c)
    doubled = 2 * rest
    return whole + 1 if doubled > c or (doubled == c and whole & 1) else whole


def ceil_div(a: int, c: int) -> int:
    """`a / c`, towards plus infinity: `div` with CEILING, in a third of its time. `c` must be positive."""
    return -(-a // c)


def parse_e8(text: str) -> int:
    """Decimal text to an integer on the 10^-8 scale; raises `NotExact`.

    Takes an optional sign, ASCII digits and at most one point, with at most 8 digits after it that are not
    trailing zeros. No exponent, no blanks, no "NaN", no bare point.
    """
    return _parse(text, SCALE_DIGITS)


def format_e8(value_e8: int, digits: int = 0) -> str:
    """The shortest exact decimal text of a value, with at least `digits` places after the point."""
    return _format(value_e8, SCALE_DIGITS, digits)


def minor_digits(currency: str) -> int:
    return MINOR_DIGITS.get(currency, 2)


def minor_units(currency: str) -> int:
    """How many minor units are one of the currency: 100 for USD."""
    return _MINOR_UNITS.get(currency, 100)


def parse_minor(text: str, currency: str) -> int:
    """Decimal text to the currency's minor units; raises `NotExact`."""
    return _parse(text, minor_digits(currency))


def format_minor(amount_minor: int, currency: str) -> str:
    """Decimal text with all the places of the currency: 1050 USD-cents -> "10.50"."""
    digits = minor_digits(currency)
    return _format(amount_minor, digits, digits)


def _parse(text: str, digits: int) -> int:
    whole, point, fraction = text.partition(".")
    if len(fraction) > digits:
        fraction = fraction.rstrip("0")
        if len(fraction) > digits:
            raise NotExact(f"{text[:40]!r} has more than {digits} digits after the point")
        point = ""
    unsigned = whole[1:] if whole[:1] in ("-", "+") else whole
    if not (unsigned.isdigit() and text.isascii() and (fraction.isdigit() or not (fraction or point))):
        raise NotExact(f"{text[:40]!r} is not a decimal number")
    if len(unsigned) > 24:
        raise NotExact(f"{text[:40]!r} is too large")
    return int(whole + fraction.ljust(digits, "0"))


def _format(value: int, scale_digits: int, least_digits: int) -> str:
    sign, text = ("-", str(-value)) if value < 0 else ("", str(value))
    text = text.rjust(scale_digits + 1, "0")
    cut = len(text) - scale_digits
    whole, fraction = text[:cut], text[cut:].rstrip("0").ljust(least_digits, "0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
