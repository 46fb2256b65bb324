"""The processes that `http_order` and `http_positions` measure: a web process, a bare Tornado one, and a client."""

import asyncio
import os
import selectors
import socket
import time
from pathlib import Path
from typing import NamedTuple

import msgspec
import zmq
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from actors import process
from actors.bus import endpoints
from actors.bus.users import User
from tools.bench.orders_chain import ACCOUNTS
from tools.bench.result import Spoiled
from web.app import Web
from web.auth.allowance import ADDRESS, USER
from web.auth.keyring import Keyring
from web.auth.tokens import Tokens

HOST = "127.0.0.1"
KID = "1700000000-0123abcd"
KEY = b"a key of thirty-two characters.."
TTL_S = 3_600
PLENTY_PER_S = 1_000_000
READ_BYTES = 65_536
ANSWER_TIMEOUT_S = 10
OPENING_TRIES = 500
OPENING_PAUSE_S = 0.02
END_OF_HEAD = b"\r\n\r\n"


class Load(NamedTuple):
    """What is sent: `requests` of them, over so many connections, each of which waits for its answer."""

    port: int
    requests: int
    connections: int
    kind: str
    """order, positions or echo."""
    processes: int = 1
    """Web processes that share the port."""


class Answered(NamedTuple):
    seconds: float
    as_wanted: int
    latencies_ns: list[int]
    """Sorted."""


def web(folder: Path, port: int) -> None:
    """A web process, which listens once it has heard of the engine, and says so; runs until it is killed."""
    context: process.Context = zmq.Context()

    async def serve() -> None:
        rates = {USER: PLENTY_PER_S, ADDRESS: PLENTY_PER_S}
        made = Web(
            context,
            endpoints.local(folder),
            Tokens(Keyring({KID: KEY}), TTL_S),
            process.clock_ns,
            KEY,
            rates_per_s=rates,
        )
        running = asyncio.create_task(made.run(asyncio.Event()))
        while not made.prices.instruments:
            await asyncio.sleep(OPENING_PAUSE_S)
        made.server.listen(port, HOST, reuse_port=True)
        (folder / f"listens-{os.getpid()}").touch()
        await running

    asyncio.run(serve())


class _Echo(RequestHandler):
    def post(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(msgspec.json.decode(self.request.body)))


def are_listening(folder: Path, processes: int) -> bool:
    """Whether so many web processes are."""
    return len(list(folder.glob("listens-*"))) == processes


def bare(port: int) -> None:
    """The peer: decodes a body and sends it back. Runs until it is killed."""

    async def serve() -> None:
        HTTPServer(Application([("/", _Echo)])).listen(port, HOST)
        await asyncio.Event().wait()

    asyncio.run(serve())


def client(load: Load, echoed: bytes) -> Answered:
    """The client process; `echoed`: the body that the peer is to send back."""
    make = _Requests(load, echoed)
    _wait_until_ready(load, make)
    chosen = selectors.DefaultSelector()
    lanes = [_Lane(load.port) for _ in range(load.connections)]
    for lane in lanes:
        chosen.register(lane.socket, selectors.EVENT_READ, lane)
    latencies: list[int] = []
    as_wanted = sent = 0
    start_ns = time.monotonic_ns()
    for lane in lanes:
        lane.send(make.request(sent))
        sent += 1
    while len(latencies) < load.requests:
        ready = chosen.select(ANSWER_TIMEOUT_S)
        if not ready:
            raise Spoiled(f"the server is silent after {len(latencies)} answers")
        for key, _ in ready:
            lane = key.data
            answer = lane.receive()
            if answer is None:
                continue
            latencies.append(time.monotonic_ns() - lane.sent_ns)
            as_wanted += make.is_wanted(answer)
            if sent < load.requests:
                lane.send(make.request(sent))
                sent += 1
    seconds = (time.monotonic_ns() - start_ns) / 1e9
    for lane in lanes:
        lane.socket.close()
    return Answered(seconds, as_wanted, sorted(latencies))


class _Lane:
    """A connection, one request at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_ns = 0
        self._got = b""

    def send(self, request: bytes) -> None:
        self.sent_ns = time.monotonic_ns()
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The answer, once it is whole."""
        read = self.socket.recv(READ_BYTES)
        if not read:
            raise Spoiled("the server has closed a connection")
        self._got += read
        head, end, body = self._got.partition(END_OF_HEAD)
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return None
        answer, self._got = self._got, b""
        return answer


class _Requests:
    """Orders of all accounts in turn, questions of the first, or what is echoed."""

    def __init__(self, load: Load, echoed: bytes) -> None:
        self._kind, self._echoed = load.kind, echoed
        tokens = Tokens(Keyring({KID: KEY}), TTL_S)
        now_s = time.time_ns() // 10**9
        users = [User(number, f"user-{number}", "", "trader", number) for number in range(1, ACCOUNTS + 1)]
        self._tokens = [tokens.issue(user, now_s) for user in users]

    def request(self, number: int) -> bytes:
        if self._kind == "echo":
            return _http("POST", "/", "", self._echoed)
        if self._kind == "positions":
            return _http("GET", "/positions", self._tokens[0], b"")
        side = "sell" if number // ACCOUNTS % 2 else "buy"
        return _http("POST", "/order", self._tokens[number % ACCOUNTS], order_body(f"order-{number}", side))

    def opening(self, number: int) -> bytes:
        return _http("POST", "/order", self._tokens[0], order_body(f"opening-{number}", "buy"))

    def is_wanted(self, answer: bytes) -> bool:
        if self._kind == "order":
            return answer.startswith(b"HTTP/1.1 201") and b'"status":"filled"' in answer
        return answer.startswith(b"HTTP/1.1 200")


def order_body(name: str, side: str) -> bytes:
    fields = {"symbol": "EURUSD", "side": side, "type": "market", "quantity": "1000", "client_order_id": name}
    return msgspec.json.encode(fields)


def _http(method: str, path: str, token: str, body: bytes) -> bytes:
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n{authorization}{length}\r\n".encode() + body


def _wait_until_ready(load: Load, make: _Requests) -> None:
    """Until an order is filled, or the peer answers."""
    for number in range(OPENING_TRIES):
        try:
            lane = _Lane(load.port)
        except ConnectionError:
            time.sleep(OPENING_PAUSE_S)
            continue
        lane.send(make.opening(number) if load.kind != "echo" else make.request(0))
        while (answer := lane.receive()) is None:
            pass
        lane.socket.close()
        if load.kind == "echo" or b'"status":"filled"' in answer:
            return
        time.sleep(OPENING_PAUSE_S)
    raise Spoiled("the server never answered as it should")
