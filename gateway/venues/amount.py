"""Prices and sizes as LPs write them."""

from functools import lru_cache

from actors.domain.money import LIMIT_E8, NotExact, parse_e8

AMOUNT_LIMIT_CHARS = 40
INSTRUMENT_LIMIT_CHARS = 32
REMEMBERED_AMOUNTS = 8192


@lru_cache(maxsize=REMEMBERED_AMOUNTS)
def amount_e8(text: str) -> int:
    """Decimal text to an integer on the 10^-8 scale, 0 for a negative one; raises `NotExact`.

    Most messages of a stream change one number of four, so the last few thousand texts are remembered. Exactly eight
    digits after the point, Binance's form, have a short cut.
    """
    if len(text) > AMOUNT_LIMIT_CHARS:
        raise NotExact(f"{text[:AMOUNT_LIMIT_CHARS]!r} is too long for a number")
    digits = text.replace(".", "", 1) if text[-9:-8] == "." and len(text) > 9 else ""
    value = int(digits) if digits.isdigit() and digits.isascii() else parse_e8(text)
    if value >= LIMIT_E8:
        raise NotExact(f"{text!r} is too large")
    return max(value, 0)
