"""`stop_out_latency`: from a tick to the stop-out that it causes, with a large book and 1,000 ticks a second."""

import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import zmq

from actors import process
from actors.bus import codec, endpoints, sockets, topics
from actors.bus.answers import Pong, Reply
from actors.bus.requests import EngineRequest, Ping
from actors.bus.streams import EventBatch
from actors.domain.events.orders import OrderFilled
from actors.domain.order import OrderReason
from tools.bench import book, orders_chain
from tools.bench.child import Child
from tools.bench.orders_peer import commit_at_pace
from tools.bench.result import Measurement, Result, Run, Say, Spoiled, in_turns
from tools.bench.weak_accounts import FALLING, bid_at, expected, laid

NAME = "stop_out_latency"
POSITIONS = 100_000
TICKS = 10_000
TICKS_PER_SECOND = 1_000
ROUNDS = 3
PEER_EVENTS = 500
HEARTBEAT_NS = 500_000_000
READY_TIMEOUT_S = 60
SETTLE_S = 1.0

_decode_events = codec.decoder(EventBatch)
_decode_reply = codec.decoder(Reply)


def engine(folder: Path) -> None:
    """The engine process, on the journal that `laid` wrote."""
    orders_chain.serve(folder, [])


class Watched(NamedTuple):
    """What was seen of the stop-outs."""

    first: dict[int, tuple[str, int]]
    """Of each account that was stopped out: the symbol and number of the tick that it began with."""
    latencies_ns: list[int]
    """Of all stop-out fills, from sending the tick to having the event."""


