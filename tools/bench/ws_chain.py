"""The processes that `ws_fanout` and `ws_idle` measure, each a function for a Child: the product's web process before
its real engine and a made-up price stream, and a bare server as the peer."""

import asyncio
import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import zmq
from tornado.netutil import bind_sockets
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from actors import process
from actors.bus import codec, endpoints, sockets, topics
from actors.bus.answers import OrderReport, Reply
from actors.bus.requests import EngineRequest
from actors.bus.streams import StreamAlive
from actors.domain.commands import Command, DefineInstrument, Deposit, OpenAccount, SubmitOrder
from actors.domain.money import SCALE
from actors.domain.order import OrderStatus, OrderTerms, OrderType, Side
from actors.domain.quote import Tick
from tools.bench import market, orders_chain
from tools.bench.result import Spoiled
from web.app import LIMITS, Web
from web.auth.allowance import ADDRESS, USER
from web.auth.keyring import Keyring
from web.auth.tokens import Tokens
from web.serving.server import Limits, connections_for

TOKENS = Tokens(Keyring({"1700000000-00000000": b"a key of the benchmark's own: 32+"}), ttl_s=3_600)
ACCOUNTS = 100
SYMBOLS = tuple(list(market.instruments())[:20])
TRADED = "EURUSD"
TICKS_PER_SECOND = 20
"""Of each symbol: more than clients are told of."""
ORDERS_PER_SECOND = 50
FRAMES_PER_SECOND = 10
PORT_FILE = "port"
PID_FILE = "pid"
START_FILE, STOP_FILE = "start", "stop"
"""Orders are dealt from the one on until the other is there."""
STEP_S = 0.01


class Played(NamedTuple):
    """Orders that were filled, by account."""

    fills: dict[int, int]


