"""The EU's retail limits, line by line of the annex."""

import pytest

from actors.domain.instrument import AssetClass, Tier
from actors.domain.money import parse_e8 as e8
from actors.domain.risk.requirement import Hedging, terms
from actors.domain.risk.retail import EU_RETAIL
from actors.domain.risk.stop_out import MarginLevels

LEVERAGE = {
    AssetClass.MAJOR_PAIR: 30,
    AssetClass.MINOR_PAIR: 20,
    AssetClass.GOLD: 20,
    AssetClass.MAJOR_INDEX: 20,
    AssetClass.COMMODITY: 10,
    AssetClass.MINOR_INDEX: 10,
    AssetClass.SHARE: 5,
    AssetClass.OTHER: 5,
    AssetClass.CRYPTO: 2,
}
"""As ESMA announced it: 30:1, 20:1, 10:1, 5:1 and 2:1."""


@pytest.mark.parametrize("asset_class", AssetClass)
def test_a_rate_is_one_over_the_leverage_to_a_hundredth_of_a_percent(asset_class: AssetClass) -> None:
    (tier,) = EU_RETAIL.terms(asset_class).tiers
    assert tier.initial_rate_e8 == tier.maintenance_rate_e8 == 10_000 // LEVERAGE[asset_class] * 10_000


def test_close_out_and_protection() -> None:
    assert EU_RETAIL.levels == MarginLevels(e8("1"), e8("0.5"), True)


def test_the_stricter_of_regulator_and_broker() -> None:
    lax, strict = e8("0.01"), e8("0.1")
    assert EU_RETAIL.terms(AssetClass.GOLD, lax) == terms((Tier(0, e8("0.05"), e8("0.05")),))
    assert EU_RETAIL.terms(AssetClass.GOLD, strict, Hedging.NET) == terms((Tier(0, strict, strict),), 0, Hedging.NET)
