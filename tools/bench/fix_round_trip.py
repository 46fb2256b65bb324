"""`fix_round_trip`, with fewer in flight too: orders and their reports between two processes, beside QuickFIX."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tools.bench import fix_chain, port
from tools.bench.child import Child
from tools.bench.result import Measurement, Result, Rounds, Run, Say, Spoiled, in_turns

NAME = "fix_round_trip"
FEW_NAME = "fix_round_trip_50"
SINGLE_NAME = "fix_round_trip_single"
ORDERS = 20_000
SINGLE_ORDERS = 3_000
WARM_UP_ORDERS = 1_000
IN_FLIGHT = 200
FEW_IN_FLIGHT = 50
ROUNDS = 5
TIMEOUT_S = 120.0
SYNCS = 500
SYNCED_BYTES = 4_096
SYNCS_PER_ROUND_TRIP = 2
PEER = "QuickFIX's Python binding with its FileStore, which syncs nothing"


def dealt(folder: Path, module: ModuleType, orders: int, in_flight: int, *more: Any) -> tuple[float, list[int]]:
    """Seconds for all, and nanoseconds of each, sorted, after a warm-up. Raises Spoiled if an order has no report."""
    listening = port.free()
    deal = (folder / "client", listening, orders, WARM_UP_ORDERS, in_flight, TIMEOUT_S, *more)
    with Child(module.accept, folder / "broker", listening, *more), Child(module.deal, *deal) as client:
        took_ns, each_ns = client.report(tuple[int, list[int]], TIMEOUT_S + 10)
    if len(each_ns) != orders:
        raise Spoiled(f"{len(each_ns)} reports of {orders} orders")
    return took_ns / 1e9, sorted(each_ns)


def sync_us(folder: Path) -> float:
    """What a bare fdatasync of a page takes, in a file that has its size already."""
    path = folder / "synced"
    path.write_bytes(bytes(SYNCS * SYNCED_BYTES))
    file = os.open(path, os.O_WRONLY)
    try:
        os.fsync(file)
        start_ns = time.perf_counter_ns()
        for _ in range(SYNCS):
            os.write(file, b"x" * SYNCED_BYTES)
            os.fdatasync(file)
        return (time.perf_counter_ns() - start_ns) / SYNCS / 1e3
    finally:
        os.close(file)
        path.unlink()


def measure(
    folder: Path, say: Say, *, name: str, orders: int, in_flight: int, rounds: int = ROUNDS, peer: ModuleType
) -> Result:
    """`peer` is a module with `accept` and `deal`."""
    folders = (folder / str(number) for number in range(rounds * 3))

    def run(module: ModuleType, prefix: str, *more: Any) -> Run:
        seconds, each_ns = dealt(next(folders), module, orders, in_flight, *more)
        times = {f"{prefix}p{part}_us": each_ns[len(each_ns) * part // 100] // 1_000 for part in (50, 99)}
        return Run(orders, seconds, times)

    runs = in_turns(name, rounds, lambda: run(fix_chain, "", True), lambda: run(peer, "peer_"), say)
    say(f"{name}: without fsync")
    unsynced = run(fix_chain, "unsynced_", False)
    synced_us = sync_us(folder)
    extra = {
        "orders": orders,
        "in_flight": in_flight,
        "unsynced_per_second": round(unsynced.per_second),
        "sync_us": round(synced_us),
        "sync_limit_per_second": round(in_flight * 1e6 / (SYNCS_PER_ROUND_TRIP * synced_us)),
    }
    return _middle(name, runs, {**extra, **unsynced.extra})


def _middle(name: str, runs: Rounds, extra: dict[str, Any]) -> Result:
    """The round whose ratio is the middle one, with the rates and 99th percentiles of all rounds."""
    rounds = sorted(zip(runs.ours, runs.peers, strict=True), key=lambda pair: pair[0].per_second / pair[1].per_second)
    ours, of_peer = rounds[len(rounds) // 2]
    every = {
        "values": [round(run.per_second) for run in runs.ours],
        "peer_values": [round(run.per_second) for run in runs.peers],
        "p99s_us": [run.extra["p99_us"] for run in runs.ours],
        "peer_p99s_us": [run.extra["peer_p99_us"] for run in runs.peers],
    }
    figures = {**extra, **ours.extra, **of_peer.extra, **every}
    return Result(name, ours.per_second, "round trips/s", PEER, of_peer.per_second, figures)


def _measured(name: str, orders: int, in_flight: int) -> Callable[[Path, Say], Result]:
    def run(folder: Path, say: Say) -> Result:
        from tools.bench import fix_peer

        return measure(folder, say, name=name, orders=orders, in_flight=in_flight, peer=fix_peer)

    return run


_ABOUT = (
    "two processes over loopback, initiator and acceptor on our session engine, each with its store: every number and "
    "message is committed and synced to the disk before it is sent. The peer's files survive its end, but no power "
    "cut: it syncs nothing. `unsynced_per_second` in the JSON is ours with that guarantee, and `sync_limit_per_second` "
    "what the disk alone allows: two bare fdatasyncs for all orders in flight. Neither checks against a dictionary. "
    f"They take turns, {ROUNDS} rounds, each with {WARM_UP_ORDERS:,} orders before those that count. Value, peer and "
    "latency are those of the round with the middle ratio; the JSON has all rounds. A round is only counted if each "
    "order has its report."
)
MEASUREMENT = Measurement(
    f"NewOrderSingle to ExecutionReport, {IN_FLIGHT} of {ORDERS:,} orders in flight: {_ABOUT}",
    _measured(NAME, ORDERS, IN_FLIGHT),
)
FEW_MEASUREMENT = Measurement(
    f"As `{NAME}`, {FEW_IN_FLIGHT} orders in flight: a commit, with its sync, is shared by fewer of them.",
    _measured(FEW_NAME, ORDERS, FEW_IN_FLIGHT),
)
SINGLE_MEASUREMENT = Measurement(
    f"As `{NAME}`, {SINGLE_ORDERS:,} orders one at a time: each round trip waits for two syncs, one in each process.",
    _measured(SINGLE_NAME, SINGLE_ORDERS, 1),
)
