"""How the quotes of several LPs become one price of a symbol."""

from collections.abc import Callable, Mapping
from enum import Enum

import msgspec

from actors.domain.money import LIMIT_E8
from actors.domain.quote import Quote, QuoteLimits, with_spread


class Mode(Enum):
    BEST = "best"
    """The best bid and the best offer, whoever's they are."""
    PRIORITY = "priority"
    """One LP's price: the first in rank that is fresh. A better one that is back waits for `hold_ms`."""
    WEIGHTED = "weighted"
    """The mean of all bids and of all offers, by the LPs' weights."""
    SINGLE = "single"
    """One LP's price, or none."""


class Pricing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The terms of one symbol."""

    mode: Mode = Mode.BEST
    priorities: dict[str, int] = {}
    """By LP, where it is another one here than the LP's own."""
    weights: dict[str, int] = {}
    """By LP, where it is another one here than the LP's own."""
    single: str = ""
    """The LP of Mode.SINGLE."""
    hold_ms: int = 5_000
    """A better LP that comes (back) must have been fresh for so long before the price is its own again."""
    spread_min_e8: int = 0
    """A narrower spread is widened to this, both sides alike."""
    skew_e8: int = 0
    """Added to both sides; may be negative."""
    limits: dict[str, dict[str, int]] = {}
    """By LP, or for `all`: fields of QuoteLimits that have another value in this symbol."""

    def __post_init__(self) -> None:
        if self.hold_ms < 0 or self.spread_min_e8 < 0 or min(self.weights.values(), default=0) < 0:
            raise ValueError("hold_ms, spread_min_e8 and weights are not negative")
        if (self.mode is Mode.SINGLE) is not bool(self.single):
            raise ValueError("the mode single, and no other, names an LP in `single`")
        for venue, changed in self.limits.items():
            unknown = [name for name in changed if name not in QuoteLimits.__struct_fields__]
            if unknown:
                raise ValueError(f"limits of {venue}: there is no {unknown[0]}")
            QuoteLimits(**changed)


class LpTerms(msgspec.Struct, frozen=True):
    """What holds for one LP."""

    limits: QuoteLimits = QuoteLimits()
    priority: int = 100
    """The lower number goes first."""
    weight: int = 100
    """0: it does not count in a weighted price."""


class Top(msgspec.Struct, frozen=True, gc=False):
    """Best bid and offer, and whose they are. Never crossed."""

    bid_e8: int
    ask_e8: int
    lp_bid: str
    lp_ask: str


def best(quotes: Mapping[str, Quote]) -> Top | None:
    """Where the best bid of one LP is above the best offer of another, one of the two is late: the older quote stands
    aside. Among equal prices the LP that comes first keeps the place."""
    while quotes:
        top = widest(quotes)
        if top.bid_e8 <= top.ask_e8:
            return top
        late = min(top.lp_bid, top.lp_ask, key=lambda venue: quotes[venue].received_ns)
        quotes = {venue: quote for venue, quote in quotes.items() if venue != late}
    return None


def widest(quotes: Mapping[str, Quote]) -> Top:
    """The highest bid and the lowest offer, crossed or not; `quotes` is not empty."""
    bid_e8, lp_bid = best_bid(quotes)
    ask_e8, lp_ask = best_ask(quotes)
    return Top(bid_e8, ask_e8, lp_bid, lp_ask)


def best_bid(quotes: Mapping[str, Quote]) -> tuple[int, str]:
    """The highest bid and whose it is; `quotes` is not empty."""
    bid_e8, lp = 0, ""
    for venue, quote in quotes.items():
        if quote.bid_e8 > bid_e8:
            bid_e8, lp = quote.bid_e8, venue
    return bid_e8, lp


def best_ask(quotes: Mapping[str, Quote]) -> tuple[int, str]:
    """The lowest offer and whose it is; `quotes` is not empty."""
    ask_e8, lp = LIMIT_E8, ""
    for venue, quote in quotes.items():
        if quote.ask_e8 < ask_e8:
            ask_e8, lp = quote.ask_e8, venue
    return ask_e8, lp


def weighted(quotes: Mapping[str, Quote], weights: Mapping[str, int]) -> Top | None:
    """The bid is rounded down and the offer up. Both are named by the LP that weighs most."""
    counted = {venue: weights[venue] for venue in quotes if weights[venue]}
    if not counted:
        return None
    total = sum(counted.values())
    bids = sum(quotes[venue].bid_e8 * weight for venue, weight in counted.items())
    asks = sum(quotes[venue].ask_e8 * weight for venue, weight in counted.items())
    heaviest = max(counted, key=lambda venue: counted[venue])
    return Top(bids // total, -(-asks // total), heaviest, heaviest)


class Succession:
    """Whose price it is, by rank: the next at once where the LP is lost, a better one only after the hold time."""

    def __init__(self, priorities: Mapping[str, int], hold_ns: int) -> None:
        self._priorities = priorities
        self._hold_ns = hold_ns
        self._leader = ""

    def leader(self, since_ns: Mapping[str, int], now_ns: int) -> str:
        """`since_ns`: since when each LP has been fresh without a break; empty: there is no leader."""
        rank, leader = self._priorities, self._leader
        if leader in since_ns:
            held = [name for name, since in since_ns.items() if now_ns - since >= self._hold_ns]
            better = [name for name in held if rank[name] < rank[leader]]
            leader = min(better, key=rank.__getitem__, default=leader)
        else:
            leader = min(since_ns, key=rank.__getitem__, default="")
        self._leader = leader
        return leader


Choose = Callable[[Mapping[str, Quote], Mapping[str, int], int], Top | None]
"""From the quotes and since when each LP has been fresh, at a time (UTC, ns), to the price."""


def chooser(pricing: Pricing, lps: Mapping[str, LpTerms]) -> Choose | None:
    """The way of a mode; None for Mode.BEST, which needs nothing but the quotes. `lps`: all that may have a quote."""
    if pricing.mode is Mode.WEIGHTED:
        weights = {venue: pricing.weights.get(venue, terms.weight) for venue, terms in lps.items()}
        return lambda quotes, since_ns, now_ns: weighted(quotes, weights)
    if pricing.mode is Mode.SINGLE:
        return lambda quotes, since_ns, now_ns: _of(quotes, pricing.single)
    if pricing.mode is Mode.PRIORITY:
        ranks = {venue: pricing.priorities.get(venue, terms.priority) for venue, terms in lps.items()}
        succession = Succession(ranks, pricing.hold_ms * 1_000_000)
        return lambda quotes, since_ns, now_ns: _of(quotes, succession.leader(since_ns, now_ns))
    return None


def _of(quotes: Mapping[str, Quote], venue: str) -> Top | None:
    quote = quotes.get(venue)
    return Top(quote.bid_e8, quote.ask_e8, venue, venue) if quote is not None else None


def shaped(top: Top, pricing: Pricing) -> Top:
    """With the least spread and the skew of the symbol; never crossed, and never below the smallest price."""
    bid_e8, ask_e8 = with_spread(top.bid_e8, top.ask_e8, pricing.spread_min_e8, 0, pricing.skew_e8)
    bid_e8 = max(1, bid_e8)
    return Top(bid_e8, max(bid_e8, ask_e8), top.lp_bid, top.lp_ask)
