"""Every question that the engine may be asked has somebody who answers it."""

from typing import get_args

from actors.answering.questions import QUESTIONS
from actors.bus.requests import EngineQuery, GetEvents, GetExplanation, Ping

FROM_ELSEWHERE = (Ping, GetEvents, GetExplanation)
"""Answered from the journal, or from what only the engine's actor knows."""


def test_each_question_is_in_the_table_or_is_answered_from_elsewhere() -> None:
    assert {*QUESTIONS, *FROM_ELSEWHERE} == set(get_args(EngineQuery))
    assert not {*QUESTIONS} & {*FROM_ELSEWHERE}
