"""One instrument's order book from Binance's diff depth stream and REST snapshots, without a socket.

Source: Binance's "WebSocket Streams" for spot, "How to manage a local order book correctly": updates are buffered until
a snapshot has come; an update whose last id `u` is not above the book's is ignored; one whose first id `U` is more than
one above it shows a gap, after which all begins anew.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from typing import Annotated

import msgspec

from actors.domain.money import NotExact
from gateway.venues.amount import amount_e8
from gateway.venues.events import DEPTH_LEVELS_LIMIT, Reason, VenueLevels

SNAPSHOT_LEVELS = 500
"""Asked for with each snapshot."""
LEVELS_LIMIT = 2 * SNAPSHOT_LEVELS
"""Kept of each side; the worst are let go beyond it."""
WAITING_UPDATES_LIMIT = 1000
"""Kept while a snapshot is waited for: 100 s of updates. The oldest are let go beyond it."""

NS_PER_MS = 1_000_000

Levels = list[tuple[str, str]]
UpdateId = Annotated[int, msgspec.Meta(ge=0)]
TimeMs = Annotated[int, msgspec.Meta(ge=0, lt=10**13)]


class DepthUpdate(msgspec.Struct, gc=False):
    """The data of a `<symbol>@depth@100ms` frame; sizes are whole, and 0 removes the level."""

    E: TimeMs
    s: str
    U: UpdateId
    u: UpdateId
    b: Levels
    a: Levels


class DepthSnapshot(msgspec.Struct, gc=False, rename="camel"):
    """The answer of `GET /api/v3/depth`."""

    last_update_id: UpdateId
    bids: Levels
    asks: Levels


class BookBroken(Exception):
    """The book cannot be gone on with, and a snapshot is waited for; `reason` says why."""

    def __init__(self, reason: Reason, detail: str):
        super().__init__(detail)
        self.reason = reason


class Side:
    """The levels of one side. Keys rise from the best price to the worst: the ask's price, the bid's negated."""

    def __init__(self, sign: int):
        self._sign = sign
        self._sizes: dict[int, int] = {}
        self._keys: list[int] = []
        self._horizon: int | None = None
        """The worst key up to which every level is known; None: all are. What lies beyond is not kept."""

    def replace(self, levels: Levels) -> None:
        self._sizes, self._keys, self._horizon = {}, [], None
        self.change(levels)
        if len(levels) >= SNAPSHOT_LEVELS:
            self._horizon = self._keys[-1] if self._keys else None

    def change(self, levels: Levels) -> None:
        for price, size in levels:
            self._set(self._sign * amount_e8(price), amount_e8(size))

    def best_e8(self) -> int | None:
        return self._sign * self._keys[0] if self._keys else None

    def top(self) -> VenueLevels:
        return tuple((self._sign * key, self._sizes[key]) for key in self._keys[:DEPTH_LEVELS_LIMIT])

    @property
    def exhausted(self) -> bool:
        """Levels that must be shown may lie beyond the horizon."""
        return self._horizon is not None and len(self._keys) < DEPTH_LEVELS_LIMIT

    def _set(self, key: int, size_e8: int) -> None:
        if key == 0:
            raise NotExact("a level without a price")
        if self._horizon is not None and key > self._horizon:
            return
        if size_e8 == 0:
            if self._sizes.pop(key, None) is not None:
                del self._keys[bisect_left(self._keys, key)]
            return
        if key not in self._sizes:
            insort(self._keys, key)
        self._sizes[key] = size_e8
        if len(self._keys) > LEVELS_LIMIT:
            del self._sizes[self._keys.pop()]
            self._horizon = self._keys[-1]


class DepthBook:
    """The book of one instrument. `update` and `snapshot` say whether there is a book to show afterwards."""

    def __init__(self) -> None:
        self._bids, self._asks = Side(-1), Side(1)
        self._waiting: deque[DepthUpdate] = deque(maxlen=WAITING_UPDATES_LIMIT)
        self.update_id: int | None = None
        """The last update in the book; None while a snapshot is waited for."""
        self.time_ns = 0
        """Of the last update, by the LP's clock (UTC); 0 before the first."""

    def update(self, update: DepthUpdate) -> bool:
        """Raises BookBroken, and waits for a snapshot then."""
        if self.update_id is None:
            self._waiting.append(update)
            return False
        return self._apply([update])

    def snapshot(self, snapshot: DepthSnapshot) -> bool:
        """False where it is not needed, or too old for the updates that wait. Raises BookBroken."""
        if self.update_id is not None:
            return False
        if self._waiting and snapshot.last_update_id + 1 < self._waiting[0].U:
            return False
        waiting, self.update_id = list(self._waiting), snapshot.last_update_id
        self._waiting.clear()
        if waiting:
            self.time_ns = waiting[-1].E * NS_PER_MS
        try:
            self._bids.replace(snapshot.bids)
            self._asks.replace(snapshot.asks)
        except NotExact as error:
            raise self._broken("bad_price", str(error)) from None
        self._apply(waiting)
        self._check()
        return True

    def top(self) -> tuple[VenueLevels, VenueLevels]:
        """Bids and asks, best first, at most DEPTH_LEVELS_LIMIT of each."""
        return self._bids.top(), self._asks.top()

    def _apply(self, updates: Iterable[DepthUpdate]) -> bool:
        changed = False
        for update in updates:
            if self.update_id is None or update.u <= self.update_id:
                continue
            if self.update_id + 1 < update.U:
                broken = self._broken("depth_gap", f"{update.s}: {update.U} follows {self.update_id}")
                self._waiting.append(update)
                raise broken
            try:
                self._bids.change(update.b)
                self._asks.change(update.a)
            except NotExact as error:
                raise self._broken("bad_price", str(error)) from None
            self.update_id, self.time_ns, changed = update.u, update.E * NS_PER_MS, True
        if changed:
            self._check()
        return changed

    def _check(self) -> None:
        bid_e8, ask_e8 = self._bids.best_e8(), self._asks.best_e8()
        if bid_e8 is not None and ask_e8 is not None and bid_e8 >= ask_e8:
            raise self._broken("crossed_book", f"bid {bid_e8} and ask {ask_e8} (10^-8) after update {self.update_id}")
        if self._bids.exhausted or self._asks.exhausted:
            raise self._broken("depth_gap", f"fewer than {DEPTH_LEVELS_LIMIT} levels are left of the snapshot")

    def _broken(self, reason: Reason, detail: str) -> BookBroken:
        self.update_id = None
        self._waiting.clear()
        return BookBroken(reason, detail)
