"""Market data for clients: snapshot (W), increments (X), refusal (Y). Source: FIX 4.4 volume 3, "Market Data"."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from gateway.fix.codec import Field
from gateway.fix.times import utc_timestamp
from gateway.fix.trading.reports import e8, sentence

BID, OFFER = b"0", b"1"
UNKNOWN_SYMBOL, DUPLICATE, NO_PERMISSION = b"0", b"1", b"3"
"""MDReqRejReason (281)."""
OTHER = b"4"
"""Unsupported SubscriptionRequestType is the nearest that FIX 4.4 has."""
_DATE_CHARACTERS = 8


class Top(NamedTuple):
    """The best prices of a symbol, each 0 where nobody may deal on it."""

    symbol: str
    bid_e8: int
    ask_e8: int
    time_ns: int


def snapshot(request_id: bytes, top: Top, sides: Collection[bytes]) -> list[Field]:
    """A book without a price has no entry: NoMDEntries is 0 then."""
    entries = [fields for side in (BID, OFFER) if side in sides and (fields := _entry(side, top))]
    flat = [field for fields in entries for field in fields]
    return [(262, request_id), (55, top.symbol.encode()), (268, b"%d" % len(entries)), *flat]


def increments(request_id: bytes, before_and_after: Sequence[tuple[Top, Top]], sides: Collection[bytes]) -> list[Field]:
    """What changed, in all symbols of a request; empty where nothing did."""
    entries: list[list[Field]] = []
    for before, after in before_and_after:
        for side in (BID, OFFER):
            old_e8, new_e8 = _price(side, before), _price(side, after)
            if side not in sides or old_e8 == new_e8:
                continue
            action = b"2" if not new_e8 else b"1" if old_e8 else b"0"
            fields = _entry(side, after if new_e8 else before)
            entries.append([(279, action), fields[0], (55, after.symbol.encode()), *fields[1:]])
    if not entries:
        return []
    return [(262, request_id), (268, b"%d" % len(entries)), *(field for fields in entries for field in fields)]


def refusal(request_id: bytes, reason: bytes, code: str, detail: str) -> list[Field]:
    return [(262, request_id), (281, reason), *sentence(code, detail)]


def _price(side: bytes, top: Top) -> int:
    return top.bid_e8 if side == BID else top.ask_e8


def _entry(side: bytes, top: Top) -> list[Field]:
    price_e8 = _price(side, top)
    if not price_e8:
        return []
    moment = utc_timestamp(top.time_ns)
    date, time = moment[:_DATE_CHARACTERS], moment[_DATE_CHARACTERS + 1 :]
    return [(269, side), (270, e8(price_e8)), (272, date), (273, time)]
