"""Worked examples: commission and swap, with the arithmetic written out and where the numbers come from.

Crosses: USDJPY 150.000/150.020, EURUSD 1.10000/1.10020. A gain is converted on one side, a loss on the other.
"""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.calendar import FRIDAY, WEDNESDAY, Settlement, day_of, settlement, weekday
from actors.domain.charges import (
    NO_COMMISSION,
    SWAP_FREE,
    Commission,
    CommissionBasis,
    Swap,
    SwapBasis,
    charged_nights,
    commission_minor,
    swap_minor,
    swap_rate_e8,
)
from actors.domain.money import minor_digits
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Conversion, Side
from actors.domain.risk.margin import SAME_CURRENCY, conversion, crosses_of
from tests.examples import EURUSD, EVERY_NIGHT, INSTRUMENTS, TICKS, USDJPY


def triple_on(day: int) -> tuple[int, ...]:
    """One night on each day from Monday to Friday and three on this one (MetaTrader 5: SYMBOL_SWAP_ROLLOVER3DAYS)."""
    return tuple(3 if it == day else int(it < 5) for it in range(7))


MARKET = {given.symbol: given for given in TICKS}
CROSSES = crosses_of(INSTRUMENTS)
LOT = e8("100000")
LOTS, MILLION, PERCENT = CommissionBasis.LOT, CommissionBasis.MILLION, CommissionBasis.PERCENT
POINTS, INTEREST = SwapBasis.POINTS, SwapBasis.INTEREST


def by(sold: str, got: str, *, gain: bool = False) -> Conversion:
    return conversion(CROSSES, MARKET, sold, got, gain=gain)


def commission(
    basis: CommissionBasis,
    rate: str,
    quantity: str,
    price: str,
    *,
    minimum: str = "0",
    stated_in: str = "USD",
    quote: str = "USD",
    account: str = "USD",
    lot: int = LOT,
) -> int:
    terms = Commission(basis, e8(rate), e8(minimum), stated_in)
    quote_by, terms_by = by(quote, account), by(stated_in, account)
    return commission_minor(terms, lot, e8(quantity), e8(price), quote_by, terms_by, account)


def test_commission_per_lot() -> None:
    # Admirals, Zero.MT5: 3.0 USD (2.6 EUR) per lot of 100,000 and side. 1 lot: 3.00; 2.5 lots: 7.50.
    assert commission(LOTS, "3", "100000", "1.1") == 3_00
    assert commission(LOTS, "3", "250000", "1.1") == 7_50
    # The price is of no account, nor is the quote currency: 1 lot USDJPY in EUR is 2.60.
    assert commission(LOTS, "2.6", "100000", "150", quote="JPY", stated_in="EUR", account="EUR") == 2_60
    # Stated in EUR, the account in USD: 2.60 EUR bought at 1.10020 = 2.86052, up to 2.87.
    assert commission(LOTS, "2.6", "100000", "150", quote="JPY", stated_in="EUR") == 2_87
    # A micro lot: 1,000 / 100,000 x 3.50 = 0.035, up to 0.04. A lot of one bitcoin: 0.25 x 8 = 2.00.
    assert commission(LOTS, "3.5", "1000", "1.1") == 4
    assert commission(LOTS, "8", "0.25", "60000", lot=e8("1")) == 2_00


def test_commission_per_million() -> None:
    # Deriv, MT5 Standard: 10,000 USD at 10 per 100,000 (100 per million) is 1 USD.
    assert commission(MILLION, "100", "1", "10000") == 1_00
    # Interactive Brokers, spot currencies: 0.20 basis points (20 per million), at least 2.00 USD.
    # 1,000,000 EUR at 1.10020 = 1,100,200 USD; x 20 / 1,000,000 = 22.004, up to 22.01.
    assert commission(MILLION, "20", "1000000", "1.10020", minimum="2") == 22_01
    # USD 50,000: 1.00, less than the minimum.
    assert commission(MILLION, "20", "50000", "1", minimum="2") == 2_00
    assert commission(MILLION, "20", "50000", "1") == 1_00
    # 100,000 USD at 150.020 = 15,002,000 JPY; x 20 / 1,000,000 = 300.04 JPY; yen bought with dollars sold at 150.000
    # cost 2.000266..., up to 2.01. (At 150.020, the side of a gain, it would be 2.00.)
    assert commission(MILLION, "20", "100000", "150.020", quote="JPY") == 2_01
    # The minimum of 2.00 USD for an account in EUR: 2 / 1.10000 = 1.8181..., up to 1.82.
    assert commission(MILLION, "20", "1000", "1.1", minimum="2", account="EUR") == 1_82


