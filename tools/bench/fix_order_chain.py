"""The processes that `fix_order` measures: an engine with one account, and clients that deal by FIX or by the bus."""

import socket
import time
from pathlib import Path
from typing import NamedTuple

import zmq

from actors.bus import codec, endpoints, sockets
from actors.bus.answers import AccountReport, Answer, OrderReport, Reply
from actors.bus.requests import EngineRequest, GetAccount
from actors.domain.commands import Command, DefineInstrument, Deposit, Mode, OpenAccount, SubmitOrder
from actors.domain.money import SCALE
from actors.domain.order import OrderStatus, OrderTerms, OrderType, Side, TimeInForce
from config import client_sessions
from gateway.fix.codec import Field, Message
from gateway.fix.events import Event, Received
from gateway.fix.session import Session
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import SqliteStore
from gateway.fix.times import utc_timestamp
from gateway.fix.validation import Level
from tools.bench import market, orders_chain, port
from tools.bench.result import Spoiled

ACCOUNT = 1
SYMBOL = "EURUSD"
QUANTITY = 1_000
PASSWORD = "measured"  # noqa: S105 (of a session that lives as long as the measurement)
PATIENCE_S = 30.0
OPENING_TRIES = 500
_SESSIONS = """
[listener]
host = "127.0.0.1"
port = {port}
tls = false

[BENCH]
purpose = "client"
sender = "HEDGEROW"
target = "BENCH"
username = "bench"
password_env = "BENCH_FIX_PASSWORD"
account = 1
permissions = ["trade"]
requests_per_second = 100000
"""


class Told(NamedTuple):
    """What a client saw. Orders that were answered otherwise than by their one fill are `unlike`."""

    seconds: float
    fills: int
    unlike: int
    net_e8: int
    """What the account holds of the orders that were timed."""
    latencies_ns: list[int]
    """From sending an order to having its trade, sorted."""


def settings(folder: Path) -> dict[str, str]:
    """The environment of `fix-clients`; its sessions are written down, with a free port."""
    listening = port.free()
    path = _sessions_file(folder)
    path.write_text(_SESSIONS.format(port=listening))
    return {
        "HEDGEROW_RUN_DIR": str(folder),
        "HEDGEROW_FIX_SESSIONS": str(path),
        "HEDGEROW_FIX_PORT": str(listening),
        "BENCH_FIX_PASSWORD": PASSWORD,
    }


def engine(folder: Path) -> None:
    """The engine process; runs until SIGTERM."""
    opened: list[Command] = [
        DefineInstrument(market.instruments()[SYMBOL]),
        OpenAccount(ACCOUNT, "USD", Mode.NETTING),
        Deposit(ACCOUNT, orders_chain.DEPOSIT_MINOR, "opening", "bench"),
    ]
    orders_chain.serve(folder, opened)


def side(number: int) -> Side:
    return Side.SELL if number % 3 == 2 else Side.BUY


def net_e8(orders: int) -> int:
    return sum((QUANTITY if side(number) is Side.BUY else -QUANTITY) * SCALE for number in range(orders))


def bus_client(folder: Path, orders: int, window_orders: int) -> Told:
    """Deals over the bus."""
    with zmq.Context() as context, sockets.dealer(context, endpoints.local(folder).engine) as dealer:
        bus = BusDesk(dealer)
        return _dealt(bus, bus, orders, window_orders)


def fix_client(folder: Path, orders: int, window_orders: int) -> Told:
    """Deals over FIX; what the account holds is asked over the bus."""
    with zmq.Context() as context, sockets.dealer(context, endpoints.local(folder).engine) as dealer:
        return _dealt(FixDesk(_listener(folder)), BusDesk(dealer), orders, window_orders)


def _dealt(desk: "BusDesk | FixDesk", bus: "BusDesk", orders: int, window_orders: int) -> Told:
    bus.open()
    before_e8 = bus.holding_e8()
    desk.log_on()
    sent_ns: list[int] = []
    done = 0
    start_ns = time.monotonic_ns()
    while done < orders:
        numbers = range(len(sent_ns), min(orders, done + window_orders))
        sent_ns += [time.monotonic_ns()] * len(numbers)
        desk.send(numbers)
        done += desk.listen(sent_ns)
    seconds = (time.monotonic_ns() - start_ns) / 1e9
    return Told(seconds, desk.fills, desk.unlike, bus.holding_e8() - before_e8, sorted(desk.latencies_ns))


