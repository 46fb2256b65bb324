"""The composite top of book of one symbol: the best bid and the best offer over the LPs that are fresh."""

from typing import NamedTuple

from actors.domain.quote import Quote


class Top(NamedTuple):
    """Best bid and offer, and whose they are. Never crossed."""

    bid_e8: int
    ask_e8: int
    lp_bid: str
    lp_ask: str


class Book:
    """The latest quote of each fresh LP for one symbol.

    Where the best bid of one LP is above the best offer of another, one of the two is late: the older quote stands
    aside until the conflict is gone. Among equal prices the LP that came first into the book keeps the place.
    """

    def __init__(self) -> None:
        self._quotes: dict[str, Quote] = {}

    def take(self, venue: str, quote: Quote) -> None:
        """The LP's quote from now on."""
        self._quotes[venue] = quote

    def drop(self, venue: str) -> bool:
        """The LP is not fresh any more. Tells whether it had a quote here."""
        return self._quotes.pop(venue, None) is not None

    def top(self) -> Top | None:
        """None where no LP is fresh."""
        quotes = self._quotes
        if len(quotes) == 1:
            for venue, quote in quotes.items():
                return Top(quote.bid_e8, quote.ask_e8, venue, venue)
        top = _best(quotes)
        while top is not None and top.bid_e8 > top.ask_e8:
            late = min(top.lp_bid, top.lp_ask, key=lambda venue: quotes[venue].received_ns)
            quotes = {venue: quote for venue, quote in quotes.items() if venue != late}
            top = _best(quotes)
        return top


def _best(quotes: dict[str, Quote]) -> Top | None:
    bid_e8 = ask_e8 = 0
    lp_bid = lp_ask = ""
    for venue, quote in quotes.items():
        if quote.bid_e8 > bid_e8:
            bid_e8, lp_bid = quote.bid_e8, venue
        if not ask_e8 or quote.ask_e8 < ask_e8:
            ask_e8, lp_ask = quote.ask_e8, venue
    return Top(bid_e8, ask_e8, lp_bid, lp_ask) if quotes else None
