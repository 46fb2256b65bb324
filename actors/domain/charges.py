"""What a client is charged: commission at each fill, and swap (financing) for each night that a position is kept.

Rates are on the scale 10^-8, percentages as shares (3 % is 3_000_000), as `Instrument.margin_rate_e8` is.
"""

from enum import Enum

import msgspec

from actors.domain.calendar import Holidays, Settlement, days_rolled, weekday
from actors.domain.money import CEILING, HALF_EVEN, LIMIT_E8, SCALE, div, minor_units
from actors.domain.order import BUY, Conversion, Side

NIGHTS_LIMIT = 10
"""No weekday's roll may be charged for more nights than this."""
POINTS_LIMIT_E8 = 10**6 * SCALE
INTEREST_LIMIT_E8 = 10 * SCALE
"""1,000 % a year."""


class CommissionBasis(Enum):
    LOT = "lot"
    """Money per lot, in the currency of the terms."""
    MILLION = "million"
    """Money per million of notional, in the notional's own currency: 20 is 0.20 basis points."""
    PERCENT = "percent"
    """A share of the notional."""


class Commission(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Charged for each fill, so once when a position is opened and once when it is closed. Raises ValueError."""

    basis: CommissionBasis
    rate_e8: int
    minimum_e8: int
    """The least for one fill, in units of `currency`; 0 where there is none."""
    currency: str
    """In which `minimum_e8` is stated, and `rate_e8` where it is per lot."""

    def __post_init__(self) -> None:
        if not (0 <= self.rate_e8 < LIMIT_E8 and 0 <= self.minimum_e8 < LIMIT_E8):
            raise ValueError("a commission is not negative, and within the limit")
        if self.basis is not _LOT and self.rate_e8 > (_MILLION_E8 if self.basis is _MILLION else SCALE):
            raise ValueError("a commission is not more than the notional")


class SwapBasis(Enum):
    FREE = "free"
    """Nothing is charged or paid, whatever the rates say."""
    POINTS = "points"
    """Points of the instrument's price per night."""
    INTEREST = "interest"
    """A share of the position's value per year."""


class Swap(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Financing of one symbol. A positive rate is what the client gets, a negative one what it pays.

    Raises ValueError where the terms contradict each other.
    """

    basis: SwapBasis
    long_e8: int
    short_e8: int
    year_days: int = 365
    """For interest: 360 or 365, over the actual days (ISDA 2006, sec. 4.16: Actual/360, Actual/365 Fixed)."""
    nights: tuple[int, ...] = ()
    """Nights charged at the roll that ends each weekday, Monday first; empty: by value date."""

    def __post_init__(self) -> None:
        limit_e8 = POINTS_LIMIT_E8 if self.basis is _POINTS else INTEREST_LIMIT_E8
        if abs(self.long_e8) > limit_e8 or abs(self.short_e8) > limit_e8:
            raise ValueError("a swap is at most 1,000,000 points a night or 1,000 % a year")
        if self.year_days not in (360, 365):
            raise ValueError(f"a year has 360 or 365 days, not {self.year_days}")
        if self.nights and not (len(self.nights) == 7 and all(0 <= count <= NIGHTS_LIMIT for count in self.nights)):
            raise ValueError(f"nights are those of 7 weekdays, 0 to {NIGHTS_LIMIT} each")


_LOT = CommissionBasis.LOT
_MILLION = CommissionBasis.MILLION
_PERCENT = CommissionBasis.PERCENT
_MILLION_E8 = SCALE * 10**6
"""Per million: the rate at which the commission is the notional itself. For a percentage that is SCALE."""
_FREE = SwapBasis.FREE
_POINTS = SwapBasis.POINTS

NO_COMMISSION = Commission(_PERCENT, 0, 0, "")
SWAP_FREE = Swap(_FREE, 0, 0)


def commission_minor(
    terms: Commission,
    lot_e8: int,
    quantity_e8: int,
    price_e8: int,
    quote_by: Conversion,
    terms_by: Conversion,
    currency: str,
) -> int:
    """What one fill costs, in minor units of the account's `currency`, rounded up; never negative.

    `quote_by` converts from the instrument's quote currency, `terms_by` from that of the terms, both at the price at
    which a loss is converted. `lot_e8` is the instrument's lot, in units.

    EURUSD, 2.5 lots of 100,000 at 3.50 USD per lot: 250,000 / 100,000 x 3.50 = 8.75 USD.
    EURUSD, 250,000 at 1.10020 and 20 USD per million: 275,050 x 20 / 1,000,000 = 5.501, so 5.51 USD.
    The same for 10,000: 11,002 x 20 / 1,000,000 = 0.22 USD, less than a minimum of 2.00 USD, so 2.00 USD.
    """
    if not (terms.rate_e8 or terms.minimum_e8):
        return 0
    minor = minor_units(currency)
    if terms.basis is _LOT:
        amount = terms.rate_e8 * quantity_e8 * terms_by.multiplier_e8 * minor
        charge = div(amount, lot_e8 * SCALE * terms_by.divisor_e8, CEILING)
    else:
        amount = terms.rate_e8 * quantity_e8 * price_e8 * quote_by.multiplier_e8 * minor
        whole_e8 = _MILLION_E8 if terms.basis is _MILLION else SCALE
        charge = div(amount, 10**16 * whole_e8 * quote_by.divisor_e8, CEILING)
    if not terms.minimum_e8:
        return charge
    return max(charge, div(terms.minimum_e8 * terms_by.multiplier_e8 * minor, SCALE * terms_by.divisor_e8, CEILING))


def charged_nights(terms: Swap, pair: Settlement, trade_day: int, holidays: Holidays) -> int:
    """How many nights the roll that ends a trading day is charged for: by weekday if the terms say so, or by value
    date. 0 on a roll at which nothing is due."""
    if terms.basis is _FREE:
        return 0
    return terms.nights[weekday(trade_day)] if terms.nights else days_rolled(pair, trade_day, holidays)


def swap_rate_e8(terms: Swap, side: Side) -> int:
    """Its sign is that of the swap: positive, and the amount is converted as a gain; negative, as a loss."""
    if terms.basis is _FREE:
        return 0
    return terms.long_e8 if side is BUY else terms.short_e8


def swap_minor(
    terms: Swap,
    side: Side,
    quantity_e8: int,
    price_e8: int,
    point_e8: int,
    nights: int,
    by: Conversion,
    currency: str,
) -> int:
    """What a position gets (positive) or pays (negative) at a roll, in minor units of the account's `currency`, to the
    nearest one (half to even).

    `by` converts from the instrument's quote currency. Points: points x size of a point x units x nights (MetaTrader 5:
    swap x contract size x 10^-digits x lots x nights); the price does not matter. Interest: units x price x rate x
    nights / days of the year (OANDA: position value x funding rate x 1/365; MetaTrader 5: by 360).

    EURUSD, long 100,000 at 1.15826 and -3 % over 365, one night: 115,826 x -0.03 / 365 = -9.52 USD (OANDA's example).
    USDJPY, long 100,000 at 12.5 points of 0.001, three nights: 100,000 x 0.0125 x 3 = 3,750 JPY, at 150.020 25.00 USD.
    """
    amount = swap_rate_e8(terms, side) * quantity_e8 * nights * by.multiplier_e8 * minor_units(currency)
    if terms.basis is _POINTS:
        return div(amount * point_e8, 10**24 * by.divisor_e8, HALF_EVEN)
    return div(amount * price_e8, 10**24 * terms.year_days * by.divisor_e8, HALF_EVEN)
