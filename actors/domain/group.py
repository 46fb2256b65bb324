"""Groups of accounts: the terms that a client deals on."""

from collections.abc import Sequence

import msgspec

from actors.domain.charges import NO_COMMISSION, SWAP_FREE, Commission, Swap
from actors.domain.instrument import Instrument, Tier
from actors.domain.quote import Level, Tick, with_spread
from actors.domain.risk.limits import NO_LIMIT, ExposureLimit, Limits
from actors.domain.risk.requirement import Hedging, MarginTerms, terms
from actors.domain.risk.retail import EU_RETAIL
from actors.domain.risk.stop_out import MarginLevels

STANDARD = "standard"
MARKUP_LIMIT_E8 = 10**12


class Markup(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How the prices of a group's clients differ from the market's, on top of the symbol's own spread and skew.

    First `bid_e8` is taken off the bid and `ask_e8` put on the ask: one may be negative, the two together not. Then the
    spread is brought within its limits, both sides alike, and then both sides are moved by the skew. Neither side
    falls where a side of the market rises.
    """

    bid_e8: int = 0
    ask_e8: int = 0
    spread_min_e8: int = 0
    """A narrower spread is widened to this."""
    spread_max_e8: int = 0
    """A wider one is narrowed to this, at the broker's cost; 0 is no limit."""
    skew_e8: int = 0

    @property
    def is_sound(self) -> bool:
        return (
            max(map(abs, msgspec.structs.astuple(self))) <= MARKUP_LIMIT_E8
            and self.bid_e8 + self.ask_e8 >= 0
            and self.spread_min_e8 >= 0
            and (not self.spread_max_e8 or self.spread_min_e8 <= self.spread_max_e8)
        )

    def tick(self, tick: Tick) -> Tick:
        """The tick as clients see it: never crossed, and never below the smallest price."""
        if self is NO_MARKUP:
            return tick
        bid_e8, ask_e8 = self._seen(tick.bid_e8, tick.ask_e8)
        bid_e8 = max(1, bid_e8)
        return Tick(
            tick.symbol,
            tick.seq,
            tick.time_ns,
            bid_e8,
            max(bid_e8, ask_e8),
            tick.lp_bid,
            tick.lp_ask,
            tick.live,
        )

    def shifts_e8(self, bids: Sequence[Level], asks: Sequence[Level]) -> tuple[int, int]:
        """What to add to the bids and to the asks of a book, so that its top is as a tick of these prices would be.

        Of a book with one side only no spread is known, and its limits do not count.
        """
        if not bids or not asks:
            return self.skew_e8 - self.bid_e8, self.skew_e8 + self.ask_e8
        bid_e8, ask_e8 = self._seen(bids[0].price_e8, asks[0].price_e8)
        return bid_e8 - bids[0].price_e8, ask_e8 - asks[0].price_e8

    def _seen(self, bid_e8: int, ask_e8: int) -> tuple[int, int]:
        bid_e8, ask_e8 = bid_e8 - self.bid_e8, ask_e8 + self.ask_e8
        if self.spread_min_e8 or self.spread_max_e8 or self.skew_e8:
            return with_spread(bid_e8, ask_e8, self.spread_min_e8, self.spread_max_e8, self.skew_e8)
        return bid_e8, ask_e8


NO_MARKUP = Markup()


class Group(msgspec.Struct, frozen=True, array_like=True):
    """By symbol where a symbol has terms of its own, and what holds for all others."""

    name: str
    markup: Markup = NO_MARKUP
    markups: dict[str, Markup] = {}
    commission: Commission = NO_COMMISSION
    commissions: dict[str, Commission] = {}
    swap_free: bool = False
    limits: Limits = Limits()
    """Of each of its accounts, unless the account has its own."""
    levels: MarginLevels = EU_RETAIL.levels
    leverage: int = 0
    """The highest, whatever the instrument would allow: 30 is 30:1; 0 is no cap."""
    hedging: Hedging = Hedging.BOTH_LEGS
    hedged_share_e8: int = 0
    retail: bool = False
    """The EU's limits for retail clients hold (retail.py)."""
    exposure: ExposureLimit = NO_LIMIT
    """Of all its accounts together, netted with each other."""

    def markup_of(self, symbol: str) -> Markup:
        return self.markups.get(symbol, self.markup)

    def commission_of(self, symbol: str) -> Commission:
        return self.commissions.get(symbol, self.commission)

    def swap_of(self, swap: Swap) -> Swap:
        return SWAP_FREE if self.swap_free else swap

    def margin_terms(self, instrument: Instrument) -> MarginTerms:
        """Raises Refused BAD_INSTRUMENT where the terms contradict each other."""
        tiers = instrument.tiers or (Tier(0, instrument.margin_rate_e8, instrument.margin_rate_e8),)
        if self.retail:
            least_e8 = EU_RETAIL.rates_e8[instrument.asset_class]
            tiers = tuple(
                Tier(tier.from_minor, max(tier.initial_rate_e8, least_e8), max(tier.maintenance_rate_e8, least_e8))
                for tier in tiers
            )
        return terms(tiers, self.leverage, self.hedging, self.hedged_share_e8)

    def tick(self, tick: Tick) -> Tick:
        """The tick as this group's clients see it."""
        return self.markup_of(tick.symbol).tick(tick)
