"""The engine's actor when there is no room for its journal, on a real disk that is full."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from actors.bus import codec
from actors.bus.answers import AccountReport, OrderReport, Pong, Refusal
from actors.bus.pump import Stop
from actors.bus.requests import GetAccount, Ping
from actors.bus.streams import EventBatch
from actors.domain.commands import Deposit, OpenAccount
from actors.domain.events.orders import OrderFilled
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderReason, Side
from actors.engine import HEARTBEAT_NS
from actors.journaling.observations import Observations
from actors.journaling.room import RETRY_NS
from actors.store import recovery
from actors.store.reader import Reader
from tests.actors.engine_desk import DEFINED, Desk, alive_frame, events_in, ticks_frame
from tests.examples import ACCOUNT, INSTRUMENTS, START_NS, encoded, order, tick
from tools.verify import verify

BUY = Side.BUY
REFUSED = "JOURNAL_FULL"


class Disk(NamedTuple):
    journal: Path
    fill: Callable[[], None]
    free: Callable[[], None]


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Disk]:
    """A file system of 4 MiB."""
    folder, ballast = tmp_path / "disk", tmp_path / "disk" / "ballast"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("no file system can be mounted here")

    def fill() -> None:
        with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    yield Disk(folder / "journal" / "engine.sqlite", fill, ballast.unlink)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def disk(full_disk: Disk) -> Disk:
    return full_disk


@pytest.fixture
def full(disk: Disk) -> Desk:
    """An engine with a position that is stopped at 1.095, after the disk became full."""
    desk = Desk(disk.journal)
    desk.open()
    assert isinstance(desk.answer(order("EURUSD", BUY, "10000", "kept", stop_loss="1.095")), OrderReport)
    disk.fill()
    for number in range(100):
        answer = desk.answer(order("EURUSD", BUY, "1", f"more {number}"))
        if isinstance(answer, Refusal):
            assert answer.code == REFUSED
            return desk
    raise AssertionError("the disk is not full")


def durable(desk: Desk) -> bytes:
    """The state that the journal has, as another process reads it."""
    reader = Reader(desk.path)
    found = recovery.recover(desk.path, reader)
    reader.close()
    return encoded(found.state)


def test_the_state_stays_that_of_the_journal(full: Desk) -> None:
    assert encoded(full.state) == durable(full)
    before = durable(full)
    orders = [order("EURUSD", BUY, "1", f"no {number}") for number in range(50)]
    outbox = full.ask(START_NS + 1, ticks=[ticks_frame(tick("EURUSD", "1.09", "1.0902", 2))], requests=orders)
    assert events_in(outbox) == []
    assert encoded(full.state) == durable(full) == before


def test_commands_are_refused_and_questions_answered(full: Desk) -> None:
    """What was accepted before is still known: an order that is sent again is not said to be refused."""
    seq = full.state.event_seq
    account = full.answer(GetAccount(ACCOUNT))
    assert isinstance(account, AccountReport)
    assert account.seq == seq
    again = full.answer(order("EURUSD", BUY, "10000", "kept", stop_loss="1.095"))
    assert isinstance(again, OrderReport)
    assert (again.repeated, again.outcome.order.client_order_id) == (True, "kept")
    other = full.answer(order("EURUSD", BUY, "7", "kept"))
    assert isinstance(other, Refusal)
    assert other.code == "DUPLICATE_CLIENT_ORDER_ID"
    for command in (order("EURUSD", BUY, "1", "new"), OpenAccount(7, "EUR"), Deposit(ACCOUNT, 5, "key", "a")):
        refusal = full.answer(command)
        assert isinstance(refusal, Refusal)
        assert (refusal.code, "nothing was done" in refusal.detail) == (REFUSED, True)
    pong = full.answer(Ping())
    assert isinstance(pong, Pong)
    assert (pong.ready, pong.seq) == (False, seq)
    assert pong.detail.startswith("the journal cannot be written: ")


def test_it_says_that_it_lives_and_which_event_is_next(full: Desk) -> None:
    now_ns = START_NS + HEARTBEAT_NS + 1
    ((name, (frame,)),) = full.ask(now_ns)
    batch = codec.decoder(EventBatch)(codec.topic_and_body(frame)[1])
    assert (name, batch) == ("events", EventBatch(full.state.event_seq + 1, now_ns, []))


def test_it_resumes_by_itself_and_sees_the_prices_that_it_heard(full: Desk, disk: Disk) -> None:
    """The stop was reached while the disk was full, and the price is back since: it fills where it was reached."""
    position_id = next(iter(full.state.accounts[ACCOUNT].positions))
    reached, back = tick("EURUSD", "1.09", "1.0902", 2), tick("EURUSD", "1.2", "1.2002", 3)
    full.ask(START_NS + 2, ticks=[ticks_frame(reached)])
    full.ask(START_NS + 3, ticks=[ticks_frame(back), alive_frame(START_NS + 3, EURUSD=3)])
    assert full.state.ticks["EURUSD"].seq == 1
    disk.free()
    assert events_in(full.ask(START_NS + 4)) == [], "not yet: it tries once in a while"
    seq = full.state.event_seq
    outbox = full.ask(START_NS + 2 * RETRY_NS, requests=[order("EURUSD", BUY, "1", "again")])
    stopped, *others = events_in(outbox)
    assert isinstance(stopped, OrderFilled)
    assert (stopped.order.reason, stopped.fill.position_id) == (OrderReason.STOP_LOSS, position_id)
    assert (stopped.fill.price_e8, stopped.fill.tick_seq) == (e8("1.09"), 2)
    assert isinstance(others[-1], OrderFilled)
    assert others[-1].fill.price_e8 == e8("1.2002")
    assert full.answer(Ping(), START_NS + 2 * RETRY_NS) == Pong(True, "", seq + 1 + len(others))
    assert encoded(full.state) == durable(full)
    assert verify(full.path, lambda done, whole: None).events == full.state.event_seq


def test_it_tries_again_while_there_is_no_room(full: Desk, disk: Disk) -> None:
    for second in range(1, 40, 3):
        outbox = full.ask(START_NS + second * RETRY_NS, requests=[order("EURUSD", BUY, "1", f"later {second}")])
        assert events_in(outbox) == []
    disk.free()
    now_ns = START_NS + 100 * RETRY_NS
    full.ask(now_ns, ticks=[alive_frame(now_ns)])
    assert isinstance(full.answer(order("EURUSD", BUY, "1", "at last"), now_ns), OrderReport)


def test_a_stop_or_a_kill_then_loses_nothing(full: Desk, disk: Disk) -> None:
    before = durable(full)
    full.ask(START_NS + 1, ticks=[ticks_frame(tick("EURUSD", "1.2", "1.2002", 2))])
    full.actor.ask(Stop(START_NS + 2))
    disk.free()
    again = Desk(disk.journal)
    assert encoded(again.state) == before
    again.crash()


def test_definitions_wait_for_room_too(full_disk: Disk) -> None:
    """An engine that starts on a full disk for the first time."""
    desk = Desk(full_disk.journal)
    full_disk.fill()
    assert events_in(desk.ask(START_NS, requests=[Ping()])) == []
    assert desk.state.event_seq == 0
    full_disk.free()
    assert len(events_in(desk.ask(START_NS + 2 * RETRY_NS))) == DEFINED
    assert desk.state.event_seq == DEFINED
    desk.crash()


def test_prices_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit, of each symbol the newest price and the last sign of life."""
    monkeypatch.setattr("actors.journaling.observations.LIMIT_TICKS", 5)
    waiting = Observations()
    heard = [tick("EURUSD", "1.1", "1.2", seq) for seq in (1, 2, 4, 3)]
    other = tick("GBPUSD", "1.3", "1.4", 9)
    for frame in [ticks_frame(other), *(ticks_frame(each) for each in heard[:3])]:
        waiting.hear([frame], INSTRUMENTS)
    waiting.hear([alive_frame(START_NS)], INSTRUMENTS)
    assert len(list(waiting)) == 5
    waiting.hear([ticks_frame(heard[3])], INSTRUMENTS)
    kept = list(waiting)
    assert kept[0] == (other, heard[2])
    assert len(kept) == 2
    assert waiting.skipped == 3
