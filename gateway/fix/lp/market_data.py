"""Prices by subscription: FIX 4.4 volume 3, 35=V, W, X and Y, to quotes and order books."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gateway.fix.codec import Field, Message
from gateway.fix.lp.values import e8, entries, sending_time_ns, text
from gateway.venues.events import DEPTH_LEVELS_LIMIT, VenueDepth, VenueEvent, VenueLevels, VenueQuote, garbage

ENTRIES_LIMIT = 1_000
"""Of one side of one instrument; a book that grows beyond is dropped until the next snapshot."""
_BID, _OFFER = b"0", b"1"
_NEW, _CHANGE, _DELETE = b"0", b"1", b"2"
_SUBSCRIBE, _UNSUBSCRIBE = b"1", b"2"
_AFTER_SNAPSHOT = (813,)

Key = tuple[str, bytes]
"""What tells one entry of a side from the others: its id, its position, or its price."""


class _Entry(NamedTuple):
    price_e8: int
    size_e8: int
    entry_id: bytes


_NOTHING = _Entry(0, 0, b"")
Side = dict[Key, _Entry]


class Wanted(NamedTuple):
    """How prices are asked for. `depth`: levels a side, 0 for all; `beside_symbol`: what the LP wants there too."""

    depth: int
    full_refresh: bool = False
    beside_symbol: Sequence[Field] = ()


def subscribe(request_id: str, instruments: list[str], wanted: Wanted) -> list[Field]:
    """35=V: a snapshot, and then what changes, or with `full_refresh` another snapshot."""
    return _request(request_id, instruments, wanted, _SUBSCRIBE)


def unsubscribe(request_id: str, instruments: list[str], wanted: Wanted) -> list[Field]:
    return _request(request_id, instruments, wanted, _UNSUBSCRIBE)


def _request(request_id: str, instruments: list[str], wanted: Wanted, kind: bytes) -> list[Field]:
    return [
        (262, request_id.encode()),
        (263, kind),
        (264, b"%d" % wanted.depth),
        (265, b"0" if wanted.full_refresh else b"1"),
        *((267, b"2"), (269, _BID), (269, _OFFER)),
        (146, b"%d" % len(instruments)),
        *(field for instrument in instruments for field in ((55, instrument.encode()), *wanted.beside_symbol)),
    ]


class MarketData:
    """What one session's subscriptions have said so far. A new session begins with a new one."""

    def __init__(self, depth: int, snapshots_keep_sides: bool) -> None:
        """`depth` as it was asked for: where it is 1 an entry takes the place of the one before on its side.

        `snapshots_keep_sides`: a snapshot without a side says nothing of it. By the specification it says that the
        side is empty; some LPs send snapshots of what has changed.
        """
        self._depth = depth
        self._keeps = snapshots_keep_sides
        self._instruments: dict[str, str] = {}
        self._books: dict[str, tuple[Side, Side]] = {}
        """By instrument, the entries of each side."""

    def asked(self, request_id: str, instrument: str) -> None:
        """One instrument a request, so that an update without a Symbol is still of one."""
        self._instruments[request_id] = instrument
        self._books[instrument] = {}, {}

    def forget(self, request_id: str) -> str:
        """Gives the instrument that it was for, empty where it is not known."""
        instrument = self._instruments.pop(request_id, "")
        self._books.pop(instrument, None)
        return instrument

    def requests(self) -> dict[str, str]:
        """By instrument the request that it was asked for with."""
        return {instrument: request_id for request_id, instrument in self._instruments.items()}

    def receive(self, message: Message) -> list[VenueEvent]:
        """Of a 35=W or X: for each instrument that it changes its quote and, where asked for, its order book."""
        asked_for = self._instruments.get(text(message, 262), "")
        if message.get(262) is not None and not asked_for:
            return []  # Of a request that was taken back.
        read = self._snapshot if message.msg_type == b"W" else self._increment
        events: list[VenueEvent] = []
        changed: dict[str, None] = {}
        for told in read(message, asked_for):
            if isinstance(told, str):
                changed[told] = None
            else:
                events.append(told)
        time_ns = sending_time_ns(message)
        for instrument in changed:
            events += self._told(instrument, time_ns)
        return events

    def _snapshot(self, message: Message, asked_for: str) -> Iterator[str | VenueEvent]:
        instrument = text(message, 55) or asked_for
        if instrument not in self._books or instrument != (asked_for or instrument):
            yield garbage("bad_instrument", instrument)
            return
        bids, offers = self._books[instrument]
        given = entries(message, 268, _AFTER_SNAPSHOT)
        for side, kind in ((bids, _BID), (offers, _OFFER)):
            ours = [entry for entry in given if entry.get(269) == kind]
            if ours or not self._keeps:
                side.clear()
        for entry in given:
            if found := self._set(instrument, entry):
                yield found
        yield instrument

    def _increment(self, message: Message, asked_for: str) -> Iterator[str | VenueEvent]:
        instrument = asked_for
        for entry in entries(message, 268):
            if 55 in entry:
                instrument = entry[55].decode("ascii", "backslashreplace")
            if instrument not in self._books or instrument != (asked_for or instrument):
                yield garbage("bad_instrument", instrument)
                continue
            action = entry.get(279, _NEW)
            if action == _DELETE:
                self._delete(instrument, entry)
            elif action in (_NEW, _CHANGE):
                if action == _CHANGE and 280 in entry:
                    self._delete(instrument, {**entry, 278: entry[280]})
                if found := self._set(instrument, entry):
                    yield found
            else:
                yield garbage("bad_fields", f"MDUpdateAction {action!r}")
            yield instrument

    def _set(self, instrument: str, entry: dict[int, bytes]) -> VenueEvent | None:
        """Takes an entry in. A price or size that cannot be read empties the side: what stood there counts no more."""
        side = self._side(instrument, entry)
        if side is None:
            return None
        key = self._key(entry)
        before = side.get(key, _NOTHING)
        price_e8 = e8(entry[270]) if 270 in entry else before.price_e8
        size_e8 = e8(entry[271]) if 271 in entry else before.size_e8
        if price_e8 is None or size_e8 is None:
            side.clear()
            return garbage("bad_size" if price_e8 is not None else "bad_price", instrument)
        if price_e8 <= 0 or (size_e8 <= 0 and 271 in entry):
            side.pop(key, None)
            return None
        if key not in side and len(side) >= ENTRIES_LIMIT:
            side.clear()
            return garbage("too_long", f"{instrument}: more than {ENTRIES_LIMIT} entries on a side")
        side[key] = _Entry(price_e8, size_e8, entry.get(278, before.entry_id))
        return None

    def _delete(self, instrument: str, entry: dict[int, bytes]) -> None:
        """By its id where it has one, and then the side need not be said; else by its place."""
        entry_id = entry.get(278)
        if entry_id is None:
            side = self._side(instrument, entry)
            if side is not None:
                side.pop(self._key(entry), None)
            return
        for side in self._books[instrument]:
            for key in [key for key, standing in side.items() if standing.entry_id == entry_id]:
                del side[key]

    def _side(self, instrument: str, entry: dict[int, bytes]) -> Side | None:
        """None for what is no bid or offer: trades, openings and the like."""
        kind = entry.get(269)
        bids, offers = self._books[instrument]
        return bids if kind == _BID else offers if kind == _OFFER else None

    def _key(self, entry: dict[int, bytes]) -> Key:
        if self._depth == 1:
            return "top", b""
        if 278 in entry:
            return "id", entry[278]
        if 290 in entry:
            return "position", entry[290]
        return "price", b"%d" % (e8(entry.get(270)) or 0)

    def _told(self, instrument: str, time_ns: int) -> list[VenueEvent]:
        sides = self._books[instrument]
        bids, offers = _levels(sides[0], is_bid=True), _levels(sides[1], is_bid=False)
        bid, ask = bids[0] if bids else (0, 0), offers[0] if offers else (0, 0)
        events: list[VenueEvent] = [VenueQuote(instrument, bid[0], ask[0], bid[1], ask[1], time_ns)]
        if self._depth != 1:
            if bids and offers and bid[0] >= ask[0]:
                return [*events, VenueDepth(instrument, (), (), time_ns), garbage("crossed_book", instrument)]
            events.append(VenueDepth(instrument, bids[:DEPTH_LEVELS_LIMIT], offers[:DEPTH_LEVELS_LIMIT], time_ns))
        return events


def _levels(side: Side, is_bid: bool) -> VenueLevels:
    """Best first; entries of one price are one level."""
    sizes: dict[int, int] = {}
    for entry in side.values():
        sizes[entry.price_e8] = sizes.get(entry.price_e8, 0) + entry.size_e8
    return tuple(sorted(sizes.items(), reverse=is_bid))
