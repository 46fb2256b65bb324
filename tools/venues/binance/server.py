"""The simulated Binance's state: its play of the market, its order books and its clients.

A stream's name for a symbol that is not listed is taken, and stays silent, as on the real host. Sizes are drawn from
the seed (recordings have none); prices are written with eight places.
"""

import asyncio
import json
import time
from collections.abc import Awaitable
from random import Random
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from tools.venues.binance.book import LadderBook
from tools.venues.binance.client import StreamHandler
from tools.venues.binance.faults import Faults
from tools.venues.binance.rest import DepthHandler, ExchangeInfoHandler, TimeHandler
from tools.venues.market import Market, Play
from tools.venues.subscriber import BUFFER_LIMIT_BYTES, Subscriber, room

SYMBOLS = {"BTCUSD": "BTCUSDT", "ETHUSD": "ETHUSDT", "EURUSD": "EURUSDT"}
"""What the market calls it, and what this venue does."""
LAG_MS = 40
PING_INTERVAL_S = 20.0
LIFETIME_S = 24 * 3600.0
DEPTH_INTERVAL_MS = 100
MESSAGES_LIMIT_PER_S = 5
REQUEST_LIMIT_BYTES = 65_536
BOOK_TICKER, DEPTH = "@bookTicker", "@depth@100ms"


class BinanceVenue:
    """Plays the market `lag_ms` behind. `lifetime_s`: after which a connection is closed."""

    def __init__(
        self,
        market: Market,
        *,
        lag_ms: int = LAG_MS,
        ping_interval_s: float = PING_INTERVAL_S,
        lifetime_s: float = LIFETIME_S,
        depth_interval_ms: int = DEPTH_INTERVAL_MS,
        messages_limit_per_s: int = MESSAGES_LIMIT_PER_S,
        buffer_limit_bytes: int = BUFFER_LIMIT_BYTES,
    ):
        self.buffer_limit_bytes = buffer_limit_bytes
        self.lifetime_s = lifetime_s
        self.messages_limit_per_s = messages_limit_per_s
        self.faults = Faults()
        self.clients: dict[Subscriber, StreamHandler] = {}
        self.play = Play(market, SYMBOLS, self.show, self._room, lag_ms=lag_ms, second=True)
        chance = Random(f"{market.seed}:sizes")
        self.books = {name: LadderBook(name, chance) for name in SYMBOLS.values()}
        self._depth_interval_s = depth_interval_ms / 1000
        self._telling = asyncio.create_task(self._tell_depth())
        mine = {"venue": self}
        self._server = HTTPServer(
            Application(
                [
                    (r"/stream", StreamHandler, mine),
                    (r"/api/v3/time", TimeHandler, mine),
                    (r"/api/v3/exchangeInfo", ExchangeInfoHandler, mine),
                    (r"/api/v3/depth", DepthHandler, mine),
                ],
                websocket_ping_interval=ping_interval_s,
                websocket_max_message_size=REQUEST_LIMIT_BYTES,
                log_function=lambda handler: None,
            )
        )

    @property
    def subscribers(self) -> set[Subscriber]:
        return set(self.clients)

    def listen(self, host: str, port: int) -> int:
        """Serve; returns the port, which the system chooses where `port` is 0."""
        sockets = bind_sockets(port, host)
        self._server.add_sockets(sockets)
        bound: int = sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        self._server.stop()
        self._telling.cancel()
        await self.play.close()
        for subscriber in self.subscribers:
            subscriber.drop()
        await self._server.close_all_connections()

    def announce_shutdown(self) -> None:
        """Tell every client that its connection will be closed soon."""
        event = {"e": "serverShutdown", "E": self.time_ms()}
        for subscriber in self.subscribers:
            subscriber.put(self.encode({"stream": "!serverShutdown", "data": event}))

    def subscribed(self) -> None:
        """A client has subscribed to something: the play begins with the first that is listed here."""
        names = set[str]().union(*(subscriber.instruments for subscriber in self.clients))
        for symbol, book in self.books.items():
            if symbol.lower() + DEPTH in names:
                book.follow()
                self.play.begin()
            elif symbol.lower() + BOOK_TICKER in names:
                self.play.begin()

    @staticmethod
    def time_ms() -> int:
        return time.time_ns() // 1_000_000

    @staticmethod
    def encode(message: dict[str, Any]) -> bytes:
        return json.dumps(message, separators=(",", ":")).encode()

    def show(self, name: str, bid: str, ask: str) -> None:
        """The price of a symbol from now on, to everybody who follows it."""
        self._send(name.lower() + BOOK_TICKER, self.books[name].show(bid, ask))

    def _send(self, stream: str, payload: dict[str, Any]) -> None:
        frame = self.encode({"stream": stream, "data": payload})
        for subscriber, client in list(self.clients.items()):
            if stream in subscriber.instruments:
                for sent in self.faults.befall(frame, client.late, stream.endswith(DEPTH)):
                    subscriber.put(sent)

    async def _tell_depth(self) -> None:
        while True:
            await asyncio.sleep(self._depth_interval_s)
            for symbol, book in self.books.items():
                if update := book.depth_update(self.time_ms()):
                    self._send(symbol.lower() + DEPTH, update)

    def _room(self) -> Awaitable[None]:
        return room(self.subscribers)
