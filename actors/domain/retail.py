"""The EU's limits for retail clients, as data: ESMA decision (EU) 2018/796, annex I, which national law carries on."""

from enum import Enum

import msgspec

from actors.domain.money import SCALE
from actors.domain.requirement import BOTH_LEGS, Hedging, MarginTerms, Tier, terms
from actors.domain.stop_out import MarginLevels

MAJOR_CURRENCIES = ("USD", "EUR", "JPY", "GBP", "CAD", "CHF")
"""A pair of any two of them is a major one (annex I, (a))."""
MAJOR_INDICES = (
    "FTSE 100",
    "CAC 40",
    "DAX 30",
    "DJIA",
    "S&P 500",
    "NASDAQ Composite",
    "NASDAQ 100",
    "Nikkei 225",
    "S&P/ASX 200",
    "EURO STOXX 50",
)
"""Annex I, (b)(i)."""


class AssetClass(Enum):
    """What an instrument's margin goes by. OTHER is what the annex does not name; it stands with the shares."""

    MAJOR_PAIR = "major_pair"
    MINOR_PAIR = "minor_pair"
    GOLD = "gold"
    MAJOR_INDEX = "major_index"
    COMMODITY = "commodity"
    MINOR_INDEX = "minor_index"
    SHARE = "share"
    OTHER = "other"
    CRYPTO = "crypto"


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


def pair_class(base: str, quote: str) -> AssetClass:
    """The class of a currency pair."""
    return AssetClass.MAJOR_PAIR if base in MAJOR_CURRENCIES and quote in MAJOR_CURRENCIES else AssetClass.MINOR_PAIR
