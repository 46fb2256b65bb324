"""Worked examples: what a position is worth and what it ties up, with the arithmetic written out.

Prices (examples.py): EURUSD 1.10000/1.10020, GBPUSD 1.25000/1.25020, USDJPY 150.000/150.020, EURGBP 0.88000/0.88020,
EURJPY 165.000/165.030, BTCUSD 60000.00/60010.00. The account is kept in USD where nothing else is said.
"""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.group import Group
from actors.domain.instrument import Instrument
from actors.domain.money import Rounding
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Conversion, Position, Side
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.risk.exposure import Exposure
from actors.domain.risk.margin import (
    SAME_CURRENCY,
    Converted,
    closing_price_e8,
    conversion,
    crosses_of,
    open_profit_minor,
    opening_price_e8,
    profit_e16,
    profit_minor,
    to_minor,
)
from actors.domain.risk.requirement import required_of_leg
from tests.examples import BTCUSD, EURGBP, EURJPY, EURUSD, INSTRUMENTS, TICKS, USDJPY, instrument, tick

MARKET = {given.symbol: given for given in TICKS}
CROSSES = crosses_of(INSTRUMENTS)
ONE = e8("1")


def required_minor(it: Instrument, quantity_e8: int, price_e8: int, by: Conversion, currency: str) -> int:
    """Initial margin of a long alone, on the instrument's own rate."""
    agreed = Group("plain").margin_terms(it)
    return required_of_leg(quantity_e8 * price_e8, agreed, by, currency).initial_minor


def test_what_is_in_the_accounts_currency_is_not_converted() -> None:
    assert conversion(CROSSES, {}, "USD", "USD", gain=True) == SAME_CURRENCY == Conversion("", 0, ONE, ONE)


@pytest.mark.parametrize(
    ("sold", "got", "gain", "expected"),
    [
        # GBPUSD 1.25000/1.25020: pounds won are sold at the bid, pounds lost are bought at the ask.
        ("GBP", "USD", True, Conversion("GBPUSD", 1, e8("1.25000"), ONE)),
        ("GBP", "USD", False, Conversion("GBPUSD", 1, e8("1.25020"), ONE)),
        # USDJPY 150.000/150.020: yen won buy dollars at the ask, yen lost cost dollars sold at the bid.
        ("JPY", "USD", True, Conversion("USDJPY", 1, ONE, e8("150.020"))),
        ("JPY", "USD", False, Conversion("USDJPY", 1, ONE, e8("150.000"))),
        ("USD", "JPY", True, Conversion("USDJPY", 1, e8("150.000"), ONE)),
        ("USD", "JPY", False, Conversion("USDJPY", 1, e8("150.020"), ONE)),
    ],
)
def test_a_conversion_is_on_the_clients_worse_side(sold: str, got: str, gain: bool, expected: Conversion) -> None:
    """OANDA v20, HomeConversions: one factor for gains (accountGain), another for losses (accountLoss)."""
    assert conversion(CROSSES, MARKET, sold, got, gain=gain) == expected


@pytest.mark.parametrize(("sold", "got"), [("CHF", "USD"), ("USD", "XYZ"), ("GBP", "USD")])
def test_without_a_price_of_the_cross_there_is_no_conversion(sold: str, got: str) -> None:
    without = {symbol: given for symbol, given in MARKET.items() if symbol != "GBPUSD"}
    with pytest.raises(Refused) as refused:
        conversion(CROSSES, without, sold, got, gain=True)
    assert refused.value.code is Code.NO_CONVERSION


def test_crosses_go_both_ways_and_the_first_defined_wins() -> None:
    spot, other = instrument("EURUSD", 5, "0.05", "0.5", "3"), instrument("USDEUR", 5, "0.05", "0.3", "2")
    table = crosses_of({it.symbol: it for it in (spot, other)})
    assert table == {("EUR", "USD"): ("EURUSD", False), ("USD", "EUR"): ("EURUSD", True)}


