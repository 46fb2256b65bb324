"""The accounts that a tick brings out of their bands, found in heaps by price."""

import heapq

import msgspec

from actors.domain.money import SCALE, minor_units
from actors.domain.quote import Tick
from actors.domain.risk.bands import Laid
from actors.domain.risk.margin import Crosses

STALE_LIMIT_ENTRIES = 32
"""So many old bounds a heap may hold beyond as many as it has valid ones."""


class Change(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a fill changes of an account's exposure in one symbol; what leaves is negative."""

    symbol: str
    quote: str
    long_e8: int
    long_cost_e16: int
    short_e8: int
    short_proceeds_e16: int


class _Side:
    """The bounds of one side of one symbol, nearest first: (bound, account id, version), of which `live` are valid."""

    __slots__ = ("heap", "live")

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, int]] = []
        self.live = 0


class _Placed:
    """One account: its version, where its bounds lie, and for each symbol the lowest bid and highest ask.

    The last change that was asked about, the crosses of then, and what it brings at the worst prices: for each order it
    is asked about twice, before it is dealt and after.
    """

    __slots__ = ("amount_minor", "asked", "crosses", "reserve_minor", "sides", "version", "worst")

    def __init__(self, version: int, reserve_minor: int) -> None:
        self.version = version
        self.reserve_minor = reserve_minor
        self.sides: list[_Side] = []
        self.worst: dict[str, tuple[int, int]] = {}
        self.asked: Change | None = None
        self.crosses: Crosses | None = None
        self.amount_minor: int | None = None


