"""The instruments as the engine has them, for a process that is no follower of its events: asked for once a second."""

from collections.abc import Mapping

from actors.bus import codec
from actors.bus.answers import Instruments, Reply
from actors.bus.requests import EngineRequest, GetInstruments
from actors.domain.instrument import Instrument

PAUSE_NS = 1_000_000_000
"""Between one question and the next: so late a change is known here."""

_decode = codec.decoder(Reply)


class Listed:
    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        """`instruments`: those of configuration, which hold until the engine says something else."""
        self.instruments = dict(instruments)
        self.bad_frames = 0
        self._version = 0
        self._asked_ns = 0

    def question(self, now_ns: int) -> list[bytes]:
        """The frame for the engine, if it is time; what went unanswered is asked again."""
        if now_ns - self._asked_ns < PAUSE_NS:
            return []
        self._asked_ns = now_ns
        return [codec.encode(EngineRequest(1, GetInstruments(self._version)))]

    def hear(self, messages: list[list[bytes]]) -> bool:
        """The engine's answers; whether they say something new."""
        is_new = False
        for frames in messages:
            for frame in frames:
                try:
                    answer = _decode(frame).body
                except codec.BadFrame:
                    self.bad_frames += 1
                    continue
                if isinstance(answer, Instruments) and answer.instruments and answer.version != self._version:
                    self._version = answer.version
                    self.instruments = {it.symbol: it for it in answer.instruments}
                    is_new = True
        return is_new
