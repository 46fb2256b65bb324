"""The socket loop of Binance's combined streams."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager

import websockets
from websockets.asyncio.client import ClientConnection, connect

from gateway.venues.binance.book_ticker import MESSAGE_LIMIT_BYTES, BinanceBookTickers, stream_url
from gateway.venues.events import VenueEvent
from gateway.venues.interface import ConnectionLost, Events, Patience, Tap, is_here, refusal

CLOSE_TIMEOUT_S = 1


class BinanceStream:
    """A combined stream over WebSocket. TLS certificates are verified; a peer that answers no ping is silent."""

    def __init__(self, base_url: str, instruments: Sequence[str], patience: Patience, tap: Tap | None = None):
        self._base_url = base_url
        self._url = stream_url(base_url, instruments)
        self._patience = patience
        self._tap = tap

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
                proxy=None if is_here(self._url) else True,
            )
        try:
            async with aclosing(self._events(socket)) as events:
                yield events
        finally:
            await socket.close()

    async def change(self, instruments: Sequence[str]) -> bool:
        self._url = stream_url(self._base_url, instruments)
        return False

    async def _events(self, socket: ClientConnection) -> AsyncGenerator[list[VenueEvent], None]:
        parser = BinanceBookTickers()
        if self._tap:
            self._tap(b"")
        while True:
            with _websocket_losses():
                message = await socket.recv(decode=False)
            if self._tap:
                self._tap(message)
            yield parser.receive_message(message)


@contextmanager
def _websocket_losses() -> Iterator[None]:
    try:
        yield
    except websockets.InvalidStatus as error:
        raise refusal(error.response.status_code) from None
    except (websockets.WebSocketException, OSError) as error:
        raise ConnectionLost(f"{type(error).__name__}: {error}") from None
