"""One LP of the process fix-lp: its sessions, and its sockets of the bus."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial

import zmq

from actors.bus import sockets
from actors.counters import CounterLog
from actors.dispatch.venue_calls import Beat, BusHeard
from actors.domain.instrument import Instrument
from actors.domain.prices.lp_registry import Lp
from actors.lp.line import Line
from actors.lp.orders import Orders
from actors.lp.quotes import Quotes
from gateway.fix.session import Session
from gateway.fix.store import SqliteStore

BATCH_MESSAGES = 1_000

Socket = zmq.Socket[bytes]


class Desk:
    """One LP: its sessions, and its sockets of the bus."""

    def __init__(self, name: str, store: SqliteStore, quotes: Socket, events: Socket, engine: Socket) -> None:
        self.name = name
        self.store = store
        self.lines: list[Line] = []
        self.sockets = (events, engine)
        self._quotes = quotes
        self._engine = engine
        self._frames: list[bytes] = []
        self._counter_log = CounterLog(lambda: store.counters)

    def publish(self, frames: list[bytes]) -> None:
        """Prices may be lost."""
        with contextlib.suppress(zmq.Again):
            for frame in frames:
                self._quotes.send(frame, zmq.NOBLOCK)

    def tell_engine(self, frames: list[bytes]) -> None:
        """After the transaction that they come from. Each is told again until the engine has answered it."""
        if frames and not self._frames:
            asyncio.get_running_loop().call_soon(self._send_frames)
        self._frames += frames

    def _send_frames(self) -> None:
        frames, self._frames = self._frames, []
        with contextlib.suppress(zmq.Again):
            for frame in frames:
                self._engine.send(frame, zmq.NOBLOCK)

    def turn(self, now_ns: int) -> None:
        """What the bus has for this LP's orders, and what time brings."""
        self._counter_log.tell(now_ns)
        for line in self.lines:
            if line.orders is not None:
                events, replies = (sockets.drained(socket, BATCH_MESSAGES) for socket in self.sockets)
                told = BusHeard(now_ns, events, replies) if events or replies else Beat(now_ns)
                session = line.initiator.session
                line.initiator.commit(partial(_turn_orders, line.orders, session, told))
            if line.survey is not None and line.survey.is_due(now_ns):
                line.initiator.commit(partial(line.survey.ask, line.initiator.session, now_ns))

    def follow(self, lp: Lp | None, now_ns: int) -> None:
        """The registry's entry, where there is one that is enabled. Else nothing is sent there."""
        for line in self.lines:
            line.initiator.commit(partial(self._tell, line, lp, now_ns))

    def relist(self, instruments: Mapping[str, Instrument]) -> None:
        """Our instruments, as the engine has them."""
        for line in self.lines:
            if line.survey is not None:
                line.survey.relist(instruments)

    @staticmethod
    def _tell(line: Line, lp: Lp | None, now_ns: int) -> None:
        session = line.initiator.session
        if line.quotes is not None:
            line.quotes.follow(lp, session, now_ns)
        if line.orders is not None:
            line.orders.follow(session, lp, now_ns)
        if lp is not None and line.survey is not None:
            line.survey.follow(lp.symbols)

    def beat(self, now_ns: int) -> None:
        """Time to say how the quotes' streams are."""
        for line in self.lines:
            if line.quotes is not None:
                line.quotes.beat(line.initiator.session, now_ns)

    def each_quotes(self, tell: Callable[[Quotes], None]) -> None:
        for line in self.lines:
            if line.quotes is not None:
                tell(line.quotes)

    def has_messages(self) -> bool:
        """ZeroMQ's descriptor tells of changes only: what came before the last look does not wake anybody."""
        return any(socket.poll(0) for socket in self.sockets)


def _turn_orders(orders: Orders, session: Session, told: BusHeard | Beat) -> None:
    orders.expire(session, told.now_ns)
    orders.tell(session, told)
