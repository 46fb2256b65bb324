"""The order book behind a simulated symbol: a ladder of levels around each tick's prices."""

from decimal import Decimal
from random import Random
from typing import Any

from tools.venues import model

LADDER_LEVELS = 100
MEDIAN_SIZE_E5 = {"BTCUSDT": 50_000, "ETHUSDT": 1_000_000, "EURUSDT": 2_000_000_000}
STEPS = {"BTCUSDT": Decimal("0.01"), "ETHUSDT": Decimal("0.01"), "EURUSDT": Decimal("0.0001")}

Levels = dict[Decimal, str]


class LadderBook:
    """One symbol's update id, which rises by one with each tick, and its levels from the first `follow` on."""

    def __init__(self, symbol: str, chance: Random):
        self.symbol = symbol
        self.update_id = 0
        self._step = STEPS[symbol]
        self._chance = chance
        self._bids: Levels = {}
        self._asks: Levels = {}
        self._best: tuple[str, str] = ("0", "0")
        self._followed = False
        self._first_id = 1
        self._changed: tuple[Levels, Levels] = ({}, {})

    def show(self, bid: str, ask: str) -> dict[str, Any]:
        """Move to these prices; the data of the bookTicker frame that tells it."""
        self.update_id += 1
        self._best, bid_size, ask_size = (bid, ask), self._size(), self._size()
        if self._followed:
            self._move_both(bid_size, ask_size)
        return {
            "u": self.update_id,
            "s": self.symbol,
            "b": eight_places(bid),
            "B": bid_size,
            "a": eight_places(ask),
            "A": ask_size,
        }

    def follow(self) -> None:
        """Keep levels from now on."""
        if not self._followed:
            self._followed = True
            self._move_both(self._size(), self._size())
            self._first_id, self._changed = self.update_id + 1, ({}, {})

    def depth_update(self, time_ms: int) -> dict[str, Any] | None:
        """What has changed since the last one; None: nothing."""
        if not self._followed or self._first_id > self.update_id:
            return None
        bids, asks = self._changed
        update = {
            "e": "depthUpdate",
            "E": time_ms,
            "s": self.symbol,
            "U": self._first_id,
            "u": self.update_id,
            "b": _pairs(bids, reverse=True),
            "a": _pairs(asks),
        }
        self._first_id, self._changed = self.update_id + 1, ({}, {})
        return update

    def snapshot(self, limit: int) -> dict[str, Any]:
        return {
            "lastUpdateId": self.update_id,
            "bids": _pairs(self._bids, reverse=True)[:limit],
            "asks": _pairs(self._asks)[:limit],
        }

    def _move_both(self, bid_size: str, ask_size: str) -> None:
        bid, ask = self._best
        self._move(self._bids, self._changed[0], Decimal(bid), bid_size, -self._step)
        self._move(self._asks, self._changed[1], Decimal(ask), ask_size, self._step)

    def _move(self, levels: Levels, changed: Levels, best: Decimal, size: str, step: Decimal) -> None:
        """`best` becomes the best price; levels that are better or too far are emptied. No price: no levels."""
        ladder = [best + step * number for number in range(LADDER_LEVELS)] if best > 0 else []
        wanted = {price for price in ladder if price > 0}
        for price in [price for price in levels if price not in wanted]:
            del levels[price]
            changed[price] = "0.00000000"
        for price in ladder:
            if price in wanted and (price == best or price not in levels):
                levels[price] = changed[price] = size if price == best else self._size()

    def _size(self) -> str:
        size_e5 = max(1, MEDIAN_SIZE_E5[self.symbol] * model.draw(model.SIZE_PERMILLE, self._chance) // 1000)
        return f"{size_e5 // 100_000}.{size_e5 % 100_000:05}000"


def _pairs(levels: Levels, reverse: bool = False) -> list[list[str]]:
    return [[eight_places(str(price)), levels[price]] for price in sorted(levels, reverse=reverse)]


def eight_places(price: str) -> str:
    """The same number with at least eight places after the point."""
    whole, _, fraction = price.partition(".")
    return f"{whole}.{fraction.ljust(8, '0')}"
