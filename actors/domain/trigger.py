"""Stop losses and take profits by price, so that a tick costs what it triggers and not what is open."""

import heapq
from typing import NamedTuple

from actors.domain.order import OrderReason, Position, Side
from actors.domain.quote import Tick

SPARE_ENTRIES = 1_000
"""So many entries of positions that have gone may lie about before they are cleared away."""


class Reached(NamedTuple):
    """A position whose stop loss or take profit (`reason`) a tick has reached."""

    position_id: int
    account_id: int
    reason: OrderReason


class Triggers:
    """The protected positions of one symbol.

    Four heaps of (price, position id, account id), nearest price first. A position that has gone by other ways leaves
    its entries for a while, and they may come out as reached when the market gets there: whoever asks looks whether it
    is still open.
    """

    def __init__(self) -> None:
        self._watched: dict[int, None] = {}
        self._long_stop: list[tuple[int, int, int]] = []
        self._long_profit: list[tuple[int, int, int]] = []
        self._short_stop: list[tuple[int, int, int]] = []
        self._short_profit: list[tuple[int, int, int]] = []

    def watch(self, position: Position) -> None:
        """Takes up a position's prices; those at 0 are none."""
        is_long = position.side is Side.BUY
        stop, profit = position.stop_loss_e8, position.take_profit_e8
        ids = (position.position_id, position.account_id)
        self._watched[position.position_id] = None
        if stop:
            heapq.heappush(self._long_stop if is_long else self._short_stop, (-stop if is_long else stop, *ids))
        if profit:
            heapq.heappush(self._long_profit if is_long else self._short_profit, (profit if is_long else -profit, *ids))

    def forget(self, position_id: int) -> None:
        """The position has gone. Its entries go when too many such have come together."""
        if position_id not in self._watched:
            return
        del self._watched[position_id]
        if len(self) <= 2 * len(self._watched) + SPARE_ENTRIES:
            return
        for heap in (self._long_stop, self._long_profit, self._short_stop, self._short_profit):
            heap[:] = [entry for entry in heap if entry[1] in self._watched]
            heapq.heapify(heap)

    def __len__(self) -> int:
        """How many entries there are, those of positions that have gone among them."""
        return sum(map(len, (self._long_stop, self._long_profit, self._short_stop, self._short_profit)))

    def reached(self, tick: Tick) -> list[Reached]:
        """Takes out what this tick reaches, in order of position.

        A long position's prices are compared with the bid, a short one's with the ask: what it would close at.
        """
        bid, ask = tick.bid_e8, tick.ask_e8
        found = [
            *_popped(self._long_stop, -bid, OrderReason.STOP_LOSS),
            *_popped(self._short_stop, ask, OrderReason.STOP_LOSS),
            *_popped(self._long_profit, bid, OrderReason.TAKE_PROFIT),
            *_popped(self._short_profit, -ask, OrderReason.TAKE_PROFIT),
        ]
        found.sort(key=lambda reached: reached.position_id)
        return found


def _popped(heap: list[tuple[int, int, int]], reach: int, reason: OrderReason) -> list[Reached]:
    found = []
    while heap and heap[0][0] <= reach:
        _, position_id, account_id = heapq.heappop(heap)
        found.append(Reached(position_id, account_id, reason))
    return found