@pytest.mark.parametrize(
    ("symbol", "side", "quantity", "margin_minor"),
    [
        # 10,000 EUR x 1.10020 = 11,002.00 USD; x 3.33 % = 366.3666, rounded up.
        ("EURUSD", Side.BUY, "10000", 366_37),
        # 10,000 EUR x 1.10000 = 11,000.00 USD; x 3.33 % = 366.30.
        ("EURUSD", Side.SELL, "10000", 366_30),
        # 10,000 USD x 150.020 = 1,500,200 JPY; / 150.000 = 10,001.3333 USD; x 3.33 % = 333.0444, rounded up.
        ("USDJPY", Side.BUY, "10000", 333_05),
        # 10,000 USD x 150.000 = 1,500,000 JPY; / 150.000 = 10,000 USD; x 3.33 % = 333.00.
        ("USDJPY", Side.SELL, "10000", 333_00),
        # 10,000 EUR x 0.88020 = 8,802.00 GBP; x 1.25020 = 11,004.2604 USD; x 3.33 % = 366.4418, rounded up.
        ("EURGBP", Side.BUY, "10000", 366_45),
        # 10,000 EUR x 0.88000 = 8,800.00 GBP; x 1.25020 = 11,001.76 USD; x 3.33 % = 366.3586, rounded up.
        ("EURGBP", Side.SELL, "10000", 366_36),
        # 10,000 EUR x 165.030 = 1,650,300 JPY; / 150.000 = 11,002.00 USD; x 3.33 % = 366.3666, rounded up.
        ("EURJPY", Side.BUY, "10000", 366_37),
        # 10,000 EUR x 165.000 = 1,650,000 JPY; / 150.000 = 11,000.00 USD; x 3.33 % = 366.30.
        ("EURJPY", Side.SELL, "10000", 366_30),
        # 0.5 BTC x 60,010.00 = 30,005.00 USD; x 50 % = 15,002.50.
        ("BTCUSD", Side.BUY, "0.5", 15_002_50),
        # 0.5 BTC x 60,000.00 = 30,000.00 USD; x 50 % = 15,000.00.
        ("BTCUSD", Side.SELL, "0.5", 15_000_00),
    ],
)
def test_required_margin(symbol: str, side: Side, quantity: str, margin_minor: int) -> None:
    """Notional times ESMA's retail rate (decision (EU) 2018/796, annex I: 3.33 % major pairs, 50 % crypto)."""
    it = INSTRUMENTS[symbol]
    by = conversion(CROSSES, MARKET, it.quote, "USD", gain=False)
    price_e8 = opening_price_e8(side, MARKET[symbol])
    assert required_minor(it, e8(quantity), price_e8, by, "USD") == margin_minor


