"""`recovery`: how long an engine takes to have its state again, from a snapshot and the journal after it."""

import shutil
import time
from pathlib import Path

from actors.store import snapshots
from actors.store.collector import without_collector
from actors.store.journal import Journal
from actors.store.reader import Reader
from actors.store.record import commits
from tools.bench import lived, orders_chain
from tools.bench.child import Child
from tools.bench.result import Measurement, Result, Run, Say, Spoiled, in_turns

NAME = "recovery"
ORDERS = 1_000_000
SNAPSHOT_AT = 750_000
"""The orders after it are 500,000 inputs and events: as many as an engine takes before it makes the next."""
ROUNDS = 3
TIMEOUT_S = 300


def measure(
    folder: Path, say: Say, *, orders: int = ORDERS, snapshot_at: int = SNAPSHOT_AT, rounds: int = ROUNDS
) -> Result:
    say(f"{NAME}: writing a journal of {orders:,} orders")
    journal = folder / "recovery" / "engine.sqlite"
    with Child(write, journal, orders, snapshot_at) as writing:
        expected = writing.report(str, TIMEOUT_S)
    try:
        runs = in_turns(NAME, rounds, lambda: _ours(journal, orders, expected), lambda: _peer(journal, orders), say)
    finally:
        shutil.rmtree(journal.parent)
    shape = {"orders": orders, "snapshot_at": snapshot_at, "accounts": orders_chain.ACCOUNTS}
    return runs.result(NAME, "orders/s", "bare msgspec: the same snapshot and rows, decoded and thrown away", shape)


def write(journal: Path, orders: int, snapshot_at: int) -> str:
    """In a process of its own, which takes the state along when it ends."""
    return snapshots.state_hash(lived.live(journal, orders, snapshot_at).state)


def start(journal: Path) -> tuple[float, float, str]:
    """What an engine does when it starts, in a process of its own: seconds, those of the hash, and the hash."""
    begin = time.perf_counter()
    opened = Journal(journal)
    state = opened.recover().state
    recovered = time.perf_counter()
    digest = snapshots.state_hash(state)
    end = time.perf_counter()
    opened.close()
    return end - begin, end - recovered, digest


def decode(journal: Path) -> float:
    """The peer's: seconds."""
    begin = time.perf_counter()
    reader = Reader(journal)
    with without_collector():
        (kept,) = snapshots.listed(journal)
        snapshots.decode(snapshots.read(kept)[2])
        for commit in commits(reader.rows(kept.batch_seq, reader.last_batch_seq())):
            commit.turns()
            commit.events()
    reader.close()
    return time.perf_counter() - begin


def _ours(journal: Path, orders: int, expected: str) -> Run:
    with Child(start, journal) as starting:
        seconds, hash_seconds, digest = starting.report(tuple[float, float, str], TIMEOUT_S)
    if digest != expected:
        raise Spoiled(f"another state was recovered: its hash is {digest}, not {expected}")
    return Run(orders, seconds, {"restart_ms": round(seconds * 1_000), "hash_ms": round(hash_seconds * 1_000)})


def _peer(journal: Path, orders: int) -> Run:
    with Child(decode, journal) as decoding:
        return Run(orders, decoding.report(float, TIMEOUT_S), {})


MEASUREMENT = Measurement(
    f"An engine starts on its journal: {ORDERS:,} orders of {orders_chain.ACCOUNTS} accounts, all of them positions "
    f"that are open and orders that are remembered, with a snapshot after {SNAPSHOT_AT:,} of them. The time is that of "
    "opening the journal, recovering the state and working out its hash (`restart_ms`, of which `hash_ms`); the value "
    "is the orders that it recovers in a second. Checked: the hash is that of the state that was written. The peer "
    "decodes the same snapshot and the same rows, and builds nothing of them.",
    measure,
)
