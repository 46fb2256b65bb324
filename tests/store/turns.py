"""Turns of an engine without its actor: applied, then made durable."""

import sqlite3
from pathlib import Path

from actors.domain.broker import apply
from actors.domain.commands import Input, ObserveStream, ObserveTicks
from actors.domain.events.event import Event
from actors.domain.order import Side
from actors.domain.refusal import Refused
from actors.domain.state import State
from actors.store.journal import Journal
from actors.store.record import Turn
from tests.examples import START_NS, closing, encoded, order, tick, trading_inputs

BUY, SELL = Side.BUY, Side.SELL
TURNS: list[list[Input]] = [
    trading_inputs(),
    [order("EURUSD", BUY, "10000", "a", stop_loss="1.09"), order("EURGBP", SELL, "500", "b")],
    [ObserveTicks((tick("EURUSD", "1.105", "1.1052", 2),))],
    [ObserveTicks((tick("EURUSD", "1.08", "1.0802", 3),)), order("GBPUSD", SELL, "1", "c")],
    [ObserveStream(START_NS + 5, ("EURGBP",))],
    [closing(3, "d"), order("USDJPY", BUY, "9000000", "too much")],
]


def applied(state: State, told: list[Input], now_ns: int = START_NS) -> tuple[Turn, list[Event]]:
    """What the engine keeps of a turn, and the events; what is refused is not kept."""
    turn, events = Turn(now_ns, [], []), []
    for each in told:
        try:
            caused = apply(state, each, now_ns)
        except Refused:
            continue
        if caused or isinstance(each, ObserveTicks | ObserveStream):
            turn.inputs.append(each)
            turn.counts.append(len(caused))
            events += caused
    return turn, events


def live(journal: Journal, state: State, told: list[Input], now_ns: int = START_NS) -> list[bytes]:
    """One turn and its commit; gives the frames of its events."""
    turn, events = applied(state, told, now_ns)
    return journal.append([turn], state.event_seq - len(events) + 1, events, state.last_fill_id)


def recovered(path: Path) -> tuple[bytes, int]:
    """The state as bytes, and its time, as an engine that starts finds it."""
    journal = Journal(path)
    try:
        found = journal.recover()
    finally:
        journal.close()
    return encoded(found.state), found.now_ns


def sql(path: Path, statement: str, *values: object) -> list[tuple[int, ...]]:
    database = sqlite3.connect(path)
    with database:
        rows = database.execute(statement, values).fetchall()
    database.close()
    return rows
