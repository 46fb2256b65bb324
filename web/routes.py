"""The addresses of the web process, and what answers at each."""

from pathlib import Path
from typing import Any

import structlog
from tornado.web import Application, RequestHandler

from web.backend import Backend
from web.handler import Nowhere
from web.health import HealthHandler, ReadyHandler
from web.history import BarsHandler, LedgerHandler, SymbolsHandler, TicksHandler, TradesHandler
from web.login import LoginHandler
from web.lps import AllLpsHandler, LpPrioritiesHandler, OneLpHandler
from web.orders import NamedOrderHandler, OneOrderHandler, OrderHandler, OrdersHandler
from web.pages import AssetHandler, IndexHandler
from web.stream import Sockets, StreamHandler
from web.trading import (
    AccountHandler,
    CloseByHandler,
    CloseHandler,
    CloseManyHandler,
    PositionHandler,
    PositionsHandler,
    ReverseHandler,
)

PAGES = Path(__file__).parent / "ui" / "dist"
MESSAGE_LIMIT_BYTES = 65_536
PING_INTERVAL_S = 20

_log = structlog.get_logger("web")

ID = r"([1-9][0-9]{0,17})"

API: list[tuple[str, type[RequestHandler]]] = [
    (r"/login", LoginHandler),
    (r"/account", AccountHandler),
    (r"/symbols", SymbolsHandler),
    (r"/order", OrderHandler),
    (rf"/order/{ID}", OneOrderHandler),
    (r"/order/@([^/]+)", NamedOrderHandler),
    (r"/orders", OrdersHandler),
    (r"/positions", PositionsHandler),
    (r"/positions/close", CloseManyHandler),
    (rf"/position/{ID}", PositionHandler),
    (rf"/position/{ID}/close", CloseHandler),
    (rf"/position/{ID}/close-by", CloseByHandler),
    (rf"/position/{ID}/reverse", ReverseHandler),
    (r"/trades", TradesHandler),
    (r"/ledger", LedgerHandler),
    (r"/ohlc", BarsHandler),
    (r"/ticks", TicksHandler),
    (r"/admin/lps", AllLpsHandler),
    (r"/admin/lps/priorities", LpPrioritiesHandler),
    (r"/admin/lps/([A-Z][A-Z0-9_]{0,15})", OneLpHandler),
    (r"/health", HealthHandler),
    (r"/health/ready", ReadyHandler),
]


def application(backend: Backend, sockets: Sockets, pages: Path = PAGES) -> Application:
    """`pages`: the folder with the built web/ui."""
    routes: list[Any] = [(path, handler, {"backend": backend}) for path, handler in API]
    routes += [
        (r"/ws", StreamHandler, {"backend": backend, "sockets": sockets}),
        (r"/", IndexHandler, {"folder": pages}),
        (r"/assets/([A-Za-z0-9_.-]+)", AssetHandler, {"path": pages / "assets"}),
    ]
    return Application(
        routes,
        default_handler_class=Nowhere,
        log_function=_log_request,
        websocket_max_message_size=MESSAGE_LIMIT_BYTES,
        websocket_ping_interval=PING_INTERVAL_S,
    )


def _log_request(handler: RequestHandler) -> None:
    status = handler.get_status()
    log = _log.debug if status < 500 else _log.warning
    request = handler.request
    log(
        "request",
        method=request.method,
        path=request.path,
        status=status,
        ms=round(1_000 * request.request_time(), 1),
        address=request.remote_ip,
    )