@pytest.mark.parametrize(
    ("symbol", "side", "quantity", "opened_at", "bid", "ask", "profit_minor_expected"),
    [
        # (1.10500 - 1.10020) x 10,000 = +48.00 USD.
        ("EURUSD", Side.BUY, "10000", "1.10020", "1.10500", "1.10520", 48_00),
        # (1.10000 - 1.10520) x 10,000 = -52.00 USD.
        ("EURUSD", Side.SELL, "10000", "1.10000", "1.10500", "1.10520", -52_00),
        # Converted through itself, at its price of now, inverse.
        # (151.000 - 150.020) x 10,000 = +9,800 JPY, which buy dollars at 151.020: 64.8921 USD.
        ("USDJPY", Side.BUY, "10000", "150.020", "151.000", "151.020", 64_89),
        # (150.000 - 151.020) x 10,000 = -10,200 JPY, for which dollars are sold at 151.000: -67.5497 USD.
        ("USDJPY", Side.SELL, "10000", "150.000", "151.000", "151.020", -67_55),
        # Through GBPUSD. (0.88500 - 0.88020) x 10,000 = +48.00 GBP, sold at 1.25000: +60.00 USD.
        ("EURGBP", Side.BUY, "10000", "0.88020", "0.88500", "0.88520", 60_00),
        # (0.88000 - 0.88520) x 10,000 = -52.00 GBP, bought at 1.25020: -65.0104 USD.
        ("EURGBP", Side.SELL, "10000", "0.88000", "0.88500", "0.88520", -65_01),
        # Through USDJPY, inverse. (166.000 - 165.030) x 10,000 = +9,700 JPY; / 150.020 = 64.6580 USD.
        ("EURJPY", Side.BUY, "10000", "165.030", "166.000", "166.030", 64_66),
        # (165.000 - 166.030) x 10,000 = -10,300 JPY; / 150.000 = -68.6667 USD.
        ("EURJPY", Side.SELL, "10000", "165.000", "166.000", "166.030", -68_67),
        # (61,000.00 - 60,010.00) x 0.5 = +495.00 USD.
        ("BTCUSD", Side.BUY, "0.5", "60010.00", "61000.00", "61010.00", 495_00),
        # (60,000.00 - 61,010.00) x 0.5 = -505.00 USD.
        ("BTCUSD", Side.SELL, "0.5", "60000.00", "61000.00", "61010.00", -505_00),
    ],
)
def test_open_profit(
    symbol: str, side: Side, quantity: str, opened_at: str, bid: str, ask: str, profit_minor_expected: int
) -> None:
    """(closing price - opening price) x units x quote/home: OANDA's formula, with OANDA's two conversion factors."""
    market = {**MARKET, symbol: tick(symbol, bid, ask, 2)}
    position = Position(1, 1, symbol, side, e8(quantity), e8(opened_at), 0, 0, 0, 0)
    exposure = Exposure(INSTRUMENTS[symbol].quote)
    exposure.change(side, e8(quantity), e8(quantity) * e8(opened_at))
    of_account = open_profit_minor({symbol: exposure}, CROSSES, market, "USD")
    of_position = profit_minor(position, INSTRUMENTS[symbol], CROSSES, market, "USD")
    assert (of_position, of_account) == (profit_minor_expected, profit_minor_expected)


@pytest.mark.parametrize(
    ("quantity", "opened_at", "closed_at", "quote", "profit_minor_expected"),
    [
        # CME Euro FX (6E): 125,000 EUR, 0.00005 per euro = 6.25 USD.
        ("125000", "1.10000", "1.10005", "USD", 6_25),
        # CME E-micro EUR/USD (M6E): 12,500 EUR, 0.0001 per euro = 1.25 USD.
        ("12500", "1.3000", "1.3001", "USD", 1_25),
        # CME Bitcoin (BTC): 5 bitcoin, 5.00 USD per bitcoin = 25.00 USD.
        ("5", "60000", "60005", "USD", 25_00),
        # CME E-micro USD/JPY (M6J, quoted in yen): 10,000 USD, 0.01 yen per dollar = 100 JPY.
        ("10000", "93.00", "93.01", "JPY", 100),
    ],
)
def test_value_of_a_published_contracts_tick(
    quantity: str, opened_at: str, closed_at: str, quote: str, profit_minor_expected: int
) -> None:
    """A long gains what the exchange's contract specification says, and a short loses it."""
    positions = [Position(1, 1, "X", side, e8(quantity), e8(opened_at), 0, 0, 0, 0) for side in (Side.BUY, Side.SELL)]
    values = [
        to_minor(profit_e16(position, e8(closed_at)), SAME_CURRENCY, quote, Rounding.HALF_EVEN)
        for position in positions
    ]
    assert values == [profit_minor_expected, -profit_minor_expected]


