"""The simulated LP's sockets: one connection a peer, its messages to the session and the desk, their answers back."""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import simplefix
from tornado.ioloop import PeriodicCallback
from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import bind_sockets
from tornado.tcpserver import TCPServer

from tools.venues.fix.book import Book
from tools.venues.fix.desk import Desk
from tools.venues.fix.faults import Faults
from tools.venues.fix.session import Login, Session
from tools.venues.fix.wire import Fields, Garbled, Reader, text
from tools.venues.market import Market, Play

SYMBOLS = {
    name: f"{name[:3]}/{name[3:]}"
    for name in (
        *("EURUSD", "GBPUSD", "USDJPY", "USDCHF", "AUDUSD", "USDCAD", "NZDUSD", "EURGBP", "EURJPY", "EURCHF"),
        *("AUDCAD", "AUDCHF", "AUDJPY", "AUDNZD", "CADCHF", "EURCAD", "GBPCHF", "BTCUSD", "ETHUSD"),
    )
}
"""What the market calls it, and what this LP does."""
LAG_MS = 15
READ_BYTES = 65_536
BEAT_MS = 250
UNSENT_LIMIT_BYTES = 16 * 1024 * 1024
"""A peer for which more waits is cut; what it missed it can ask for."""


class _Peer:
    """A connection and its session."""

    def __init__(self, stream: IOStream, session: Session) -> None:
        self.stream = stream
        self.session = session
        self._unsent_bytes = 0

    @property
    def behind(self) -> bool:
        return self._unsent_bytes > UNSENT_LIMIT_BYTES // 4

    def flush(self) -> None:
        """Sends what the session has to say. Only after the transaction: what was sent is never forgotten."""
        data = self.session.take()
        if data and not self.stream.closed():
            written = self.stream.write(data)
            if not written.done():
                self._unsent_bytes += len(data)
                written.add_done_callback(lambda future: self._written(len(data), future))
            if self._unsent_bytes > UNSENT_LIMIT_BYTES:
                self.stream.close()
        if self.session.closing:
            self.stream.close()

    def _written(self, size_bytes: int, future: "asyncio.Future[None]") -> None:
        self._unsent_bytes -= size_bytes
        future.exception()  # A connection that is gone is seen where it is read.


class FixVenue(TCPServer):
    """The LP: its play of the market, `lag_ms` behind, its desk and its peers."""

    def __init__(
        self,
        market: Market,
        logins: Mapping[str, Login],
        faults: Faults | None = None,
        book: Book | None = None,
        *,
        lag_ms: int = LAG_MS,
        faults_file: Path | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`logins`: by the peer's SenderCompID. `book`: kept in memory where none is given.

        `faults_file`: where somebody writes NAME=NUMBER, a line each, these are the faults from then on, and it goes.
        """
        super().__init__(ssl_options=tls)
        self.faults = faults or Faults()
        self.book = book or Book()
        self.play = Play(market, SYMBOLS, self._show, self._room, lag_ms=lag_ms)
        self._logins = logins
        self._faults_file = faults_file
        chance = Random(f"{market.seed}:fix")
        symbols = tuple(SYMBOLS.values())
        self.desk = Desk(self.book, symbols, self.faults, chance, self._say, self._later, self.cut)
        self._peers: dict[str, _Peer] = {}
        self._idle = {comp_id: Session(self.book, logins, self.faults, self.desk.receive) for comp_id in logins}
        """The sessions of peers that are away: what is said to them is kept."""
        for comp_id, session in self._idle.items():
            session.peer = comp_id
        self._beat = PeriodicCallback(self._tell_time, BEAT_MS)

    def bind_and_serve(self, host: str, port: int) -> int:
        """Serve; returns the port, which the system chooses where `port` is 0."""
        sockets = bind_sockets(port, host)
        self.add_sockets(sockets)
        self._beat.start()
        self._later(self.faults.hold_ms, self.desk.finish)
        bound: int = sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        self._beat.stop()
        self.stop()
        await self.play.close()
        for peer in list(self._peers.values()):
            peer.session.log_out(time.time_ns())
            peer.flush()
            peer.stream.close()
        self.book.close()

    def cut(self, comp_id: str) -> None:
        """The peer's connection ends at once, whatever was to be sent."""
        peer = self._peers.pop(comp_id, None)
        if peer is not None:
            peer.session.is_up = False
            peer.stream.close()

    async def handle_stream(self, stream: IOStream, address: object) -> None:
        stream.set_nodelay(True)
        session = Session(self.book, self._logins, self.faults, self.desk.receive)
        peer, reader = _Peer(stream, session), Reader()
        try:
            while not session.closing and not stream.closed():
                data = await stream.read_bytes(READ_BYTES, partial=True)
                with self.book.transaction():
                    for message in reader.receive(data):
                        self._take(peer, message)
                peer.flush()
        except (StreamClosedError, Garbled):
            pass
        finally:
            self._leave(peer)

    def _take(self, peer: _Peer, message: simplefix.FixMessage) -> None:
        session = peer.session
        was_up = session.is_up
        if not was_up and text(message, 49) in self._peers:
            session.closing = True  # One connection a session (volume 2, "Logon").
            return
        session.receive(message, time.time_ns())
        if session.is_up and not was_up:
            self._peers[session.peer] = peer
            self.play.begin()

    def _leave(self, peer: _Peer) -> None:
        comp_id = peer.session.peer
        if self._peers.get(comp_id) is peer:
            del self._peers[comp_id]
            self.desk.forget(comp_id)
        peer.session.is_up = False
        peer.stream.close()

    def _say(self, comp_id: str, msg_type: str, body: Fields, now_ns: int) -> None:
        peer = self._peers.get(comp_id)
        with self.book.transaction():
            if peer is None:
                self._idle[comp_id].send(msg_type, body, now_ns)
                return
            peer.session.send(msg_type, body, now_ns)

    def _later(self, delay_ms: int, call: Callable[[int], None]) -> None:
        asyncio.get_running_loop().call_later(delay_ms / 1000, self._call, call)

    def _call(self, call: Callable[[int], None]) -> None:
        with self.book.transaction():
            call(time.time_ns())
        self._flush()

    def _show(self, name: str, bid: str, ask: str) -> None:
        with self.book.transaction():
            self.desk.show(name, bid, ask, time.time_ns())
        self._flush()

    def _tell_time(self) -> None:
        self._hear_of_faults()
        now_ns = time.time_ns()
        with self.book.transaction():
            for peer in list(self._peers.values()):
                peer.session.beat(now_ns)
        self._flush()

    def _hear_of_faults(self) -> None:
        if self._faults_file is None or not self._faults_file.exists():
            return
        for line in self._faults_file.read_text(encoding="utf-8").splitlines():
            try:
                self.faults.set(line)
            except ValueError as error:
                print(f"{self._faults_file}: {error}", flush=True)
        self._faults_file.unlink()

    def _flush(self) -> None:
        for peer in list(self._peers.values()):
            peer.flush()

    async def _room(self) -> None:
        await asyncio.sleep(0)
        while any(peer.behind for peer in self._peers.values()):
            await asyncio.sleep(0.001)
