"""The engine and `fix-clients` as real processes, prices from the test, and clients that speak FIX to them."""

import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zmq

from actors.bus import codec, endpoints, sockets, topics
from actors.bus.answers import Answer, Reply
from actors.bus.requests import EngineRequest
from actors.bus.streams import StreamAlive, StreamDepth
from actors.domain.money import parse_e8
from actors.domain.prices.book import Depth
from actors.domain.quote import Tick
from gateway.fix.codec import Field, Message
from gateway.fix.events import Event, Received
from gateway.fix.session import Session
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import SqliteStore
from gateway.fix.times import utc_timestamp
from gateway.fix.trading.vocabulary import DICTIONARY
from tests.actors.peers import start
from tests.ports import free_port

PATIENCE_S = 90.0
PASSWORD = "a password of the test"
SESSIONS = """
[listener]
host = "127.0.0.1"
port = 1
tls = false

[TRADER]
purpose = "client"
sender = "HEDGEROW"
target = "TRADER"
username = "trader"
password_env = "TEST_FIX_PASSWORD"
account = 1
permissions = ["trade", "market_data"]
market_data_interval_ms = 10

[CAREFUL]
purpose = "client"
sender = "HEDGEROW"
target = "CAREFUL"
username = "careful"
password_env = "TEST_FIX_PASSWORD"
account = 1
permissions = ["trade"]
cancel_on_disconnect = true

[SLOW]
purpose = "client"
sender = "HEDGEROW"
target = "SLOW"
username = "slow"
password_env = "TEST_FIX_PASSWORD"
account = 1
permissions = ["read"]
requests_per_second = 20

[QUICK]
purpose = "client"
sender = "HEDGEROW"
target = "QUICK"
username = "quick"
password_env = "TEST_FIX_PASSWORD"
account = 1
permissions = ["trade"]

[READER]
purpose = "client"
sender = "HEDGEROW"
target = "READER"
username = "reader"
password_env = "TEST_FIX_PASSWORD"
account = 1
position_id_tag = 2618
permissions = ["read"]

[WATCHER]
purpose = "client"
sender = "HEDGEROW"
target = "WATCHER"
username = "watcher"
password_env = "TEST_FIX_PASSWORD"
account = 7
permissions = ["market_data"]

[COPY]
purpose = "drop_copy"
sender = "HEDGEROW"
target = "COPY"
username = "copy"
password_env = "TEST_FIX_PASSWORD"
accounts = [1]

[AWAY]
purpose = "client"
enabled = false
sender = "HEDGEROW"
target = "AWAY"
username = "away"
password_env = "TEST_FIX_PASSWORD"
account = 1
"""


