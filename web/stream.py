"""/ws: prices and a client's account, live.

A client sends {"id", "op", …} and gets {"id", "ok": true} or {"id", "ok": false, "error": {"code", "detail"}}. First
`auth`, then `subscribe` and `unsubscribe` to `ticks` (symbols; `max_rate` messages a second for each, 1 to 10, null for
every tick) and to `account`; or `ping`. After the answer to a subscription comes a snapshot, then what changes.
A tick may be skipped for a newer one; what happens to an account never is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import WebSocketHandler

from web import access, problem, schema
from web.auth import TOKEN_LIMIT_CHARACTERS, Caller, Unauthorised
from web.backend import Backend
from web.bus import Away, Declined, NoAnswer
from web.fanout import EVERY_TICK, TURNS_PER_SECOND, turns_for
from web.frame import text_frame
from web.handler import Shielded

AUTH_LIMIT_S = 10
"""A client that has not said who it is for so long is sent away."""
UNSENT_LIMIT_BYTES = 1_048_576
"""What may wait for a client that reads too slowly; with more it is closed, and may come back for a snapshot."""
SOCKETS_LIMIT = 20_000
SYMBOLS_LIMIT = 500

GOING_AWAY = 1001
UNAUTHORISED = 4401
"""No token in time, a bad one, or one that has expired."""
TOO_SLOW = 4408
EVENTS_LOST = 4410
"""Events of the account cannot be had any more: subscribe anew for a snapshot."""


class _Request(msgspec.Struct, frozen=True, tag_field="op", tag=str.lower, forbid_unknown_fields=True, kw_only=True):
    id: int | Annotated[str, Meta(max_length=64)]


class Auth(_Request, frozen=True):
    token: Annotated[str, Meta(max_length=TOKEN_LIMIT_CHARACTERS)]


class Subscribe(_Request, frozen=True):
    channel: str
    symbols: Annotated[list[schema.Symbol], Meta(max_length=SYMBOLS_LIMIT)] | None = None
    max_rate: Annotated[int, Meta(ge=1, le=TURNS_PER_SECOND)] | None = TURNS_PER_SECOND
    account_id: schema.Id | None = None


class Unsubscribe(_Request, frozen=True):
    channel: str
    symbols: Annotated[list[schema.Symbol], Meta(max_length=SYMBOLS_LIMIT)] | None = None
    account_id: schema.Id | None = None


class Ping(_Request, frozen=True):
    """Answered, and nothing else."""


class _Envelope(msgspec.Struct, frozen=True):
    id: int | str | None = None


_decode = msgspec.json.Decoder(Auth | Subscribe | Unsubscribe | Ping).decode


class Sockets:
    """All open sockets, and their limits in time."""

    def __init__(self) -> None:
        self._open: dict[StreamHandler, None] = {}
        self.closed_slow = 0

    def __len__(self) -> int:
        return len(self._open)

    def add(self, socket: StreamHandler) -> None:
        self._open[socket] = None

    def remove(self, socket: StreamHandler) -> None:
        self._open.pop(socket, None)

    def sweep(self, now_s: int) -> None:
        """Sends away who has not said who they are in time, and whose token has expired."""
        for socket in list(self._open):
            if now_s >= socket.until_s:
                socket.part(UNAUTHORISED, "log in again" if socket.caller else "not authenticated in time")

    def close(self) -> None:
        for socket in list(self._open):
            socket.part(GOING_AWAY, "the server is going away")


class StreamHandler(Shielded, WebSocketHandler):
    """One client's socket. Requests are served one after the other, so a client that floods waits for itself."""

    def initialize(self, backend: Backend, sockets: Sockets) -> None:
        self.caller: Caller | None = None
        self.until_s = 0
        """When the socket is closed: the end of the time to authenticate, or of the token."""
        self.is_open = False
        self._backend = backend
        self._sockets = sockets
        self._stream: IOStream
        self._unsent_bytes = 0
        self._accounts: dict[int, None] = {}

    def prepare(self) -> None:
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            detail = "This address speaks WebSocket (RFC 6455) alone."
            raise problem.Problem(426, "UPGRADE_REQUIRED", detail, headers={"Upgrade": "websocket"})
        if len(self._sockets) >= SOCKETS_LIMIT:
            raise problem.unavailable("There are too many connections. Please try again in a moment.")

    def open(self, *_: str, **__: str) -> None:
        assert self.ws_connection is not None
        assert self.ws_connection.stream is not None
        self._stream = self.ws_connection.stream
        self.set_nodelay(True)
        self.is_open = True
        self.until_s = self._backend.now_s() + AUTH_LIMIT_S
        self._sockets.add(self)

    def on_close(self) -> None:
        self.is_open = False
        self._sockets.remove(self)
        self._backend.fanout.leave(self)
        for account_id in self._accounts:
            self._backend.accounts.leave(account_id, self)

    async def on_message(self, message: str | bytes) -> None:
        try:
            request = _decode(message)
        except msgspec.ValidationError as error:
            refused = problem.of_validation(error)
            self._refuse(_id_of(message), refused)
            return
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._refuse(None, problem.Problem(400, "MALFORMED_JSON", "The message is not JSON."))
            return
        try:
            await self._serve[type(request)](self, request)
        except problem.Problem as refused:
            self._refuse(request.id, refused)
            if isinstance(request, Auth):
                self.part(UNAUTHORISED, "not authenticated")

    def send(self, frames: bytes) -> None:
        """Sends whole frames, or closes the socket when too much waits for a client that does not read."""
        if not self.is_open:
            return
        if self._unsent_bytes > UNSENT_LIMIT_BYTES:
            self._sockets.closed_slow += 1
            self.part(TOO_SLOW, "you read too slowly")
            return
        try:
            written = self._stream.write(frames)
        except StreamClosedError:
            return
        if not written.done():
            self._unsent_bytes += len(frames)
            written.add_done_callback(partial(self._sent, len(frames)))

    def give_up(self) -> None:
        self.part(EVENTS_LOST, "events were missed, subscribe anew")

    def part(self, code: int, reason: str) -> None:
        """Closes the socket: what has been sent still goes out before the code does."""
        self.is_open = False
        self._sockets.remove(self)
        self.close(code, reason)

    def _sent(self, size_bytes: int, _: object) -> None:
        self._unsent_bytes -= size_bytes

    def _agree(self, request: _Request) -> None:
        self.send(text_frame({"id": request.id, "ok": True}))

    def _refuse(self, request_id: int | str | None, refused: problem.Problem) -> None:
        error = {"code": refused.code, "detail": refused.detail}
        if refused.field:
            error["field"] = refused.field
        self.send(text_frame({"id": request_id, "ok": False, "error": error}))

    async def _ping(self, request: Ping) -> None:
        self._known_caller()
        self._agree(request)

    async def _auth(self, request: Auth) -> None:
        try:
            caller = self._backend.tokens.read(request.token, self._backend.now_s())
        except Unauthorised as error:
            raise problem.unauthorised(str(error), "INVALID_TOKEN") from None
        if self.caller is not None and self.caller.user_id != caller.user_id:
            raise problem.forbidden("This socket is another user's already.")
        self.caller = caller
        self.until_s = caller.expires_s
        self._agree(request)

    async def _subscribe(self, request: Subscribe) -> None:
        caller = self._known_caller()
        if request.channel == "account":
            account_id = access.ACCOUNT.account(caller, request.account_id)
            await self._follow(account_id, request)
        else:
            symbols = self._symbols(request)
            turns = EVERY_TICK if request.max_rate is None else turns_for(request.max_rate)
            self._agree(request)
            self._backend.fanout.subscribe(self, symbols, turns)

    async def _follow(self, account_id: int, request: Subscribe) -> None:
        self._accounts[account_id] = None
        try:
            await self._backend.accounts.join(account_id, self, partial(self._agree, request))
        except (Away, NoAnswer, Declined) as error:
            raise problem.of_bus(error) from None

    async def _unsubscribe(self, request: Unsubscribe) -> None:
        caller = self._known_caller()
        if request.channel == "account":
            account_id = access.ACCOUNT.account(caller, request.account_id)
            self._accounts.pop(account_id, None)
            self._backend.accounts.leave(account_id, self)
        else:
            self._backend.fanout.unsubscribe(self, self._symbols(request))
        self._agree(request)

    def _known_caller(self) -> Caller:
        if self.caller is None:
            raise problem.unauthorised('First say who you are: {"op": "auth", "token": …}.')
        return self.caller

    def _symbols(self, request: Subscribe | Unsubscribe) -> list[str]:
        if request.channel != "ticks":
            raise problem.invalid("channel", "channel is ticks or account.")
        if not request.symbols:
            raise problem.invalid("symbols", "symbols must name one symbol or more.")
        known = self._backend.prices.instruments
        if not known:
            raise problem.starting()
        for symbol in request.symbols:
            if symbol not in known:
                raise problem.of_code("UNKNOWN_SYMBOL", f"There is no symbol {symbol!r}.", "symbols")
        return list(dict.fromkeys(request.symbols))

    _serve: ClassVar[dict[type, Callable[..., Any]]] = {
        Auth: _auth,
        Subscribe: _subscribe,
        Unsubscribe: _unsubscribe,
        Ping: _ping,
    }


def _id_of(message: str | bytes) -> int | str | None:
    """The id of a request that is wrong otherwise, as far as it has one."""
    try:
        return msgspec.json.decode(message, type=_Envelope).id
    except (ValueError, RecursionError):
        return None
