"""The addresses of the web process, and what answers at each."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

import structlog
from tornado.web import RequestHandler

from web.auth.access import (
    ACCOUNT,
    ANYBODY,
    CHANGE_DESK,
    CHANGE_RISK,
    CHANGE_USERS,
    DEAL_FOR_CLIENTS,
    HELP_USERS,
    MOVE_MONEY,
    PERSON,
    PUBLIC,
    SEE_AUDIT,
    SEE_CLIENTS,
    SEE_DESK,
    SEE_FIGURES,
    SEE_RISK,
    TRADE,
    Rule,
)
from web.desk.accounts import (
    AccountGroupHandler,
    AccountLimitsHandler,
    AccountOrderHandler,
    AccountOrdersHandler,
    AccountPositionsHandler,
    AccountsHandler,
    ClosePositionHandler,
    OneAccountHandler,
)
from web.desk.fix_sessions import AllFixSessionsHandler, ConnectFixHandler, DisconnectFixHandler, FixSequenceHandler
from web.desk.lps import AllLpsHandler, LpPrioritiesHandler, OneLpHandler
from web.desk.money import DecisionHandler, MoneyHandler, MoneyRequestHandler, MoneyRequestsHandler
from web.desk.routing import RoutePreviewHandler, RoutingHandler, RuleHandler, RuleOrderHandler
from web.desk.terms import (
    CurrencyHolidaysHandler,
    GroupHandler,
    GroupsHandler,
    HedgeHandler,
    HedgesHandler,
    HolidaysHandler,
    InstrumentHandler,
    InstrumentsHandler,
)
from web.desk.trading import (
    BreaksHandler,
    DismissHandler,
    ExplanationHandler,
    ExposureHandler,
    HaltsHandler,
    HedgeOrdersHandler,
    ResumeHandler,
    SettleHandler,
)
from web.desk.versions import ChangesHandler, DifferenceHandler, RestoreHandler, VersionHandler
from web.handling.auditing import AuditedHandler
from web.handling.backend import Backend
from web.handling.connected import Sockets
from web.handling.handler import Handler, Nowhere, methods_of
from web.live.requests import Agreed, Executed, Refused, Request
from web.payloads.messages import Message
from web.people.login import LoginHandler, LogoutEverywhereHandler, LogoutHandler, RefreshHandler
from web.people.own_login import ApiKeysHandler, OneApiKeyHandler, PasswordHandler, TotpHandler
from web.people.users import AllUsersHandler, AuditHandler, OneUserHandler, ResetUserHandler, UnlockUserHandler
from web.serving.health import HealthHandler, ReadyHandler
from web.serving.metrics import Metrics, MetricsHandler
from web.serving.pages import AssetHandler, IndexHandler
from web.serving.proxy import Network
from web.serving.server import Compressed, Proxied
from web.spec.docs import AsyncApiHandler, DocsHandler, OpenApiHandler, SwaggerHandler
from web.trading.account import (
    AccountHandler,
    CloseByHandler,
    CloseHandler,
    CloseManyHandler,
    PositionHandler,
    PositionsHandler,
    ReverseHandler,
)
from web.trading.history import BarsHandler, LedgerHandler, SymbolsHandler, TicksHandler, TradesHandler
from web.trading.orders import NamedOrderHandler, OneOrderHandler, OrderHandler, OrdersHandler
from web.trading.risk import LimitsHandler, LotSizeHandler, MarginHandler, PreviewHandler
from web.trading.statements import StatementHandler, TransactionsHandler
from web.ws.stream import StreamHandler

PAGES = Path(__file__).parent / "ui" / "dist"
MESSAGE_LIMIT_BYTES = 65_536

_log = structlog.get_logger("web")

ID = r"([1-9][0-9]{0,17})"
FIX_SESSION = r"([A-Za-z0-9_-]{1,32})"


class Route:
    """An address of the API, who answers there, and who may ask, by method."""

    def __init__(self, path: str, handler: type[Handler], **rules: Rule) -> None:
        """`rules`: by method in small letters. ValueError where they are not those of all the handler's methods."""
        self.path = path
        self.handler = handler
        self.rules = {method.upper(): rule for method, rule in rules.items()}
        if set(self.rules) != set(methods_of(handler)):
            raise ValueError(f"{path}: rules for {sorted(self.rules)}, and methods {methods_of(handler)}")
        if any(rule.audited for rule in rules.values()) and not issubclass(handler, AuditedHandler):
            raise ValueError(f"{path}: its acts are to be audited, and {handler.__name__} is no AuditedHandler")


