"""What waits for a price, by price, so that a tick costs what it triggers and not what is open.

Orders wait here, and the stop losses, take profits and trailing stops of positions. Prices are those that the clients
of one price class see (`price_class.py`).
"""

import heapq
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from actors.domain.quote import Tick

SPARE_ENTRIES = 1_000
"""So many entries may lie about beyond twice those that hold."""
ENTRIES_LIMIT = 2**63 - 1


class Waiting(IntEnum):
    """What waits. On one tick protections go before orders, for they give margin back."""

    STOP_LOSS = 0
    TRAILING_STOP = 1
    TAKE_PROFIT = 2
    ORDER = 3


class Reached(NamedTuple):
    """Something whose price a tick has reached: a position's protection, or an order. They sort in order of dealing."""

    what: Waiting
    item_id: int
    """Of the position, or of the order."""
    account_id: int
    mark: int
    """The price that it waited for, or where it began to follow (`trail_seq`): tells a wait that was given up."""


class Triggers:
    """All that waits for prices of one symbol, in one price class.

    Four heaps, nearest price first, and two of trails. What has gone by other ways, or waits for another price by now,
    leaves its entry, and comes out as reached when the market gets there: whoever asks looks whether it still holds.
    """

    def __init__(self) -> None:
        self._bid_falls: list[tuple[int, Reached]] = []
        self._bid_rises: list[tuple[int, Reached]] = []
        self._ask_falls: list[tuple[int, Reached]] = []
        self._ask_rises: list[tuple[int, Reached]] = []
        self.below_bid = Trail()
        """Follows a rising bid: the trailing stops of longs, and trailing stop orders to sell."""
        self.above_ask = Trail()
        """The same for a falling ask, in mirrored prices."""
        self.room = SPARE_ENTRIES
        """With more entries it is time to clear those away that have been given up."""

    def __len__(self) -> int:
        """How many entries wait for a price, those that have been given up among them."""
        return sum(map(len, (self._bid_falls, self._bid_rises, self._ask_falls, self._ask_rises)))

    def without_entries(self) -> "Triggers":
        """With the same trails, and room for all that is put in until its room is set."""
        renewed = Triggers()
        renewed.below_bid, renewed.above_ask = self.below_bid, self.above_ask
        renewed.room = ENTRIES_LIMIT
        return renewed

    def when_bid_falls(self, price_e8: int, waiting: Reached) -> None:
        """To be reached when the bid is at the price or below."""
        heapq.heappush(self._bid_falls, (-price_e8, waiting))

    def when_bid_rises(self, price_e8: int, waiting: Reached) -> None:
        heapq.heappush(self._bid_rises, (price_e8, waiting))

    def when_ask_falls(self, price_e8: int, waiting: Reached) -> None:
        heapq.heappush(self._ask_falls, (-price_e8, waiting))

    def when_ask_rises(self, price_e8: int, waiting: Reached) -> None:
        heapq.heappush(self._ask_rises, (price_e8, waiting))

    def reached(self, tick: Tick) -> list[Reached]:
        """Takes out what this tick reaches, in order of dealing."""
        bid, ask = tick.bid_e8, tick.ask_e8
        found: list[Reached] = []
        _pop(self._bid_falls, -bid, found)
        _pop(self._bid_rises, bid, found)
        _pop(self._ask_falls, -ask, found)
        _pop(self._ask_rises, ask, found)
        self.below_bid.follow(bid, found)
        self.above_ask.follow(-ask, found)
        # Once each: what is watched again may have left its entry of before.
        return sorted(set(found))


def _pop(heap: list[tuple[int, Reached]], reach: int, found: list[Reached]) -> None:
    while heap and heap[0][0] <= reach:
        found.append(heapq.heappop(heap)[1])


SPARE = 64
"""So many entries more than twice the needed ones are kept before they are put in order."""


class Followed(NamedTuple):
    """One trailing stop, for a snapshot."""

    distance_e8: int
    peak_e8: int
    waiting: Reached


