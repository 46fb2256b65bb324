"""How wide bands are, with the arithmetic written out, and that they are never too wide."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.money import parse_e8 as e8
from actors.domain.order import Side
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.risk.bands import NO_BOUND, Band, Laid, bands_of
from actors.domain.risk.exposure import Exposure
from actors.domain.risk.margin import crosses_of, open_profit_minor
from actors.domain.risk.stop_out import Bounds
from tests.examples import INSTRUMENTS, TICKS

MARKET = {it.symbol: it for it in TICKS}
CROSSES = crosses_of(INSTRUMENTS)
BUY, SELL = Side.BUY, Side.SELL


def holding(*opened: tuple[str, Side, str, str]) -> dict[str, Exposure]:
    """Of symbol, side, quantity and opening price."""
    exposures: dict[str, Exposure] = {}
    for symbol, side, quantity, price in opened:
        exposures.setdefault(symbol, Exposure(INSTRUMENTS[symbol].quote)).change(
            side, e8(quantity), e8(quantity) * e8(price)
        )
    return exposures


def laid(exposures: dict[str, Exposure], equity_minor: int, within: Bounds, currency: str = "USD") -> Laid:
    return bands_of(exposures, equity_minor, within, INSTRUMENTS, CROSSES, MARKET, currency)


def test_the_band_of_one_long_position() -> None:
    """Equity 1,000.00, floor 799.99, a cent for rounding: slack 200.00, of which 100.00 stays in reserve.

    10,000 EUR at 1.10 are 11,000 USD: 100.00 is 1/110 of it. 1/110 x (1 - 1/110) = 0.00900826, x 1.10 = 0.00990909.
    The bid may fall to 1.09009091; there 99.09 are lost. A rising bid and the ask do no harm.
    """
    exposures = holding(("EURUSD", BUY, "10000", "1.10020"))
    expected = Band("EURUSD", e8("1.09009091"), NO_BOUND, NO_BOUND, NO_BOUND)
    assert laid(exposures, 1_000_00, Bounds(799_99, None)) == Laid((expected,), 100_00)


def test_the_band_of_one_short_position() -> None:
    """10,000 EUR at the ask of 1.10020 are 11,002 USD: 100/11,002 x (1 - 100/11,002) x 1.10020 = 0.00990910."""
    exposures = holding(("EURUSD", SELL, "10000", "1.10000"))
    expected = Band("EURUSD", NO_BOUND, NO_BOUND, NO_BOUND, e8("1.11010910"))
    assert laid(exposures, 1_000_00, Bounds(799_99, None)) == Laid((expected,), 100_00)


def test_towards_a_ceiling_the_whole_slack_is_spent() -> None:
    """Equity 700.00 under a ceiling of 800.02: 100.00 after a cent for rounding and a cent for the ceiling itself."""
    exposures = holding(("EURUSD", BUY, "10000", "1.10020"))
    expected = Band("EURUSD", NO_BOUND, e8("1.10990909"), NO_BOUND, NO_BOUND)
    assert laid(exposures, 700_00, Bounds(None, 800_02)) == Laid((expected,), NO_BOUND)


def test_a_margin_call_is_watched_both_ways() -> None:
    exposures = holding(("EURUSD", BUY, "10000", "1.10020"))
    expected = Band("EURUSD", e8("1.09009091"), e8("1.10990909"), NO_BOUND, NO_BOUND)
    assert laid(exposures, 700_00, Bounds(599_99, 800_02)) == Laid((expected,), NO_BOUND)


def test_a_cross_is_watched_on_both_sides() -> None:
    """EURGBP in USD hangs on GBPUSD too; both have the same weight, so both may move by the same share."""
    found = laid(holding(("EURGBP", BUY, "10000", "0.88020")), 1_000_00, Bounds(500_00, None))
    (own, cross) = found.bands
    assert (own.symbol, own.ask_high_e8, cross.symbol) == ("EURGBP", NO_BOUND, "GBPUSD")
    fall = 1 - own.bid_low_e8 / MARKET["EURGBP"].bid_e8
    assert fall == pytest.approx(1 - cross.bid_low_e8 / MARKET["GBPUSD"].bid_e8, abs=1e-7)
    assert fall == pytest.approx(cross.ask_high_e8 / MARKET["GBPUSD"].ask_e8 - 1, abs=1e-7)


def test_slack_goes_by_margin() -> None:
    """Bitcoin has fifteen times the rate of a major pair, and a band fifteen times as wide."""
    found = laid(
        holding(("EURUSD", BUY, "1000", "1.1"), ("BTCUSD", BUY, "0.1", "60000")), 9_000_00, Bounds(8_800_00, None)
    )
    falls = [1 - band.bid_low_e8 / MARKET[band.symbol].bid_e8 for band in found.bands]
    assert falls[1] / falls[0] == pytest.approx(0.5 / 0.0333, rel=1e-3)


def test_at_the_limit_a_band_has_no_width() -> None:
    exposures = holding(("EURUSD", BUY, "10000", "1.10020"))
    (band,) = laid(exposures, 800_00, Bounds(800_00, None)).bands
    assert band.bid_low_e8 == MARKET["EURUSD"].bid_e8


def test_no_price_goes_further_than_by_a_quarter() -> None:
    exposures = holding(("EURUSD", BUY, "1", "1.10020"))
    (band,) = laid(exposures, 10**12, Bounds(0, None)).bands
    assert band.bid_low_e8 == e8("0.82500001")


def test_without_a_price_of_the_cross_there_are_no_bands() -> None:
    without = {symbol: it for symbol, it in MARKET.items() if symbol != "GBPUSD"}
    exposures = holding(("EURGBP", BUY, "10000", "0.88020"))
    with pytest.raises(Refused) as refused:
        bands_of(exposures, 0, Bounds(0, None), INSTRUMENTS, CROSSES, without, "USD")
    assert refused.value.code is Code.NO_CONVERSION


LEGS = st.lists(
    st.tuples(
        st.sampled_from(sorted(INSTRUMENTS)), st.sampled_from(Side), st.integers(1, 200_000), st.integers(-300, 300)
    ),
    min_size=1,
    max_size=8,
)
"""Symbol, side, dollars or so of notional, thousandths that the opening price was off."""


@given(
    LEGS,
    st.sampled_from(["USD", "EUR"]),
    st.integers(0, 5_000_00),
    st.integers(1, 5_000_00),
    st.booleans(),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_inside_the_bands_equity_is_inside_its_bounds(
    legs: list[tuple[str, Side, int, int]],
    currency: str,
    above_minor: int,
    below_minor: int,
    has_floor: bool,
    has_ceiling: bool,
    chance: Random,
) -> None:
    """Whatever the corner of the bands: equity is between floor (and the reserve on it) and ceiling."""
    exposures: dict[str, Exposure] = {}
    for symbol, side, notional, off in legs:
        price_e8 = MARKET[symbol].bid_e8 * (1000 + off) // 1000
        per_unit = 60_000 if symbol == "BTCUSD" else 1
        quantity_e8 = notional * 10**8 // per_unit
        exposure = exposures.setdefault(symbol, Exposure(INSTRUMENTS[symbol].quote))
        exposure.change(side, quantity_e8, quantity_e8 * price_e8)
    equity_minor = open_profit_minor(exposures, CROSSES, MARKET, currency)
    floor = equity_minor - above_minor if has_floor else None
    ceiling = equity_minor + below_minor if has_ceiling else None
    found = laid(exposures, equity_minor, Bounds(floor, ceiling), currency)
    for _ in range(12):
        moved = MARKET | {band.symbol: within(band, chance) for band in found.bands}
        now = open_profit_minor(exposures, CROSSES, moved, currency)
        assert floor is None or now >= floor + max(found.reserve_minor, 0)
        assert ceiling is None or now < ceiling


def within(band: Band, chance: Random) -> Tick:
    """A tick in the band, mostly at one of its corners."""
    start = MARKET[band.symbol]
    lowest = band.bid_low_e8 if band.bid_low_e8 >= 0 else start.bid_e8 // 2
    highest = band.ask_high_e8 if band.ask_high_e8 >= 0 else start.ask_e8 * 2
    bid_top = min(highest, band.bid_high_e8) if band.bid_high_e8 >= 0 else highest
    ask_bottom = max(lowest, band.ask_low_e8)
    corner = chance.randrange(4)
    bid_e8 = lowest if corner < 2 else chance.randint(lowest, bid_top) if corner == 2 else bid_top
    least_ask = max(bid_e8, ask_bottom)
    ask_e8 = highest if corner % 2 else least_ask if corner == 0 else chance.randint(least_ask, highest)
    return Tick(band.symbol, 2, 0, bid_e8, ask_e8, "A", "A", True)
