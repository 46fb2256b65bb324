"""Which ticks are asked about. That the answers come back from PostgreSQL is in tests/tools/test_explain.py."""

import msgspec

from actors.bus.requests import GetSources
from actors.domain.events.orders import OrderFilled
from actors.store.sources import ANSWER_NS, ASKED_MAX_TICKS, WAITING_MAX_TICKS, SourceIntake
from tests.examples import START_NS
from tests.store.facts import filled


def fill(seq: int) -> OrderFilled:
    made = filled(1)
    return msgspec.structs.replace(made, fill=msgspec.structs.replace(made.fill, tick_seq=seq))


SYMBOL = "EURUSD"


def test_each_tick_of_a_fill_is_asked_about_once() -> None:
    intake = SourceIntake()
    intake.take([fill(7), fill(7), fill(0), fill(8)])
    assert intake.questions(START_NS) == [GetSources(SYMBOL, 7), GetSources(SYMBOL, 8)]
    intake.answered(SYMBOL, 7, True)
    intake.answered(SYMBOL, 8, False)
    intake.take([fill(7), fill(8)])
    assert (intake.questions(START_NS), intake.lost) == ([], 1)


def test_only_so_many_questions_are_on_their_way() -> None:
    intake = SourceIntake()
    intake.take(fill(seq) for seq in range(1, ASKED_MAX_TICKS + 3))
    assert len(intake.questions(START_NS)) == ASKED_MAX_TICKS
    assert intake.questions(START_NS) == []
    intake.answered(SYMBOL, 3, True)
    assert intake.questions(START_NS) == [GetSources(SYMBOL, ASKED_MAX_TICKS + 1)]
    assert intake.questions(START_NS + ANSWER_NS + 1) == [GetSources(SYMBOL, ASKED_MAX_TICKS + 2)]
    assert intake.lost == ASKED_MAX_TICKS


def test_the_oldest_go_when_too_many_wait() -> None:
    intake = SourceIntake()
    intake.take(fill(seq) for seq in range(1, WAITING_MAX_TICKS + 6))
    assert (intake.lost, intake.questions(START_NS)[0]) == (5, GetSources(SYMBOL, 6))
