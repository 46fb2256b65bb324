"""What the engine has heard of the prices since its last commit: it can be seen again if that commit fails."""

from collections.abc import Container, Iterator

from actors.bus import codec, topics
from actors.bus.streams import StreamAlive
from actors.domain.quote import Tick, is_sound

LIMIT_TICKS = 100_000
"""More are not kept one by one: of each symbol the newest is, and the price jumps to it."""

Observation = tuple[Tick, ...] | StreamAlive


_decode_ticks = codec.decoder(tuple[Tick, ...])
_decode_alive = codec.decoder(StreamAlive)


class Observations:
    """In order; bounded."""

    def __init__(self) -> None:
        self._kept: list[Observation] = []
        self._ticks = 0
        self.skipped = 0
        """Ticks that were left out at the limit."""
        self.bad_frames = 0
        self.bad_ticks = 0

    def hear(self, frames: list[bytes], symbols: Container[str]) -> Observation | None:
        """What a message of the price stream says, or None where that is nothing of use, which is counted."""
        try:
            (frame,) = frames
            topic, body = codec.topic_and_body(frame)
            heard: Observation
            if topic == topics.ALIVE:
                heard = _decode_alive(body)
            else:
                ticks = _decode_ticks(body)
                heard = tuple(tick for tick in ticks if tick.symbol in symbols and is_sound(tick))
                self.bad_ticks += len(ticks) - len(heard)
                if not heard:
                    return None
        except (ValueError, codec.BadFrame):
            self.bad_frames += 1
            return None
        self._add(heard)
        return heard

    def _add(self, seen: Observation) -> None:
        self._kept.append(seen)
        self._ticks += 1 if isinstance(seen, StreamAlive) else len(seen)
        if self._ticks > LIMIT_TICKS:
            self._keep_the_newest()

    def clear(self) -> None:
        self._kept = []
        self._ticks = 0

    def __iter__(self) -> Iterator[Observation]:
        return iter(self._kept)

    def _keep_the_newest(self) -> None:
        newest: dict[str, Tick] = {}
        alive: StreamAlive | None = None
        for seen in self._kept:
            if isinstance(seen, StreamAlive):
                alive = seen
                continue
            for tick in seen:
                known = newest.get(tick.symbol)
                if known is None or tick.seq > known.seq or not known.live:
                    newest[tick.symbol] = tick
        before = self._ticks
        self.clear()
        self._kept.append(tuple(newest.values()))
        self._ticks = len(newest)
        if alive is not None:
            self._kept.append(alive)
            self._ticks += 1
        self.skipped += before - self._ticks
