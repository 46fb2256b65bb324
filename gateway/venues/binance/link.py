"""One WebSocket connection to Binance, kept subscribed to what is wanted."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import websockets
from websockets.asyncio.client import ClientConnection, connect

from gateway.venues.binance.prices import MESSAGE_LIMIT_BYTES
from gateway.venues.binance.subscriptions import (
    REPLY_LIMIT_MS,
    REQUESTS_BURST,
    REQUESTS_PER_SECOND,
    Reply,
    Request,
    Shutdown,
    Subscriptions,
    notice,
)
from gateway.venues.interface import ConnectionLost, Patience, is_here, refusal
from gateway.venues.pace import Pace

CLOSE_TIMEOUT_S = 1
FRAME_START = b'{"stream":"'
SHUTDOWN = b"serverShutdown"
SHUTDOWN_WITHIN_BYTES = 80


Sink = Callable[[bytes], Awaitable[None] | None]
"""Takes a message; what it returns is awaited before the next one is read. What it raises ends the connection."""


class Link:
    """Each message that is no answer to us goes to `sink`, in a task of the link's own."""

    def __init__(self, socket: ClientConnection, wanted: frozenset[str], sink: Sink):
        self.sink = sink
        self.ending = asyncio.Event()
        """The connection is lost, or the LP has said that it will close it soon."""
        self.lost: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        """Why the connection has ended, once it has."""
        self._socket = socket
        self._subscriptions = Subscriptions(wanted)
        self._changed = asyncio.Condition()
        self._tasks = [asyncio.create_task(self._until_lost(work)) for work in (self._read(), self._ask())]

    @classmethod
    async def open(cls, url: str, patience: Patience, wanted: frozenset[str], sink: Sink) -> "Link":
        """Connect. TLS certificates are verified; a peer that answers no ping is silent. Raises `ConnectionLost`."""
        half_silence_s = patience.silence_timeout_ms / 2000
        with _websocket_losses():
            socket = await connect(
                url,
                open_timeout=patience.connect_timeout_ms / 1000,
                close_timeout=CLOSE_TIMEOUT_S,
                ping_interval=half_silence_s,
                ping_timeout=half_silence_s,
                max_size=MESSAGE_LIMIT_BYTES,
                compression=None,
                proxy=None if is_here(url) else True,
            )
        return cls(socket, wanted, sink)

    async def settled(self) -> None:
        """Wait until the LP's own list of subscriptions is what is wanted. Raises `ConnectionLost`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._subscriptions.settled or self.lost.done())
        if self.lost.done():
            raise self.lost.result()

    async def want(self, wanted: frozenset[str]) -> None:
        """From now on these streams; `settled` says when."""
        async with self._changed:
            self._subscriptions.want(wanted)
            self._changed.notify_all()

    async def flushed(self) -> None:
        """Wait until all that the LP had sent by now has gone to `sink`. Raises `ConnectionLost`."""
        async with self._changed:
            self._subscriptions.verify()
            self._changed.notify_all()
        await self.settled()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._lose(ConnectionLost("closed"))
        await self._socket.close()

    async def _until_lost(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 (whoever waits for the connection gets it)
            await self._lose(error)

    async def _lose(self, error: Exception) -> None:
        if not self.lost.done():
            self.lost.set_result(error)
        self.ending.set()
        async with self._changed:
            self._changed.notify_all()

    async def _read(self) -> None:
        while True:
            with _websocket_losses():
                message = await self._socket.recv(decode=False)
            is_price = message.startswith(FRAME_START) and SHUTDOWN not in message[:SHUTDOWN_WITHIN_BYTES]
            said = None if is_price else notice(message)
            if said is not None:
                await self._heed(said)
            elif room := self.sink(message):
                await room

    async def _heed(self, said: Reply | Shutdown) -> None:
        if isinstance(said, Reply):
            async with self._changed:
                self._subscriptions.receive_reply(said)
                self._changed.notify_all()
        else:
            self.ending.set()

    async def _ask(self) -> None:
        loop = asyncio.get_running_loop()
        pace = Pace(REQUESTS_PER_SECOND, REQUESTS_BURST, wait_limit_ms=REPLY_LIMIT_MS)
        while True:
            async with self._changed:
                request = self._subscriptions.next_request()
                if request is None:
                    await self._changed.wait()
                    continue
            await asyncio.sleep((pace.reserve(int(loop.time() * 1e9)) or 0) / 1e9)
            with _websocket_losses():
                await self._socket.send(msgspec.json.encode(request), text=True)
            await self._answered(request)

    async def _answered(self, request: Request) -> None:
        try:
            async with asyncio.timeout(REPLY_LIMIT_MS / 1000), self._changed:
                await self._changed.wait_for(lambda: not self._subscriptions.awaits(request))
        except TimeoutError:
            raise ConnectionLost(f"no answer to {request.method} within {REPLY_LIMIT_MS} ms") from None


@contextmanager
def _websocket_losses() -> Iterator[None]:
    try:
        yield
    except websockets.InvalidStatus as error:
        raise refusal(error.response.status_code) from None
    except (websockets.WebSocketException, OSError) as error:
        raise ConnectionLost(f"{type(error).__name__}: {error}") from None
