"""The last ticks of one symbol, for whoever missed some: kept as the frames in which they were published."""

from collections import deque
from typing import NamedTuple

from actors.bus import codec
from actors.domain.quote import Tick

BACKLOG_TICKS = 10_000
"""So many are kept, and what came in one frame with the oldest of them; older ones are history's alone."""
FRAME_TICKS = 5_000
"""So many ticks at most in one message: they fit a frame of the bus."""

_decode = codec.decoder(list[Tick])


class _Frame(NamedTuple):
    last_seq: int
    ticks: int
    frame: bytes


class Backlog:
    def __init__(self, topic: bytes) -> None:
        """`topic`: that of the symbol's ticks."""
        self._topic = topic
        self._frames: deque[_Frame] = deque()
        self._ticks = 0

    def publish(self, ticks: list[Tick]) -> list[bytes]:
        """Keeps new ticks; gives the frames that tell them."""
        made = []
        for start in range(0, len(ticks), FRAME_TICKS):
            batch = ticks[start : start + FRAME_TICKS]
            frame = codec.encode(batch, self._topic)
            made.append(frame)
            self._frames.append(_Frame(batch[-1].seq, len(batch), frame))
            self._ticks += len(batch)
        while self._ticks - self._frames[0].ticks >= BACKLOG_TICKS:
            self._ticks -= self._frames.popleft().ticks
        return made

    def after(self, seq: int) -> list[Tick]:
        """The first FRAME_TICKS of those that are kept and have a higher number."""
        found: list[Tick] = []
        for last_seq, _, frame in self._frames:
            if last_seq > seq and len(found) < FRAME_TICKS:
                found += [tick for tick in _decode(frame[len(self._topic) :]) if tick.seq > seq]
        return found[:FRAME_TICKS]