def test_commission_in_percent() -> None:
    # Crypto at 0.1 %: 0.5 BTC at 60,010 = 30,005 USD; x 0.001 = 30.005, up to 30.01.
    assert commission(PERCENT, "0.001", "0.5", "60010") == 30_01
    # An account in yen has no smaller unit: 30.005 x 150.020 (a loss, at the ask) = 4,501.35..., up to 4,502.
    assert commission(PERCENT, "0.001", "0.5", "60010", account="JPY") == 4502


def test_no_commission() -> None:
    assert commission_minor(NO_COMMISSION, LOT, LOT, e8("1.1"), SAME_CURRENCY, SAME_CURRENCY, "USD") == 0
    # A minimum without a rate is a fee for each fill.
    assert commission(LOTS, "0", "1000", "1.1", minimum="0.5") == 50


@pytest.mark.parametrize(
    ("basis", "rate", "minimum"),
    [(LOTS, -1, 0), (LOTS, 0, -1), (LOTS, 10**18, 0), (PERCENT, 10**8 + 1, 0), (MILLION, 10**14 + 1, 0)],
)
def test_a_commission_out_of_bounds_cannot_be_made(basis: CommissionBasis, rate: int, minimum: int) -> None:
    with pytest.raises(ValueError, match="commission"):
        Commission(basis, rate, minimum, "USD")


amounts_e8 = st.integers(1, 10**15)
conversions = st.builds(Conversion, st.just("X"), st.just(1), st.integers(1, 10**12), st.integers(1, 10**12))
currencies = st.sampled_from(["USD", "JPY", "BTC"])


def rate_of(it: Conversion) -> Fraction:
    return Fraction(it.multiplier_e8, it.divisor_e8)


@given(
    st.sampled_from(CommissionBasis),
    st.integers(0, 10**8),
    st.integers(0, 10**10),
    amounts_e8,
    amounts_e8,
    conversions,
    conversions,
    currencies,
)
def test_a_commission_is_the_exact_one_rounded_up(
    basis: CommissionBasis,
    rate: int,
    minimum: int,
    quantity: int,
    price: int,
    quote_by: Conversion,
    terms_by: Conversion,
    currency: str,
) -> None:
    units, notional = Fraction(quantity, 10**8), Fraction(quantity * price, 10**16)
    exact = (
        Fraction(rate, 10**8)
        * {
            LOTS: units / 100_000 * rate_of(terms_by),
            MILLION: notional / 10**6 * rate_of(quote_by),
            PERCENT: notional * rate_of(quote_by),
        }[basis]
    )
    exact = max(exact, Fraction(minimum, 10**8) * rate_of(terms_by)) * 10 ** minor_digits(currency)
    terms = Commission(basis, rate, minimum, "EUR")
    charged = commission_minor(terms, LOT, quantity, price, quote_by, terms_by, currency)
    assert exact <= charged < exact + 1


def test_interest_of_one_night() -> None:
    """OANDA, Financing fees: long 100,000 EUR/USD at 1.15826 and -3.00 %: 115,826 x -0.03 x 1/365 = -9.52 USD."""
    terms = Swap(INTEREST, e8("-0.03"), e8("0.01"))
    point = EURUSD.price_step_e8
    assert swap_minor(terms, Side.BUY, LOT, e8("1.15826"), point, 1, SAME_CURRENCY, "USD") == -9_52
    # Short at +1 %: 115,826 x 0.01 / 365 = 3.1733.
    assert swap_minor(terms, Side.SELL, LOT, e8("1.15826"), point, 1, SAME_CURRENCY, "USD") == 3_17
    # Over Wednesday, three nights in one: 115,826 x -0.03 x 3 / 365 = -28.5598..., not three times -9.52.
    assert swap_minor(terms, Side.BUY, LOT, e8("1.15826"), point, 3, SAME_CURRENCY, "USD") == -28_56