class BusDesk:
    """A client's side of the engine's ROUTER."""

    def __init__(self, dealer: zmq.Socket[bytes]) -> None:
        self.fills = self.unlike = 0
        self.latencies_ns: list[int] = []
        self._socket = dealer
        self._socket.setsockopt(zmq.RCVTIMEO, int(PATIENCE_S * 1_000))
        self._decode = codec.decoder(Reply)

    def open(self) -> None:
        """Deals until there is a price."""
        for attempt in range(OPENING_TRIES):
            answer = self._ask(SubmitOrder(ACCOUNT, f"opening-{attempt}", _terms(0)))
            if isinstance(answer, OrderReport) and answer.outcome.order.status is OrderStatus.FILLED:
                return
            time.sleep(0.02)
        raise Spoiled("the engine never got a price")

    def log_on(self) -> None:
        """There is nothing to log on to."""

    def send(self, numbers: range) -> None:
        if numbers:
            commands = [SubmitOrder(ACCOUNT, f"order-{number}", _terms(number)) for number in numbers]
            pairs = zip(numbers, commands, strict=True)
            self._socket.send_multipart([codec.encode(EngineRequest(number, command)) for number, command in pairs])

    def listen(self, sent_ns: list[int]) -> int:
        frames = self._socket.recv_multipart()
        for frame in frames:
            reply = self._decode(frame)
            answer = reply.body
            is_filled = isinstance(answer, OrderReport) and answer.outcome.order.status is OrderStatus.FILLED
            self.fills += is_filled
            self.unlike += not is_filled
            self.latencies_ns.append(time.monotonic_ns() - sent_ns[reply.request_id])
        return len(frames)

    def holding_e8(self) -> int:
        report = self._ask(GetAccount(ACCOUNT))
        assert isinstance(report, AccountReport)
        held = [told.position for told in report.positions]
        return sum(one.quantity_e8 if one.side is Side.BUY else -one.quantity_e8 for one in held)

    def _ask(self, body: SubmitOrder | GetAccount) -> Answer:
        self._socket.send(codec.encode(EngineRequest(0, body)))
        reply: Reply = self._decode(self._socket.recv())
        return reply.body


class FixDesk:
    """An initiator, with one blocking socket."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.fills = self.unlike = 0
        self.latencies_ns: list[int] = []
        self._address = address
        self._store = SqliteStore(":memory:")
        settings = SessionSettings(
            session_id="BENCH",
            role=Role.INITIATOR,
            sender="BENCH",
            target="HEDGEROW",
            username="bench",
            password=PASSWORD,
            validation=Level.OFF,
        )
        self._session = Session(settings, self._store)

    def log_on(self) -> None:
        """Connects when the desk listens, and waits until it follows the engine."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._socket = socket.create_connection(self._address, PATIENCE_S)
                break
            except OSError:
                if time.monotonic() > end:
                    raise Spoiled("fix-clients does not listen") from None
                time.sleep(0.05)
        self._turn(self._session.open(time.time_ns()))
        while not self._session.is_logged_on:
            self._read()
        while True:
            self._session.send(b"g", [(335, b"opening"), (263, b"0")], time.time_ns())
            self._turn([])
            told = self._read()
            while not told:
                told = self._read()
            if told[0].get(340) == b"2":
                return
            time.sleep(0.05)

    def send(self, numbers: range) -> None:
        now_ns = time.time_ns()
        moment = utc_timestamp(now_ns)
        for number in numbers:
            fields: list[Field] = [(11, b"order-%d" % number), (55, SYMBOL.encode())]
            fields += [(54, b"1" if side(number) is Side.BUY else b"2"), (60, moment)]
            fields += [(38, b"%d" % QUANTITY), (40, b"1"), (59, b"4")]
            self._session.send(b"D", fields, now_ns)
        self._turn([])

    def listen(self, sent_ns: list[int]) -> int:
        done = 0
        for message in self._read():
            kind, name = message.get(150), message.get(11) or b""
            if kind == b"0" or not name.startswith(b"order-"):
                continue
            done += 1
            is_filled = kind == b"F" and message.get(39) == b"2"
            self.fills += is_filled
            self.unlike += not is_filled
            self.latencies_ns.append(time.monotonic_ns() - sent_ns[int(name.removeprefix(b"order-"))])
        return done

    def _read(self) -> list[Message]:
        data = self._socket.recv(262_144)
        if not data:
            raise Spoiled("fix-clients has hung up")
        return self._turn(self._session.receive_data(data, time.time_ns()))

    def _turn(self, events: list[Event]) -> list[Message]:
        with self._store.transaction():
            self._session.save()
        self._socket.sendall(self._session.data_to_send())
        return [event.message for event in events if isinstance(event, Received)]


def _terms(number: int) -> OrderTerms:
    return OrderTerms(SYMBOL, side(number), OrderType.MARKET, QUANTITY * SCALE, TimeInForce.FOK)


def _sessions_file(folder: Path) -> Path:
    return folder / "client_sessions.toml"


def _listener(folder: Path) -> tuple[str, int]:
    listener, _ = client_sessions.read(_sessions_file(folder))
    return listener.host, listener.port
