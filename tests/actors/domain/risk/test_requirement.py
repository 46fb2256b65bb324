"""Worked examples of margin, with the arithmetic written out. Prices as in tests/examples.py, accounts in USD."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.instrument import AssetClass, Tier
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Side
from actors.domain.refusal import Code, Refused
from actors.domain.risk.exposure import Exposure
from actors.domain.risk.margin import SAME_CURRENCY, conversion, crosses_of, opening_price_e8
from actors.domain.risk.requirement import (
    Hedging,
    MarginTerms,
    Requirement,
    required,
    terms,
)
from actors.domain.risk.retail import EU_RETAIL
from tests.examples import INSTRUMENTS, TICKS, instrument, tick

BUY, SELL = Side.BUY, Side.SELL
WORTH = {it.symbol: it for it in TICKS} | {"XAUUSD": tick("XAUUSD", "2300.00", "2300.50")}
LISTED = INSTRUMENTS | {"XAUUSD": instrument("XAUUSD", 2, "0.05", "100", "10000")}
CROSSES = crosses_of(LISTED)
CLASSES = {"BTCUSD": AssetClass.CRYPTO, "XAUUSD": AssetClass.GOLD}


def flat(initial: str, maintenance: str = "", hedging: Hedging = Hedging.BOTH_LEGS, share: str = "0") -> MarginTerms:
    """Terms with one rate for any notional."""
    return terms((Tier(0, e8(initial), e8(maintenance or initial)),), hedging=hedging, hedged_share_e8=e8(share))


def holding(*opened: tuple[Side, str, str]) -> Exposure:
    """Of side, quantity and opening price."""
    exposure = Exposure("USD")
    for side, quantity, price in opened:
        exposure.change(side, e8(quantity), e8(quantity) * e8(price))
    return exposure


def initial(exposure: Exposure, agreed: MarginTerms) -> int:
    """In an account that is kept in the quote currency, with two minor digits."""
    return required(exposure, agreed, SAME_CURRENCY, "USD").initial_minor


@pytest.mark.parametrize(
    ("symbol", "side", "quantity", "margin_minor"),
    [
        # XXXUSD: 10,000 EUR x 1.10020 = 11,002.00 USD; x 3.33 % = 366.3666, rounded up.
        ("EURUSD", BUY, "10000", 366_37),
        # USDXXX, yen: 10,000 x 150.020 = 1,500,200 JPY; / 150.000 = 10,001.3333 USD; x 3.33 % = 333.0444, rounded up.
        ("USDJPY", BUY, "10000", 333_05),
        # 10,000 x 150.000 = 1,500,000 JPY; / 150.000 = 10,000 USD; x 3.33 % = 333.00.
        ("USDJPY", SELL, "10000", 333_00),
        # Cross: 10,000 EUR x 0.88020 = 8,802.00 GBP; x 1.25020 = 11,004.2604 USD; x 3.33 % = 366.4418, rounded up.
        ("EURGBP", BUY, "10000", 366_45),
        # Cross in yen: 10,000 EUR x 165.000 = 1,650,000 JPY; / 150.000 = 11,000 USD; x 3.33 % = 366.30.
        ("EURJPY", SELL, "10000", 366_30),
        # CFD on gold: 10 oz x 2,300.50 = 23,005.00 USD; x 5 % = 1,150.25.
        ("XAUUSD", BUY, "10", 1_150_25),
        # Crypto: 0.5 BTC x 60,010.00 = 30,005.00 USD; x 50 % = 15,002.50.
        ("BTCUSD", BUY, "0.5", 15_002_50),
    ],
)
def test_one_position_on_the_eus_retail_terms(symbol: str, side: Side, quantity: str, margin_minor: int) -> None:
    """Notional times the rate of ESMA decision (EU) 2018/796, annex I, at the price and the cross of the opening."""
    it = LISTED[symbol]
    exposure = Exposure("USD")
    exposure.change(side, e8(quantity), e8(quantity) * opening_price_e8(side, WORTH[symbol]))
    by = conversion(CROSSES, WORTH, it.quote, "USD", gain=False)
    agreed = EU_RETAIL.terms(CLASSES.get(symbol, AssetClass.MAJOR_PAIR))
    assert required(exposure, agreed, by, "USD") == Requirement(margin_minor, margin_minor)


def test_a_yen_account_has_whole_yen() -> None:
    """1,000 EUR x 1.10020 = 1,100.20 USD; x 150.020 = 165,052.004 JPY; x 3.33 % = 5,496.23, rounded up."""
    by = conversion(CROSSES, WORTH, "USD", "JPY", gain=False)
    assert required(holding((BUY, "1000", "1.10020")), flat("0.0333"), by, "JPY") == Requirement(5_497, 5_497)


def test_oandas_published_example() -> None:
    """OANDA UK, "Margin-related calculations", example 1, the OANDA One account, in GBP: the price of the trade.

    1,000,000 EURGBP bought at 0.8568, rate 3.33333 %: 28,559.97144 (printed 28,559.97; here rounded up).
    """
    exposure = holding((BUY, "1000000", "0.8568"))
    assert required(exposure, flat("0.0333333"), SAME_CURRENCY, "GBP").initial_minor == 28_559_98


def test_maintenance_has_its_own_rate() -> None:
    """10,000 EURUSD at 1.10: 11,000 USD; initial 5 % = 550.00, maintenance 2.5 % = 275.00."""
    assert required(holding((BUY, "10000", "1.1")), flat("0.05", "0.025"), SAME_CURRENCY, "USD") == Requirement(
        550_00, 275_00
    )


def test_a_leg_is_margined_at_its_average_opening_price() -> None:
    """10,000 at 1.10 and 30,000 at 1.14: 11,000 + 34,200 = 45,200 USD; x 2 % = 904.00."""
    assert initial(holding((SELL, "10000", "1.1"), (SELL, "30000", "1.14")), flat("0.02")) == 904_00


TRADER_EVOLUTION = terms((Tier(0, e8("0.02"), e8("0.02")), Tier(500_000_00, e8("0.05"), e8("0.04"))))


@pytest.mark.parametrize(
    ("notional", "expected"),
    [
        # All in the first tier: 500,000 x 2 % = 10,000, the same for maintenance.
        ("500000", Requirement(10_000_00, 10_000_00)),
        # TraderEvolution, "What is tiered margin": 500,000 x 2 % + 500,000 x 5 % = 35,000, and not 50,000.
        # Maintenance: 500,000 x 2 % + 500,000 x 4 % = 30,000.
        ("1000000", Requirement(35_000_00, 30_000_00)),
        # One dollar above: 10,000 + 0.05, and 10,000 + 0.04.
        ("500001", Requirement(10_000_05, 10_000_04)),
    ],
)
def test_tiers_are_progressive(notional: str, expected: Requirement) -> None:
    assert required(holding((BUY, notional, "1")), TRADER_EVOLUTION, SAME_CURRENCY, "USD") == expected


def test_tiers_of_a_converted_notional() -> None:
    """1,500,000 USDJPY bought at 150.020: 225,030,000 JPY; / 150.000 = 1,500,200 USD.

    First 1,000,000 at 3.33 % = 33,300.00, above 500,200 at 5 % = 25,010.00.
    """
    agreed = terms((Tier(0, e8("0.0333"), e8("0.0333")), Tier(1_000_000_00, e8("0.05"), e8("0.05"))))
    by = conversion(CROSSES, WORTH, "JPY", "USD", gain=False)
    assert required(holding((BUY, "1500000", "150.020")), agreed, by, "USD").initial_minor == 58_310_00


PAIR = ((BUY, "100000", "1.10"), (SELL, "100000", "1.12"))
"""A hedged pair: 110,000 USD long, 112,000 short."""
LOPSIDED = ((BUY, "100000", "1.10"), (SELL, "150000", "1.12"))
"""110,000 USD long, 168,000 short; 50,000 are not hedged."""


@pytest.mark.parametrize(
    ("hedging", "share", "pair_minor", "lopsided_minor"),
    [
        # (110,000 + 112,000) x 1 %; (110,000 + 168,000) x 1 %.
        (Hedging.BOTH_LEGS, "0", 2_220_00, 2_780_00),
        # 112,000 x 1 %; 168,000 x 1 %.
        (Hedging.LARGER_LEG, "0", 1_120_00, 1_680_00),
        # Nothing; 50,000 x 1.12 x 1 %.
        (Hedging.NET, "0", 0, 560_00),
        # 100,000 x (110,000 + 112,000) / 200,000 = 111,000, x 1 %.
        # 50,000 x 1.12 = 56,000, and 100,000 x (110,000 + 168,000) / 250,000 = 111,200: 167,200 x 1 %.
        (Hedging.SHARE, "1", 1_110_00, 1_672_00),
        # The same with half of what is hedged: 55,500 x 1 %; (56,000 + 55,600) x 1 %.
        (Hedging.SHARE, "0.5", 555_00, 1_116_00),
        (Hedging.SHARE, "0", 0, 560_00),
    ],
)
def test_hedged_margin(hedging: Hedging, share: str, pair_minor: int, lopsided_minor: int) -> None:
    """The rules of cTrader (Sum, Max, Net) and of MetaTrader 5 (larger leg; uncovered and covered volume)."""
    agreed = flat("0.01", hedging=hedging, share=share)
    assert (initial(holding(*PAIR), agreed), initial(holding(*LOPSIDED), agreed)) == (pair_minor, lopsided_minor)
    mirrored = [(SELL if side is BUY else BUY, quantity, price) for side, quantity, price in LOPSIDED]
    assert initial(holding(*mirrored), agreed) == lopsided_minor


def test_admirals_published_example_of_a_full_hedge() -> None:
    """Admirals, "How to calculate margin requirements on hedges": half of each leg. 1 lot of EURUSD bought and sold at
    1:500 in EUR (a notional in the base currency, so a price of 1): 200 x 0.5 + 200 x 0.5 = 200 EUR."""
    agreed = terms((Tier(0, e8("0.002"), e8("0.002")),), hedging=Hedging.SHARE, hedged_share_e8=e8("1"))
    exposure = holding((BUY, "100000", "1"), (SELL, "100000", "1"))
    assert required(exposure, agreed, SAME_CURRENCY, "EUR").initial_minor == 200_00


def test_alparis_published_example_of_a_partial_hedge() -> None:
    """Alpari, "How do I calculate the margin required on hedged positions?", 1:500, lots of 100,000 GBPUSD.

    Sold 0.5 at 1.70450, bought 0.8 at 1.70200, sold 1.4 at 1.70610. Average of all:
    (85,225 + 136,160 + 238,854) / 270,000 = 1.704588..., hedged 80,000 x that / 500 = 272.7342.
    What is not hedged goes here, as in MetaTrader 5, by the average of the larger leg (MetaTrader 4: of all):
    (85,225 + 238,854) / 190,000 = 1.705678..., 110,000 x that / 500 = 375.2493. Together 647.9835, rounded up.
    """
    sold_and_bought = ((SELL, "50000", "1.70450"), (BUY, "80000", "1.70200"), (SELL, "140000", "1.70610"))
    agreed = flat("0.002", hedging=Hedging.SHARE, share="1")
    assert initial(holding(*sold_and_bought), agreed) == 647_99


def test_ctrader_takes_the_side_of_more_volume() -> None:
    """Hercules Finance on cTrader: 0.5 and 1 lot sold, 1 lot bought: the margin is that of the 1.5 lots sold."""
    exposure = holding((SELL, "50000", "1.1"), (SELL, "100000", "1.1"), (BUY, "100000", "1.1"))
    agreed = flat("0.0333", hedging=Hedging.LARGER_LEG)
    assert initial(exposure, agreed) == initial(holding((SELL, "150000", "1.1")), agreed) == 5_494_50


@pytest.mark.parametrize(
    ("leverage", "expected"),
    [
        (0, (e8("0.02"), e8("0.01"))),
        # 1/100 is below the instrument's own 2 %.
        (100, (e8("0.02"), e8("0.01"))),
        # 1/30 rounded up, and half of it, rounded up.
        (30, (e8("0.03333334"), e8("0.01666667"))),
    ],
)
def test_a_groups_leverage_caps_the_instruments(leverage: int, expected: tuple[int, int]) -> None:
    capped = terms((Tier(0, e8("0.02"), e8("0.01")),), leverage)
    assert capped.tiers == (Tier(0, *expected),)


def test_a_cap_leaves_stricter_tiers_alone() -> None:
    capped = terms((Tier(0, e8("0.01"), e8("0.01")), Tier(100, e8("0.1"), e8("0.05"))), 20)
    assert capped.tiers == (Tier(0, e8("0.05"), e8("0.05")), Tier(100, e8("0.1"), e8("0.05")))


@pytest.mark.parametrize(
    ("tiers", "leverage", "hedging", "share"),
    [
        ((), 0, Hedging.NET, 0),
        ((Tier(1, 2, 1),), 0, Hedging.NET, 0),
        ((Tier(0, 2, 1), Tier(0, 3, 1)), 0, Hedging.NET, 0),
        ((Tier(0, 1, 2),), 0, Hedging.NET, 0),
        ((Tier(0, 1, 0),), 0, Hedging.NET, 0),
        ((Tier(0, e8("1.1"), 1),), 0, Hedging.NET, 0),
        ((Tier(0, 2, 1),), -1, Hedging.NET, 0),
        ((Tier(0, 2, 1),), 0, Hedging.NET, 1),
        ((Tier(0, 2, 1),), 0, Hedging.SHARE, e8("2.1")),
        (tuple(Tier(number, 2, 1) for number in range(11)), 0, Hedging.NET, 0),
    ],
)
def test_terms_that_contradict_each_other(tiers: tuple[Tier, ...], leverage: int, hedging: Hedging, share: int) -> None:
    with pytest.raises(Refused) as refused:
        terms(tiers, leverage, hedging, share)
    assert refused.value.code is Code.BAD_INSTRUMENT


AMOUNTS = st.integers(0, 10**14)
PRICES = st.integers(1, 10**12)


@given(AMOUNTS, PRICES, AMOUNTS, PRICES, st.sampled_from([0, e8("0.25"), e8("1")]))
def test_rules_of_hedging_in_their_order(
    long_e8: int, long_price_e8: int, short_e8: int, short_price_e8: int, share_e8: int
) -> None:
    """Both legs cost no less than the larger one, that no less than one leg alone; a share no less than net. Rounding
    is upwards: a requirement is at least its exact value, and by less than a minor unit more."""
    tiers = (Tier(0, e8("0.0333"), e8("0.02")), Tier(10_000_00, e8("0.05"), e8("0.03")))
    exposure = Exposure("USD")
    exposure.change(BUY, long_e8, long_e8 * long_price_e8)
    exposure.change(SELL, short_e8, short_e8 * short_price_e8)

    def of(hedging: Hedging, share: int = 0) -> Requirement:
        agreed = terms(tiers, 0, hedging, share)
        return required(exposure, agreed, SAME_CURRENCY, "USD")

    both, larger, net, shared = (
        of(Hedging.BOTH_LEGS),
        of(Hedging.LARGER_LEG),
        of(Hedging.NET),
        of(Hedging.SHARE, share_e8),
    )
    assert both.initial_minor >= larger.initial_minor >= 0
    assert shared.initial_minor >= net.initial_minor
    assert all(it.maintenance_minor <= it.initial_minor for it in (both, larger, net, shared))
    counted = exposure.long_cost_e16 + exposure.short_proceeds_e16
    within = min(counted, 10_000 * 10**16)
    exact_e24 = within * e8("0.0333") + (counted - within) * e8("0.05")
    assert (both.initial_minor - 1) * 10**22 < exact_e24 <= both.initial_minor * 10**22
