"""The simulated OANDA's prices: the stream of them."""

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

from tools.venues.oanda.handler import Handler
from tools.venues.oanda.prices import client_price
from tools.venues.oanda.wire import line
from tools.venues.subscriber import Subscriber


class PricingStreamHandler(Handler):
    subscriber: Subscriber | None = None

    async def get(self, account: str) -> None:
        self.check_account(account)
        names = self.named_instruments()
        if not names:
            raise HTTPError(400, reason="Invalid value specified for 'instruments'")
        venue = self.venue
        subscriber = self.subscriber = Subscriber(names, self._cut, venue.buffer_limit_bytes)
        self.set_header("Content-Type", "application/octet-stream")
        if self.get_query_argument("snapshot", "true").lower() != "false":
            now = self.now()
            for name in names:
                if name in venue.latest:
                    subscriber.put(line(client_price(name, *venue.latest[name], now)))
        venue.subscribers[subscriber] = self.unix
        venue.play.begin()
        try:
            await self.flush()
            while lines := await subscriber.take():
                self.write(b"".join(lines))
                await self.flush()
        except StreamClosedError:
            pass
        finally:
            subscriber.close()
            del venue.subscribers[subscriber]

    def on_connection_close(self) -> None:
        if self.subscriber:
            self.subscriber.close()

    def _cut(self) -> None:
        if isinstance(self.request.connection, HTTP1Connection):
            self.request.connection.stream.close()
