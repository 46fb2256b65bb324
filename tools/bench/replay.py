"""`replay`: a journal is done again from its first record, and each event compared, as `tools.verify` does."""

import shutil
import time
from pathlib import Path

from actors.store import snapshots
from actors.store.collector import without_collector
from actors.store.reader import Reader
from actors.store.record import commits, rows_of
from tools import verify
from tools.bench import lived, orders_chain
from tools.bench.lived import Lived
from tools.bench.result import Measurement, Result, Run, Say, Spoiled, in_turns

NAME = "replay"
ORDERS = 200_000
ROUNDS = 3


def measure(folder: Path, say: Say, *, orders: int = ORDERS, rounds: int = ROUNDS) -> Result:
    say(f"{NAME}: writing a journal of {orders:,} orders")
    journal = folder / "replay" / "engine.sqlite"
    made = lived.live(journal, orders, 0)
    try:
        runs = in_turns(NAME, rounds, lambda: _ours(journal, made), lambda: _peer(journal, made), say)
    finally:
        shutil.rmtree(journal.parent)
    shape = {"orders": orders, "inputs": made.inputs, "accounts": orders_chain.ACCOUNTS}
    return runs.result(NAME, "inputs/s", "bare msgspec: the same rows decoded, and encoded again", shape)


def _ours(journal: Path, made: Lived) -> Run:
    found = verify.verify(journal, lambda done, whole: None)
    if (found.inputs, found.state_hash) != (made.inputs, snapshots.state_hash(made.state)):
        raise Spoiled(f"of {made.inputs} inputs {found.inputs} were done again, or another state came of them")
    return Run(found.inputs, found.seconds, {})


def _peer(journal: Path, made: Lived) -> Run:
    start = time.perf_counter()
    reader = Reader(journal)
    inputs = 0
    with without_collector():
        for commit in commits(reader.rows(0, reader.last_batch_seq())):
            first = commit.rows[0]
            inputs += sum(len(turn.inputs) for turn in commit.turns())
            rows_of(
                first.batch_seq, first.now_ns, first.turns, first.first_event_seq, commit.events(), first.last_fill_id
            )
    reader.close()
    return Run(inputs, time.perf_counter() - start, {})


MEASUREMENT = Measurement(
    f"A journal is done again from its first record, as `tools.verify` does it: {ORDERS:,} orders of "
    f"{orders_chain.ACCOUNTS} accounts, {lived.ORDERS_PER_COMMIT} in a commit, a tick of each of "
    f"{len(orders_chain.SYMBOLS)} symbols after every {lived.COMMITS_PER_TICK} commits. Checked: the checksum of each "
    "row, each event byte for byte, and the hash of the state at the end. The peer reads the same rows, decodes inputs "
    "and events, encodes the events again, and decides nothing.",
    measure,
)
