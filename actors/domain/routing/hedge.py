"""What the broker holds against its clients and at its LPs, what that has earned, and how much is to be hedged.

Signs: a quantity is positive where its holder is long. `exposure` is the clients' longs minus their shorts on the
B-book; the broker holds the opposite of it. `coverage` is what the broker itself has bought (sold: negative) at LPs to
hedge. What is open to the market is `exposure - coverage`: the broker is short of it where it is positive.

Amounts (`_e16`) are in the symbol's quote currency, price times quantity, exact. They may need more than 64 bits:
events carry prices and quantities only, and snapshots the sums in two parts (`wide`).
"""

from collections.abc import Collection

import msgspec

from actors.domain import wide
from actors.domain.money import FLOOR, LIMIT_E8, div, format_e8
from actors.domain.order import BUY, Side
from actors.domain.quote import Tick


class HedgeTerms(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How a symbol is hedged."""

    symbol: str
    limit_e8: int
    """As much may be open to the market either way."""
    step_e8: int
    """Hedges are whole multiples of it."""
    minimum_e8: int
    """No smaller hedge is sent."""
    venues: tuple[str, ...]
    """Where a hedge is tried, in this order."""


def terms_faults(terms: HedgeTerms, venues: Collection[str]) -> list[str]:
    """What is wrong with the terms, a sentence each."""
    found = []
    if not 0 <= terms.limit_e8 < LIMIT_E8:
        found.append("the limit is below zero or out of all bounds")
    if not 0 < terms.step_e8 < LIMIT_E8:
        found.append("the step is not above zero, or out of all bounds")
    elif not 0 < terms.minimum_e8 < LIMIT_E8 or terms.minimum_e8 % terms.step_e8:
        found.append("the minimum is not a whole multiple of the step above zero")
    if not terms.venues:
        found.append("there is no venue to hedge at")
    found += [f"the venue {venue[:40]!r} does not exist" for venue in terms.venues if venue not in venues]
    if len(dict.fromkeys(terms.venues)) != len(terms.venues):
        found.append("a venue is named twice")
    return found


def asked_hedge(symbol: str, side: Side, quantity_e8: int) -> str:
    """A person's hedge in words, as it is known by its key."""
    return f"{side.value} {format_e8(quantity_e8)} {symbol}"


def hedge_needed(net_e8: int, hedged_e8: int, limit_e8: int, step_e8: int, minimum_e8: int) -> int:
    """What to buy (negative: sell) at an LP so that no more than the limit is open to the market; 0: nothing.

    `hedged_e8` counts what is on its way too, UNKNOWN orders included, or it would be hedged twice. What is over the
    limit is rounded down to whole steps (FLOOR), and nothing is sent below `minimum_e8`, so less than the larger of
    step and minimum may stay open over the limit. A hedge brings back to the limit, not to zero: until the next one
    the other way, clients must turn by twice the limit, and so it does not flap.

    Limit 500,000, step 1,000, minimum 100,000. Clients are 740,500 long, nothing is hedged: 740,500 is open, 240,500
    over; buy 240,000, 500,500 stays open. Clients sell 600,000: 140,500 - 240,000 = -99,500 is open, nothing to do.
    They sell 600,000 more: -459,500 - 240,000 = -699,500 is open, 199,500 over; sell 199,000, which leaves coverage
    41,000 and -500,500 open.
    """
    open_e8 = net_e8 - hedged_e8
    over_e8 = abs(open_e8) - limit_e8
    if over_e8 < minimum_e8:
        return 0
    quantity_e8 = div(over_e8, step_e8, FLOOR) * step_e8
    if quantity_e8 < minimum_e8:
        return 0
    return quantity_e8 if open_e8 > 0 else -quantity_e8


class Holding:
    """Longs, shorts, and the money paid and received for them, of one symbol."""

    __slots__ = ("cash_e16", "long_e8", "short_e8")

    def __init__(self, long_e8: int = 0, short_e8: int = 0, cash_e16: int = 0) -> None:
        self.long_e8 = long_e8
        self.short_e8 = short_e8
        self.cash_e16 = cash_e16
        """Received for sales, less what was paid for purchases."""

    def deal(self, side: Side, quantity_e8: int, price_e8: int, closes: bool) -> None:
        """Takes a fill in. `closes`: a sale ends a long, a purchase a short; else it begins one.

        What closes here may have been opened in another book (the rules changed in between): longs or shorts are
        then below zero, and stand for what the other book still holds.
        """
        if side is BUY:
            self.cash_e16 -= quantity_e8 * price_e8
            if closes:
                self.short_e8 -= quantity_e8
            else:
                self.long_e8 += quantity_e8
        else:
            self.cash_e16 += quantity_e8 * price_e8
            if closes:
                self.long_e8 -= quantity_e8
            else:
                self.short_e8 += quantity_e8

    def offset(self) -> None:
        """Longs and shorts end each other, as they do at an LP."""
        net_e8 = self.long_e8 - self.short_e8
        self.long_e8, self.short_e8 = (net_e8, 0) if net_e8 > 0 else (0, -net_e8)

    @property
    def net_e8(self) -> int:
        return self.long_e8 - self.short_e8

    def profit_e16(self, tick: Tick) -> int:
        """All that was earned so far: the money, and what longs would bring at the bid and shorts cost at the ask."""
        return self.cash_e16 + self.long_e8 * tick.bid_e8 - self.short_e8 * tick.ask_e8


class Desk:
    """The broker's books in one symbol.

    A client buys 100,000 EUR on the B-book at 1.10020 and the market goes to 1.09500/1.09520: the client would get
    109,500 for the 110,020 paid, -520 USD; B-book profit is +520. Another's 100,000 on the A-book: the client bought
    at 1.10030, the LP sold at 1.10018, and the price without markup was 1.10020. A-book profit is 0.00012 x 100,000 =
    +12 USD at any tick, of which markup 0.00010 x 100,000 = 10 and the LP's better price 2.
    """

    __slots__ = (
        "a_book_clients",
        "a_book_venues",
        "at_venues_e8",
        "b_book_clients",
        "hedges",
        "hedging_e8",
        "markup_e16",
        "symbol",
    )

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.b_book_clients = Holding()
        self.a_book_clients = Holding()
        self.a_book_venues = Holding()
        self.hedges = Holding()
        self.hedging_e8 = 0
        """Hedges on their way, signed: sent, and neither filled nor come back."""
        self.markup_e16 = 0
        self.at_venues_e8: dict[str, int] = {}
        """What the broker holds at each venue, for A-book clients and as hedges."""

    def deal_a_book(
        self,
        side: Side,
        quantity_e8: int,
        client_price_e8: int,
        venue_price_e8: int,
        markup_e8: int,
        venue: str,
        closes: bool,
    ) -> None:
        """A client's fill that a venue has filled for the broker, of the same side and quantity.

        `markup_e8`: how much of the client's price, per unit, is the group's markup; it counts for the broker.
        """
        self.a_book_clients.deal(side, quantity_e8, client_price_e8, closes)
        self.a_book_venues.deal(side, quantity_e8, venue_price_e8, closes)
        self.markup_e16 += quantity_e8 * markup_e8
        self._hold(venue, side, quantity_e8)

    def send_hedge(self, quantity_e8: int) -> None:
        """A hedge (negative: a sale) is on its way."""
        self.hedging_e8 += quantity_e8

    def deal_hedge(self, side: Side, quantity_e8: int, price_e8: int, venue: str) -> None:
        """A hedge that was sent is filled, in whole or in part."""
        self.hedging_e8 -= quantity_e8 if side is BUY else -quantity_e8
        self.deal_unsent(side, quantity_e8, price_e8, venue)

    def return_hedge(self, quantity_e8: int) -> None:
        """So much of the hedges on their way (negative: of a sale) came back unfilled."""
        self.hedging_e8 -= quantity_e8

    def deal_unsent(self, side: Side, quantity_e8: int, price_e8: int, venue: str) -> None:
        """A fill at a venue that belongs to no client and no hedge on its way: a dealer's, or a break settled so."""
        self.hedges.deal(side, quantity_e8, price_e8, closes=False)
        self.hedges.offset()
        self._hold(venue, side, quantity_e8)

    @property
    def exposure_e8(self) -> int:
        return self.b_book_clients.net_e8

    @property
    def coverage_e8(self) -> int:
        return self.hedges.net_e8

    @property
    def open_e8(self) -> int:
        """What no hedge covers; the broker is short of it where it is positive."""
        return self.b_book_clients.net_e8 - self.hedges.net_e8

    def hedge_needed(self, terms: HedgeTerms) -> int:
        return hedge_needed(
            self.exposure_e8, self.coverage_e8 + self.hedging_e8, terms.limit_e8, terms.step_e8, terms.minimum_e8
        )

    def b_book_profit_e16(self, tick: Tick) -> int:
        """Against the clients: what they would have lost by closing now."""
        return -self.b_book_clients.profit_e16(tick)

    def hedge_profit_e16(self, tick: Tick) -> int:
        return self.hedges.profit_e16(tick)

    def a_book_profit_e16(self, tick: Tick) -> int:
        """Clients' prices against the venues', the markup included. The tick cancels out of it."""
        return self.a_book_venues.profit_e16(tick) - self.a_book_clients.profit_e16(tick)

    def _hold(self, venue: str, side: Side, quantity_e8: int) -> None:
        held_e8 = self.at_venues_e8.get(venue, 0)
        self.at_venues_e8[venue] = held_e8 + quantity_e8 if side is BUY else held_e8 - quantity_e8


class SavedHolding(msgspec.Struct, frozen=True, array_like=True, gc=False):
    long_e8: int
    short_e8: int
    cash_high: int
    cash_low: int


class SavedDesk(msgspec.Struct, frozen=True, array_like=True):
    """A Desk at rest."""

    symbol: str
    holdings: tuple[SavedHolding, SavedHolding, SavedHolding, SavedHolding]
    """B-book clients, A-book clients, A-book venues, hedges."""
    hedging_e8: int
    markup_high: int
    markup_low: int
    at_venues_e8: list[tuple[str, int]]


def saved(desk: Desk) -> SavedDesk:
    return SavedDesk(
        desk.symbol,
        (
            _saved(desk.b_book_clients),
            _saved(desk.a_book_clients),
            _saved(desk.a_book_venues),
            _saved(desk.hedges),
        ),
        desk.hedging_e8,
        *wide.part(desk.markup_e16),
        list(desk.at_venues_e8.items()),
    )


def restored(kept: SavedDesk) -> Desk:
    """The desk that `saved` was taken of."""
    desk = Desk(kept.symbol)
    holdings = [
        Holding(part.long_e8, part.short_e8, wide.join(part.cash_high, part.cash_low)) for part in kept.holdings
    ]
    desk.b_book_clients, desk.a_book_clients, desk.a_book_venues, desk.hedges = holdings
    desk.hedging_e8 = kept.hedging_e8
    desk.markup_e16 = wide.join(kept.markup_high, kept.markup_low)
    desk.at_venues_e8 = dict(kept.at_venues_e8)
    return desk


def _saved(holding: Holding) -> SavedHolding:
    return SavedHolding(holding.long_e8, holding.short_e8, *wide.part(holding.cash_e16))
