"""Initiator and acceptor over real sockets: TLS, proxies, reconnecting, and what each application gets."""

import asyncio
import contextlib
import random
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from gateway.fix.acceptor import STRANGERS_LIMIT, Acceptor
from gateway.fix.codec import Framer
from gateway.fix.connection import HALVED_FROM_BYTES
from gateway.fix.events import Event, LoggedOn, Received
from gateway.fix.initiator import Host, Initiator, Route
from gateway.fix.proxy import Proxy, ProxyKind
from gateway.fix.session import Session
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import Sequences, SqliteStore
from gateway.fix.tls import client_context, server_context
from gateway.venues.interface import Patience
from tests.certificates import make
from tests.gateway.fix.peers import ORDER, logon

HASTY = Patience(connect_timeout_ms=60_000, backoff_first_ms=1, backoff_cap_ms=5)
WAIT_LIMIT_S = 90
OURS = SessionSettings(session_id="a", role=Role.INITIATOR, sender="A", target="B", username="u", password="p")
THEIRS = SessionSettings(session_id="b", role=Role.ACCEPTOR, sender="B", target="A", username="u", password="p")


class Seen:
    """An application that writes down what it is told, and answers each order where it has an answer."""

    def __init__(self, answers: bool = False):
        self.answers = answers
        self.events: list[Event] = []
        self.errors: list[Exception] = []
        self.fail_once = False

    def on_events(self, session: Session, events: list[Event], now_ns: int) -> None:
        if self.fail_once and any(isinstance(event, Received) for event in events):
            self.fail_once = False
            raise ValueError("the application fails")
        self.events += events
        for event in events:
            if self.answers and isinstance(event, Received):
                session.send(b"j", [(45, b"%d" % event.seq), (372, b"D"), (380, b"0")], now_ns)

    def on_end(self, session: Session, error: Exception | None) -> None:
        if error is not None:
            self.errors.append(error)

    def types(self) -> list[bytes]:
        return [event.message.msg_type for event in self.events if isinstance(event, Received)]

    def logons(self) -> int:
        return sum(isinstance(event, LoggedOn) for event in self.events)


class Pair:
    def __init__(self) -> None:
        self.here, self.there = Seen(), Seen(answers=True)
        self.acceptor = Acceptor([THEIRS], SqliteStore(":memory:"), self.there, time.time_ns)

    def initiator(self, *ports: int, tls: ssl.SSLContext | None = None, proxy: Proxy | None = None) -> Initiator:
        hosts = [Host("localhost" if tls else "127.0.0.1", port) for port in ports]
        route = Route(hosts=hosts, tls=tls, proxy=proxy, patience=HASTY)
        return Initiator(OURS, route, SqliteStore(":memory:"), self.here, time.time_ns, random.Random(1))


@contextlib.asynccontextmanager
async def running(initiator: Initiator) -> AsyncIterator[None]:
    task = asyncio.create_task(initiator.run())
    try:
        yield
    finally:
        initiator.stop()
        await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_LIMIT_S):
        while not condition():
            await asyncio.sleep(0.002)


