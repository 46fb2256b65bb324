"""What the engine leaves to processes beside it: explanations, snapshots, compressed files."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from actors.answering.explainer import ANSWER_LIMIT_NS, WAITING_LIMIT_QUESTIONS
from actors.bus import codec
from actors.bus.answers import Refusal, Reply
from actors.bus.desk_answers import Explanation
from actors.bus.pump import Outbox, Stop
from actors.bus.requests import EngineRequest, GetExplanation
from actors.domain.events.orders import OrderFilled
from actors.store import segments, snapshots
from actors.store.journal import DAY_NS
from tests.actors.engine_desk import ASKER, Desk, events_in, ticks_frame
from tests.examples import START_NS, order, tick
from tests.store.turns import BUY
from tools.verify import verify

LATER_NS = START_NS + 1_000_000


def late_answer(desk: Desk, request_id: int, now_ns: int = LATER_NS, told: Outbox | None = None) -> object:
    """The reply that comes in one of the turns to come, or has come already with what was `told`."""
    outbox = told or []
    for turn in range(1, 9_000):
        for asker, *frames in (frames for name, frames in outbox if name == "requests"):
            assert asker == ASKER
            replies: list[Reply] = [codec.decoder(Reply)(frame) for frame in frames]
            if found := [reply.body for reply in replies if reply.request_id == request_id]:
                return found[0]
        time.sleep(0.01)
        outbox = desk.ask(now_ns + turn)
    raise AssertionError("no answer")


def test_the_engine_answers_when_it_is_worked_out(desk: Desk) -> None:
    """And goes on meanwhile."""
    desk.answer(order("EURUSD", BUY, "10000", "a"))
    assert desk.ask(LATER_NS, requests=[EngineRequest(7, GetExplanation(1))]) == []
    seen = [ticks_frame(tick("GBPUSD", "1.26", "1.2602", 2))]
    outbox = desk.ask(LATER_NS, ticks=seen, requests=[order("GBPUSD", BUY, "1", "b")])
    (filled,) = events_in(outbox)
    assert isinstance(filled, OrderFilled)
    told = late_answer(desk, 7, told=outbox)
    assert isinstance(told, Explanation)
    assert (told.fill.fill_id, told.after.margin_minor) == (1, 366_37)
    desk.ask(LATER_NS + 5_000, requests=[GetExplanation(9)])
    assert late_answer(desk, 1) == Refusal("UNKNOWN_FILL", "there is no fill 9", "fill_id")
    desk.actor.ask(Stop(LATER_NS + 10_000))


def test_what_takes_too_long_is_given_up_and_the_next_is_answered(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.answer(order("EURUSD", BUY, "10000", "a"))
    endless = tmp_path / "endless"
    endless.write_text("#!/bin/sh\nexec sleep 600\n")
    endless.chmod(0o700)
    with monkeypatch.context() as slow:
        slow.setattr("sys.executable", str(endless))
        assert desk.ask(LATER_NS, requests=[GetExplanation(1)]) == []
    told = late_answer(desk, 1, LATER_NS + ANSWER_LIMIT_NS)
    assert isinstance(told, Refusal)
    assert (told.code, "not explained within 30 s" in told.detail) == ("UNAVAILABLE", True)
    later_ns = LATER_NS + 2 * ANSWER_LIMIT_NS
    desk.ask(later_ns, requests=[GetExplanation(1)])
    assert isinstance(late_answer(desk, 1, later_ns), Explanation)
    desk.actor.ask(Stop(later_ns + 10_000))


def test_too_many_questions_are_refused(desk: Desk) -> None:
    questions = [GetExplanation(number) for number in range(WAITING_LIMIT_QUESTIONS + 1)]
    ((_, (_, frame)),) = desk.ask(LATER_NS, requests=questions)
    reply: Reply = codec.decoder(Reply)(frame)
    assert reply.request_id == len(questions)
    assert isinstance(reply.body, Refusal)
    assert reply.body.code == "UNAVAILABLE"
    desk.actor.ask(Stop(LATER_NS + 1))


def wait_for(desk: Desk, now_ns: int, is_done: Callable[[], bool]) -> None:
    for turn in range(9_000):
        desk.ask(now_ns + turn)
        if is_done():
            return
        time.sleep(0.01)
    raise AssertionError("it never was")


def newer_snapshot(journal_path: Path, known: list[snapshots.Kept]) -> bool:
    return snapshots.listed(journal_path)[:1] != known[:1]


def test_snapshots_and_archives_are_made_beside_it(
    desk: Desk, journal_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many records; it answers meanwhile, and what it left behind is what verify proves."""
    monkeypatch.setattr("actors.journaling.keeping.SNAPSHOT_EVERY_RECORDS", 50)
    now_ns = START_NS
    for day in range(3):
        now_ns = START_NS + day * DAY_NS
        known = snapshots.listed(journal_path)
        for number in range(30):
            desk.ask(now_ns + number, ticks=[ticks_frame(tick("EURUSD", "1.1", "1.1002", 100 * day + number + 2))])
            desk.ask(now_ns + number, requests=[order("EURUSD", BUY, "1", f"{day}-{number}")])
        wait_for(desk, now_ns + 1_000, partial(newer_snapshot, journal_path, known))
    wait_for(desk, now_ns + 5_000, lambda: segments.listed(journal_path)[0].path.suffix == segments.ARCHIVE)
    assert len(segments.listed(journal_path)) == 3
    desk.actor.ask(Stop(now_ns + 10_000))
    assert len(snapshots.listed(journal_path)) == snapshots.SNAPSHOTS_KEPT
    found = verify(journal_path, lambda done, whole: None)
    assert found.state_hash == snapshots.state_hash(desk.state)


def test_an_errand_that_fails_is_no_harm(desk: Desk, journal_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot cannot be made: the engine says so and goes on, and tries again."""
    monkeypatch.setattr("actors.journaling.keeping.SNAPSHOT_EVERY_RECORDS", 5)
    blocked = journal_path.with_suffix(".keeper")
    blocked.mkdir()
    for number in range(10):
        desk.ask(START_NS + number, requests=[order("EURUSD", BUY, "1", f"{number}")])
    wait_for(desk, START_NS + 100, lambda: not desk.engine._keeping.is_at_work)
    assert snapshots.listed(journal_path) == []
    blocked.rmdir()
    for number in range(10, 20):
        desk.ask(START_NS + 5_000 + number, requests=[order("EURUSD", BUY, "1", f"{number}")])
    wait_for(desk, START_NS + 6_000, lambda: len(snapshots.listed(journal_path)) > 0)
    desk.actor.ask(Stop(START_NS + 20_000))


def test_a_process_that_cannot_be_started_is_no_harm(
    desk: Desk, journal_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.journaling.keeping.SNAPSHOT_EVERY_RECORDS", 5)
    with monkeypatch.context() as without:
        without.setattr("sys.executable", str(journal_path / "nothing"))
        for number in range(10):
            desk.ask(START_NS + number, requests=[order("EURUSD", BUY, "1", f"{number}")])
    assert not desk.engine._keeping.is_at_work
    for number in range(10, 20):
        desk.ask(START_NS + 5_000 + number, requests=[order("EURUSD", BUY, "1", f"{number}")])
    wait_for(desk, START_NS + 6_000, lambda: len(snapshots.listed(journal_path)) > 0)
    desk.actor.ask(Stop(START_NS + 20_000))