class Market:
    """Sends the ticks, and hears the events."""

    def __init__(self, context: process.Context, folder: Path) -> None:
        at = endpoints.local(folder)
        self._ticks = sockets.publisher(context, at.ticks)
        self._events = sockets.subscriber(context, at.events, topics.EVENTS)
        self._requests = sockets.dealer(context, at.engine)
        self._requests.setsockopt(zmq.RCVTIMEO, READY_TIMEOUT_S * 1_000)
        self._seq = dict.fromkeys(book.SYMBOLS, 1)
        self._sent_ns: dict[tuple[str, int], int] = {}
        self._alive_ns = 0
        self._fills: list[tuple[OrderFilled, int]] = []
        self._heard = 0

    def begin(self) -> None:
        """Sends each symbol's price anew until events come, and the engine has answered: it looks at each account."""
        self._requests.send(codec.encode(EngineRequest(0, Ping())))
        if not isinstance(_decode_reply(self._requests.recv()).body, Pong):
            raise Spoiled("the engine is not there")
        # Its heartbeat: from now on no event is missed.
        if not self._events.poll(READY_TIMEOUT_S * 1_000):
            raise Spoiled("the engine sends no events")
        self._seq = dict.fromkeys(book.SYMBOLS, 2)
        give_up_ns = time.monotonic_ns() + READY_TIMEOUT_S * 10**9
        while not self._heard:
            if time.monotonic_ns() > give_up_ns:
                raise Spoiled("no margin call came")
            for symbol in book.SYMBOLS:
                self._publish(symbol, book.bid_e8(symbol))
            self._hear(20)
        self._requests.send(codec.encode(EngineRequest(0, Ping())))
        self._requests.recv()
        self._hear(int(SETTLE_S * 1_000))

    def run(self, ticks: int, per_second: int) -> Watched:
        turns = ticks // len(book.SYMBOLS)
        start_ns, sent = time.monotonic_ns(), 0
        while sent < turns * len(book.SYMBOLS):
            wait_ns = start_ns + sent * 10**9 // per_second - time.monotonic_ns()
            if wait_ns > 0:
                self._hear(max(1, wait_ns // 10**6))
                continue
            turn, place = divmod(sent, len(book.SYMBOLS))
            symbol = book.SYMBOLS[place]
            self._seq[symbol] += 1
            self._publish(symbol, bid_at(symbol, turn + 1, turns))
            self._hear(0)
            sent += 1
        end_ns = time.monotonic_ns() + int(SETTLE_S * 1e9)
        while time.monotonic_ns() < end_ns:
            self._hear(50)
        return self._watched()

    def _watched(self) -> Watched:
        first: dict[int, tuple[str, int]] = {}
        for event, _ in self._fills:
            first.setdefault(event.fill.account_id, (event.fill.symbol, event.fill.tick_seq))
        latencies_ns = [at_ns - self._sent_ns[event.fill.symbol, event.fill.tick_seq] for event, at_ns in self._fills]
        return Watched(first, sorted(latencies_ns))

    def _publish(self, symbol: str, bid_e8: int) -> None:
        now_ns = process.clock_ns()
        if now_ns - self._alive_ns >= HEARTBEAT_NS:
            self._alive_ns = now_ns
            self._ticks.send(book.alive_frame(now_ns, self._seq))
        tick = book.tick(symbol, self._seq[symbol], now_ns, bid_e8)
        self._sent_ns[symbol, tick.seq] = time.monotonic_ns()
        self._ticks.send(book.tick_frame(tick))

    def _hear(self, wait_ms: int) -> None:
        while self._events.poll(wait_ms):
            wait_ms = 0
            at_ns = time.monotonic_ns()
            for event in _decode_events(codec.topic_and_body(self._events.recv())[1]).events:
                self._heard += 1
                if isinstance(event, OrderFilled) and event.order.reason is OrderReason.STOP_OUT:
                    self._fills.append((event, at_ns))


def check(watched: Watched, wanted: dict[int, tuple[str, int]]) -> None:
    """Raises Spoiled unless just those accounts were stopped out, each by the tick that it had to be."""
    if watched.first != wanted:
        missing, surplus = wanted.keys() - watched.first.keys(), watched.first.keys() - wanted.keys()
        late = sum(wanted[account_id] != watched.first[account_id] for account_id in wanted.keys() & watched.first)
        raise Spoiled(f"{len(missing)} stop-outs are missing, {len(surplus)} too many, {late} came with another tick")


def measure(
    folder: Path,
    say: Say,
    *,
    positions: int = POSITIONS,
    ticks: int = TICKS,
    ticks_per_second: int = TICKS_PER_SECOND,
    rounds: int = ROUNDS,
) -> Result:
    with tempfile.TemporaryDirectory(dir=folder) as kept:
        runs_kept = [Path(kept) / str(number) for number in range(rounds)]
        ours, peers = iter(runs_kept), iter(runs_kept)
        runs = in_turns(
            NAME,
            rounds,
            lambda: _ours(next(ours), positions, ticks, ticks_per_second),
            lambda: _peer(next(peers)),
            say,
        )
    shape = {"positions": positions, "accounts": positions // book.POSITIONS_PER_ACCOUNT, "ticks": ticks}
    told = {**shape, "ticks_per_second": ticks_per_second}
    return runs.lowest(NAME, "µs p99", "p99 of bare SQLite commits: the last rows at the same times", told)


def _ours(folder: Path, positions: int, ticks: int, ticks_per_second: int) -> Run:
    folder.mkdir()
    weak = laid(folder, positions)
    context: process.Context = zmq.Context()
    try:
        with Child(engine, folder) as running:
            market = Market(context, folder)
            market.begin()
            watched = market.run(ticks, ticks_per_second)
            running.kill()
    finally:
        context.destroy(linger=0)
    wanted = expected(weak, ticks)
    check(watched, wanted)
    journal = book.journal_at(folder)
    recovered = journal.recover().state
    journal.close()
    if not recovered.ledger.is_balanced():
        raise Spoiled("the ledger does not sum to zero")
    book.check_statuses(recovered)
    latencies_ns = watched.latencies_ns
    figures: dict[str, Any] = {
        "p50_us": latencies_ns[len(latencies_ns) // 2] // 1_000,
        "p99_us": latencies_ns[len(latencies_ns) * 99 // 100] // 1_000,
        "stopped_out_accounts": len(wanted),
        "stop_outs": len(latencies_ns),
    }
    return Run(1, figures["p99_us"] / 1e6, figures)


def _peer(folder: Path) -> Run:
    waited_ns = commit_at_pace(orders_chain.journal_file(folder), folder / "peer.sqlite", PEER_EVENTS)
    return Run(1, waited_ns[len(waited_ns) * 99 // 100] / 1e9, {})


MEASUREMENT = Measurement(
    f"From a tick to the stop-out that it causes, with {POSITIONS:,} positions of "
    f"{POSITIONS // book.POSITIONS_PER_ACCOUNT:,} accounts in {len(book.SYMBOLS)} symbols, and {TICKS_PER_SECOND:,} "
    f"ticks a second for {TICKS // TICKS_PER_SECOND} s: the 99th percentile, from sending the tick "
    "to the engine process to having the event of the execution, which leaves when it is durable. The prices of "
    f"{len(FALLING)} symbols fall, and a tenth of the accounts hold nothing else; each has a price of its own at which "
    "it must be stopped out. Checked: the accounts that were are those whose equity, worked out anew, came below half "
    "of their margin, each by the first tick that brought it there; then the engine is killed, and what recovers from "
    "the journal has a balanced ledger and for each account the status that its positions make at the last prices. "
    "The peer commits the last rows to another SQLite file, each at the time at which the engine did.",
    measure,
)