def port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def order(initiator: Initiator) -> None:
    initiator.session.send(b"D", ORDER, time.time_ns())
    initiator.flush()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One self-signed certificate for localhost, and one for a client."""
    return make(tmp_path_factory.mktemp("certificates"), "localhost", "client")


def test_a_peer_that_does_not_agree_on_tls_leaves_no_connection() -> None:
    async def go() -> None:
        pair = Pair()
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        initiator = pair.initiator(port_of(server), tls=client_context())
        async with running(initiator):
            await until(lambda: bool(pair.here.errors))
            initiator.hold("held")
            await until(lambda: initiator.peer is None)
        server.close()

    run(go())


def test_orders_go_there_and_answers_come_back() -> None:
    async def go() -> None:
        pair = Pair()
        server = await pair.acceptor.listen("127.0.0.1", 0, tls=None)
        initiator = pair.initiator(port_of(server))
        async with running(initiator):
            await until(lambda: pair.here.logons() == 1)
            for _ in range(10):
                order(initiator)
            await until(lambda: pair.here.types() == [b"j"] * 10)
        assert pair.there.types() == [b"D"] * 10
        assert pair.here.errors == pair.there.errors == []
        server.close()

    run(go())


def test_of_much_that_comes_at_once_half_is_answered_before_the_rest_is_taken_in() -> None:
    async def go() -> None:
        pair = Pair()
        read: list[bytes] = []
        written: list[bytes] = []

        def tap(is_ours: bool, data: bytes) -> None:
            (written if is_ours else read).append(data)

        server = await pair.acceptor.listen("127.0.0.1", 0, tls=None)
        route = Route(hosts=[Host("127.0.0.1", port_of(server))], tls=None, patience=HASTY)
        initiator = Initiator(OURS, route, SqliteStore(":memory:"), pair.here, time.time_ns, random.Random(1), tap)
        async with running(initiator):
            await until(lambda: pair.here.logons() == 1)
            pair.here.answers = True
            pair.there.answers = False
            now_ns = time.time_ns()
            for _ in range(200):
                pair.acceptor.sessions["b"].send(b"D", ORDER, now_ns)
            read.clear()
            written.clear()
            pair.acceptor.commit(["b"])
            await until(lambda: pair.there.types() == [b"j"] * 200)
            answers = [len(Framer().receive_data(data)) for data in written]
        assert max(len(data) for data in read) > HALVED_FROM_BYTES
        assert sum(answers) == 200
        assert max(answers) <= 101
        server.close()

    run(go())


def test_what_was_sent_before_the_logon_arrives() -> None:
    async def go() -> None:
        pair = Pair()
        server = await pair.acceptor.listen("127.0.0.1", 0, tls=None)
        initiator = pair.initiator(port_of(server))
        order(initiator)
        async with running(initiator):
            await until(lambda: pair.here.types() == [b"j"])
        server.close()

    run(go())


def test_the_next_host_is_tried_and_a_failing_application_gets_its_messages_again() -> None:
    async def go() -> None:
        pair = Pair()
        server = await pair.acceptor.listen("127.0.0.1", 0, tls=None)
        pair.there.fail_once = True
        initiator = pair.initiator(1, port_of(server))
        async with running(initiator):
            await until(lambda: pair.here.logons() == 1)
            order(initiator)
            await until(lambda: pair.here.types() == [b"j"])
        assert [str(error) for error in pair.there.errors] == ["the application fails"]
        assert pair.there.types() == [b"D"]
        assert isinstance(pair.here.errors[0], ConnectionRefusedError)
        server.close()

    run(go())


def test_a_second_connection_for_a_live_session_is_closed() -> None:
    async def go() -> None:
        pair = Pair()
        server = await pair.acceptor.listen("127.0.0.1", 0, tls=None)
        initiator, second = pair.initiator(port_of(server)), pair.initiator(port_of(server))
        async with running(initiator):
            await until(lambda: pair.here.logons() == 1)
            async with running(second):
                await until(lambda: len(pair.here.events) >= 3)
            assert not second.session.is_logged_on
            assert initiator.session.is_logged_on
        server.close()

    run(go())


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"8=FIX.4.4\x019=9000\x01" + b"x" * 9_000, logon()])
def test_a_stranger_is_cut_off(data: bytes) -> None:
    async def go() -> None:
        pair = Pair()
        server = await pair.acceptor.listen("127.0.0.1", 0, tls=None)
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
        writer.write(data)
        async with asyncio.timeout(WAIT_LIMIT_S):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()
        assert pair.there.events == []
        server.close()

    run(go())


def test_no_more_strangers_than_the_limit() -> None:
    async def go() -> None:
        pair = Pair()
        server = await pair.acceptor.listen("127.0.0.1", 0, tls=None)
        lines = [await asyncio.open_connection("127.0.0.1", port_of(server)) for _ in range(STRANGERS_LIMIT + 1)]
        async with asyncio.timeout(WAIT_LIMIT_S):
            with contextlib.suppress(ConnectionError):
                assert await lines[-1][0].read() == b""
        for _, writer in lines:
            writer.close()
        async with running(pair.initiator(port_of(server))):
            await until(lambda: pair.here.logons() == 1)
        server.close()

    run(go())


def test_tls_with_client_certificates(certificates: Path) -> None:
    async def go() -> None:
        pair = Pair()
        there = server_context(
            certificates / "localhost.pem", certificates / "localhost.key", certificates / "client.pem"
        )
        here = client_context(certificates / "localhost.pem", certificates / "client.pem", certificates / "client.key")
        server = await pair.acceptor.listen("127.0.0.1", 0, tls=there)
        async with running(pair.initiator(port_of(server), tls=here)):
            await until(lambda: pair.here.logons() == 1)
        server.close()

    run(go())


def test_a_certificate_that_nobody_vouches_for(certificates: Path) -> None:
    async def go() -> None:
        pair = Pair()
        there = server_context(certificates / "localhost.pem", certificates / "localhost.key")
        server = await pair.acceptor.listen("127.0.0.1", 0, tls=there)
        async with running(pair.initiator(port_of(server), tls=client_context())):
            await until(lambda: bool(pair.here.errors))
        assert isinstance(pair.here.errors[0], ssl.SSLCertVerificationError)
        assert pair.here.logons() == 0
        server.close()

    run(go())


class ProxyServer:
    """HTTP CONNECT or SOCKS5 with a user name, and then a pipe."""

    def __init__(self, kind: ProxyKind):
        self._kind = kind
        self.asked: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._kind is ProxyKind.HTTP:
            request = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(request)
            port = int(request.split(b" ")[1].rpartition(b":")[2])
            writer.write(b"HTTP/1.1 200 OK\r\nVia: test\r\n\r\n")
        else:
            assert await reader.readexactly(3) == bytes((5, 1, 2))
            writer.write(bytes((5, 2)))
            self.asked.append(await reader.readexactly(5))
            writer.write(bytes((1, 0)))
            head = await reader.readexactly(5)
            self.asked.append(await reader.readexactly(head[4]))
            port = int.from_bytes(await reader.readexactly(2), "big")
            writer.write(bytes((5, 0, 0, 1)) + bytes(6))
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(self._pipe(reader, far_writer), self._pipe(far_reader, writer))

    @staticmethod
    async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (ProxyKind.HTTP, b"Proxy-Authorization: Basic dTpw\r\n"),
        (ProxyKind.SOCKS5, bytes((1, 1)) + b"u" + bytes((1,)) + b"p"),
    ],
)
def test_through_a_proxy(kind: ProxyKind, asked: bytes) -> None:
    async def go() -> None:
        pair, proxy = Pair(), ProxyServer(kind)
        server = await pair.acceptor.listen("127.0.0.1", 0, tls=None)
        relay = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
        way = Proxy(kind, "127.0.0.1", port_of(relay), "u", "p")
        async with running(pair.initiator(port_of(server), proxy=way)):
            await until(lambda: pair.here.logons() == 1)
        assert asked in proxy.asked[0]
        server.close()
        relay.close()

    run(go())


@pytest.mark.parametrize("who", ["initiator", "acceptor"])
def test_a_session_that_is_held_stays_down_until_it_is_let_go(who: str) -> None:
    async def script() -> None:
        pair = Pair()
        server = await pair.acceptor.listen("127.0.0.1", 0, tls=None)
        initiator = pair.initiator(server.sockets[0].getsockname()[1])
        seat = pair.acceptor.seat("b")
        driver = initiator if who == "initiator" else seat
        async with running(initiator):
            await until(lambda: seat.session.is_logged_on)
            assert (initiator.peer or "").startswith("127.0.0.1:")
            assert (seat.peer or "").startswith("127.0.0.1:")
            driver.hold("held")
            await until(lambda: seat.peer is None and initiator.peer is None)
            logons = pair.there.logons()
            await asyncio.sleep(0.05)
            assert (driver.is_held, pair.there.logons()) == (True, logons)
            driver.release()
            await until(lambda: seat.session.is_logged_on)
            assert not driver.is_held
        server.close()

    asyncio.run(script())


def test_numbers_that_were_set_in_the_store_are_those_of_the_next_logon() -> None:
    async def script() -> None:
        pair = Pair()
        server = await pair.acceptor.listen("127.0.0.1", 0, tls=None)
        store = SqliteStore(":memory:")
        route = Route(hosts=[Host("127.0.0.1", server.sockets[0].getsockname()[1])], tls=None, patience=HASTY)
        initiator = Initiator(OURS, route, store, pair.here, time.time_ns, random.Random(1))
        initiator.hold("not yet")
        async with running(initiator):
            await asyncio.sleep(0.01)
            with store.transaction():
                store.save("a", Sequences(41, 1, 0), [])
            initiator.reread()
            initiator.release()
            await until(lambda: pair.acceptor.sessions["b"].sequences.next_in == 42)
        server.close()

    asyncio.run(script())