class Bands:
    """All accounts' bands.

    An account that is placed anew or removed leaves its old bounds in the heaps, known by their version. A heap in
    which they are more than the valid ones and STALE_LIMIT_ENTRIES is made anew. It is an index, built from the state:
    which accounts are looked at depends on it, what is decided about them does not.
    """

    def __init__(self) -> None:
        self._sides: dict[str, tuple[_Side, _Side, _Side, _Side]] = {}
        self._placed: dict[int, _Placed] = {}
        self._version = 0

    def __len__(self) -> int:
        """How many accounts have bands."""
        return len(self._placed)

    def bounds_held(self) -> int:
        """Bounds in memory, the stale ones with them."""
        return sum(len(side.heap) for sides in self._sides.values() for side in sides)

    def place(self, account_id: int, laid: Laid) -> None:
        """The account's bands from now on, in place of those before."""
        self.remove(account_id)
        if not laid.bands:
            return
        self._version = version = self._version + 1
        self._placed[account_id] = placed = _Placed(version, laid.reserve_minor)
        used, worst = placed.sides, placed.worst
        push = heapq.heappush
        for band in laid.bands:
            sides = self._sides.get(band.symbol)
            if sides is None:
                sides = self._sides[band.symbol] = (_Side(), _Side(), _Side(), _Side())
            worst[band.symbol] = (band.bid_low_e8, band.ask_high_e8)
            if band.bid_low_e8 >= 0:
                push(sides[0].heap, (-band.bid_low_e8, account_id, version))
                used.append(sides[0])
            if band.ask_high_e8 >= 0:
                push(sides[1].heap, (band.ask_high_e8, account_id, version))
                used.append(sides[1])
            if band.bid_high_e8 >= 0:
                push(sides[2].heap, (band.bid_high_e8, account_id, version))
                used.append(sides[2])
            if band.ask_low_e8 >= 0:
                push(sides[3].heap, (-band.ask_low_e8, account_id, version))
                used.append(sides[3])
        for side in used:
            side.live += 1

    def remove(self, account_id: int) -> None:
        """The account is watched no more; nothing happens where it was not."""
        placed = self._placed.pop(account_id, None)
        if placed is None:
            return
        for side in placed.sides:
            side.live -= 1
            if len(side.heap) > 2 * side.live + STALE_LIMIT_ENTRIES:
                side.heap[:] = [entry for entry in side.heap if self._is_valid(entry)]
                heapq.heapify(side.heap)

    def absorbs(
        self, account_id: int, change: Change, balance_minor: int, floor_minor: int, crosses: Crosses, currency: str
    ) -> bool:
        """Whether the bands still hold after a fill, whose cost at their worst prices then leaves the reserve.

        `balance_minor` and `floor_minor`: by how much balance and floor rose. For an account without a ceiling, whose
        status then needs no look; where it returns False, decide and place it anew. With f the conversion of an
        amount at the worst rates of the band, f(a + b) >= f(a) + f(b): so a changed exposure costs no more than f of
        the change alone.
        """
        reserve_minor = self.reserve_minor(account_id, change, crosses, currency)
        if reserve_minor is None or (reserve_minor := reserve_minor + balance_minor - floor_minor) < 0:
            return False
        self._placed[account_id].reserve_minor = reserve_minor
        return True

    def reserve_minor(self, account_id: int, change: Change, crosses: Crosses, currency: str) -> int | None:
        """How far equity is above its floor, at least, wherever in the bands the prices are, with the change besides.

        None where the bands do not say.
        """
        placed = self._placed.get(account_id)
        if placed is None or placed.reserve_minor < 0:
            return None
        if placed.asked != change or placed.crosses is not crosses:
            placed.asked, placed.crosses = change, crosses
            placed.amount_minor = _amount_minor(placed.worst, change, crosses, currency)
        amount_minor = placed.amount_minor
        return None if amount_minor is None else placed.reserve_minor + amount_minor

    def reached(self, tick: Tick) -> list[int]:
        """The accounts whose band this tick is outside of, in order of id. They are removed: decide, and place anew."""
        sides = self._sides.get(tick.symbol)
        if sides is None:
            return []
        bid_e8, ask_e8 = tick.bid_e8, tick.ask_e8
        bid_low, ask_high, bid_high, ask_low = sides
        found: list[int] = []
        if bid_low.heap and bid_low.heap[0][0] < -bid_e8:
            self._pop(bid_low.heap, -bid_e8, found)
        if ask_high.heap and ask_high.heap[0][0] < ask_e8:
            self._pop(ask_high.heap, ask_e8, found)
        if bid_high.heap and bid_high.heap[0][0] < bid_e8:
            self._pop(bid_high.heap, bid_e8, found)
        if ask_low.heap and ask_low.heap[0][0] < -ask_e8:
            self._pop(ask_low.heap, -ask_e8, found)
        found.sort()
        return found

    def _pop(self, heap: list[tuple[int, int, int]], price: int, found: list[int]) -> None:
        while heap and heap[0][0] < price:
            entry = heapq.heappop(heap)
            if self._is_valid(entry):
                found.append(entry[1])
                self.remove(entry[1])

    def _is_valid(self, entry: tuple[int, int, int]) -> bool:
        placed = self._placed.get(entry[1])
        return placed is not None and placed.version == entry[2]


def _amount_minor(worst: dict[str, tuple[int, int]], change: Change, crosses: Crosses, currency: str) -> int | None:
    """What a change brings at the worst prices, rounded down; None where there is no worst price."""
    prices = worst.get(change.symbol)
    if prices is None:
        return None
    bid_e8, ask_e8 = prices
    long_e8, short_e8, quote = change.long_e8, change.short_e8, change.quote
    if (bid_e8 < 0 and long_e8) or (ask_e8 < 0 and short_e8):
        return None
    amount_e16 = change.short_proceeds_e16 - change.long_cost_e16
    if long_e8:
        amount_e16 += long_e8 * bid_e8
    if short_e8:
        amount_e16 -= short_e8 * ask_e8
    amount_e16 *= minor_units(currency)
    if quote == currency:
        return amount_e16 // 10**16
    symbol, inverse = crosses.get((quote, currency), ("", False))
    bid_e8, ask_e8 = worst.get(symbol, (-1, -1))
    if bid_e8 <= 0 or ask_e8 < 0:
        return None
    worst_e8 = bid_e8 if (amount_e16 > 0) is not inverse else ask_e8
    return amount_e16 * SCALE // (10**16 * worst_e8) if inverse else amount_e16 * worst_e8 // 10**24