def port_of(folder: Path, timeout_s: float = 20) -> int:
    """Where the server in this folder listens, once it does; raises Spoiled."""
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        try:
            return int((folder / PORT_FILE).read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            time.sleep(0.05)
    raise Spoiled(f"the server was not there after {timeout_s} s")


def pid_of(folder: Path) -> int:
    """The process of the server in this folder, which listens already."""
    return int((folder / PID_FILE).read_text(encoding="ascii"))


def engine(folder: Path) -> None:
    """The engine; runs until it is killed or SIGTERM."""
    instruments = market.instruments()
    told: list[Command] = [DefineInstrument(instruments[symbol]) for symbol in SYMBOLS]
    for account_id in range(1, ACCOUNTS + 1):
        told += [OpenAccount(account_id, "USD"), Deposit(account_id, 10**12, f"opening-{account_id}", "bench")]
    orders_chain.serve(folder, told)


def web(folder: Path) -> None:
    """The web process; runs until SIGTERM."""
    asyncio.run(_web(folder))


async def _web(folder: Path) -> None:
    connections_for(LIMITS.connections)
    context: process.Context = zmq.Context()
    at = endpoints.local(folder)
    served = Web(
        context,
        at,
        TOKENS,
        process.clock_ns,
        b"no second factor is asked for: 32",
        limits=Limits(address_connections=LIMITS.connections),
        rates_per_s={USER: 1_000_000, ADDRESS: 1_000_000},
    )
    listening = _listener()
    served.server.add_socket(listening)
    _say_port(folder, listening.getsockname()[1])
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await served.run(stop)
    context.destroy(linger=0)


def prices(folder: Path) -> Played:
    """The price stream, and a client whose orders give the accounts something to tell; ends when STOP_FILE is there."""
    context: process.Context = zmq.Context()
    at = endpoints.local(folder)
    ticks, desk = sockets.snapshot_publisher(context, at.ticks), sockets.dealer(context, at.engine)
    played = _Play(ticks, desk, folder / START_FILE)
    start_s = time.monotonic()
    step = 0
    while not (folder / STOP_FILE).exists():
        played.tick(step)
        step += 1
        time.sleep(max(0.0, start_s + step * STEP_S - time.monotonic()))
    until_s = time.monotonic() + 2
    while played.open_orders and time.monotonic() < until_s:
        played.hear()
        time.sleep(STEP_S)
    context.destroy(linger=sockets.LINGER_MS)
    if played.open_orders:
        raise Spoiled(f"{played.open_orders} orders were never answered")
    return Played(played.fills)


class _Play:
    def __init__(self, ticks: Any, desk: Any, start: Path) -> None:
        self.fills: dict[int, int] = {}
        self._ticks = ticks
        self._desk = desk
        self._start = start
        self._instruments = market.instruments()
        self._last_seq: dict[str, int] = {}
        self._orders = self._answers = 0
        self._decode = codec.decoder(Reply)

    @property
    def open_orders(self) -> int:
        return self._orders - self._answers

    def tick(self, step: int) -> None:
        """A hundredth of a second: each symbol in its turn, and now and then an order."""
        while self._ticks.poll(0):
            self._ticks.recv()
        stride = round(1 / STEP_S) // TICKS_PER_SECOND
        for place, symbol in enumerate(SYMBOLS):
            if place % stride == step % stride:
                self._publish(symbol, step)
        if step % round(1 / STEP_S / 2) == 0:
            alive = StreamAlive(time.time_ns(), dict(self._last_seq))
            self._ticks.send(codec.encode(alive, topics.ALIVE))
        if step % (round(1 / STEP_S) // ORDERS_PER_SECOND) == 0 and self._start.exists():
            self._deal()
        self.hear()

    def hear(self) -> None:
        while self._desk.poll(0):
            for frame in self._desk.recv_multipart():
                answer = self._decode(frame).body
                if not isinstance(answer, OrderReport):
                    raise Spoiled(f"the engine answered {answer}")
                order = answer.outcome.order
                self._answers += 1
                if order.status is OrderStatus.FILLED:
                    self.fills[order.account_id] = self.fills.get(order.account_id, 0) + 1

    def _publish(self, symbol: str, step: int) -> None:
        """The number of a tick is the time at which it was published, in microseconds: a client knows its age."""
        bid_e8, ask_e8 = market.prices_e8(self._instruments[symbol], step)
        now_ns = time.time_ns()
        seq = self._last_seq[symbol] = now_ns // 1_000
        tick = Tick(symbol, seq, now_ns, bid_e8, ask_e8, "LP0", "LP1", True)
        self._ticks.send(codec.encode([tick], topics.tick(symbol)))

    def _deal(self) -> None:
        """An account buys, and then sells what it has."""
        number, self._orders = self._orders, self._orders + 1
        turn, account = divmod(number, ACCOUNTS)
        side = Side.SELL if turn % 2 else Side.BUY
        terms = OrderTerms(TRADED, side, OrderType.MARKET, 1_000 * SCALE, reduce_only=bool(turn % 2))
        told = SubmitOrder(account + 1, f"order-{number}", terms)
        self._desk.send(codec.encode(EngineRequest(number, told)))


def bare(folder: Path, payload: str) -> None:
    """The peer: sends everybody the same text ten times a second; runs until it is killed."""
    asyncio.run(_bare(folder, payload))


async def _bare(folder: Path, payload: str) -> None:
    connections_for(LIMITS.connections)
    everybody: set[ServerConnection] = set()

    async def meet(connection: ServerConnection) -> None:
        everybody.add(connection)
        with suppress(ConnectionClosed):
            async for _ in connection:
                pass
        everybody.discard(connection)

    listening = _listener()
    async with serve(meet, sock=listening, compression=None, ping_interval=None):
        _say_port(folder, listening.getsockname()[1])
        due_s = time.monotonic()
        while True:
            due_s = max(due_s + 1 / FRAMES_PER_SECOND, time.monotonic())
            await asyncio.sleep(due_s - time.monotonic())
            if payload:
                broadcast(everybody, payload)


def _listener() -> socket.socket:
    return bind_sockets(0, "127.0.0.1", backlog=4_096)[0]


def _say_port(folder: Path, port: int) -> None:
    (folder / PID_FILE).write_text(str(os.getpid()), encoding="ascii")
    (folder / PORT_FILE).write_text(str(port), encoding="ascii")
