"""The engine's actor over stops, crashes, a clock that is set back and a disk that fails."""

import sqlite3
from pathlib import Path

import msgspec
import pytest

from actors.bus import codec
from actors.bus.answers import OrderReport, Reply
from actors.bus.pump import Stop
from actors.domain.commands import Command, ObserveTicks, OpenAccount, SubmitOrder
from actors.domain.events.orders import OrderFilled, OrderRejected
from actors.domain.order import OrderType, Side
from actors.domain.snapshot import snapshot
from actors.domain.state import State
from actors.store import snapshots
from actors.store.reader import Reader
from actors.store.record import Turn
from tests.actors.engine_desk import Desk, alive_frame, events_in, events_message, ticks_frame
from tests.examples import ACCOUNT, SECOND_NS, START_NS, closing, order, terms, tick
from tools.verify import verify

BUY, SELL = Side.BUY, Side.SELL


TURNS: list[tuple[list[bytes], list[Command]]] = [
    ([], [order("EURUSD", BUY, "10000", "a", stop_loss="1.09"), order("EURGBP", SELL, "500", "b")]),
    ([ticks_frame(tick("EURUSD", "1.2", "1.2002", 2))], []),
    ([ticks_frame(tick("EURUSD", "1.08", "1.0802", 3))], [order("EURUSD", BUY, "9999999", "c")]),
    ([alive_frame(START_NS, EURUSD=3, EURGBP=7)], [closing(2, "d"), OpenAccount(5, "EUR")]),
]


@pytest.mark.parametrize("stopped", [True, False])
def test_after_a_restart_the_state_is_the_same(desk: Desk, journal_path: Path, stopped: bool) -> None:
    """After a stop by a snapshot, after a crash by the journal alone; and it goes on with the next number."""
    for number, (ticks, requests) in enumerate(TURNS, 1):
        desk.ask(START_NS + number, ticks=ticks, requests=requests)
    if stopped:
        desk.ask(START_NS + 5, ticks=[ticks_frame(tick("GBPUSD", "1.3", "1.3002", 2))])
        assert desk.actor.ask(Stop(START_NS + 6)) == []
    else:
        desk.crash()
    before = desk.encoded()
    again = Desk(journal_path)
    assert again.encoded() == before
    outbox = again.ask(START_NS + 9, requests=[TURNS[0][1][0], order("GBPUSD", BUY, "1", "new")])
    (event,) = events_in(outbox)
    assert outbox[0] == events_message(desk.state.event_seq + 1, START_NS + 9, event)
    repeated = codec.decoder(Reply)(outbox[1][1][1]).body
    assert isinstance(repeated, OrderReport)
    assert (repeated.repeated, repeated.outcome) == (True, desk.state.accounts[ACCOUNT].outcomes["a"])


def test_a_stop_commits_what_waits_and_keeps_a_snapshot(desk: Desk, journal_path: Path) -> None:
    seen = tick("GBPUSD", "1.3", "1.3002", 2)
    desk.ask(START_NS + 1, ticks=[ticks_frame(seen)])
    desk.actor.ask(Stop(START_NS + 2))
    database = sqlite3.connect(journal_path)
    ((inputs,),) = database.execute("SELECT turns FROM batches ORDER BY batch_seq DESC LIMIT 1").fetchall()
    (last,) = database.execute("SELECT max(batch_seq) FROM batches").fetchone()
    database.close()
    assert msgspec.msgpack.decode(inputs, type=list[Turn]) == [Turn(START_NS + 1, [ObserveTicks((seen,))], [0])]
    (kept,) = snapshots.listed(journal_path)
    assert (kept.batch_seq, snapshots.load(kept).state_hash) == (last, snapshots.state_hash(desk.state))


@pytest.mark.parametrize("stopped", [True, False])
def test_the_engines_time_never_falls(desk: Desk, journal_path: Path, stopped: bool) -> None:
    """Not when the clock is set back, and not over a restart."""
    desk.ask(START_NS + 50, requests=[order("EURUSD", BUY, "1", "a")])
    (event,) = events_in(desk.ask(START_NS - SECOND_NS, requests=[order("EURUSD", BUY, "1", "b")]))
    assert isinstance(event, OrderFilled)
    assert event.fill.time_ns == START_NS + 50
    if stopped:
        desk.actor.ask(Stop(START_NS - SECOND_NS))
    else:
        desk.crash()
    again = Desk(journal_path)
    assert again.last_ns == START_NS + 50
    price = ticks_frame(tick("EURUSD", "1.1", "1.1002", 1))
    (event,) = events_in(again.ask(START_NS - SECOND_NS, ticks=[price], requests=[order("EURUSD", BUY, "1", "c")]))
    assert isinstance(event, OrderFilled)
    assert event.fill.time_ns == START_NS + 50


