"""`fix_order`: a client's orders over FIX through the engine and back, durable on the way there and on the way back."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import zmq

from actors.bus import endpoints, sockets
from tools.bench import fix_order_chain
from tools.bench.child import Child
from tools.bench.fix_order_chain import Told
from tools.bench.orders import TICK_INTERVAL_S, TIMEOUT_S, Prices
from tools.bench.result import Measurement, Result, Run, Say, Spoiled, in_turns

NAME = "fix_order"
ORDERS = 20_000
WINDOW_ORDERS = 256
ROUNDS = 3


def measure(
    folder: Path, say: Say, *, orders: int = ORDERS, window_orders: int = WINDOW_ORDERS, rounds: int = ROUNDS
) -> Result:
    with tempfile.TemporaryDirectory(dir=folder) as kept:
        places = [Path(kept) / f"{who}-{number}" for number in range(rounds) for who in ("ours", "peer")]
        ours, peers = iter(places[::2]), iter(places[1::2])
        runs = in_turns(
            NAME,
            rounds,
            lambda: _run(next(ours), orders, window_orders, over_fix=True),
            lambda: _run(next(peers), orders, window_orders, over_fix=False),
            say,
        )
    shape = {"orders": orders, "window_orders": window_orders}
    return runs.result(NAME, "orders/s", "the bus: the same orders on a DEALER to the engine", shape)


def _run(folder: Path, orders: int, window_orders: int, *, over_fix: bool) -> Run:
    folder.mkdir()
    desk = _desk(folder) if over_fix else None
    client = fix_order_chain.fix_client if over_fix else fix_order_chain.bus_client
    try:
        with zmq.Context() as context, sockets.publisher(context, endpoints.local(folder).ticks) as socket:
            prices = Prices(socket)
            with Child(fix_order_chain.engine, folder), Child(client, folder, orders, window_orders) as dealing:
                while not dealing.has_reported(TICK_INTERVAL_S):
                    prices.publish()
                told = dealing.report(Told, TIMEOUT_S)
    finally:
        if desk is not None:
            desk.send_signal(signal.SIGTERM)
            desk.wait()
    shutil.rmtree(folder)
    if told.fills != orders or told.unlike:
        raise Spoiled(f"of {orders} orders {told.fills} were filled, {told.unlike} had another answer")
    if told.net_e8 != fix_order_chain.net_e8(orders):
        raise Spoiled("the account does not hold what its fills come to")
    latencies_ns = told.latencies_ns
    percentiles = {
        "p50_us": latencies_ns[len(latencies_ns) // 2] // 1_000,
        "p99_us": latencies_ns[len(latencies_ns) * 99 // 100] // 1_000,
    }
    return Run(orders, told.seconds, percentiles if over_fix else {})


def _desk(folder: Path) -> "subprocess.Popen[bytes]":
    """The process `fix-clients`, as the broker runs it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HEDGEROW_")}
    environment = inherited | fix_order_chain.settings(folder)
    with (folder / "fix-clients.log").open("wb") as log:
        return subprocess.Popen([sys.executable, "-m", "actors.fix_clients"], env=environment, stdout=log, stderr=log)


MEASUREMENT = Measurement(
    f"Market orders from a client over FIX 4.4 and loopback TCP to the engine and back: {ORDERS:,} orders of one "
    f"account in one session, {WINDOW_ORDERS} of them in flight. Three processes: the client on our session engine "
    "with a store in memory, the real fix-clients and the real engine, each with its files on the disk that holds "
    "the run directory. An order is kept by fix-clients before the engine is asked, journalled by the engine, and "
    "its two reports (new, trade) are kept before they leave: three commits one after the other, each for many "
    "orders. The time of an order runs from sending it to having its trade. Checked: each order has one fill, and "
    "the account holds their sum. The peer sends the same orders to the engine over the bus, with the same "
    "window.",
    measure,
)
