"""What an account must hold for its positions in one symbol: initial and maintenance margin, hedged or not, in tiers.

The price basis is the opening: the volume-weighted opening price of each leg, converted at the rate of the fill. So a
requirement changes where a position changes and at no tick; it costs nothing to keep, and a client knows what a
position ties up for as long as it is open. MetaTrader 5 does so (its help page on margin, "Retail Forex": weighted
average open prices), and so does OANDA One ("time_of_trade" rate); OANDA v20 revalues at the mid price of the moment.
"""

from enum import Enum
from itertools import pairwise

import msgspec

from actors.domain.instrument import Tier
from actors.domain.money import CEILING, SCALE, ceil_div, div, minor_units, mul_div
from actors.domain.order import Conversion
from actors.domain.refusal import Code, Refused
from actors.domain.risk.exposure import Exposure

TIERS_LIMIT = 10
LEVERAGE_LIMIT = 10_000


class Hedging(Enum):
    """How much of two legs in one symbol is margined: the notional that counts."""

    BOTH_LEGS = "both_legs"
    """Longs and shorts, each whole: a hedge saves nothing (cTrader: Sum)."""
    LARGER_LEG = "larger_leg"
    """The leg of more notional alone (cTrader: Max; MetaTrader 5: "calculate hedged margin using larger leg")."""
    NET = "net"
    """What one leg has more than the other, at the average opening price of the larger leg (cTrader: Net)."""
    SHARE = "share"
    """As NET, and a share of the hedged quantity, once for both legs, at the average opening price of all positions
    (MetaTrader 5's basic calculation; the share is "hedged margin" over contract size: 1 is one lot for a pair)."""


BOTH_LEGS = Hedging.BOTH_LEGS
LARGER_LEG = Hedging.LARGER_LEG
SHARE = Hedging.SHARE


class MarginTerms(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The terms of one instrument for one group of accounts in one currency."""

    tiers: tuple[Tier, ...]
    """Rising, the first from 0. Progressive: a tier's rate is for the part of the notional that lies in it."""
    hedging: Hedging
    hedged_share_e8: int
    """For SHARE alone; 0 elsewhere."""


class Requirement(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """In minor units of the account's currency, rounded up."""

    initial_minor: int
    """What an order is accepted by."""
    maintenance_minor: int
    """What margin level, margin call and stop-out go by."""


NOTHING = Requirement(0, 0)


def terms(
    tiers: tuple[Tier, ...], leverage: int = 0, hedging: Hedging = BOTH_LEGS, hedged_share_e8: int = 0
) -> MarginTerms:
    """An instrument's tiers under a group's highest leverage (30 is 30:1; 0 is no cap): for use at each fill.

    No initial rate falls below 1/leverage, rounded up; where the cap raises one, its maintenance rate rises in the
    same ratio. Raises Refused BAD_INSTRUMENT where the terms contradict each other.
    """
    sound = (
        0 < len(tiers) <= TIERS_LIMIT
        and tiers[0].from_minor == 0
        and all(lower.from_minor < upper.from_minor for lower, upper in pairwise(tiers))
        and all(0 < tier.maintenance_rate_e8 <= tier.initial_rate_e8 <= SCALE for tier in tiers)
        and 0 <= leverage <= LEVERAGE_LIMIT
        and 0 <= hedged_share_e8 <= (2 * SCALE if hedging is SHARE else 0)
    )
    if not sound:
        raise Refused(Code.BAD_INSTRUMENT, "the margin terms contradict each other", "margin")
    least_e8 = div(SCALE, leverage, CEILING) if leverage else 0
    return MarginTerms(tuple(_capped(tier, least_e8) for tier in tiers), hedging, hedged_share_e8)


def _capped(tier: Tier, least_e8: int) -> Tier:
    if tier.initial_rate_e8 >= least_e8:
        return tier
    maintenance_e8 = mul_div(tier.maintenance_rate_e8, least_e8, tier.initial_rate_e8, CEILING)
    return Tier(tier.from_minor, least_e8, maintenance_e8)


def required(exposure: Exposure, agreed: MarginTerms, by: Conversion, currency: str) -> Requirement:
    """Of what an account has in a symbol; `by` is kept from the account's last fill there, not taken from the tick.

    Exact up to its one division, which rounds up. A netting account has but one leg.
    """
    if not exposure.short_e8:
        return required_of_leg(exposure.long_cost_e16, agreed, by, currency)
    if not exposure.long_e8:
        return required_of_leg(exposure.short_proceeds_e16, agreed, by, currency)
    if agreed.hedging is BOTH_LEGS:
        return required_of_leg(exposure.long_cost_e16 + exposure.short_proceeds_e16, agreed, by, currency)
    counted, divisor = _hedged(exposure, agreed)
    return required_of_leg(counted, agreed, by, currency, divisor)


def required_of_leg(
    value_e16: int, agreed: MarginTerms, by: Conversion, currency: str, divisor: int = 1
) -> Requirement:
    """As `required`, of one leg: of what was paid for it (got, for a short one), over `divisor`."""
    counted = value_e16 * by.multiplier_e8 * minor_units(currency)
    divisor *= by.divisor_e8 * 10**24
    tiers = agreed.tiers
    if len(tiers) > 1:
        initial, maintenance = _tiered(counted, divisor // SCALE, tiers)
        return Requirement(ceil_div(initial, divisor), ceil_div(maintenance, divisor))
    tier = tiers[0]
    initial_minor = -(-counted * tier.initial_rate_e8 // divisor)
    if tier.maintenance_rate_e8 == tier.initial_rate_e8:
        return Requirement(initial_minor, initial_minor)
    return Requirement(initial_minor, ceil_div(counted * tier.maintenance_rate_e8, divisor))


def _hedged(exposure: Exposure, agreed: MarginTerms) -> tuple[int, int]:
    """The notional that counts where there are two legs and not both count, as a fraction of two integers."""
    long_e8, short_e8 = exposure.long_e8, exposure.short_e8
    cost_e16, proceeds_e16 = exposure.long_cost_e16, exposure.short_proceeds_e16
    if agreed.hedging is LARGER_LEG:
        return max(cost_e16, proceeds_e16), 1
    if long_e8 >= short_e8:
        larger_e8, value_e16, hedged_e8 = long_e8, cost_e16, short_e8
    else:
        larger_e8, value_e16, hedged_e8 = short_e8, proceeds_e16, long_e8
    net, share_e8 = (larger_e8 - hedged_e8) * value_e16, agreed.hedged_share_e8
    if not share_e8:
        return net, larger_e8
    both_e8 = long_e8 + short_e8
    hedged = hedged_e8 * (cost_e16 + proceeds_e16) * share_e8
    return net * both_e8 * SCALE + hedged * larger_e8, larger_e8 * both_e8 * SCALE


def _tiered(counted: int, divisor: int, tiers: tuple[Tier, ...]) -> tuple[int, int]:
    """Sum of each part of counted / divisor times its tier's rates, over the same divisor."""
    initial = maintenance = 0
    for tier in reversed(tiers):
        part = counted - tier.from_minor * divisor
        if part > 0:
            initial += part * tier.initial_rate_e8
            maintenance += part * tier.maintenance_rate_e8
            counted -= part
    return initial, maintenance
