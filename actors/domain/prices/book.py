"""The composite book of one symbol: the quotes by which the LPs stand, its top, its depth, and what a size costs."""

from collections.abc import Iterable, Mapping

import msgspec

from actors.domain.prices.pricing import LpTerms, Pricing, Top, best, best_ask, best_bid, chooser, shaped, widest
from actors.domain.quote import Ladder, Level, Quote


class Depth(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Both sides of a book, best price first. Never crossed."""

    bids: list[Level]
    asks: list[Level]


class Book:
    """The latest quote of each fresh LP for one symbol.

    Where the best bid of one LP is above the best offer of another, one of the two is late: the older quote stands
    aside until the conflict is gone. Among equal prices the LP that came first into the book keeps the place.
    """

    def __init__(self, pricing: Pricing, lps: Mapping[str, LpTerms]) -> None:
        """`lps`: the LPs that may have a quote here."""
        self._pricing = pricing
        self._choose = chooser(pricing, lps)
        self._is_shaped = bool(pricing.spread_min_e8 or pricing.skew_e8)
        self._quotes: dict[str, Quote] = {}
        self._ladders: dict[str, Ladder] = {}
        self._since_ns: dict[str, int] = {}
        self._places: dict[str, int] = {}
        """The lower number came first into the book."""
        self.quotes: Mapping[str, Quote] = self._quotes
        """By LP, in the order in which they came in."""
        self.changes = 0
        self._plain_top: Top | None = None
        """Of Mode.BEST, while nobody stands aside. None: to be worked out."""

    def define(self, lps: Mapping[str, LpTerms]) -> None:
        """Other LPs, or other terms of theirs, from now on. Quotes of those that are gone must have been dropped."""
        self._choose = chooser(self._pricing, lps)

    def take(self, venue: str, quote: Quote, now_ns: int) -> bool:
        """The LP's quote from now on. False: the top is the same as before it, as `top` would find."""
        self.changes += 1
        quotes, top = self._quotes, self._plain_top
        if venue not in quotes:
            self._since_ns[venue] = now_ns
            self._places[venue] = self.changes
        quotes[venue] = quote
        if top is None:
            return True
        bid_e8, ask_e8, lp_bid, lp_ask = top.bid_e8, top.ask_e8, top.lp_bid, top.lp_ask
        if quote.bid_e8 > bid_e8:
            bid_e8, lp_bid = quote.bid_e8, venue
        elif venue == lp_bid:
            if quote.bid_e8 < bid_e8:
                bid_e8, lp_bid = best_bid(quotes)
        elif quote.bid_e8 == bid_e8 and self._places[venue] < self._places[lp_bid]:
            lp_bid = venue
        if quote.ask_e8 < ask_e8:
            ask_e8, lp_ask = quote.ask_e8, venue
        elif venue == lp_ask:
            if quote.ask_e8 > ask_e8:
                ask_e8, lp_ask = best_ask(quotes)
        elif quote.ask_e8 == ask_e8 and self._places[venue] < self._places[lp_ask]:
            lp_ask = venue
        if bid_e8 == top.bid_e8 and ask_e8 == top.ask_e8 and lp_bid == top.lp_bid and lp_ask == top.lp_ask:
            return False
        self._plain_top = Top(bid_e8, ask_e8, lp_bid, lp_ask) if bid_e8 <= ask_e8 else None
        return True

    def drop(self, venue: str) -> Quote | None:
        """The LP is not fresh any more, nor is its order book. Gives the quote that it had here."""
        self._ladders.pop(venue, None)
        quote = self._quotes.pop(venue, None)
        if quote is not None:
            self.changes += 1
            self._plain_top = None
            del self._since_ns[venue], self._places[venue]
        return quote

    def deepen(self, venue: str, ladder: Ladder | None) -> None:
        """What the LP has behind its quote from now on; None, or an empty one: that is not known."""
        known = self._ladders.pop(venue, None)
        if ladder is not None and (ladder.bids or ladder.asks):
            self._ladders[venue] = ladder
        self.changes += known is not None or venue in self._ladders

    def forget_ladders(self, since_ns: Mapping[str, int]) -> None:
        """Those that are older than the LP's may be."""
        for venue, ladder in list(self._ladders.items()):
            if ladder.received_ns < since_ns[venue]:
                self.deepen(venue, None)

    def top(self, now_ns: int) -> Top | None:
        """None where no LP that counts is fresh."""
        if self._choose is None:
            top = self._plain_top
            if top is None and self._quotes:
                top = widest(self._quotes)
                if top.bid_e8 <= top.ask_e8:
                    self._plain_top = top
                else:
                    top = best(self._quotes)
        else:
            top = self._choose(self._quotes, self._since_ns, now_ns)
        return shaped(top, self._pricing) if top is not None and self._is_shaped else top

    def depth(self) -> Depth:
        """Of all fresh LPs, whichever the mode, but those that stand aside; as they quote, without skew.

        An LP's first level is its quote; those behind it are of its order book, where it sends one.
        """
        quotes = dict(self._quotes)
        while quotes:
            lp_bid = max(quotes, key=lambda venue: quotes[venue].bid_e8)
            lp_ask = min(quotes, key=lambda venue: quotes[venue].ask_e8)
            if quotes[lp_bid].bid_e8 <= quotes[lp_ask].ask_e8:
                break
            del quotes[min(lp_bid, lp_ask, key=lambda venue: quotes[venue].received_ns)]
        bids = [Level(quote.bid_e8, quote.bid_size_e8, venue) for venue, quote in quotes.items()]
        asks = [Level(quote.ask_e8, quote.ask_size_e8, venue) for venue, quote in quotes.items()]
        for venue, quote in quotes.items():
            ladder = self._ladders.get(venue)
            if ladder is not None:
                bids += [Level(price, size, venue) for price, size in ladder.bids if 0 < price < quote.bid_e8]
                asks += [Level(price, size, venue) for price, size in ladder.asks if quote.ask_e8 < price]
        return Depth(
            sorted(bids, key=lambda level: -level.price_e8),
            sorted(asks, key=lambda level: level.price_e8),
        )


class Sweep(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a size costs, level by level. `filled_e8` is less than was asked for where the book does not hold it."""

    filled_e8: int
    price_e8: int
    """The mean by volume, rounded to the worse side; 0 where nothing is filled."""
    worst_e8: int


def vwap(levels: Iterable[Level], quantity_e8: int, *, buys: bool) -> Sweep:
    """`levels`: of the side that is dealt on, best first. A buyer's mean is rounded up, a seller's down."""
    left_e8, cost, worst_e8 = quantity_e8, 0, 0
    for level in levels:
        taken_e8 = min(left_e8, level.size_e8)
        if taken_e8 <= 0:
            continue
        cost += taken_e8 * level.price_e8
        left_e8 -= taken_e8
        worst_e8 = level.price_e8
    filled_e8 = quantity_e8 - left_e8 if worst_e8 else 0
    if not filled_e8:
        return Sweep(0, 0, 0)
    return Sweep(filled_e8, -(-cost // filled_e8) if buys else cost // filled_e8, worst_e8)
