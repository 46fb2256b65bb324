"""`order_latency`: how long the durable answer to an order takes, at a rate that the engine keeps up with."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zmq

from actors.bus import codec
from actors.bus.requests import EngineRequest
from tools.bench import orders_chain
from tools.bench.orders import deal, percentiles_us
from tools.bench.orders_chain import ANSWER_TIMEOUT_MS, Dealt, Desk, dealt_by, order
from tools.bench.orders_peer import commit_at_pace
from tools.bench.result import Measurement, Result, Run, Say, Spoiled, in_turns

NAME = "order_latency"
ORDERS = 100_000
ORDERS_PER_SECOND = 10_000
ROUNDS = 3
TURN_MS = 1


class PacedDesk(Desk):
    """Sends each order when it is due, whatever is unanswered, and counts its latency from then."""

    def deal(self, orders: int, pace: int) -> None:
        """`pace`: orders per second."""
        due_ns: list[int] = []
        answered = 0
        start_ns = heard_ns = time.monotonic_ns()
        while answered < orders:
            now_ns = time.monotonic_ns()
            due = min(orders, (now_ns - start_ns) * pace // 10**9 + 1)
            if len(due_ns) < due:
                numbers = range(len(due_ns), due)
                due_ns += [start_ns + number * 10**9 // pace for number in numbers]
                self._socket.send_multipart([codec.encode(EngineRequest(number, order(number))) for number in numbers])
            if self._socket.poll(TURN_MS):
                heard_ns = now_ns
                answered += self._read(due_ns)
            elif now_ns - heard_ns > ANSWER_TIMEOUT_MS * 10**6:
                raise Spoiled(f"the engine is silent after {answered} answers")

    def _read(self, due_ns: list[int]) -> int:
        """Takes every answer that is there; gives their number."""
        count = 0
        try:
            while True:
                for frame in self._socket.recv_multipart(zmq.NOBLOCK):
                    self._take(self._decode(frame), due_ns)
                    count += 1
        except zmq.Again:
            return count


def client(folder: Path, orders: int, orders_per_second: int) -> Dealt:
    """The client process."""
    return dealt_by(PacedDesk, folder, orders, orders_per_second)


def measure(
    folder: Path,
    say: Say,
    *,
    orders: int = ORDERS,
    orders_per_second: int = ORDERS_PER_SECOND,
    rounds: int = ROUNDS,
    client: Callable[[Path, int, int], Any] = client,
) -> Result:
    """`client` runs the process that deals."""
    with tempfile.TemporaryDirectory(dir=folder) as kept:
        journals = [Path(kept) / str(number) for number in range(rounds)]
        ours, peers = iter(journals), iter(journals)
        runs = in_turns(
            NAME,
            rounds,
            lambda: _ours(next(ours), orders, orders_per_second, client),
            lambda: _peer(next(peers), orders),
            say,
        )
    shape = {"orders": orders, "offered_per_second": orders_per_second, "accounts": orders_chain.ACCOUNTS}
    return runs.lowest(NAME, "µs p99", "p99 of bare SQLite commits: the same rows at the same times", shape)


def _ours(folder: Path, orders: int, orders_per_second: int, client: Callable[[Path, int, int], Any]) -> Run:
    dealt = deal(folder, orders, orders_per_second, client)
    told = percentiles_us(dealt)
    return Run(1, told["p99_us"] / 1e6, {**told, "dealt_per_second": round(orders / dealt.seconds)})


def _peer(folder: Path, orders: int) -> Run:
    waited_ns = commit_at_pace(orders_chain.journal_file(folder), folder / "peer.sqlite", orders)
    shutil.rmtree(folder)
    return Run(1, waited_ns[len(waited_ns) * 99 // 100] / 1e9, {"peer_p50_us": waited_ns[len(waited_ns) // 2] // 1_000})


MEASUREMENT = Measurement(
    f"How long the durable answer to a market order takes, through ZeroMQ, when {ORDERS_PER_SECOND:,} orders are "
    f"offered a second whether or not the earlier ones are answered: the 99th percentile of {ORDERS:,}, each counted "
    "from the moment at which it was due. Processes and checks are those of `orders`. The peer commits the same rows "
    "to another SQLite file, each transaction at the time at which the engine made it; its percentile is of what an "
    "order waited for its commit.",
    measure,
)
