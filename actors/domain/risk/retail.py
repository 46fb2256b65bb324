"""The EU's limits for retail clients, as data: ESMA decision (EU) 2018/796, annex I, which national law carries on."""

import msgspec

from actors.domain.instrument import AssetClass, Tier
from actors.domain.money import SCALE
from actors.domain.risk.requirement import BOTH_LEGS, Hedging, MarginTerms, terms
from actors.domain.risk.stop_out import MarginLevels

RATES_E8 = {
    AssetClass.MAJOR_PAIR: 3_330_000,
    AssetClass.MINOR_PAIR: 5_000_000,
    AssetClass.GOLD: 5_000_000,
    AssetClass.MAJOR_INDEX: 5_000_000,
    AssetClass.COMMODITY: 10_000_000,
    AssetClass.MINOR_INDEX: 10_000_000,
    AssetClass.SHARE: 20_000_000,
    AssetClass.OTHER: 20_000_000,
    AssetClass.CRYPTO: 50_000_000,
}
"""Least initial margin as a share of the notional: 30:1 (3.33 %, as the annex rounds it), 20:1, 10:1, 5:1, 2:1."""


class Preset(msgspec.Struct, frozen=True, array_like=True):
    """A regulator's limits for a group of accounts."""

    levels: MarginLevels
    rates_e8: dict[AssetClass, int]

    def terms(self, asset_class: AssetClass, initial_rate_e8: int = 0, hedging: Hedging = BOTH_LEGS) -> MarginTerms:
        """Terms of an instrument: the broker's own rate where it is the stricter one.

        Maintenance is the initial margin, because the close-out goes by half of the initial margin.
        """
        rate_e8 = max(self.rates_e8[asset_class], initial_rate_e8)
        return terms((Tier(0, rate_e8, rate_e8),), hedging=hedging)


EU_RETAIL = Preset(MarginLevels(SCALE, SCALE // 2, True), RATES_E8)
"""Close-out at 50 %, negative-balance protection. The margin call at 100 % is custom, not law."""
