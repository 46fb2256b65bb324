"""What stood behind each tick of a symbol: which quotes were live, and which were dropped and why. Kept for a while."""

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping, Sequence

import msgspec

from actors.domain.quote import Drop, Quote, Tick

CHUNK_QUOTES = 64
CHUNKS = 64
"""So much is kept of a symbol: some 4,000 quotes, and the ticks that followed from them."""
DROPS_TOLD = 20
"""Of the quotes dropped before a tick, so many of the last are told."""
DROPS_TOLD_NS = 10_000_000_000
"""And none from longer ago."""


class Source(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one LP said before a tick."""

    lp: str
    quote: Quote
    dropped: str
    """Why it was not used (or not any longer); empty: the tick was made with it in the book."""
    time_ns: int
    """When it was judged."""


class Noted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one LP said, and whether it is used from then on; `drop` None: it is."""

    venue: str
    quote: Quote
    drop: Drop | None
    time_ns: int
    leaves: bool
    """What stood of the LP stands no longer."""


class _Chunk(msgspec.Struct, array_like=True):
    """A stretch of what happened. It is kept as bytes: a tenth of the memory, and nearly nothing to clear away."""

    standing: dict[str, Noted]
    """What stood before it, by LP."""
    noted: list[Noted]
    ticks: list[Tick]
    places: list[int]
    """For each tick, how many of `noted` came before it."""


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(_Chunk).decode


class Evidence:
    """Takes down what happens to the book of one symbol, in order. Costs an append for each quote and tick."""

    def __init__(self) -> None:
        self._chunk = _Chunk({}, [], [], [])
        self._packed: deque[tuple[int, bytes]] = deque(maxlen=CHUNKS)
        """The chunks before it, each with the number of the symbol's last tick at its end."""
        self._last_seq = 0

    def note(self, entry: Noted) -> None:
        noted = self._chunk.noted
        if len(noted) >= CHUNK_QUOTES:
            noted = self._begin_chunk().noted
        noted.append(entry)

    def tick(self, tick: Tick) -> None:
        chunk = self._chunk
        if len(chunk.ticks) >= CHUNK_QUOTES:
            chunk = self._begin_chunk()
        chunk.ticks.append(tick)
        chunk.places.append(len(chunk.noted))

    def _begin_chunk(self) -> _Chunk:
        chunk = self._chunk
        if chunk.ticks:
            self._last_seq = chunk.ticks[-1].seq
        self._packed.append((self._last_seq, _pack(chunk)))
        standing = dict(chunk.standing)
        for entry in chunk.noted:
            _follow(standing, entry)
        self._chunk = _Chunk(standing, [], [], [])
        return self._chunk

    def behind(self, seq: int) -> tuple[Tick, list[Source]] | None:
        """The tick of that number and what stood behind it, live quotes first; None where it is not here any more."""
        packed = list(self._packed)
        place = bisect_left(packed, seq, key=lambda chunk: chunk[0])
        chunk = _unpack(packed[place][1]) if place < len(packed) else self._chunk
        for tick, count in zip(chunk.ticks, chunk.places, strict=True):
            if tick.seq == seq:
                standing = dict(chunk.standing)
                for entry in chunk.noted[:count]:
                    _follow(standing, entry)
                drops = [entry for entry in chunk.noted[:count] if entry.drop is not None]
                while place and len(drops) < DROPS_TOLD:
                    place -= 1
                    before = _unpack(packed[place][1])
                    drops = [entry for entry in before.noted if entry.drop is not None] + drops
                    if before.noted and before.noted[-1].time_ns < tick.time_ns - DROPS_TOLD_NS:
                        break
                return tick, _sources(tick, standing, drops[-DROPS_TOLD:])
        return None


def _follow(standing: dict[str, Noted], entry: Noted) -> None:
    if entry.drop is None:
        standing[entry.venue] = entry
    elif entry.leaves:
        standing.pop(entry.venue, None)


def _sources(tick: Tick, standing: Mapping[str, Noted], drops: Sequence[Noted]) -> list[Source]:
    since_ns = tick.time_ns - DROPS_TOLD_NS
    told = [*standing.values(), *(entry for entry in drops if entry.time_ns >= since_ns)]
    return [
        Source(entry.venue, entry.quote, entry.drop.value if entry.drop is not None else "", entry.time_ns)
        for entry in told
    ]
