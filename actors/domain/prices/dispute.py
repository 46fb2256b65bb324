"""One symbol: what becomes of it when LPs disagree on where the market is, beyond what one quote can tell."""

from collections.abc import Mapping

from actors.domain.quote import Quote, QuoteLimits, is_far


class _Move:
    """An LP that stood in the book and then quoted another price, far from those who stand."""

    __slots__ = ("heard_ns", "mid", "quotes", "since_ns")

    def __init__(self, mid: int, now_ns: int) -> None:
        self.mid = mid
        self.since_ns = self.heard_ns = now_ns
        self.quotes = 1


class Dispute:
    """Who has moved away, who was left behind, and who is right. Times (UTC, ns) are those of receiving quotes.

    - More LPs have moved to the same price than are left behind, and at least two: the market is where they are.
    - As many as are left behind: they are right once one of them has stayed there for `move_ms` and `move_quotes`,
      while none of the others has quoted anything. Those are frozen, or asleep: they are set aside.
    - An LP that was set aside so, and then says its old price anew, was not frozen: the one that outran it is out.
    - Only an LP that stood in the book can move. One whose prices were never those of the others stays out.
    """

    def __init__(self) -> None:
        self._moves: dict[str, _Move] = {}
        self._outrun: dict[str, int] = {}
        """Twice the middle price of those that were set aside."""
        self.is_open = False

    def settles(self, venue: str, quote: Quote, standing: Mapping[str, Quote], limits: QuoteLimits) -> list[str] | None:
        """Takes a quote that is far from the others', or from the LP's own. None: the LP is to stay out.

        Else its quote is good, with those of the LPs that `agreeing` names; the LPs given are to be set aside.
        """
        mid, now_ns, share_e8 = quote.bid_e8 + quote.ask_e8, quote.received_ns, limits.off_market_e8
        others = [name for name in standing if name != venue]
        if venue in self._outrun:
            is_back = not is_far(mid, self._outrun.pop(venue), share_e8) and len(others) == 1
            return others if is_back else None
        move = self._moves.get(venue)
        if move is None:
            if venue not in standing:
                return None
            move = self._moves[venue] = _Move(mid, now_ns)
            self.is_open = True
        elif is_far(mid, move.mid, share_e8):
            move.since_ns, move.quotes = now_ns, 1
        else:
            move.quotes += 1
        move.mid, move.heard_ns = mid, now_ns
        movers = len(self.agreeing(venue, limits))
        if movers >= 2 and movers > len(others):
            return others
        is_sure = move.quotes >= limits.move_quotes and now_ns - move.since_ns >= limits.move_ms * 1_000_000
        is_alone = all(standing[name].received_ns <= move.since_ns for name in others)
        if not (is_sure and is_alone and movers == len(others)):
            return None
        self._outrun.update({name: standing[name].bid_e8 + standing[name].ask_e8 for name in others})
        return others

    def agreeing(self, venue: str, limits: QuoteLimits) -> list[str]:
        """The LPs that have moved to the price where `venue` is, itself included, and have quoted it of late."""
        found = self._moves.get(venue)
        if found is None:
            return [venue]
        return [
            name
            for name, move in self._moves.items()
            if not is_far(move.mid, found.mid, limits.off_market_e8)
            and found.heard_ns - move.heard_ns <= limits.move_ms * 1_000_000
        ]

    def leave(self, venue: str) -> None:
        """The LP quotes as the others do, or is gone."""
        self._moves.pop(venue, None)
        self._outrun.pop(venue, None)
        self.is_open = bool(self._moves or self._outrun)