@pytest.mark.parametrize("stopped", [True, False])
def test_a_price_from_before_a_restart_is_not_dealt_on(desk: Desk, journal_path: Path, stopped: bool) -> None:
    """However quick the restart was, until the stream gives it again."""
    if stopped:
        desk.actor.ask(Stop(START_NS))
    else:
        desk.crash()
    again = Desk(journal_path)
    (event,) = events_in(again.ask(START_NS + 1, requests=[order("EURUSD", BUY, "1", "a")]))
    assert isinstance(event, OrderRejected)
    assert event.code == "NO_PRICE"


def test_without_the_journal_there_is_no_answer(desk: Desk, journal_path: Path) -> None:
    """The disk fails the commit: nothing leaves the engine, and the next one knows nothing of the order."""
    before = desk.encoded()
    desk.journal._db.execute("PRAGMA query_only = 1")
    with pytest.raises(sqlite3.Error):
        desk.ask(START_NS, requests=[order("EURUSD", BUY, "1")])
    desk.crash()
    again = Desk(journal_path)
    assert again.encoded() == before
    assert again.answer(order("EURUSD", BUY, "1")) is not None


def test_a_stop_that_follows_has_its_peak_after_a_crash(desk: Desk, journal_path: Path) -> None:
    """One frame has the tick that fills the order and the ticks after it; the last comes with a dead price above."""
    trailing = terms("EURUSD", BUY, "1000", OrderType.LIMIT, limit="1.09", trailing_stop="0.01")
    desk.ask(START_NS + 1, requests=[SubmitOrder(ACCOUNT, "a", trailing)])
    prices = [("1.08980", "1.09000"), ("1.09500", "1.09520"), ("1.09200", "1.09220")]
    ticks = [tick("EURUSD", bid, ask, seq) for seq, (bid, ask) in enumerate(prices, 2)]
    dead = tick("EURUSD", "1.09900", "1.09920", 5, live=False)
    (event,) = events_in(desk.ask(START_NS + 2, ticks=[ticks_frame(*ticks, dead)]))
    assert isinstance(event, OrderFilled)
    desk.crash()
    again = Desk(journal_path)
    assert again.encoded() == desk.encoded()
    assert events_in(again.ask(START_NS + 3, ticks=[ticks_frame(tick("EURUSD", "1.08501", "1.08521", 6))])) == []
    assert len(events_in(again.ask(START_NS + 4, ticks=[ticks_frame(tick("EURUSD", "1.085", "1.0852", 7))]))) == 1
    again.crash()


def test_a_fresh_state_is_what_a_fresh_journal_gives(journal_path: Path) -> None:
    desk = Desk(journal_path, [])
    assert (desk.encoded(), desk.last_ns) == (msgspec.msgpack.encode(snapshot(State())), 0)
    assert desk.ask(5) == []
    desk.crash()


def test_each_input_is_journalled_at_the_time_when_it_came(desk: Desk, journal_path: Path) -> None:
    """A tick that waited and the order after it are one commit of two moments, and come out again the same."""
    seen = tick("EURUSD", "1.2", "1.2002", 2)
    desk.ask(START_NS + 1, ticks=[ticks_frame(seen)])
    first = order("EURUSD", BUY, "1", "a")
    desk.ask(START_NS + 2, requests=[first])
    reader = Reader(journal_path)
    row = reader.row(reader.last_batch_seq())
    reader.close()
    turns = msgspec.msgpack.decode(row.turns, type=list[Turn])
    assert turns == [Turn(START_NS + 1, [ObserveTicks((seen,))], [0]), Turn(START_NS + 2, [first], [1])]
    assert row.now_ns == START_NS + 2
    assert verify(journal_path, lambda done, whole: None).state_hash == snapshots.state_hash(desk.state)
