"""An LP that the process fix-lp reaches over real sockets: plain or TLS, through a proxy, on one host or the next."""

import asyncio
import contextlib
import json
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, Self

import zmq

from actors.bus import codec, endpoints, sockets, topics
from actors.bus.answers import Reply
from actors.bus.fix_sessions import FixQuestion, FixRequest, FixSession, FixSessions, GetFixSessions
from actors.bus.streams import LpsAnnounced
from actors.domain.prices.lp_registry import Lp, Registry
from tests.ports import free_port
from tests.system.running import Broker, eventually
from tools.venues.fix import FixVenue
from tools.venues.fix.book import Book
from tools.venues.fix.session import COMP_ID, Login
from tools.venues.market import Market

US, NAME = "US", "lp.example"
PASSWORD = "secret-of-the-line"
PROXY_PASSWORD = "secret-of-the-proxy"
PROXY_LOGIN = "dTpzZWNyZXQtb2YtdGhlLXByb3h5"
"""u and the password, as HTTP has them (RFC 7617)."""

_decode = codec.decoder(Reply)


class Lines:
    """A loop in a thread, with an LP on it and what stands between. It is open for one `with`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.asked: list[bytes] = []
        """What proxies were asked for, and with which login."""
        self.names: list[str | None] = []
        """What SNI said."""
        self._book = folder / "lp.sqlite"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._open: dict[str, contextlib.AsyncExitStack] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for host in list(self._open):
            self.close(host)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def lp(self, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        """Begins to listen; what the LP knows is in a file, whichever host it is on."""
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._run(self._enter(host, _venue(self._book, tls, host, self.port)))

    def proxy(self, kind: str) -> int:
        """Its port. It knows one name, and takes everything to the LP."""
        port = free_port()
        serve = self._connect if kind == "http" else self._socks
        self._run(self._enter(kind, _server(serve, port)))
        return port

    def close(self, what: str) -> None:
        """An LP by its host, or a proxy by its kind."""
        self._run(self._open.pop(what).aclose())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(90)

    async def _enter(self, name: str, context: contextlib.AbstractAsyncContextManager[None]) -> None:
        self._open[name] = contextlib.AsyncExitStack()
        await self._open[name].enter_async_context(context)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """HTTP CONNECT."""
        request = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(request)
        known = f"CONNECT {NAME}:{self.port} ".encode() in request and PROXY_LOGIN.encode() in request
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" if known else b"HTTP/1.1 403 Forbidden\r\n\r\n")
        await self._pipe_all(reader, writer, known)

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """RFC 1928 and 1929."""
        assert await reader.readexactly(3) == bytes((5, 1, 2))
        writer.write(bytes((5, 2)))
        login = bytes((1, 1)) + b"u" + bytes((len(PROXY_PASSWORD),)) + PROXY_PASSWORD.encode()
        is_login = await reader.readexactly(len(login)) == login
        writer.write(bytes((1, not is_login)))
        head = await reader.readexactly(5)
        self.asked.append(await reader.readexactly(head[4] + 2))
        known = is_login and self.asked[-1] == NAME.encode() + self.port.to_bytes(2, "big")
        writer.write(bytes((5, 0 if known else 4, 0, 1)) + bytes(6))
        await self._pipe_all(reader, writer, known)

    async def _pipe_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, known: bool) -> None:
        if not known:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        await asyncio.gather(_pipe(reader, far_writer), _pipe(far_reader, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
    writer.close()


@contextlib.asynccontextmanager
async def _server(serve: Any, port: int) -> AsyncIterator[None]:
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    yield
    server.close()


@contextlib.asynccontextmanager
async def _venue(book: Path, tls: ssl.SSLContext | None, host: str, port: int) -> AsyncIterator[None]:
    logins = {US: Login("us", PASSWORD)}
    venue = FixVenue(Market(seed=3), logins, book=Book(book), lag_ms=0, tls=tls)
    venue.bind_and_serve(host, port)
    yield
    await venue.close()


class FixLp:
    """The process fix-lp alone, and what an operator and the aggregator would say to it."""

    def __init__(self, folder: Path, sessions: str) -> None:
        """`sessions`: as `config/lp_sessions.toml`, without what all sessions here have in common."""
        self._file = folder / "lp_sessions.toml"
        self._requests = 0
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.write(sessions)
        secrets = {"LP_LINE_PASSWORD": PASSWORD, "LP_PROXY_PASSWORD": PROXY_PASSWORD}
        self.broker = Broker(folder / "x" / "var", HEDGEROW_LP_SESSIONS=str(self._file), **secrets)

    def __enter__(self) -> Self:
        self.broker.start("fix-lp")
        where = endpoints.local(self.broker.run_dir)
        self._socket = sockets.dealer(self._context, where.fix_lp)
        self._ticks = sockets.publisher(self._context, where.ticks)
        return self

    def __exit__(self, *reason: object) -> None:
        self._context.destroy(linger=0)
        self.broker.__exit__(*reason)

    def write(self, sessions: str) -> None:
        """The file that the next start reads."""
        common = {"lp": "SIMLP", "purpose": "both", "sender": US, "target": COMP_ID, "username": "us"}
        common |= {"password_env": "LP_LINE_PASSWORD"}
        limits = "reconnect_first_ms = 50\nreconnect_cap_ms = 200\nheartbeat_s = 1\nsecurity_list = true\n"
        text = "[line]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in common.items())
        self._file.write_text(text + limits + sessions)

    def restart(self) -> None:
        """After a SIGKILL."""
        self.broker.kill("fix-lp")
        self.broker.start("fix-lp")

    def ask(self, question: FixQuestion) -> FixSession:
        """Again and again until it answers; of its one session."""

        def answer() -> object:
            self._requests += 1
            self._socket.send(codec.encode(FixRequest(self._requests, question)))
            while self._socket.poll(500):
                reply = _decode(self._socket.recv())
                if reply.request_id == self._requests:
                    return reply.body
            return None

        answered = eventually(answer)
        assert isinstance(answered, FixSessions), answered
        (session,) = answered.sessions
        return session

    def seen(self) -> FixSession:
        return self.ask(GetFixSessions())

    def until_logged_on(self) -> FixSession:
        """And the LP's answer to a question shows that messages go both ways."""

        def logged_on() -> FixSession | None:
            session = self.seen()
            is_up = session.state == "logged_on" and session.survey is not None and session.survey.listed is not None
            return session if is_up else None

        found: FixSession = eventually(logged_on)
        return found

    def announce(self, symbols: dict[str, str]) -> None:
        """As the aggregator does."""
        registry = Registry(1, {"SIMLP": Lp("SIMLP", "fix", symbols)}, 0, "", "")
        self._ticks.send(codec.encode(LpsAnnounced(1, registry), topics.LPS))

    def log(self) -> str:
        return self.broker.log("fix-lp")


def certificates(folder: Path) -> Path:
    """Self-signed ones for the LP's name and for a client."""
    for name in (NAME, "client"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
    return folder
