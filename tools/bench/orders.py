"""`orders`: market orders from a client to the engine, each answered when it is durable."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zmq

from actors import process
from actors.bus import codec, endpoints, sockets, topics
from actors.bus.streams import StreamAlive
from actors.domain.order import Side
from actors.domain.quote import Tick
from actors.domain.state import State
from actors.store.journal import Journal
from tools.bench import market, orders_chain
from tools.bench.child import Child
from tools.bench.orders_chain import SYMBOLS, Dealt, Holding
from tools.bench.orders_peer import commit_again
from tools.bench.result import Measurement, Result, Run, Say, Spoiled, in_turns

NAME = "orders"
ORDERS = 120_000
WINDOW_ORDERS = 1_024
ROUNDS = 3
TICK_INTERVAL_S = 0.02
HEARTBEAT_NS = 500_000_000
TIMEOUT_S = 120
PEER_PASSES = 3
"""The peer commits it all so many times over: once is too quick to time."""


def measure(
    folder: Path,
    say: Say,
    *,
    orders: int = ORDERS,
    window_orders: int = WINDOW_ORDERS,
    rounds: int = ROUNDS,
    client: Callable[[Path, int, int], Any] = orders_chain.client,
) -> Result:
    """`client` runs the process that deals."""
    with tempfile.TemporaryDirectory(dir=folder) as kept:
        journals = [Path(kept) / str(number) for number in range(rounds)]
        ours, peers = iter(journals), iter(journals)
        runs = in_turns(
            NAME,
            rounds,
            lambda: _ours(next(ours), orders, window_orders, client),
            lambda: _peer(next(peers), orders),
            say,
        )
    shape = {
        "orders": orders,
        "window_orders": window_orders,
        "accounts": orders_chain.ACCOUNTS,
        "symbols": len(SYMBOLS),
    }
    return runs.result(NAME, "orders/s", "bare SQLite: the same rows in the same transactions", shape)


def check(dealt: Dealt, recovered: State, orders: int) -> None:
    """Raises Spoiled unless each order was filled once, and the journal holds all of it with a balanced ledger."""
    expected = orders + dealt.opening_fills
    if dealt.fills != orders or dealt.unlike:
        raise Spoiled(f"of {orders} orders {dealt.fills} were filled, {dealt.unlike} had another answer")
    if recovered.last_fill_id != expected:
        raise Spoiled(f"of {expected} fills that were acknowledged the journal has {recovered.last_fill_id}")
    if not recovered.ledger.is_balanced():
        raise Spoiled("the ledger does not sum to zero")
    if held_by_journal(recovered) != dealt.holdings:
        raise Spoiled("what the journal says of the accounts is not what the engine said")
    if sum(holding.positions for holding in dealt.holdings.values()) != expected:
        raise Spoiled(f"there is not a position for each of {expected} fills")


def held_by_journal(state: State) -> dict[int, Holding]:
    holdings = {}
    for account in state.accounts.values():
        held = account.positions.values()
        net_e8 = sum(one.quantity_e8 if one.side is Side.BUY else -one.quantity_e8 for one in held)
        holdings[account.account_id] = Holding(state.balance_minor(account), account.margin_minor, len(held), net_e8)
    return holdings


class Prices:
    """The public price stream as the aggregator would publish it: ticks of all symbols, and that it is alive."""

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        self._socket = socket
        self._instruments = market.instruments()
        self._turn = 0
        self._alive_ns = 0

    def publish(self) -> None:
        """One tick of each symbol."""
        now_ns = process.clock_ns()
        self._turn += 1
        for symbol in SYMBOLS:
            bid_e8, ask_e8 = market.prices_e8(self._instruments[symbol], self._turn)
            tick = Tick(symbol, self._turn, now_ns, bid_e8, ask_e8, "BENCH", "BENCH", live=True)
            self._socket.send(codec.encode([tick], topics.tick(symbol)))
        if now_ns - self._alive_ns >= HEARTBEAT_NS:
            self._alive_ns = now_ns
            self._socket.send(codec.encode(StreamAlive(now_ns, dict.fromkeys(SYMBOLS, self._turn)), topics.ALIVE))


def _ours(folder: Path, orders: int, window_orders: int, client: Callable[[Path, int, int], Any]) -> Run:
    dealt = deal(folder, orders, window_orders, client)
    return Run(orders, dealt.seconds, percentiles_us(dealt))


def percentiles_us(dealt: Dealt) -> dict[str, int]:
    latencies_ns = dealt.latencies_ns
    count = len(latencies_ns)
    return {"p50_us": latencies_ns[count // 2] // 1_000, "p99_us": latencies_ns[count * 99 // 100] // 1_000}


def deal(folder: Path, orders: int, pace: int, client: Callable[[Path, int, int], Any]) -> Dealt:
    """One run of the engine and a client, checked; raises Spoiled."""
    folder.mkdir()
    with zmq.Context() as context, sockets.publisher(context, endpoints.local(folder).ticks) as socket:
        prices = Prices(socket)
        with Child(orders_chain.engine, folder) as engine, Child(client, folder, orders, pace) as dealing:
            while not dealing.has_reported(TICK_INTERVAL_S):
                prices.publish()
            dealt = dealing.report(Dealt, TIMEOUT_S)
            engine.kill()
    journal = Journal(orders_chain.journal_file(folder))
    recovered = journal.recover().state
    journal.close()
    check(dealt, recovered, orders)
    return dealt


def _peer(folder: Path, orders: int) -> Run:
    journal = orders_chain.journal_file(folder)
    passes = [commit_again(journal, folder / f"peer-{number}.sqlite", orders) for number in range(PEER_PASSES)]
    shutil.rmtree(folder)
    seconds = sum(committed.seconds for committed in passes)
    commits = passes[0].transactions
    extra = {
        "commits": commits,
        "journal_bytes": passes[0].size_bytes,
        "peer_commit_us": round(seconds / PEER_PASSES / commits * 1e6),
    }
    return Run(orders * PEER_PASSES, seconds, extra)


MEASUREMENT = Measurement(
    f"Market orders from a client to the engine, each answered when it is durable: {ORDERS:,} orders of "
    f"{orders_chain.ACCOUNTS} accounts in {len(SYMBOLS)} symbols, {WINDOW_ORDERS} of them in flight on one DEALER, "
    "while ticks come in. Two processes over ipc: the real engine with its journal on the disk that holds the run "
    "directory, and a client that reads every answer. Checked: each order is filled once; then the engine is killed "
    "(SIGKILL), and what recovers from the journal is every acknowledged fill, a balanced ledger, and for each account "
    "the balance, margin and positions that the engine had told. The peer commits the rows that the engine wrote to "
    "another SQLite file, in the same transactions with the same pragmas, and does nothing else.",
    measure,
)