class Trail:
    """Stops that follow a price upwards at a distance, and are reached when it falls so far from its peak.

    Those that have seen the same peak lie together, nearest distance first, in a stack of falling peaks. A new peak
    joins the groups below it, the smaller into the larger: a tick that makes no peak touches the nearest only.
    """

    def __init__(self) -> None:
        self._groups: list[_Group] = []
        self._nearest: list[tuple[int, int]] = []
        """Of each group, the price that reaches its nearest stop (negative), and the group's number."""
        self._by_number: dict[int, _Group] = {}
        self._last_number = 0
        self._entries = 0
        self._following: dict[Reached, _Group] = {}
        """What follows, and where: an entry that lies elsewhere too has been taken out there."""
        self.room = SPARE_ENTRIES
        """With more stops it is time to clear those away that have been given up."""

    def __len__(self) -> int:
        """How many entries there are, those of stops that were given up or taken out among them."""
        return self._entries

    def add(self, price_e8: int, distance_e8: int, waiting: Reached) -> None:
        """Begins to follow from a price, whether the others have been told of it or not; one that follows goes on."""
        if waiting in self._following:
            return
        groups = self._groups
        place = len(groups)
        while place and groups[place - 1].peak_e8 < price_e8:
            place -= 1
        if not place or groups[place - 1].peak_e8 > price_e8:
            self._last_number += 1
            group = _Group(self._last_number, price_e8)
            groups.insert(place, group)
            self._by_number[group.number] = group
        else:
            group = groups[place - 1]
        self._following[waiting] = group
        heapq.heappush(group.stops, (distance_e8, waiting))
        self._entries += 1
        self._look(group)

    def take_out(self, distance_e8: int, waiting: Reached) -> Followed | None:
        """The stop as it follows, which it does no more; None where it did not. Its entry is left behind."""
        group = self._following.pop(waiting, None)
        return None if group is None else Followed(distance_e8, group.peak_e8, waiting)

    def keep(self, holds: Callable[[Reached], bool]) -> None:
        """Clears away what has been taken out, and stops that have been given up: of which `holds` is not true."""
        kept = [one for one in self.followed() if holds(one.waiting)]
        self._groups, self._nearest, self._by_number, self._following, self._entries = [], [], {}, {}, 0
        self.restore(kept)
        self.room = 2 * len(self) + SPARE_ENTRIES

    def follow(self, price_e8: int, found: list[Reached]) -> None:
        """The price is so now: adds to `found` what it reaches."""
        groups = self._groups
        if groups and groups[-1].peak_e8 < price_e8:
            group = groups.pop()
            while groups and groups[-1].peak_e8 <= price_e8:
                group = self._join(groups.pop(), group)
            group.peak_e8 = price_e8
            groups.append(group)
            self._look(group)
        while self._nearest and -self._nearest[0][0] >= price_e8:
            price, number = heapq.heappop(self._nearest)
            group_or_none = self._by_number.get(number)
            if group_or_none is None or group_or_none.nearest_e8() != -price:
                continue
            group = group_or_none
            _, reached = heapq.heappop(group.stops)
            self._entries -= 1
            if self._following.get(reached) is group:
                del self._following[reached]
                found.append(reached)
            if group.stops:
                self._look(group)
            else:
                groups.remove(group)
                del self._by_number[number]

    def followed(self) -> list[Followed]:
        """All of them, in an order that `restore` takes."""
        return [
            Followed(distance_e8, group.peak_e8, waiting)
            for group in self._groups
            for distance_e8, waiting in sorted(set(group.stops))
            if self._following.get(waiting) is group
        ]

    def restore(self, followed: list[Followed], moved_e8: int = 0) -> None:
        """What `followed` gave of this trail or another, with all peaks moved."""
        for one in followed:
            self.add(one.peak_e8 + moved_e8, one.distance_e8, one.waiting)

    def _join(self, one: "_Group", other: "_Group") -> "_Group":
        small, large = (one, other) if len(one.stops) < len(other.stops) else (other, one)
        for stop in small.stops:
            if self._following.get(stop[1]) is small:
                self._following[stop[1]] = large
                heapq.heappush(large.stops, stop)
            else:
                self._entries -= 1
        del self._by_number[small.number]
        return large

    def _look(self, group: "_Group") -> None:
        heapq.heappush(self._nearest, (-group.nearest_e8(), group.number))
        if len(self._nearest) > 2 * len(self._groups) + SPARE:
            # Each new peak leaves an entry that no longer holds, and a market that only rises would reach none.
            self._nearest = [(-one.nearest_e8(), one.number) for one in self._groups]
            heapq.heapify(self._nearest)


class _Group:
    """Stops that have seen the same peak."""

    __slots__ = ("number", "peak_e8", "stops")

    def __init__(self, number: int, peak_e8: int) -> None:
        self.number = number
        self.peak_e8 = peak_e8
        self.stops: list[tuple[int, Reached]] = []

    def nearest_e8(self) -> int:
        """The price that reaches the nearest of them."""
        return self.peak_e8 - self.stops[0][0]
