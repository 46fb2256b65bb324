"""/ws: prices, books, bars, an account and alerts, live; and orders.

A client asks with an `id` of its own and is answered with it (live/requests.py), then is told (payloads/messages.py).
It says who it is in the handshake's Authorization header, or first of all with `auth`. After the answer to a
subscription comes a snapshot, then what changes. A price may be skipped for a newer one; what happens to an account
never is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, get_args

import msgspec
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from actors.domain.commands import CancelOrder
from actors.store.throttle import network_of
from web.auth import access
from web.auth.access import Rule
from web.auth.allowance import ADDRESS, USER
from web.auth.tokens import Caller
from web.handling import dealing
from web.handling.backend import Backend
from web.handling.connected import EVENTS_LOST, UNAUTHORISED, Sockets
from web.handling.handler import Shielded
from web.live import requests
from web.live.frame import text_frame
from web.payloads import problem
from web.ws.channels import Subscriptions
from web.ws.outlet import Outlet

AUTH_LIMIT_S = 10
"""A client that has not said who it is for so long is sent away."""
SOCKETS_LIMIT = 20_000
REFUSED_PAUSE_S = 0.1
"""A client that asks too often is read no further for so long after each refusal."""

TOO_SLOW = 4408
"""It reads too slowly: too much waits for it. It may come back, and say since when."""


class _Envelope(msgspec.Struct, frozen=True):
    id: int | str | None = None


_decode = msgspec.json.Decoder(requests.Request).decode


class StreamHandler(Shielded, WebSocketHandler):
    """One client's socket. Requests are served one after the other, so a client that floods waits for itself."""

    def initialize(self, backend: Backend, sockets: Sockets) -> None:
        self.caller: Caller | None = None
        self.until_s = 0
        self.asked_s = self.heard_s = self.pinged_s = 0.0
        self.is_open = False
        self.send: Callable[[bytes], None]
        """Sends whole frames, or closes the socket when too much waits for a client that does not read."""
        self._backend = backend
        self._sockets = sockets
        self._outlet: Outlet
        self._subscriptions: Subscriptions | None = None

    @property
    def network(self) -> str:
        return network_of(self.request.remote_ip or "")

    @property
    def account_id(self) -> int:
        return self.caller.account_id if self.caller is not None else 0

    @property
    def is_known(self) -> bool:
        return self.caller is not None

    @property
    def follows_something(self) -> bool:
        return self._subscriptions is not None and self._subscriptions.any

    async def prepare(self) -> None:
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            detail = "This address speaks WebSocket (RFC 6455) alone."
            raise problem.Problem(426, "UPGRADE_REQUIRED", detail, headers={"Upgrade": "websocket"})
        if wait_s := self._spend():
            raise problem.too_many(wait_s)
        if len(self._sockets) >= SOCKETS_LIMIT or self._sockets.is_full_for(self.network):
            raise problem.unavailable("There are too many connections. Please try again in a moment.")
        if "Authorization" in self.request.headers:
            scheme, _, token = self.request.headers["Authorization"].partition(" ")
            if scheme.lower() != "bearer":
                raise problem.unauthorised("Send an access token: Authorization: Bearer …")
            await self._admit(token.strip())

    def open(self, *_: str, **__: str) -> None:
        assert self.ws_connection is not None
        assert self.ws_connection.stream is not None
        self._outlet = Outlet(self.ws_connection.stream, self._fall_behind)
        self.send = self._outlet.write
        self.set_nodelay(True)
        self.is_open = True
        self.until_s = self.until_s or self._backend.now_s() + AUTH_LIMIT_S
        self.asked_s = self.heard_s = asyncio.get_running_loop().time()
        self._sockets.add(self)

    def on_close(self) -> None:
        self.is_open = False
        self._outlet.close()
        self._sockets.remove(self)
        if self._subscriptions is not None:
            self._subscriptions.leave()

    def on_ping(self, data: bytes) -> None:
        # Tornado answers, and where the client does not read keeps one answer more for later.
        self._outlet.share()

    def on_pong(self, data: bytes) -> None:
        self.heard_s = asyncio.get_running_loop().time()

    async def on_message(self, message: str | bytes) -> None:
        self.asked_s = self.heard_s = asyncio.get_running_loop().time()
        if wait_s := self._spend():
            self._refuse(_id_of(message), problem.too_many(wait_s))
            await asyncio.sleep(REFUSED_PAUSE_S)
            return
        try:
            request = _decode(message)
        except msgspec.ValidationError as error:
            refused = problem.of_validation(error)
            self._refuse(_id_of(message), refused)
            return
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._refuse(None, problem.Problem(400, "MALFORMED_JSON", "The message is not JSON."))
            return
        self._backend.requests.add(self)
        try:
            await self._serve(request)
        except problem.Problem as refused:
            self._refuse(request.id, refused)
            if isinstance(request, requests.Auth):
                self.part(UNAUTHORISED, "not authenticated")
        finally:
            self._backend.requests.discard(self)

    def check_origin(self, origin: str) -> bool:
        """Our own page's and those of the setting. A client that is no browser names none and is not asked."""
        return super().check_origin(origin) or self._backend.edge.knows(origin)

    def is_void(self) -> bool:
        return self.caller is not None and self._backend.callers.is_void(self.caller)

    def give_up(self) -> None:
        self.part(EVENTS_LOST, "events were missed, subscribe anew")

    def ping_now(self) -> None:
        try:
            self.ping()
            self._outlet.look()
        except WebSocketClosedError:
            self._sockets.remove(self)

    def part(self, code: int, reason: str) -> None:
        """Closes the socket: what has been sent still goes out before the code does."""
        self.is_open = False
        self._outlet.close()
        self._sockets.remove(self)
        self.close(code, reason)

    def _fall_behind(self) -> None:
        self._sockets.closed_slow += 1
        self.part(TOO_SLOW, "you read too slowly")

    def _spend(self) -> int:
        """Takes one request out of what REST and all sockets of the caller have; gives how long to wait for one."""
        whose, key = (ADDRESS, self.network) if self.caller is None else (USER, self.caller.purse)
        return self._backend.allowances[whose].spend(key, self._backend.clock_ns()).wait_s

    async def _serve(self, request: requests.Request) -> None:
        operation = OPERATIONS[type(request)]
        if not operation.rule.public:
            operation.rule.check(self._known_caller())
        await operation.serve(self, request)

    async def _admit(self, token: str) -> None:
        """The owner of the token asks from now on; raises a problem, 401 or 403."""
        caller = await self._backend.callers.identify(token, self.request.remote_ip or "")
        access.ANYBODY.check(caller)
        if self.caller is not None and _identity(self.caller) != _identity(caller):
            raise problem.forbidden("This socket is another user's already, or the user has another role or account.")
        self.caller = caller
        self.until_s = caller.expires_s

    def _agree(self, request: requests.Request) -> None:
        self.send(text_frame(requests.Agreed(id=request.id)))

    def _refuse(self, request_id: int | str | None, refused: problem.Problem) -> None:
        self.send(text_frame(requests.Refused(id=request_id, error=refused.document())))

    def _known_caller(self) -> Caller:
        if self.caller is None:
            raise problem.unauthorised('First say who you are: {"op": "auth", "token": …}.')
        if self.is_void() or self._backend.now_s() >= self.until_s:
            # The sweep closes the socket within a second; until then nothing is done for it.
            raise problem.unauthorised("The token has expired or was revoked: log in again.", "INVALID_TOKEN")
        return self.caller

    async def _ping(self, request: requests.Ping) -> None:
        self._agree(request)

    async def _auth(self, request: requests.Auth) -> None:
        await self._admit(request.token)
        self._agree(request)

    async def _subscribe(self, request: requests.Subscribe) -> None:
        if self._subscriptions is None:
            self._subscriptions = Subscriptions(self._backend, self)
        await self._subscriptions.subscribe(self._known_caller(), request, lambda: self._agree(request))

    async def _unsubscribe(self, request: requests.Unsubscribe) -> None:
        if self._subscriptions is not None:
            self._subscriptions.unsubscribe(self._known_caller(), request)
        self._agree(request)

    async def _change(self, request: requests.Modify | requests.Protect | requests.Cancel) -> None:
        account_id = self._account()
        if isinstance(request, requests.Modify):
            await dealing.modify_order(self._backend, account_id, request.order_id, request.body)
        elif isinstance(request, requests.Protect):
            await dealing.modify_position(self._backend, account_id, request.position_id, request.body)
        else:
            await dealing.change(self._backend, CancelOrder(account_id, int(request.order_id)))
        self._agree(request)

    async def _deal(self, request: requests.Deal) -> None:
        execution, repeated = await dealing.deal(self._backend, self._command(request))
        self.send(text_frame(requests.Executed(id=request.id, body=execution, repeated=repeated)))

    def _command(self, request: requests.Deal) -> dealing.Deal:
        if isinstance(request, requests.Place):
            return dealing.submit(self._account(request.body.account_id), request.body)
        account_id = self._account()
        if isinstance(request, requests.ClosePositions):
            return dealing.close_many(account_id, request.body)
        if isinstance(request, requests.Close):
            return dealing.close(account_id, request.position_id, request.body)
        if isinstance(request, requests.ClosePositionBy):
            return dealing.close_by(account_id, request.position_id, request.body)
        return dealing.reverse(account_id, request.position_id, request.body)

    def _account(self, account_id: str | None = None) -> int:
        """On which the caller trades."""
        return access.TRADE.account(self._known_caller(), account_id)