def test_interest_by_a_year_of_360_days() -> None:
    """MetaTrader 5: swap / 100 / 360 x price x contract size x lots x nights. 115,826 x -0.03 / 360 = -9.6521..."""
    terms = Swap(INTEREST, e8("-0.03"), e8("0.01"), 360)
    assert swap_minor(terms, Side.BUY, LOT, e8("1.15826"), 1000, 1, SAME_CURRENCY, "USD") == -9_65


def test_points() -> None:
    """MetaTrader 5: swap x contract size x 10^-digits x lots x nights."""
    terms = Swap(POINTS, e8("-7.12"), e8("3.4"), nights=triple_on(WEDNESDAY))
    point = EURUSD.price_step_e8
    # 2 lots EURUSD, a point is 0.00001: -7.12 x 200,000 x 0.00001 = -14.24 USD; three nights -42.72.
    assert swap_minor(terms, Side.BUY, 2 * LOT, e8("1.1"), point, 1, SAME_CURRENCY, "USD") == -14_24
    assert swap_minor(terms, Side.BUY, 2 * LOT, e8("1.1"), point, 3, SAME_CURRENCY, "USD") == -42_72
    # Short: 3.4 x 200,000 x 0.00001 = 6.80; three nights 20.40.
    assert swap_minor(terms, Side.SELL, 2 * LOT, e8("1.1"), point, 1, SAME_CURRENCY, "USD") == 6_80
    assert swap_minor(terms, Side.SELL, 2 * LOT, e8("1.1"), point, 3, SAME_CURRENCY, "USD") == 20_40


def test_yen_become_dollars_on_the_side_that_is_worse_for_the_client() -> None:
    """USDJPY, 100,000, a point is 0.001 JPY; USDJPY 150.000/150.020."""
    terms = Swap(POINTS, e8("12.5"), e8("-18"))
    point = USDJPY.price_step_e8
    gained, lost = by("JPY", "USD", gain=True), by("JPY", "USD", gain=False)
    # Long, three nights: 12.5 x 0.001 x 100,000 x 3 = 3,750 JPY; / 150.020 = 24.9967 USD.
    assert swap_minor(terms, Side.BUY, LOT, e8("150"), point, 3, gained, "USD") == 25_00
    # Short, three nights: -18 x 0.001 x 100,000 x 3 = -5,400 JPY; / 150.000 = -36.00 USD.
    assert swap_minor(terms, Side.SELL, LOT, e8("150"), point, 3, lost, "USD") == -36_00
    # In yen, which have no smaller unit: 12.5 x 0.001 x 100,000 = 1,250.
    assert swap_minor(terms, Side.BUY, LOT, e8("150"), point, 1, SAME_CURRENCY, "JPY") == 1250
    # Interest, long at 4 % over 365: 100,000 x 150.000 x 0.04 / 365 = 1,643.8356 JPY; / 150.020 = 10.9574 USD.
    interest = Swap(INTEREST, e8("0.04"), e8("-0.05"))
    assert swap_minor(interest, Side.BUY, LOT, e8("150"), point, 1, gained, "USD") == 10_96
    # Short at -5 %: 100,000 x 150.000 x -0.05 / 365 = -2,054.7945 JPY; / 150.000 = -13.6986 USD.
    assert swap_minor(interest, Side.SELL, LOT, e8("150"), point, 1, lost, "USD") == -13_70


def test_half_a_minor_unit_goes_to_the_even_one() -> None:
    # 1,000 EUR at 0.5 points of 0.00001 = 0.005 USD; 1.5 points = 0.015; and the same to pay.
    rounded = []
    for points in ("0.5", "1.5", "2.5", "-0.5", "-1.5", "-2.5"):
        terms = Swap(POINTS, e8(points), 0)
        rounded.append(swap_minor(terms, Side.BUY, e8("1000"), e8("1.1"), 1000, 1, SAME_CURRENCY, "USD"))
    assert rounded == [0, 2, 2, 0, -2, -2]


def test_swap_free() -> None:
    terms = Swap(SwapBasis.FREE, e8("-5"), e8("-5"))
    for free in (SWAP_FREE, terms):
        assert swap_minor(free, Side.BUY, LOT, e8("1.1"), 1000, 3, SAME_CURRENCY, "USD") == 0
        assert swap_rate_e8(free, Side.SELL) == 0
        assert charged_nights(free, settlement("EUR", "USD"), day_of(2026, 1, 21), {}) == 0


