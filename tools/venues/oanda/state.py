"""What the simulated OANDA knows: its play of the market, the last prices, the account, and its streams' clients."""

import time
from collections.abc import Awaitable
from pathlib import Path

from tools.venues.market import Market, Play
from tools.venues.oanda.book import Book
from tools.venues.oanda.dealing import Dealer
from tools.venues.oanda.faults import Faults
from tools.venues.oanda.history import Shown
from tools.venues.oanda.instruments import INSTRUMENTS
from tools.venues.oanda.price_faults import GARBAGE, PriceFaults
from tools.venues.oanda.prices import client_price
from tools.venues.oanda.wire import date_time, line
from tools.venues.subscriber import BUFFER_LIMIT_BYTES, Subscriber, room


class State:
    """Shared by the server's handlers, which are all in one event loop."""

    def __init__(
        self,
        market: Market,
        account: str,
        token: str,
        *,
        buffer_limit_bytes: int = BUFFER_LIMIT_BYTES,
        record: Path | None = None,
    ):
        """`record`: the file in which the account's transactions are kept."""
        self.began_ns = time.time_ns()
        self.account = account
        self.token = token
        self.buffer_limit_bytes = buffer_limit_bytes
        self.subscribers: dict[Subscriber, bool] = {}
        """Each client, and whether it wants UNIX times."""
        self.latest: dict[str, tuple[str, str]] = {}
        self.followers: dict[Subscriber, bool] = {}
        """The clients of the transaction stream, likewise."""
        self.book = Book(account, date_time(self.began_ns, unix=False), record)
        self.dealer = Dealer(self.book, self.latest)
        self.faults = Faults()
        self.price_faults = PriceFaults()
        self.priced_ns: dict[str, int] = {}
        """When each of the latest prices came."""
        self.shown = Shown()
        self.seed = market.seed
        names = {name.replace("_", ""): name for name in INSTRUMENTS}
        self.play = Play(market, names, self.show, self._room)

    def beat(self) -> None:
        """A heartbeat for each client of a stream."""
        now_ns = time.time_ns()
        for follower, unix in list(self.followers.items()):
            last = {"lastTransactionID": self.book.last_id, "time": date_time(now_ns, unix)}
            follower.put(line({"type": "HEARTBEAT", **last}))
        if self.price_faults.silent:
            return
        for subscriber, unix in list(self.subscribers.items()):
            subscriber.put(line({"type": "HEARTBEAT", "time": self._stamp(now_ns, unix)}))

    def show(self, name: str, bid: str, ask: str) -> None:
        """The price of an instrument from now on, to everybody who follows it."""
        now_ns = time.time_ns()
        self.latest[name] = bid, ask
        self.priced_ns[name] = now_ns
        self.shown.show(name.replace("_", ""), bid, ask, now_ns)
        self.dealer.show(name, date_time(now_ns, unix=False), now_ns)
        if self.price_faults.hides(name):
            return
        lines: dict[bool, bytes] = {}
        for subscriber, unix in list(self.subscribers.items()):
            if name in subscriber.instruments:
                if self.price_faults.take("garbage_lines"):
                    subscriber.put(GARBAGE)
                price = lines.get(unix)
                if price is None:
                    price = lines[unix] = self.price_line(name, now_ns, unix)
                subscriber.put(price)

    def price_line(self, name: str, now_ns: int, unix: bool) -> bytes:
        """Its last price, as the stream tells it."""
        told = self.price_faults.told(name, *self.latest[name])
        return line(client_price(*told, self._stamp(now_ns, unix)))

    def _stamp(self, now_ns: int, unix: bool) -> str:
        """The time by the clock that prices are dated by."""
        return date_time(now_ns + self.price_faults.clock_ahead_ms * 1_000_000, unix)

    def _room(self) -> Awaitable[None]:
        return room(self.subscribers.keys())