API = (
    Route(r"/login", LoginHandler, post=PUBLIC),
    Route(r"/login/refresh", RefreshHandler, post=PUBLIC),
    Route(r"/login/password", PasswordHandler, put=PERSON),
    Route(r"/login/totp", TotpHandler, post=PERSON, put=PERSON, delete=PERSON),
    Route(r"/login/api-keys", ApiKeysHandler, get=PERSON, post=PERSON),
    Route(rf"/login/api-keys/{ID}", OneApiKeyHandler, delete=PERSON),
    Route(r"/logout", LogoutHandler, post=PERSON),
    Route(r"/logout/everywhere", LogoutEverywhereHandler, post=PERSON),
    Route(r"/account", AccountHandler, get=ACCOUNT),
    Route(r"/account/limits", LimitsHandler, get=ACCOUNT),
    Route(r"/account/margin", MarginHandler, get=ACCOUNT),
    Route(r"/account/transactions", TransactionsHandler, get=ACCOUNT),
    Route(r"/account/statement", StatementHandler, get=ACCOUNT),
    Route(r"/risk/margin-preview", PreviewHandler, get=ACCOUNT),
    Route(r"/risk/lot-size", LotSizeHandler, get=ACCOUNT),
    Route(r"/symbols", SymbolsHandler, get=ANYBODY),
    Route(r"/order", OrderHandler, post=TRADE),
    Route(rf"/order/{ID}", OneOrderHandler, get=ACCOUNT, put=TRADE, delete=TRADE),
    Route(r"/order/@([^/]+)", NamedOrderHandler, get=ACCOUNT, put=TRADE, delete=TRADE),
    Route(r"/orders", OrdersHandler, get=ACCOUNT),
    Route(r"/positions", PositionsHandler, get=ACCOUNT),
    Route(r"/positions/close", CloseManyHandler, post=TRADE),
    Route(rf"/position/{ID}", PositionHandler, put=TRADE),
    Route(rf"/position/{ID}/close", CloseHandler, post=TRADE),
    Route(rf"/position/{ID}/close-by", CloseByHandler, post=TRADE),
    Route(rf"/position/{ID}/reverse", ReverseHandler, post=TRADE),
    Route(r"/trades", TradesHandler, get=ACCOUNT),
    Route(r"/ledger", LedgerHandler, get=ACCOUNT),
    Route(r"/ohlc", BarsHandler, get=ANYBODY),
    Route(r"/ticks", TicksHandler, get=ANYBODY),
    Route(r"/admin/lps", AllLpsHandler, get=SEE_DESK, post=CHANGE_DESK),
    Route(r"/admin/lps/priorities", LpPrioritiesHandler, put=CHANGE_DESK),
    Route(r"/admin/lps/([A-Z][A-Z0-9_]{0,15})", OneLpHandler, get=SEE_DESK, patch=CHANGE_DESK, delete=CHANGE_DESK),
    Route(r"/admin/fix/sessions", AllFixSessionsHandler, get=SEE_DESK),
    Route(rf"/admin/fix/sessions/{FIX_SESSION}/connect", ConnectFixHandler, post=CHANGE_DESK),
    Route(rf"/admin/fix/sessions/{FIX_SESSION}/disconnect", DisconnectFixHandler, post=CHANGE_DESK),
    Route(rf"/admin/fix/sessions/{FIX_SESSION}/sequence", FixSequenceHandler, put=CHANGE_DESK),
    Route(r"/admin/users", AllUsersHandler, get=SEE_CLIENTS, post=CHANGE_USERS),
    Route(rf"/admin/users/{ID}", OneUserHandler, get=SEE_CLIENTS, patch=CHANGE_USERS),
    Route(rf"/admin/users/{ID}/reset", ResetUserHandler, post=HELP_USERS),
    Route(rf"/admin/users/{ID}/unlock", UnlockUserHandler, post=HELP_USERS),
    Route(r"/admin/accounts", AccountsHandler, get=SEE_CLIENTS, post=CHANGE_USERS),
    Route(rf"/admin/accounts/{ID}", OneAccountHandler, get=SEE_CLIENTS),
    Route(rf"/admin/accounts/{ID}/limits", AccountLimitsHandler, patch=CHANGE_RISK),
    Route(rf"/admin/accounts/{ID}/group", AccountGroupHandler, put=CHANGE_RISK),
    Route(rf"/admin/accounts/{ID}/money", MoneyHandler, post=MOVE_MONEY),
    Route(rf"/admin/accounts/{ID}/orders", AccountOrdersHandler, get=SEE_CLIENTS),
    Route(rf"/admin/accounts/{ID}/orders/{ID}", AccountOrderHandler, delete=DEAL_FOR_CLIENTS),
    Route(rf"/admin/accounts/{ID}/positions", AccountPositionsHandler, get=SEE_CLIENTS),
    Route(rf"/admin/accounts/{ID}/positions/{ID}/close", ClosePositionHandler, post=DEAL_FOR_CLIENTS),
    Route(r"/admin/money-requests", MoneyRequestsHandler, get=SEE_CLIENTS),
    Route(rf"/admin/money-requests/{ID}", MoneyRequestHandler, get=SEE_CLIENTS),
    Route(rf"/admin/money-requests/{ID}/decision", DecisionHandler, post=MOVE_MONEY),
    Route(r"/admin/groups", GroupsHandler, get=SEE_DESK, post=CHANGE_RISK),
    Route(r"/admin/groups/([^/]+)", GroupHandler, get=SEE_DESK, patch=CHANGE_RISK),
    Route(r"/admin/instruments", InstrumentsHandler, get=SEE_DESK, post=CHANGE_DESK),
    Route(r"/admin/instruments/([^/]+)", InstrumentHandler, get=SEE_DESK, patch=CHANGE_DESK),
    Route(r"/admin/holidays", HolidaysHandler, get=SEE_DESK),
    Route(r"/admin/holidays/([A-Z]{1,10})", CurrencyHolidaysHandler, put=CHANGE_DESK),
    Route(r"/admin/routing", RoutingHandler, get=SEE_DESK, post=CHANGE_DESK),
    Route(r"/admin/routing/order", RuleOrderHandler, put=CHANGE_DESK),
    Route(r"/admin/routing/preview", RoutePreviewHandler, post=SEE_DESK),
    Route(rf"/admin/routing/{ID}", RuleHandler, patch=CHANGE_DESK, delete=CHANGE_DESK),
    Route(r"/admin/hedges", HedgesHandler, get=SEE_RISK),
    Route(r"/admin/hedges/([^/]+)", HedgeHandler, put=CHANGE_RISK, delete=CHANGE_RISK),
    Route(r"/admin/hedges/([^/]+)/orders", HedgeOrdersHandler, post=CHANGE_RISK),
    Route(r"/admin/exposure", ExposureHandler, get=SEE_RISK),
    Route(r"/admin/halts", HaltsHandler, get=SEE_DESK, post=CHANGE_RISK),
    Route(r"/admin/halts/resume", ResumeHandler, post=CHANGE_RISK),
    Route(r"/admin/breaks", BreaksHandler, get=SEE_DESK),
    Route(r"/admin/breaks/settle", SettleHandler, post=CHANGE_DESK),
    Route(r"/admin/breaks/dismiss", DismissHandler, post=CHANGE_DESK),
    Route(rf"/admin/fills/{ID}/explanation", ExplanationHandler, get=SEE_CLIENTS),
    Route(r"/admin/changes", ChangesHandler, get=SEE_DESK),
    Route(rf"/admin/versions/{ID}", VersionHandler, get=SEE_DESK),
    Route(rf"/admin/versions/{ID}/diff", DifferenceHandler, get=SEE_DESK),
    Route(rf"/admin/versions/{ID}/restore", RestoreHandler, post=CHANGE_DESK),
    Route(r"/admin/audit", AuditHandler, get=SEE_AUDIT),
    Route(r"/health", HealthHandler, get=PUBLIC),
    Route(r"/health/ready", ReadyHandler, get=PUBLIC),
    Route(r"/metrics", MetricsHandler, get=SEE_FIGURES),
    Route(r"/openapi\.json", OpenApiHandler, get=PUBLIC),
    Route(r"/swagger\.yaml", SwaggerHandler, get=PUBLIC),
    Route(r"/asyncapi\.json", AsyncApiHandler, get=PUBLIC),
    Route(r"/docs", DocsHandler, get=PUBLIC),
)
"""All of the API. What has no rule here does not start."""


def application(
    backend: Backend, sockets: Sockets, metrics: Metrics, pages: Path = PAGES, proxies: Sequence[Network] = ()
) -> Proxied:
    """`pages`: the folder with the built web/ui. `proxies`: those whose X-Forwarded-For is believed."""
    routes: list[Any] = [(route.path, route.handler, {"backend": backend, "rules": route.rules}) for route in API]
    routes += [
        (r"/ws", StreamHandler, {"backend": backend, "sockets": sockets}),
        (r"/", IndexHandler, {"folder": pages}),
        (r"/assets/([A-Za-z0-9_.-]+)", AssetHandler, {"path": pages / "assets"}),
    ]
    made = Proxied(
        routes,
        default_handler_class=Nowhere,
        log_function=partial(_log_request, metrics),
        metrics=metrics,
        transforms=[Compressed],
        api=API,
        live=(get_args(Request), (Agreed, Executed, Refused, *get_args(Message))),
        websocket_max_message_size=MESSAGE_LIMIT_BYTES,
    )
    made.trust(proxies)
    return made


def _log_request(metrics: Metrics, handler: RequestHandler) -> None:
    metrics.note(handler)
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
