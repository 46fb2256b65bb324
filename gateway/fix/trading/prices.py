"""Market data for clients: snapshot (W), increments (X), refusal (Y). Source: FIX 4.4 volume 3, "Market Data"."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from gateway.fix.codec import Field
from gateway.fix.times import utc_timestamp
from gateway.fix.trading.reports import e8, sentence

BID, OFFER = _SIDES = b"0", b"1"
UNKNOWN_SYMBOL, DUPLICATE, NO_PERMISSION = b"0", b"1", b"3"
"""MDReqRejReason (281)."""
OTHER = b"4"
"""Unsupported SubscriptionRequestType is the nearest that FIX 4.4 has."""
_DATE_CHARACTERS = 8


Levels = tuple[tuple[int, int], ...]
"""Prices and sizes, both on the scale 10^-8, the best first; a size of 0 is not told."""


class Book(NamedTuple):
    """What a symbol is dealt at: sides are empty where nobody may deal."""

    symbol: str
    time_ns: int
    bids: Levels
    asks: Levels


def snapshot(request_id: bytes, book: Book, sides: Collection[bytes]) -> list[Field]:
    """A book without a price has no entry: NoMDEntries is 0 then."""
    entries = [_entry(side, *level, book.time_ns) for side in _SIDES if side in sides for level in _levels(side, book)]
    flat = [field for fields in entries for field in fields]
    return [(262, request_id), (55, book.symbol.encode()), (268, b"%d" % len(entries)), *flat]


def increments(
    request_id: bytes, before_and_after: Sequence[tuple[Book, Book]], sides: Collection[bytes], by_price: bool
) -> list[Field]:
    """What changed, in all symbols of a request; empty where nothing did.

    `by_price`: a level is known by its price, and only its size changes; else there is one of a side.
    """
    entries = [
        entry
        for before, after in before_and_after
        for side in _SIDES
        if side in sides
        for entry in _changes(side, before, after, by_price)
    ]
    if not entries:
        return []
    return [(262, request_id), (268, b"%d" % len(entries)), *(field for fields in entries for field in fields)]


def refusal(request_id: bytes, reason: bytes, code: str, detail: str) -> list[Field]:
    return [(262, request_id), (281, reason), *sentence(code, detail)]


def _changes(side: bytes, before: Book, after: Book, by_price: bool) -> list[list[Field]]:
    old = {level[0] if by_price else 0: level for level in _levels(side, before)}
    new = {level[0] if by_price else 0: level for level in _levels(side, after)}
    told = [(b"2", level) for key, level in old.items() if key not in new]
    told += [(b"1" if key in old else b"0", level) for key, level in new.items() if old.get(key) != level]
    entries = [(action, _entry(side, *level, after.time_ns)) for action, level in told]
    return [[(279, action), entry[0], (55, after.symbol.encode()), *entry[1:]] for action, entry in entries]


def _levels(side: bytes, book: Book) -> Levels:
    return book.bids if side == BID else book.asks


def _entry(side: bytes, price_e8: int, size_e8: int, time_ns: int) -> list[Field]:
    moment = utc_timestamp(time_ns)
    date, time = moment[:_DATE_CHARACTERS], moment[_DATE_CHARACTERS + 1 :]
    size = [(271, e8(size_e8))] if size_e8 else []
    return [(269, side), (270, e8(price_e8)), *size, (272, date), (273, time)]
