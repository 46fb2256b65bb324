"""Answers GetExplanation for the engine, one after the other, in processes beside it."""

from collections import deque
from pathlib import Path
from typing import NamedTuple

import msgspec

from actors.answering.reports import Answered
from actors.bus.answers import Refusal, Reply
from actors.bus.desk_answers import Explanation
from actors.errand import Errand, Failed

WAITING_LIMIT_QUESTIONS = 16
"""Another one is refused with UNAVAILABLE."""
ANSWER_LIMIT_NS = 30_000_000_000
"""One that takes longer is given up, for others wait: nobody waits so long for it, and tools.explain may."""

_TOO_MANY = Refusal("UNAVAILABLE", f"{WAITING_LIMIT_QUESTIONS} explanations are being worked out already")
_TOO_LONG = Refusal(
    "UNAVAILABLE",
    f"so old a fill was not explained within {ANSWER_LIMIT_NS // 10**9} s: python -m tools.explain does it",
)
_decode = msgspec.msgpack.Decoder(Explanation | Refusal).decode


class _Question(NamedTuple):
    asker: bytes
    request_id: int
    fill_id: int


class Explainer:
    """Those who asked get their answers in the order in which they asked."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal.absolute()
        self._waiting: deque[_Question] = deque()
        self._refused: list[_Question] = []
        self._errand: Errand | None = None
        self._begun_ns = 0

    def ask(self, asker: bytes, request_id: int, fill_id: int) -> None:
        question = _Question(asker, request_id, fill_id)
        (self._waiting if len(self._waiting) < WAITING_LIMIT_QUESTIONS else self._refused).append(question)

    def answers(self, now_ns: int) -> list[Answered]:
        """Who gets which answer now; starts on the next question."""
        told = [(asker, Reply(request_id, _TOO_MANY)) for asker, request_id, _ in self._refused]
        self._refused.clear()
        answer = self._answer(self._waiting[0].fill_id, now_ns) if self._waiting else None
        if answer is not None:
            asker, request_id, _ = self._waiting.popleft()
            told.append((asker, Reply(request_id, answer)))
        return told

    def _answer(self, fill_id: int, now_ns: int) -> Explanation | Refusal | None:
        """None while it is being worked out."""
        try:
            if self._errand is None:
                self._errand = Errand("actors.store.explaining", str(self._journal), str(fill_id))
                self._begun_ns = now_ns
            output = self._errand.result()
            if output is None and now_ns - self._begun_ns <= ANSWER_LIMIT_NS:
                return None
            if output is None:
                self._errand.stop()
            answer: Explanation | Refusal = _TOO_LONG if output is None else _decode(output)
        except (Failed, OSError, msgspec.DecodeError) as fault:
            answer = Refusal("UNAVAILABLE", f"the journal gave no explanation: {fault}")
        self._errand = None
        return answer

    def stop(self) -> None:
        """Whoever waits gets no answer."""
        self._waiting.clear()
        if self._errand is not None:
            self._errand.stop()
            self._errand = None