def test_the_sign_of_the_rate_names_the_side_of_the_conversion() -> None:
    terms = Swap(POINTS, e8("12.5"), e8("-18"))
    assert (swap_rate_e8(terms, Side.BUY), swap_rate_e8(terms, Side.SELL)) == (e8("12.5"), e8("-18"))


def test_nights_by_weekday_and_by_value_date() -> None:
    monday = day_of(2026, 1, 19)
    week = range(monday, monday + 7)
    by_value_date, wednesday = Swap(INTEREST, 1, 1), Swap(INTEREST, 1, 1, nights=triple_on(WEDNESDAY))
    friday, crypto = Swap(INTEREST, 1, 1, nights=triple_on(FRIDAY)), Swap(INTEREST, 1, 1, nights=EVERY_NIGHT)
    eurusd, usdcad = settlement("EUR", "USD"), settlement("USD", "CAD")

    def nights(terms: Swap, pair: Settlement = eurusd) -> list[int]:
        return [charged_nights(terms, pair, it, {}) for it in week]

    assert weekday(monday) == 0
    assert nights(by_value_date) == nights(wednesday) == [1, 1, 3, 1, 1, 0, 0]
    assert nights(by_value_date, usdcad) == [1, 1, 1, 3, 1, 0, 0]
    assert nights(wednesday, usdcad) == [1, 1, 3, 1, 1, 0, 0]
    assert nights(friday) == [1, 1, 1, 1, 3, 0, 0]
    assert nights(crypto) == [1, 1, 1, 1, 1, 1, 1]
    # Thanksgiving, Thursday 26 November 2026: Monday's roll moves the value date from the 25th to the 27th.
    thanksgiving = {"USD": (day_of(2026, 11, 26),)}
    assert charged_nights(by_value_date, eurusd, day_of(2026, 11, 23), thanksgiving) == 2
    assert charged_nights(wednesday, eurusd, day_of(2026, 11, 23), thanksgiving) == 1


@given(
    st.sampled_from([POINTS, INTEREST]),
    st.sampled_from(Side),
    st.integers(-(10**9), 10**9),
    st.integers(-(10**9), 10**9),
    st.sampled_from([360, 365]),
    amounts_e8,
    amounts_e8,
    st.integers(0, 10),
    conversions,
    currencies,
)
def test_a_swap_is_the_exact_one_to_the_nearest_unit(
    basis: SwapBasis,
    side: Side,
    long: int,
    short: int,
    year: int,
    quantity: int,
    price: int,
    nights: int,
    by: Conversion,
    currency: str,
) -> None:
    units = Fraction(quantity, 10**8) * (Fraction(long if side is Side.BUY else short, 10**8) * nights)
    each = Fraction(1000, 10**8) if basis is POINTS else Fraction(price, 10**8 * year)
    exact = units * each * rate_of(by) * 10 ** minor_digits(currency)
    terms = Swap(basis, long, short, year)
    # Python rounds a Fraction half to even too.
    assert swap_minor(terms, side, quantity, price, 1000, nights, by, currency) == round(exact)


@pytest.mark.parametrize(
    ("basis", "long", "short", "year", "nights"),
    [
        (INTEREST, 0, 0, 364, ()),
        (INTEREST, 10**9 + 1, 0, 365, ()),
        (INTEREST, 0, -(10**9) - 1, 365, ()),
        (POINTS, 10**14 + 1, 0, 365, ()),
        (POINTS, 0, 0, 365, (1, 1, 3, 1, 1)),
        (POINTS, 0, 0, 365, (1, 1, 3, 1, 1, 0, -1)),
        (POINTS, 0, 0, 365, (1, 1, 3, 1, 1, 0, 11)),
    ],
)
def test_a_swap_out_of_bounds_cannot_be_made(
    basis: SwapBasis, long: int, short: int, year: int, nights: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"swap|year|nights"):
        Swap(basis, long, short, year, nights)
    raw = msgspec.msgpack.encode([basis.value, long, short, year, list(nights)])
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(raw, type=Swap)
