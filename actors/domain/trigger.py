"""Stop losses and take profits by price, so that a tick costs what it triggers and not what is open."""

import heapq
from typing import NamedTuple

from actors.domain.order import OrderReason, Position, Side
from actors.domain.quote import Tick


class Reached(NamedTuple):
    """A position whose stop loss or take profit (`reason`) a tick has reached."""

    position_id: int
    account_id: int
    reason: OrderReason


class Triggers:
    """The protected positions of one symbol.

    Four heaps of (price, position id, account id), nearest price first. A position that has gone by other ways leaves
    its entries, and they come out as reached when the market gets there: whoever asks looks whether it is still open.
    """

    def __init__(self) -> None:
        self._long_stop: list[tuple[int, int, int]] = []
        self._long_profit: list[tuple[int, int, int]] = []
        self._short_stop: list[tuple[int, int, int]] = []
        self._short_profit: list[tuple[int, int, int]] = []

    def watch(self, position: Position) -> None:
        """Takes up a position's prices; those at 0 are none."""
        is_long = position.side is Side.BUY
        stop, profit = position.stop_loss_e8, position.take_profit_e8
        ids = (position.position_id, position.account_id)
        if stop:
            heapq.heappush(self._long_stop if is_long else self._short_stop, (-stop if is_long else stop, *ids))
        if profit:
            heapq.heappush(self._long_profit if is_long else self._short_profit, (profit if is_long else -profit, *ids))

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
