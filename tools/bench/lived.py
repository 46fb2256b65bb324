"""A journal such as an engine leaves: orders of many accounts in batches, ticks in between."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from actors.domain import broker
from actors.domain.commands import Input, ObserveStream, ObserveTicks
from actors.domain.events.event import Event
from actors.domain.quote import Tick
from actors.domain.state import State
from actors.store.collector import without_collector
from actors.store.journal import Journal
from actors.store.record import Turn
from tools.bench import market, orders_chain
from tools.bench.orders_chain import SYMBOLS

ORDERS_PER_COMMIT = 64
COMMITS_PER_TICK = 10
COMMIT_INTERVAL_NS = 2_000_000
START_NS = 1_750_000_000_000_000_000


class Lived(NamedTuple):
    """What the journal must give."""

    state: State
    inputs: int


def live(journal: Path, orders: int, snapshot_at: int) -> Lived:
    """Writes a new journal of so many orders, with a snapshot after `snapshot_at` of them (0: none)."""
    opened, state, inputs, now_ns, kept = Journal(journal), State(), 0, START_NS, not snapshot_at
    dealt = 0
    with without_collector():
        for told in _turns(orders):
            now_ns += COMMIT_INTERVAL_NS
            turn, events = Turn(now_ns, told, []), list[Event]()
            for each in told:
                caused = broker.apply(state, each, now_ns)
                turn.counts.append(len(caused))
                events += caused
            inputs += len(told)
            dealt = state.last_order_id
            opened.append([turn], state.event_seq - len(events) + 1, events, state.last_fill_id)
            if not kept and dealt >= snapshot_at:
                kept = True
                opened.save_snapshot(state)
    opened.close()
    return Lived(state, inputs)


def _turns(orders: int) -> Iterator[list[Input]]:
    yield list[Input](orders_chain.definitions())
    instruments = market.instruments()
    for number, start in enumerate(range(0, orders, ORDERS_PER_COMMIT)):
        told: list[Input] = []
        if number % COMMITS_PER_TICK == 0:
            now_ns = START_NS + (number + 2) * COMMIT_INTERVAL_NS
            prices = [(symbol, *market.prices_e8(instruments[symbol], number)) for symbol in SYMBOLS]
            told.append(
                ObserveTicks(tuple(Tick(s, number + 1, now_ns, bid, ask, "A", "B", True) for s, bid, ask in prices))
            )
            told.append(ObserveStream(now_ns))
        told += [orders_chain.order(place) for place in range(start, min(start + ORDERS_PER_COMMIT, orders))]
        yield told
