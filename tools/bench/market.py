"""A made-up market for measurements: the pairs of eight currencies, and prices that never stand still."""

from itertools import combinations

from actors.domain.instrument import Instrument
from actors.domain.money import SCALE

DOLLARS_E8: dict[str, int] = {
    "EUR": 108_000_000,
    "GBP": 127_000_000,
    "AUD": 66_000_000,
    "NZD": 61_000_000,
    "USD": 100_000_000,
    "CAD": 73_000_000,
    "CHF": 113_000_000,
    "JPY": 670_000,
}
"""What one unit of a currency costs."""
PRICES_IN_TURN = 50
"""A pair's price goes up in so many steps, and begins again: no two that follow each other are the same."""
STEP_E8 = 1_000
SPREAD_E8 = 10_000


METALS_E8: dict[str, int] = {"XAU": 2_000 * SCALE, "XAG": 25 * SCALE}
"""What one ounce costs in dollars."""


def instruments() -> dict[str, Instrument]:
    """All 28 pairs, on terms that refuse nothing that a measurement does."""
    pairs = combinations(DOLLARS_E8, 2)
    return {base + quote: _instrument(base, quote) for base, quote in pairs}


def thirty() -> dict[str, Instrument]:
    """The pairs, and two metals in dollars."""
    return instruments() | {metal + "USD": _instrument(metal, "USD") for metal in METALS_E8}


def price_e8(instrument: Instrument) -> int:
    """Where an instrument's price begins."""
    worth_e8: dict[str, int] = DOLLARS_E8 | METALS_E8
    price: int = worth_e8[instrument.base] * SCALE // worth_e8[instrument.quote]
    return price


def prices_e8(instrument: Instrument, number: int) -> tuple[int, int]:
    """Bid and ask number so and so of a pair."""
    bid_e8 = DOLLARS_E8[instrument.base] * SCALE // DOLLARS_E8[instrument.quote]
    bid_e8 += number % PRICES_IN_TURN * STEP_E8
    return bid_e8, bid_e8 + SPREAD_E8


def _instrument(base: str, quote: str) -> Instrument:
    worth_e8 = DOLLARS_E8 | METALS_E8
    price_e8 = worth_e8[base] * SCALE // worth_e8[quote]
    return Instrument(
        symbol=base + quote,
        base=base,
        quote=quote,
        description=f"{base} in {quote}",
        price_digits=5,
        quantity_min_e8=SCALE,
        quantity_max_e8=10_000_000 * SCALE,
        quantity_step_e8=SCALE,
        margin_rate_e8=3_330_000,
        price_min_e8=price_e8 // 2,
        price_max_e8=price_e8 * 2,
    )