class Operation(NamedTuple):
    rule: Rule
    """Whom it is for; of subscriptions the channel's rule says more (channels.py)."""
    serve: Callable[[StreamHandler, Any], Awaitable[None]]


OPERATIONS: Mapping[type[Any], Operation] = access.complete(
    {
        requests.Auth: Operation(access.PUBLIC, StreamHandler._auth),
        requests.Ping: Operation(access.ANYBODY, StreamHandler._ping),
        requests.Subscribe: Operation(access.ANYBODY, StreamHandler._subscribe),
        requests.Unsubscribe: Operation(access.ANYBODY, StreamHandler._unsubscribe),
        requests.Modify: Operation(access.TRADE, StreamHandler._change),
        requests.Protect: Operation(access.TRADE, StreamHandler._change),
        requests.Cancel: Operation(access.TRADE, StreamHandler._change),
        requests.Place: Operation(access.TRADE, StreamHandler._deal),
        requests.Close: Operation(access.TRADE, StreamHandler._deal),
        requests.ClosePositionBy: Operation(access.TRADE, StreamHandler._deal),
        requests.ReversePosition: Operation(access.TRADE, StreamHandler._deal),
        requests.ClosePositions: Operation(access.TRADE, StreamHandler._deal),
    },
    get_args(requests.Request),
)
"""What may be asked, and by whom. What has no rule here does not start."""


def _identity(caller: Caller) -> tuple[str, str, int]:
    """By what a socket's subscriptions were allowed."""
    return caller.user_id, caller.role, caller.account_id


def _id_of(message: str | bytes) -> int | str | None:
    """The id of a request that is wrong otherwise, as far as it has one."""
    try:
        return msgspec.json.decode(message, type=_Envelope).id
    except (ValueError, RecursionError):
        return None