def test_oandas_published_example() -> None:
    """OANDA UK's "Margin-related calculations", example 1, the OANDA One account, in GBP.

    1,000,000 EURGBP bought at 0.8568 with the market at 0.8566/0.8568 and a margin rate of 3.33333 %:
    margin 1,000,000 x 0.8568 x 3.33333 % = 28,559.97144, printed there as 28,559.97 (here a margin is rounded up);
    profit 1,000,000 x (0.8566 - 0.8568) = -200.00.
    """
    it = instrument("EURGBP", 5, "0.0333333", "0.3", "2")
    market = {"EURGBP": tick("EURGBP", "0.8566", "0.8568")}
    position = Position(1, 1, "EURGBP", Side.BUY, e8("1000000"), e8("0.8568"), 0, 0, 0, 0)
    assert required_minor(it, position.quantity_e8, position.open_price_e8, SAME_CURRENCY, "GBP") == 28_559_98
    assert profit_minor(position, it, {}, market, "GBP") == -200_00


def test_a_yen_account_has_whole_yen() -> None:
    """1,000 EURUSD bought at 1.10020, now 1.10000: -0.20 USD, x 150.020 (dollars are bought) = -30.004 JPY.

    Margin: 1,000 x 1.10020 = 1,100.20 USD; x 150.020 = 165,052.004 JPY; x 3.33 % = 5,496.23, rounded up.
    """
    by = conversion(CROSSES, MARKET, "USD", "JPY", gain=False)
    position = Position(1, 1, "EURUSD", Side.BUY, e8("1000"), e8("1.10020"), 0, 0, 0, 0)
    assert profit_minor(position, EURUSD, CROSSES, MARKET, "JPY") == -30
    assert required_minor(EURUSD, e8("1000"), e8("1.10020"), by, "JPY") == 5_497


def test_prices_are_what_the_client_deals_at() -> None:
    given = tick("EURUSD", "1.1", "1.2")
    assert [opening_price_e8(side, given) for side in Side] == [e8("1.2"), e8("1.1")]
    assert [closing_price_e8(side, given) for side in Side] == [e8("1.1"), e8("1.2")]


def test_rounding_is_once() -> None:
    """Three longs of 1 EURUSD, each 0.004 USD down: each alone rounds to 0, together they are -0.012, so -0.01."""
    market = {"EURUSD": tick("EURUSD", "1.096", "1.1")}
    exposure = Exposure("USD")
    for _ in range(3):
        exposure.change(Side.BUY, ONE, ONE * e8("1.1"))
    one = Position(1, 1, "EURUSD", Side.BUY, ONE, e8("1.1"), 0, 0, 0, 0)
    assert profit_minor(one, EURUSD, CROSSES, market, "USD") == 0
    assert open_profit_minor({"EURUSD": exposure}, CROSSES, market, "USD") == -1


def test_what_is_won_and_lost_in_one_currency_is_converted_as_one() -> None:
    """10,000 USDJPY bought at 149.020, now 150.000: +9,800 JPY. 10,000 EURJPY bought at 165.970, now 165.000: -9,700.

    Together +100 JPY, which buy dollars at 150.020: 0.6666 USD. One by one: 65.3246 - 64.6667 = 0.66 in whole cents.
    """
    exposures = {"USDJPY": Exposure("JPY"), "EURJPY": Exposure("JPY")}
    exposures["USDJPY"].change(Side.BUY, e8("10000"), e8("10000") * e8("149.020"))
    exposures["EURJPY"].change(Side.BUY, e8("10000"), e8("10000") * e8("165.970"))
    assert open_profit_minor(exposures, CROSSES, MARKET, "USD") == 67


def test_a_hedged_symbol_is_converted_once_by_its_sum() -> None:
    """EURGBP long at 0.87000 and short at 0.89000, 10,000 each, market 0.88000/0.88020: +100 and +98 GBP.

    Together +198 GBP, sold at 1.25000: +247.50 USD.
    """
    exposure = Exposure("GBP")
    exposure.change(Side.BUY, e8("10000"), e8("10000") * e8("0.87000"))
    exposure.change(Side.SELL, e8("10000"), e8("10000") * e8("0.89000"))
    assert open_profit_minor({"EURGBP": exposure}, CROSSES, MARKET, "USD") == 247_50


