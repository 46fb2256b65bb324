"""The simulated OANDA's HTTP server: which address is whose."""

from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback
from tornado.netutil import bind_sockets
from tornado.web import Application

from tools.venues.market import Market
from tools.venues.oanda.accounts import AccountHandler, AccountsHandler, AccountSummaryHandler, InstrumentsHandler
from tools.venues.oanda.candles import AccountCandlesHandler, CandlesHandler
from tools.venues.oanda.handler import UnknownHandler
from tools.venues.oanda.orders import (
    CancelOrderHandler,
    FaultsHandler,
    OrderHandler,
    OrdersHandler,
    PendingOrdersHandler,
)
from tools.venues.oanda.pricing import PricingHandler, PricingStreamHandler
from tools.venues.oanda.state import State
from tools.venues.oanda.transactions import (
    OpenPositionsHandler,
    PositionsHandler,
    TradesHandler,
    TransactionHandler,
    TransactionRangeHandler,
    TransactionsSinceHandler,
    TransactionStreamHandler,
)
from tools.venues.subscriber import BUFFER_LIMIT_BYTES

HEARTBEAT_INTERVAL_MS = 5_000
_ACCOUNT = r"/v3/accounts/([^/]+)"
_ROUTES = [
    (r"/v3/accounts", AccountsHandler),
    (_ACCOUNT, AccountHandler),
    (_ACCOUNT + "/summary", AccountSummaryHandler),
    (_ACCOUNT + "/instruments", InstrumentsHandler),
    (_ACCOUNT + "/instruments/([^/]+)/candles", AccountCandlesHandler),
    (r"/v3/instruments/([^/]+)/candles", CandlesHandler),
    (_ACCOUNT + "/pricing", PricingHandler),
    (_ACCOUNT + "/pricing/stream", PricingStreamHandler),
    (_ACCOUNT + "/orders", OrdersHandler),
    (_ACCOUNT + "/pendingOrders", PendingOrdersHandler),
    (_ACCOUNT + r"/orders/(@?[^/]+)", OrderHandler),
    (_ACCOUNT + r"/orders/(@?[^/]+)/cancel", CancelOrderHandler),
    (_ACCOUNT + "/(?:openT|t)rades", TradesHandler),
    (_ACCOUNT + "/positions", PositionsHandler),
    (_ACCOUNT + "/openPositions", OpenPositionsHandler),
    (_ACCOUNT + "/transactions/sinceid", TransactionsSinceHandler),
    (_ACCOUNT + "/transactions/idrange", TransactionRangeHandler),
    (_ACCOUNT + "/transactions/stream", TransactionStreamHandler),
    (_ACCOUNT + r"/transactions/(\d+)", TransactionHandler),
    (r"/faults", FaultsHandler),
]


class OandaVenue(State):
    """The server and its state."""

    def __init__(
        self,
        market: Market,
        account: str,
        token: str,
        *,
        heartbeat_interval_ms: int = HEARTBEAT_INTERVAL_MS,
        buffer_limit_bytes: int = BUFFER_LIMIT_BYTES,
        record: Path | None = None,
    ):
        """`record`: the file in which the account's transactions are kept; without it they go with the process."""
        super().__init__(market, account, token, buffer_limit_bytes=buffer_limit_bytes, record=record)
        self._heartbeat = PeriodicCallback(self.beat, heartbeat_interval_ms)
        self._server = HTTPServer(
            Application(
                [(path, handler, {"venue": self}) for path, handler in _ROUTES],
                default_handler_class=UnknownHandler,
                default_handler_args={"venue": self},
                log_function=lambda handler: None,
            )
        )

    def listen(self, host: str, port: int) -> int:
        """Serve; returns the port, which the system chooses where `port` is 0."""
        sockets = bind_sockets(port, host)
        self._server.add_sockets(sockets)
        self._heartbeat.start()
        bound: int = sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        self._heartbeat.stop()
        self._server.stop()
        await self.play.close()
        for subscriber in [*self.subscribers, *self.followers]:
            subscriber.drop()
        await self._server.close_all_connections()
        self.book.close()
