"""The streams put in order: every number once, in order, and nothing later before what is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.bus.requests import GetEvents, GetTicks
from actors.bus.streams import EventBatch
from actors.domain.events.accounts import AccountOpened
from actors.domain.quote import Tick
from actors.store import intake
from actors.store.intake import STALE_NS, EventIntake, TickIntake
from tests.store import facts

SECOND_NS = 1_000_000_000


def numbers(ticks: list[Tick]) -> list[int]:
    return [tick.seq for tick in ticks]


def started(stored_seq: int) -> TickIntake:
    made = TickIntake("EURUSD")
    assert made.start(stored_seq) == []
    return made


def test_ticks_that_follow_go_through() -> None:
    stream = started(4)
    assert numbers(stream.receive(facts.ticks("EURUSD", 5, 3))) == [5, 6, 7]
    assert stream.question(0) == ([], None)


def test_a_tick_known_already_does_not() -> None:
    stream = started(4)
    assert stream.receive(facts.ticks("EURUSD", 3, 2)) == []
    assert stream.repeated == 2


def test_later_ticks_wait_for_the_answer() -> None:
    stream = started(4)
    assert stream.receive(facts.ticks("EURUSD", 8, 2)) == []
    assert stream.question(0) == ([], GetTicks("EURUSD", 4))
    assert stream.question(1) == ([], None)
    assert numbers(stream.receive_answer(facts.ticks("EURUSD", 5, 4))) == [5, 6, 7, 8, 9]
    assert stream.gaps == 0


def test_an_answer_of_several_pages_is_asked_for_page_by_page() -> None:
    stream = started(4)
    stream.receive(facts.ticks("EURUSD", 9, 1))
    stream.question(0)
    assert numbers(stream.receive_answer(facts.ticks("EURUSD", 5, 2))) == [5, 6]
    assert stream.question(0) == ([], GetTicks("EURUSD", 6))
    assert numbers(stream.receive_answer(facts.ticks("EURUSD", 7, 2))) == [7, 8, 9]


def test_what_nobody_has_is_a_gap() -> None:
    stream = started(4)
    stream.receive(facts.ticks("EURUSD", 8, 2))
    stream.question(0)
    assert numbers(stream.receive_answer(facts.ticks("EURUSD", 7, 3))) == [7, 8, 9]
    assert stream.gaps == 1
    stream.receive(facts.ticks("EURUSD", 12, 1))
    stream.question(0)
    assert numbers(stream.receive_answer([])) == [12]
    assert stream.gaps == 2


def test_the_first_tick_ever_follows_no_gap() -> None:
    stream = started(0)
    assert stream.receive(facts.ticks("EURUSD", 1_000, 1)) == []
    assert stream.question(0) == ([], GetTicks("EURUSD", 0))
    assert numbers(stream.receive_answer(facts.ticks("EURUSD", 990, 11))) == list(range(990, 1_001))
    assert stream.gaps == 0


def test_a_heartbeat_shows_that_the_last_ticks_were_lost() -> None:
    stream = started(4)
    stream.receive_alive(6)
    assert stream.question(0) == ([], GetTicks("EURUSD", 4))
    assert numbers(stream.receive_answer(facts.ticks("EURUSD", 5, 2))) == [5, 6]
    assert stream.question(0) == ([], None)


def test_who_does_not_answer_is_asked_a_few_times_and_no_more() -> None:
    stream = started(4)
    stream.receive(facts.ticks("EURUSD", 8, 1))
    asked = [stream.question(number * SECOND_NS) for number in range(intake.QUESTIONS_MAX + 1)]
    assert asked[:-1] == [([], GetTicks("EURUSD", 4))] * intake.QUESTIONS_MAX
    assert (numbers(asked[-1][0]), asked[-1][1]) == ([8], None)
    assert stream.gaps == 1


def test_ticks_wait_until_it_is_known_which_are_stored() -> None:
    stream = TickIntake("EURUSD")
    assert stream.receive(facts.ticks("EURUSD", 3, 4)) == []
    assert stream.question(0) == ([], None)
    assert numbers(stream.start(4)) == [5, 6]


def test_only_so_many_ticks_wait() -> None:
    unstarted, stream = TickIntake("EURUSD"), started(1)
    ticks = facts.ticks("EURUSD", 10, intake.HELD_TICKS_MAX + 5)
    assert unstarted.receive(ticks) == []
    assert unstarted.dropped == 5
    assert stream.receive(ticks) == ticks
    assert stream.gaps == 1


@given(st.data())
def test_everything_in_the_backlog_goes_through_once_and_in_order(data: st.DataObject) -> None:
    """Whatever the stream loses, repeats or delays, and however few ticks an answer holds."""
    backlog = facts.ticks("EURUSD", 1, data.draw(st.integers(1, 60)))
    stream, through, sent = started(0), [], 0
    while sent < len(backlog):
        count = data.draw(st.integers(1, 10))
        part = backlog[sent : sent + count]
        sent += len(part)
        if data.draw(st.booleans()):
            part = backlog[max(0, sent - data.draw(st.integers(1, 15))) : sent]
            through += stream.receive(part)
        if data.draw(st.booleans()):
            stream.receive_alive(sent)
        ready, question = stream.question(sent * SECOND_NS)
        through += ready
        if question is not None and data.draw(st.booleans()):
            kept = [tick for tick in backlog[:sent] if tick.seq > question.after_seq]
            through += stream.receive_answer(kept[: data.draw(st.integers(1, 8))])
    for number in range(200):
        stream.receive_alive(sent)
        ready, question = stream.question((sent + number + 1) * SECOND_NS)
        through += ready
        if question is not None:
            through += stream.receive_answer(backlog[question.after_seq :][:5])
    assert numbers(through) == sorted(set(numbers(through)))
    missing = [tick for tick in backlog if tick not in through]
    assert not missing or stream.gaps


def batch(first_seq: int, count: int, time_ns: int = 0) -> EventBatch:
    """Event 7 opens account 7, so that each can be told from the others."""
    return EventBatch(
        first_seq, time_ns, [AccountOpened(number, "USD") for number in range(first_seq, first_seq + count)]
    )


def event_stream(stored_seq: int) -> EventIntake:
    """One that has caught up."""
    made = EventIntake()
    made.start(stored_seq)
    assert made.question(0) == GetEvents(stored_seq + 1)
    assert made.receive_answer([]) == []
    return made


def test_events_that_follow_go_through() -> None:
    stream = event_stream(3)
    assert stream.receive(batch(4, 2), room=True) == [batch(4, 2)]
    assert stream.receive(batch(6, 1), room=True) == [batch(6, 1)]
    assert stream.question(10 * SECOND_NS) is None


def test_events_do_not_go_through_before_it_is_known_which_are_stored() -> None:
    stream = EventIntake()
    assert stream.receive(batch(1, 2), room=True) == []
    assert stream.question(0) is None


def test_later_events_wait_for_the_answer() -> None:
    stream = event_stream(3)
    assert stream.receive(batch(8, 2), room=True) == []
    assert stream.question(SECOND_NS) == GetEvents(4)
    assert stream.receive_answer([batch(4, 2)]) == [batch(4, 2)]
    assert stream.question(SECOND_NS) == GetEvents(6)
    assert stream.receive_answer([batch(6, 2), batch(8, 2)]) == [batch(6, 2), batch(8, 2)]
    assert stream.question(SECOND_NS) == GetEvents(10)
    assert stream.receive_answer([batch(8, 2)]) == []
    assert stream.question(9 * SECOND_NS) is None


def test_of_a_batch_half_known_the_rest_goes_through() -> None:
    stream = event_stream(3)
    assert stream.receive(batch(2, 4), room=True) == [batch(4, 2)]
    assert stream.repeated == 2


def test_a_heartbeat_shows_that_the_last_events_were_lost() -> None:
    stream = event_stream(3)
    assert stream.receive(batch(6, 0), room=True) == []
    assert stream.question(SECOND_NS) == GetEvents(4)


def test_without_room_events_are_asked_for_later() -> None:
    stream = event_stream(3)
    assert stream.receive(batch(4, 2), room=False) == []
    assert stream.question(SECOND_NS) == GetEvents(4)


def test_an_engine_that_says_nothing_is_not_asked_again() -> None:
    stream = EventIntake()
    stream.start(0)
    assert stream.question(0) == GetEvents(1)
    assert stream.question(100 * SECOND_NS) is None
    stream.receive(batch(5, 0), room=True)
    assert stream.question(100 * SECOND_NS) == GetEvents(1)


def test_a_journal_with_a_hole_is_a_fault() -> None:
    stream = event_stream(3)
    stream.receive(batch(9, 1), room=True)
    stream.question(SECOND_NS)
    assert stream.receive_answer([batch(6, 4)]) == []
    assert stream.fault == "the engine's journal has no event 4, the next is 6"


def test_an_engine_that_fell_back_is_a_fault_until_the_next_start() -> None:
    """Its events from 5 on are others than those that are stored, and so are those after 30."""
    stream = event_stream(30)
    assert stream.receive(batch(31, 1, SECOND_NS), room=True) == [batch(31, 1, SECOND_NS)]
    late_ns = SECOND_NS + STALE_NS + 1
    assert stream.receive(batch(5, 2, late_ns), room=True) == []
    assert stream.fault == "event 31 is stored, and the engine is at 4: another journal?"
    assert stream.receive(batch(7, 40, late_ns), room=True) == []
    assert stream.receive(batch(47, 0, late_ns), room=True) == []
    assert stream.receive_answer([batch(32, 9, late_ns)]) == []
    assert stream.question(late_ns) is None
    assert stream.fault == "event 31 is stored, and the engine is at 4: another journal?"
    stream.start(46)
    assert stream.fault == ""
    assert stream.receive(batch(47, 1, late_ns), room=True) == [batch(47, 1, late_ns)]


def proving(stored_seq: int, stored_ns: int) -> EventIntake:
    """One that knows when the last stored event was committed, and has asked for it."""
    made = EventIntake()
    made.start(stored_seq, stored_ns)
    assert made.question(0) == GetEvents(stored_seq)
    return made


def test_events_go_on_where_the_engine_has_the_stored_one_of_that_time() -> None:
    stream = proving(5, SECOND_NS)
    assert stream.receive(batch(6, 2, 2 * SECOND_NS), room=True) == []
    assert stream.receive_answer([batch(4, 2, SECOND_NS)]) == [batch(6, 2, 2 * SECOND_NS)]
    assert stream.receive(batch(8, 1, 3 * SECOND_NS), room=True) == [batch(8, 1, 3 * SECOND_NS)]
    assert (stream.fault, stream.question(9 * SECOND_NS)) == ("", GetEvents(9))


def test_an_answer_with_the_stored_event_may_have_more() -> None:
    stream = proving(5, SECOND_NS)
    page_of = [batch(5, 1, SECOND_NS), batch(6, 2, 2 * SECOND_NS)]
    assert stream.receive_answer(page_of) == [batch(6, 2, 2 * SECOND_NS)]
    assert stream.question(9 * SECOND_NS) == GetEvents(8)
    assert stream.receive_answer([]) == []
    assert stream.question(99 * SECOND_NS) is None


@pytest.mark.parametrize("answer", [[batch(4, 9, 2 * SECOND_NS)], [batch(6, 9, SECOND_NS)], []])
def test_an_engine_that_has_another_event_under_the_stored_number_is_a_fault(answer: list[EventBatch]) -> None:
    """It was brought back from a backup, and has gone on past the number since."""
    stream = proving(5, SECOND_NS)
    assert stream.receive(batch(6, 2, 3 * SECOND_NS), room=True) == []
    assert stream.receive_answer(answer) == []
    assert stream.fault == "event 5 is stored, and the engine has another one or none: another journal?"
    assert stream.receive(batch(8, 2, 4 * SECOND_NS), room=True) == []
    assert stream.question(99 * SECOND_NS) is None
    stream.start(0)
    assert stream.fault == ""


def test_what_the_engine_said_before_is_no_fault() -> None:
    """Another process has stored what the stream still holds; and a heartbeat may come after a later answer."""
    stream = event_stream(30)
    for seq in (5, 20):
        assert stream.receive(batch(seq, 0, seq * SECOND_NS // 20), room=True) == []
        assert stream.receive(batch(seq, 3, seq * SECOND_NS // 20), room=True) == []
    assert stream.receive_answer([batch(31, 4, 9 * SECOND_NS)]) == [batch(31, 4, 9 * SECOND_NS)]
    assert stream.receive(batch(33, 0, 8 * SECOND_NS), room=True) == []
    assert (stream.fault, stream.question(99 * SECOND_NS)) == ("", None)


@given(st.data())
def test_every_event_goes_through_once_and_in_order(data: st.DataObject) -> None:
    stream, through, journal, next_seq = EventIntake(), [], [], 1
    stream.start(0)
    now_ns = 0
    for _ in range(data.draw(st.integers(1, 20))):
        now_ns += SECOND_NS
        made = batch(next_seq, data.draw(st.integers(1, 4)))
        journal.append(made)
        next_seq += len(made.events)
        if data.draw(st.booleans()):
            through += stream.receive(made, room=data.draw(st.booleans()))
        question = stream.question(now_ns)
        if question and data.draw(st.booleans()):
            through += stream.receive_answer(page(journal, question, data.draw(st.integers(1, 3))))
    for _ in range(30):
        now_ns += SECOND_NS
        through += stream.receive(batch(next_seq, 0), room=True)
        question = stream.question(now_ns)
        if question:
            through += stream.receive_answer(page(journal, question, 3))
    assert [event for part in through for event in part.events] == batch(1, next_seq - 1).events
    assert stream.fault == ""


def page(journal: list[EventBatch], question: GetEvents, count: int) -> list[EventBatch]:
    return [made for made in journal if made.first_seq + len(made.events) > question.first_seq][:count]
