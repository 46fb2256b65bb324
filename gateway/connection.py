"""The socket loops that drive the venues' parsers: connect, read, notice silence, try again.

A `Stream` knows one transport and its parser; `Connection` keeps any of them connected, with capped exponential
backoff and full jitter (the source of chance is passed in), until it is stopped. The only clock is the event loop's.
"""

import asyncio
import logging
import random
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import websockets
from websockets.asyncio.client import ClientConnection, connect

from gateway.venues.binance import MESSAGE_LIMIT_BYTES, BinanceBookTickers
from gateway.venues.events import VenueEvent
from gateway.venues.oanda import OandaPriceStream, PricingStreamRequest

DETAIL_LIMIT_CHARS = 160
CLOSE_TIMEOUT_S = 1

logging.getLogger("httpx").setLevel(logging.WARNING)  # At INFO it writes each address, and OANDA's holds the account.

OnEvents = Callable[[list[VenueEvent]], None]
OnState = Callable[[bool, str], None]
Events = AsyncIterator[list[VenueEvent]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection waits. Silence is the time without a byte (HTTP) or without a pong (WebSocket)."""

    connect_timeout_ms: int = 10_000
    silence_timeout_ms: int = 12_000
    backoff_first_ms: int = 250
    backoff_cap_ms: int = 30_000


class ConnectionLost(Exception):
    """Not connected, or no longer; the text is one short line without secrets.

    `refused`: the LP said no (4xx), and will say so again until somebody acts.
    """

    def __init__(self, detail: str, refused: bool = False):
        super().__init__("".join(c if c.isprintable() else " " for c in detail)[:DETAIL_LIMIT_CHARS])
        self.refused = refused


class Stream(Protocol):
    def open(self) -> AbstractAsyncContextManager[Events]:
        """Connect once, with a new parser: the events of each chunk that comes, until the LP ends the stream.

        Both connecting and reading may raise `ConnectionLost`.
        """
        ...


_REFUSALS = {
    400: "the LP does not understand the request: are the instruments right?",
    401: "the LP does not accept the token",
    403: "the LP forbids it: is the token allowed to use this account?",
    404: "the LP knows no such account or address",
    418: "the LP has banned this address for too many requests",
    429: "too many requests or connections",
    451: "the LP does not serve this place",
}


def _refusal(status: int) -> ConnectionLost:
    words = _REFUSALS.get(status, "the LP is out of order" if status >= 500 else "not the answer of a stream")
    return ConnectionLost(f"HTTP {status}: {words}", refused=400 <= status < 500)


def _is_here(url: str) -> bool:
    """On this machine: a proxy that the environment names is for the way out."""
    return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")


class OandaStream:
    """A v20 pricing stream over HTTP. TLS certificates are verified; redirects are not followed."""

    def __init__(self, request: PricingStreamRequest, patience: Patience):
        self._request = request
        self._timeout = httpx.Timeout(patience.connect_timeout_ms / 1000, read=patience.silence_timeout_ms / 1000)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Events]:
        ask = self._request
        async with httpx.AsyncClient(timeout=self._timeout, trust_env=not _is_here(ask.url)) as client:
            request = client.build_request(ask.method, ask.url, headers=ask.headers, params=ask.params)
            with _httpx_losses():
                response = await client.send(request, stream=True)
            try:
                if response.status_code != httpx.codes.OK:
                    raise _refusal(response.status_code)
                async with aclosing(self._events(response)) as events:
                    yield events
            finally:
                await response.aclose()

    @staticmethod
    async def _events(response: httpx.Response) -> AsyncGenerator[list[VenueEvent], None]:
        parser = OandaPriceStream()
        with _httpx_losses():
            async for chunk in response.aiter_raw():
                yield parser.receive_data(chunk)


@contextmanager
def _httpx_losses() -> Iterator[None]:
    try:
        yield
    except httpx.ReadTimeout:
        raise ConnectionLost("silent for longer than the limit") from None
    except httpx.HTTPError as error:
        raise ConnectionLost(f"{type(error).__name__}: {error}") from None


class BinanceStream:
    """A combined stream over WebSocket. TLS certificates are verified; a peer that answers no ping is silent."""

    def __init__(self, url: str, patience: Patience):
        self._url = url
        self._patience = patience

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Events]:
        half_silence = self._patience.silence_timeout_ms / 2000
        with _websocket_losses():
            socket = await connect(
                self._url,
                open_timeout=self._patience.connect_timeout_ms / 1000,
                close_timeout=CLOSE_TIMEOUT_S,
                ping_interval=half_silence,
                ping_timeout=half_silence,
                max_size=MESSAGE_LIMIT_BYTES,
                compression=None,
                proxy=None if _is_here(self._url) else True,
            )
        try:
            async with aclosing(self._events(socket)) as events:
                yield events
        finally:
            await socket.close()

    @staticmethod
    async def _events(socket: ClientConnection) -> AsyncGenerator[list[VenueEvent], None]:
        parser = BinanceBookTickers()
        while True:
            with _websocket_losses():
                message = await socket.recv(decode=False)
            yield parser.receive_message(message)


@contextmanager
def _websocket_losses() -> Iterator[None]:
    try:
        yield
    except websockets.InvalidStatus as error:
        raise _refusal(error.response.status_code) from None
    except (websockets.WebSocketException, OSError) as error:
        raise ConnectionLost(f"{type(error).__name__}: {error}") from None


def backoff_ms(failures: int, refused: bool, patience: Patience, chance: random.Random) -> int:
    """The wait before the next try: anything up to a ceiling that doubles with each failure in a row, up to the cap.

    After a refusal it is at least half the cap: asking faster changes nothing and may get us banned.
    """
    if refused:
        return chance.randint(patience.backoff_cap_ms // 2, patience.backoff_cap_ms)
    ceiling_ms = patience.backoff_first_ms << min(max(failures - 1, 0), 20)
    return chance.randint(0, min(ceiling_ms, patience.backoff_cap_ms))


class Connection:
    """Keeps one stream connected, for `asyncio.run(connection.run())` in a thread of its own.

    In that thread it calls `on_events` with each chunk's events (never an empty list) and `on_state(connected, detail)`
    when the stream opens, when it is lost, and after each further try that failed. What a callback raises ends `run`.
    """

    def __init__(
        self, stream: Stream, on_events: OnEvents, on_state: OnState, patience: Patience, chance: random.Random
    ):
        self._stream = stream
        self._on_events = on_events
        self._on_state = on_state
        self._patience = patience
        self._chance = chance
        self._stopping = threading.Event()
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None

    def stop(self) -> None:
        """End `run`, from any thread, at any time; calling it again changes nothing."""
        self._stopping.set()
        running = self._running
        if running:
            loop, task = running
            with suppress(RuntimeError):  # The loop has closed in between: `run` is over.
                loop.call_soon_threadsafe(task.cancel)

    async def run(self) -> None:
        """Connect, read and reconnect until `stop`."""
        work = asyncio.create_task(self._keep_connected())
        self._running = asyncio.get_running_loop(), work
        if self._stopping.is_set():
            work.cancel()
        try:
            await work
        except asyncio.CancelledError:
            if not self._stopping.is_set():
                raise
        finally:
            self._running = None

    async def _keep_connected(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            opened_at: float | None = None
            try:
                async with self._stream.open() as chunks:
                    opened_at = loop.time()
                    self._on_state(True, "connected")
                    async for events in chunks:
                        if events:
                            self._on_events(events)
                    raise ConnectionLost("the LP ended the stream")
            except ConnectionLost as error:
                lost = error
            except asyncio.CancelledError:
                if opened_at is not None:
                    self._on_state(False, "stopped")
                raise
            steady = opened_at is not None and (loop.time() - opened_at) * 1000 >= self._patience.backoff_cap_ms
            failures = 1 if steady else failures + 1
            wait_ms = backoff_ms(failures, lost.refused, self._patience, self._chance)
            self._on_state(False, f"{lost}; next try in {wait_ms} ms")
            await asyncio.sleep(wait_ms / 1000)