def test_profit_with_another_exposure_instead() -> None:
    """EURUSD long 10,000 at 1.10020: -2.00. With 5,000 more at 1.10000: the same. Gone: 0.00.

    With 10,000 EURGBP sold at 0.88000 besides: -2.00 GBP, bought at 1.25020: -2.50 USD more.
    """
    exposures = {"EURUSD": Exposure("USD")}
    exposures["EURUSD"].change(Side.BUY, e8("10000"), e8("10000") * e8("1.10020"))
    more = exposures["EURUSD"].copy()
    more.change(Side.BUY, e8("5000"), e8("5000") * e8("1.10000"))
    pounds = Exposure("GBP")
    pounds.change(Side.SELL, e8("10000"), e8("10000") * e8("0.88000"))
    for symbol, instead, expected_minor in (
        ("EURUSD", more, -2_00),
        ("EURUSD", Exposure("USD"), 0),
        ("EURGBP", pounds, -4_50),
    ):
        assert open_profit_minor(exposures, CROSSES, MARKET, "USD", None, (symbol, instead)) == expected_minor
    assert open_profit_minor(exposures, CROSSES, MARKET, "USD") == -2_00


def test_what_was_converted_before_is_known_until_amount_or_price_change() -> None:
    """10,000 EURGBP bought at 0.87000, now 0.88000: +100 GBP; at 1.25000 125.00 USD, at 1.26000 126.00 USD."""
    exposure, converted = Exposure("GBP"), Converted()
    exposure.change(Side.BUY, e8("10000"), e8("10000") * e8("0.87000"))
    other = {**MARKET, "GBPUSD": tick("GBPUSD", "1.26000", "1.26020", 2)}
    for market, expected_minor in ((MARKET, 125_00), (MARKET, 125_00), (other, 126_00), (MARKET, 125_00)):
        assert open_profit_minor({"EURGBP": exposure}, CROSSES, market, "USD", converted) == expected_minor
    exposure.change(Side.BUY, e8("-5000"), e8("-5000") * e8("0.87000"))
    assert open_profit_minor({"EURGBP": exposure}, CROSSES, MARKET, "USD", converted) == 62_50


LOTS = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 10**15), st.integers(1, 10**10)), min_size=1, max_size=10
)


@given(LOTS, st.integers(1, 10**10), st.integers(0, 10**8), st.randoms(use_true_random=False))
def test_exposure_is_the_sum_of_its_positions(
    lots: list[tuple[Side, int, int]], bid_e8: int, spread_e8: int, order: Random
) -> None:
    exposure = Exposure("USD")
    market = Tick("EURUSD", 1, 0, bid_e8, bid_e8 + spread_e8, "A", "A", True)
    for side, quantity_e8, price_e8 in lots:
        exposure.change(side, quantity_e8, quantity_e8 * price_e8)
    expected = sum(
        profit_e16(Position(1, 1, "EURUSD", side, quantity, price, 0, 0, 0, 0), closing_price_e8(side, market))
        for side, quantity, price in lots
    )
    assert (exposure.profit_e16(market), exposure.is_flat) == (expected, False)
    order.shuffle(lots)
    for side, quantity_e8, price_e8 in lots:
        exposure.change(side, -quantity_e8, -quantity_e8 * price_e8)
    assert (exposure.profit_e16(market), exposure.is_flat) == (0, True)


@given(st.integers(1, 10**15), st.integers(10**7, 10**11), st.sampled_from([EURUSD, USDJPY, EURGBP, EURJPY, BTCUSD]))
def test_margin_is_never_less_than_its_exact_value(quantity_e8: int, price_e8: int, it: Instrument) -> None:
    by = conversion(CROSSES, MARKET, it.quote, "USD", gain=False)
    margin_minor = required_minor(it, quantity_e8, price_e8, by, "USD")
    exact = quantity_e8 * price_e8 * it.margin_rate_e8 * by.multiplier_e8 * 100
    unit = 10**24 * by.divisor_e8
    assert (margin_minor - 1) * unit < exact <= margin_minor * unit
