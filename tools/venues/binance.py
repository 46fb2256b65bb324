"""A simulated Binance: combined bookTicker streams over WebSocket, frames as the real host sends them.

A stream's name for a symbol that is not listed is taken, and stays silent, as on the real host. Sizes are drawn from
the seed (recordings have none); prices are written with eight places.
"""

import asyncio
import json
from collections.abc import Awaitable
from random import Random
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from tools.venues import model
from tools.venues.market import Market, Play
from tools.venues.subscriber import BUFFER_LIMIT_BYTES, Subscriber, room

SYMBOLS = {"BTCUSD": "BTCUSDT", "ETHUSD": "ETHUSDT", "EURUSD": "EURUSDT"}
"""What the market calls it, and what this venue does."""
MEDIAN_SIZE_E5 = {"BTCUSDT": 50_000, "ETHUSDT": 1_000_000, "EURUSDT": 2_000_000_000}
LAG_MS = 40
PING_INTERVAL_S = 20.0
STREAMS_LIMIT = 1024
REQUEST_LIMIT_BYTES = 65_536
SUFFIX = "@bookTicker"


class BinanceVenue:
    """The server's state: its play of the market, `lag_ms` behind, and its clients."""

    def __init__(
        self,
        market: Market,
        *,
        lag_ms: int = LAG_MS,
        ping_interval_s: float = PING_INTERVAL_S,
        buffer_limit_bytes: int = BUFFER_LIMIT_BYTES,
    ):
        self.buffer_limit_bytes = buffer_limit_bytes
        self.subscribers: set[Subscriber] = set()
        self.play = Play(market, SYMBOLS, self._show, self._room, lag_ms=lag_ms, second=True)
        self._chance = Random(f"{market.seed}:sizes")
        self._update_id = 0
        self._server = HTTPServer(
            Application(
                [(r"/stream", StreamHandler, {"venue": self})],
                websocket_ping_interval=ping_interval_s,
                websocket_max_message_size=REQUEST_LIMIT_BYTES,
                log_function=lambda handler: None,
            )
        )

    def listen(self, host: str, port: int) -> int:
        """Serve; returns the port, which the system chooses where `port` is 0."""
        sockets = bind_sockets(port, host)
        self._server.add_sockets(sockets)
        bound: int = sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        self._server.stop()
        await self.play.close()
        for subscriber in list(self.subscribers):
            subscriber.drop()
        await self._server.close_all_connections()

    def subscribed(self) -> None:
        """A client has subscribed to something: the play begins with the first that is listed here."""
        listed = {stream_name(name) for name in SYMBOLS.values()}
        if any(not listed.isdisjoint(subscriber.instruments) for subscriber in self.subscribers):
            self.play.begin()

    def _show(self, name: str, bid: str, ask: str) -> None:
        self._update_id += 1
        stream = stream_name(name)
        frame = {
            "stream": stream,
            "data": {
                "u": self._update_id,
                "s": name,
                "b": eight_places(bid),
                "B": self._size(name),
                "a": eight_places(ask),
                "A": self._size(name),
            },
        }
        message = encode(frame)
        for subscriber in list(self.subscribers):
            if stream in subscriber.instruments:
                subscriber.put(message)

    def _size(self, name: str) -> str:
        size_e5 = max(1, MEDIAN_SIZE_E5[name] * model.draw(model.SIZE_PERMILLE, self._chance) // 1000)
        return f"{size_e5 // 100_000}.{size_e5 % 100_000:05}000"

    def _room(self) -> Awaitable[None]:
        return room(self.subscribers)


def stream_name(symbol: str) -> str:
    return symbol.lower() + SUFFIX


def eight_places(price: str) -> str:
    """The same number with at least eight places after the point."""
    whole, _, fraction = price.partition(".")
    return f"{whole}.{fraction.ljust(8, '0')}"


def encode(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


class StreamHandler(WebSocketHandler):
    """One client: what it subscribed to in the address and by requests since."""

    subscriber: Subscriber | None = None
    writing: asyncio.Task[None] | None = None

    def initialize(self, venue: BinanceVenue) -> None:
        self.venue = venue

    def check_origin(self, origin: str) -> bool:
        return True

    def open(self, *args: str, **kwargs: str) -> None:
        streams = [name for name in self.get_query_argument("streams", "").split("/") if name]
        if len(streams) > STREAMS_LIMIT:
            self.close(1008, "too many streams")
            return
        self.subscriber = Subscriber(streams, self._cut, self.venue.buffer_limit_bytes)
        self.venue.subscribers.add(self.subscriber)
        self.writing = asyncio.create_task(self._write(self.subscriber))
        self.venue.subscribed()

    def on_message(self, message: str | bytes) -> None:
        if self.subscriber:
            self.subscriber.put(encode(answer(message, self.subscriber.instruments)))
            self.venue.subscribed()

    def on_close(self) -> None:
        if self.subscriber:
            self.subscriber.close()
            self.venue.subscribers.discard(self.subscriber)

    async def _write(self, subscriber: Subscriber) -> None:
        try:
            while messages := await subscriber.take():
                for message in messages:
                    await self.write_message(message.decode())
        except WebSocketClosedError:
            subscriber.close()

    def _cut(self) -> None:
        if self.ws_connection and self.ws_connection.stream:
            self.ws_connection.stream.close()


def answer(request: str | bytes, streams: set[str]) -> dict[str, Any]:
    """Do what a request asks with the client's streams, and say what Binance would."""
    try:
        asked = json.loads(request)
    except (ValueError, RecursionError):
        return {"error": {"code": 3, "msg": "Invalid JSON"}}
    if not isinstance(asked, dict):
        return {"error": {"code": 2, "msg": "Invalid request: it must be an object"}}
    request_id = asked.get("id")
    method, names = asked.get("method"), asked.get("params", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return {"error": {"code": 2, "msg": "Invalid request: params must be an array of strings"}, "id": request_id}
    if method == "LIST_SUBSCRIPTIONS":
        return {"result": sorted(streams), "id": request_id}
    if method == "UNSUBSCRIBE":
        streams.difference_update(names)
    elif method == "SUBSCRIBE":
        if len(streams.union(names)) > STREAMS_LIMIT:
            return {"error": {"code": 2, "msg": "Invalid request: too many streams"}, "id": request_id}
        streams.update(names)
    else:
        return {"error": {"code": 2, "msg": "Invalid request: unknown method"}, "id": request_id}
    return {"result": None, "id": request_id}
