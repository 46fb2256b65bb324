"""The two processes of `fix_round_trip` on our session engine: an initiator that deals, an acceptor that fills."""

import asyncio
import random
import time
from pathlib import Path

from gateway.fix.acceptor import Acceptor
from gateway.fix.codec import Field
from gateway.fix.events import Event, LoggedOn, Received
from gateway.fix.initiator import Host, Initiator, Route
from gateway.fix.session import Session
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import SqliteStore
from gateway.fix.validation import Level
from gateway.venues.interface import Patience

CLIENT = SessionSettings(
    session_id="client", role=Role.INITIATOR, sender="CLIENT", target="BROKER", validation=Level.OFF
)
BROKER = SessionSettings(
    session_id="broker", role=Role.ACCEPTOR, sender="BROKER", target="CLIENT", validation=Level.OFF
)


class _Broker:
    def on_events(self, session: Session, events: list[Event], now_ns: int) -> None:
        for event in events:
            if isinstance(event, Received):
                get = event.message.get
                order_id, quantity = get(11) or b"", get(38) or b""
                fill: list[Field] = [
                    (37, order_id), (11, order_id), (17, order_id), (150, b"F"), (39, b"2"), (55, get(55) or b""),
                    (54, get(54) or b""), (38, quantity), (32, quantity), (31, b"1.07123"), (151, b"0"),
                    (14, quantity), (6, b"1.07123"), (60, get(60) or b""),
                ]  # fmt: skip
                session.send(b"8", fill, now_ns)

    def on_end(self, session: Session, error: Exception | None) -> None: ...


class _Client:
    def __init__(self, orders: int, warm_up: int, in_flight: int, done: asyncio.Event):
        self._orders = orders + warm_up
        self._warm_up = warm_up
        self._in_flight = in_flight
        self._done = done
        self._sent_ns: list[int] = []
        self._took_ns: list[int] = []
        self._start_ns = self._end_ns = 0

    def on_events(self, session: Session, events: list[Event], now_ns: int) -> None:
        for event in events:
            match event:
                case LoggedOn():
                    for _ in range(self._in_flight):
                        self._send(session, now_ns)
                case Received(message=message):
                    self._take(int(message.get(11) or b""))
                    if len(self._sent_ns) < self._orders:
                        self._send(session, now_ns)

    def on_end(self, session: Session, error: Exception | None) -> None: ...

    @property
    def told(self) -> tuple[int, list[int]]:
        return self._end_ns - self._start_ns, self._took_ns[self._warm_up :]

    def _take(self, number: int) -> None:
        self._end_ns = time.perf_counter_ns()
        self._took_ns.append(self._end_ns - self._sent_ns[number])
        if len(self._took_ns) == self._warm_up:
            self._start_ns = self._end_ns
        elif len(self._took_ns) == self._orders:
            self._done.set()

    def _send(self, session: Session, now_ns: int) -> None:
        order: list[Field] = [
            (11, b"%d" % len(self._sent_ns)), (21, b"1"), (55, b"EUR/USD"), (54, b"1"), (60, b"20260119-12:00:00.000"),
            (38, b"100000"), (40, b"2"), (44, b"1.07123"), (59, b"3"),
        ]  # fmt: skip
        self._sent_ns.append(time.perf_counter_ns())
        session.send(b"D", order, now_ns)


def _store(path: Path, syncs: bool) -> SqliteStore:
    store = SqliteStore(path)
    if not syncs:
        store.db.execute("PRAGMA synchronous = NORMAL")
    return store


def accept(folder: Path, port: int, syncs: bool) -> None:
    """The acceptor's process, until it is killed."""

    async def serve() -> None:
        acceptor = Acceptor([BROKER], _store(folder / "broker.sqlite", syncs), _Broker(), time.time_ns)
        server = await acceptor.listen("127.0.0.1", port, tls=None)
        await server.serve_forever()

    asyncio.run(serve())


def deal(
    folder: Path, port: int, orders: int, warm_up: int, in_flight: int, timeout_s: float, syncs: bool
) -> tuple[int, list[int]]:
    """The initiator's process: the nanoseconds that all `orders` after `warm_up` ones took, and each."""

    async def serve() -> _Client:
        done = asyncio.Event()
        client = _Client(orders, warm_up, in_flight, done)
        route = Route(
            hosts=[Host("127.0.0.1", port)], tls=None, patience=Patience(backoff_first_ms=20, backoff_cap_ms=50)
        )
        store = _store(folder / "client.sqlite", syncs)
        initiator = Initiator(CLIENT, route, store, client, time.time_ns, random.Random())
        running = asyncio.create_task(initiator.run())
        await asyncio.wait_for(done.wait(), timeout_s)
        initiator.stop()
        await running
        return client

    return asyncio.run(serve()).told