class Floor:
    """`bid` and `ask` of EURUSD are what the next ticks say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run_dir = folder / "var"
        self.port = free_port()
        self.bid, self.ask, self.is_live = "1.10000", "1.10020", True
        self.depth = Depth([], [])
        self._sessions = folder / "client_sessions.toml"
        self._sessions.write_text(SESSIONS)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._stopping = threading.Event()
        self._prices = threading.Thread(target=self._publish)
        self._requests = 0
        self.traders: list[Trader] = []

    def __enter__(self) -> "Floor":
        self.run_dir.mkdir(mode=0o700)
        self._engine = sockets.dealer(self._context, endpoints.local(self.run_dir).engine)
        self._prices.start()
        self.start("engine")
        self.start("fix_clients")
        return self

    def __exit__(self, *_: object) -> None:
        for trader in self.traders:
            trader.cut()
        self._stopping.set()
        self._prices.join()
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._context.destroy(linger=0)

    def start(self, name: str) -> None:
        self._processes[name] = start(
            f"actors.{name}",
            self.run_dir,
            self.folder / f"{name}.log",
            HEDGEROW_FIX_SESSIONS=str(self._sessions),
            HEDGEROW_FIX_PORT=str(self.port),
            TEST_FIX_PASSWORD=PASSWORD,
        )

    def agree(self, sessions: str) -> None:
        """`fix-clients` starts again, with these sessions."""
        self.kill("fix_clients")
        self._sessions.write_text(sessions)
        self.start("fix_clients")

    def kill(self, name: str) -> None:
        process = self._processes[name]
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self, name: str) -> int:
        process = self._processes[name]
        process.terminate()
        return process.wait(PATIENCE_S)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def ask_engine(self, body: Any) -> Answer:
        """What another way into the engine (REST) would ask."""
        self._requests += 1
        self._engine.send(codec.encode(EngineRequest(self._requests, body)))
        assert self._engine.poll(int(PATIENCE_S * 1000))
        reply: Reply = codec.decoder(Reply)(self._engine.recv())
        assert reply.request_id == self._requests
        return reply.body

    def _publish(self) -> None:
        socket = sockets.snapshot_publisher(self._context, endpoints.local(self.run_dir).ticks)
        seq = time.time_ns() // 1000
        told: tuple[str, str, bool] | None = None
        while not self._stopping.wait(0.02):
            told = (self.bid, self.ask, self.is_live)
            seq += 1
            now_ns = time.time_ns()
            tick = Tick("EURUSD", seq, now_ns, parse_e8(told[0]), parse_e8(told[1]), "LP", "LP", told[2])
            socket.send(codec.encode([tick], topics.tick("EURUSD")))
            socket.send(codec.encode(StreamAlive(now_ns, {"EURUSD": seq}), topics.ALIVE))
            socket.send(codec.encode(StreamDepth("EURUSD", seq, now_ns, seq, self.depth), topics.depth("EURUSD")))


class Trader:
    """An initiator on our own session engine, with a store of its own: it may be made anew on the same file."""

    def __init__(
        self, floor: Floor, name: str = "TRADER", password: str = PASSWORD, tls: ssl.SSLContext | None = None
    ) -> None:
        self.floor = floor
        self._tls = tls
        self._socket: socket.socket | None = None
        floor.traders.append(self)
        self.store = SqliteStore(floor.folder / f"{name}.sqlite")
        settings = SessionSettings(
            session_id=name,
            role=Role.INITIATOR,
            sender=name,
            target="HEDGEROW",
            username=name.lower(),
            password=password,
            dictionary=DICTIONARY,
        )
        self.session = Session(settings, self.store)
        self.received: list[Message] = []
        self.passed: list[Message] = []
        self._piece: list[bytes] | None = None

    def log_on(self) -> "Trader":
        """Tries until the acceptor is there and answers."""
        end = time.monotonic() + PATIENCE_S
        while not self.session.is_logged_on:
            assert time.monotonic() < end, self.floor.log("fix_clients")[-2000:]
            self.cut()
            try:
                self._socket = self._connected()
            except OSError:
                time.sleep(0.05)
                continue
            self._take(self.session.open(time.time_ns()))
            self.until(lambda: self.session.is_logged_on or self._socket is None)
        self._catch_up()
        return self

    def _catch_up(self) -> None:
        """Passes over the reports that were kept while it was away: they come before the answer to a question."""
        name = f"state-{time.time_ns()}".encode()
        self.send("H", (11, name), (55, b"EURUSD"), (54, b"1"))
        while (answer := self.next("8", "j")).get(11) != name and answer.get(372) != b"H":
            self.passed.append(answer)

    def renumber(self, next_out: int, next_in: int) -> None:
        self.session.renumber(next_out, next_in)
        self._take([])

    def tries(self) -> bool:
        """Whether it gets in at once. Raises OSError."""
        self._socket = self._connected()
        self._take(self.session.open(time.time_ns()))
        self.until(lambda: self.session.is_logged_on or self._socket is None)
        return self.session.is_logged_on

    def _connected(self) -> socket.socket:
        line = socket.create_connection(("127.0.0.1", self.floor.port), timeout=PATIENCE_S)
        return line if self._tls is None else self._tls.wrap_socket(line, server_hostname="localhost")

    @contextmanager
    def written_at_once(self) -> Iterator[None]:
        """What is sent inside goes out in one piece."""
        self._piece = []
        yield
        piece, self._piece = self._piece, None
        assert self._socket is not None
        self._socket.sendall(b"".join(piece))

    def cut(self) -> None:
        """The connection is lost, without a word."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if not self.session.is_down:
            self._take(self.session.closed(time.time_ns()))

    def reset(self) -> None:
        """The connection ends with an error on the other side."""
        assert self._socket is not None
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.cut()

    def close(self) -> None:
        self.cut()
        self.store.close()
        self.floor.traders.remove(self)

    def send(self, msg_type: str, *fields: Field, header: tuple[Field, ...] = ()) -> None:
        self.session.send(msg_type.encode(), fields, time.time_ns(), header)
        self._take([])

    def order(self, name: str, *more: Field, symbol: str = "EURUSD", side: str = "1", quantity: str = "1000") -> None:
        """A market order unless `more` has OrdType."""
        kind = [] if any(tag == 40 for tag, _ in more) else [(40, b"1")]
        self.send(
            "D", (11, name.encode()), (55, symbol.encode()), (54, side.encode()), (60, utc_timestamp(time.time_ns())),
            (38, quantity.encode()), *kind, *more,
        )  # fmt: skip

    def change(self, msg_type: str, name: str, original: str, *more: Field) -> None:
        moment = utc_timestamp(time.time_ns())
        head = ((41, original.encode()), (11, name.encode()), (55, b"EURUSD"), (54, b"1"), (60, moment))
        self.send(msg_type, *head, *more)

    def next(self, *msg_types: str) -> Message:
        """The next application message, or the next of these types."""
        wanted = [kind.encode() for kind in msg_types]

        def found() -> Message | None:
            return next((one for one in self.received if not wanted or one.msg_type in wanted), None)

        self.until(lambda: found() is not None)
        message = found()
        assert message is not None
        self.received.remove(message)
        return message

    def report(self) -> dict[int, str]:
        """The next ExecutionReport or OrderCancelReject, without the session's fields."""
        return fields_of(self.next("8", "9"))

    def cancel_reject(self) -> dict[int, str]:
        return fields_of(self.next("9"))

    def until(self, holds: Callable[[], Any]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end, f"{self.received}\n{self.floor.log('fix_clients')[-2000:]}"
            self.listen()

    def listen(self, timeout_s: float = 0.05) -> None:
        if self._socket is None:
            time.sleep(timeout_s)
            return
        self._socket.settimeout(timeout_s)
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            self._take(self.session.tick(time.time_ns()))
            return
        except OSError:
            data = b""
        if not data:
            self.cut()
            return
        self._take(self.session.receive_data(data, time.time_ns()))

    def _take(self, events: list[Event]) -> None:
        self.received += [event.message for event in events if isinstance(event, Received)]
        with self.store.transaction():
            self.session.save()
        data = self.session.data_to_send()
        if self._piece is not None:
            self._piece.append(data)
        elif self._socket is not None and data:
            try:
                self._socket.sendall(data)
            except OSError:
                self.cut()


def fields_of(message: Message) -> dict[int, str]:
    header = (34, 43, 49, 52, 56, 97, 122)
    return {tag: value.decode() for tag, value in message.fields if tag not in header}


def picked(report: dict[int, str], *tags: int) -> dict[int, str]:
    return {tag: report[tag] for tag in tags if tag in report}
