"""A client's WebSocket at the simulated Binance."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from tornado.websocket import WebSocketClosedError, WebSocketHandler

from tools.venues.binance.requests import STREAMS_LIMIT, answer
from tools.venues.subscriber import Subscriber

if TYPE_CHECKING:
    from tools.venues.binance.server import BinanceVenue

POLICY_VIOLATION = 1008
MESSAGES_WINDOW_S = 1.0


class StreamHandler(WebSocketHandler):
    """One client: what it subscribed to in the address and by requests since."""

    subscriber: Subscriber | None = None
    writing: asyncio.Task[None] | None = None
    end: asyncio.TimerHandle | None = None
    lag_s = 0.0
    """All that is sent comes so much later."""

    def initialize(self, venue: "BinanceVenue") -> None:
        self.venue = venue
        self.late: list[bytes] = []
        self._messages_at: deque[float] = deque(maxlen=venue.messages_limit_per_s)

    def check_origin(self, origin: str) -> bool:
        return True

    def open(self, *args: str, **kwargs: str) -> None:
        streams = [name for name in self.get_query_argument("streams", "").split("/") if name]
        if len(streams) > STREAMS_LIMIT:
            self.close(POLICY_VIOLATION, "too many streams")
            return
        self.subscriber = Subscriber(streams, self._cut, self.venue.buffer_limit_bytes)
        self.venue.clients[self.subscriber] = self
        self.writing = asyncio.create_task(self._write(self.subscriber))
        self.end = asyncio.get_running_loop().call_later(self.venue.lifetime_s, self.close, 1001, "24 hours")
        self.venue.subscribed()

    def on_message(self, message: str | bytes) -> None:
        if self.subscriber and self._is_allowed():
            reply = answer(message, self.subscriber.instruments, self.venue.faults)
            if not self.venue.faults.mute:
                self.subscriber.put(self.venue.encode(reply))
            self.venue.subscribed()

    def on_ping(self, data: bytes) -> None:
        self._is_allowed()

    def on_pong(self, data: bytes) -> None:
        self._is_allowed()

    def on_close(self) -> None:
        if self.end:
            self.end.cancel()
        if self.subscriber:
            self.subscriber.close()
            self.venue.clients.pop(self.subscriber, None)

    def _is_allowed(self) -> bool:
        """Count one message from the client; one too many in a second ends the connection."""
        now = asyncio.get_running_loop().time()
        full = len(self._messages_at) == self._messages_at.maxlen
        if full and now - self._messages_at[0] < MESSAGES_WINDOW_S:
            self.close(POLICY_VIOLATION, "Too many requests")
            return False
        self._messages_at.append(now)
        return True

    async def _write(self, subscriber: Subscriber) -> None:
        try:
            while messages := await subscriber.take():
                await asyncio.sleep(self.lag_s)
                for message in messages:
                    await self.write_message(message.decode())
        except WebSocketClosedError:
            subscriber.close()

    def _cut(self) -> None:
        if self.ws_connection and self.ws_connection.stream:
            self.ws_connection.stream.close()
