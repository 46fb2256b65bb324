"""What stood behind each tick of a symbol: which quotes were live, and which were dropped and why. Kept for a while."""

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from actors.domain.quote import Drop, Quote, Tick

CHUNK_ENTRIES = 256
CHUNKS = 16
"""So much is kept of a symbol: some 4,000 quotes and ticks."""
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


class Noted(msgspec.Struct, frozen=True, gc=False):
    """What one LP said, and whether it is used from then on; `drop` None: it is."""

    venue: str
    quote: Quote
    drop: Drop | None
    time_ns: int
    leaves: bool
    """What stood of the LP stands no longer."""


class _Chunk(NamedTuple):
    standing: dict[str, Noted]
    """What stood before the first entry, by LP."""
    entries: list[Noted | Tick]


class Evidence:
    """Takes down what happens to the book of one symbol, in order. Costs an append for each quote and tick."""

    def __init__(self) -> None:
        self._chunks: deque[_Chunk] = deque([_Chunk({}, [])], maxlen=CHUNKS)
        self._entries = self._chunks[0].entries

    def note(self, entry: Noted | Tick) -> None:
        entries = self._entries
        if len(entries) >= CHUNK_ENTRIES:
            entries = self._begin_chunk()
        entries.append(entry)

    def _begin_chunk(self) -> list[Noted | Tick]:
        standing = dict(self._chunks[-1].standing)
        for entry in self._entries:
            _follow(standing, entry)
        chunk = _Chunk(standing, [])
        self._chunks.append(chunk)
        self._entries = chunk.entries
        return chunk.entries

    def behind(self, seq: int) -> tuple[Tick, list[Source]] | None:
        """The tick of that number and what stood behind it, live quotes first; None where it is not here any more."""
        drops: deque[Noted] = deque(maxlen=DROPS_TOLD)
        for chunk in self._chunks:
            standing = dict(chunk.standing)
            for entry in chunk.entries:
                if isinstance(entry, Tick):
                    if entry.seq == seq:
                        return entry, _sources(entry, standing, drops)
                    continue
                _follow(standing, entry)
                if entry.drop is not None:
                    drops.append(entry)
        return None


def _follow(standing: dict[str, Noted], entry: Noted | Tick) -> None:
    if isinstance(entry, Tick):
        return
    if entry.drop is None:
        standing[entry.venue] = entry
    elif entry.leaves:
        standing.pop(entry.venue, None)


def _sources(tick: Tick, standing: Mapping[str, Noted], drops: deque[Noted]) -> list[Source]:
    since_ns = tick.time_ns - DROPS_TOLD_NS
    told = [*standing.values(), *(entry for entry in drops if entry.time_ns >= since_ns)]
    return [
        Source(entry.venue, entry.quote, entry.drop.value if entry.drop is not None else "", entry.time_ns)
        for entry in told
    ]
