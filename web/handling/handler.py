"""What all HTTP handlers share: who is asking, bodies and parameters into structs, every refusal a problem document."""

import hashlib
from collections.abc import Awaitable, Mapping
from types import TracebackType
from typing import Any, TypeVar

import msgspec
import structlog
from tornado.web import HTTPError, RequestHandler, stream_request_body

from actors.store.throttle import network_of
from web.auth.access import Rule
from web.auth.allowance import ADDRESS, USER, Left
from web.auth.tokens import Caller
from web.handling.backend import Backend
from web.handling.contract import Contract, contract_of
from web.payloads.problem import MEDIA_TYPE, Problem, invalid, no_nul, of_validation, too_many, unauthorised
from web.payloads.schema import NoParameters, Request

API_KEY_PREFIX = "hgk_"
BODY_LIMIT_BYTES = 65_536
SIZE_LIMIT_DIGITS = 18
"""Of a Content-Length that is read as a number at all."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

HSTS = "max-age=31536000; includeSubDomains"
"""Browsers come back with TLS alone."""

R = TypeVar("R", bound=Request)

_log = structlog.get_logger("web")


def methods_of(handler: type[RequestHandler]) -> list[str]:
    """Those that the class takes."""
    inherited = RequestHandler._unimplemented_method
    return [name for name in METHODS if getattr(handler, name.lower()) is not inherited]


class Shielded(RequestHandler):
    """Has the security headers, and answers every error with a problem document that says nothing of the inside."""

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in SECURITY_HEADERS.items():
            self.set_header(name, value)
        if self.request.protocol == "https":
            self.set_header("Strict-Transport-Security", HSTS)

    def allowed(self) -> list[str]:
        """The methods that this address takes."""
        methods = methods_of(type(self))
        return [*methods, "HEAD"] if "GET" in methods else methods

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        problem = error if isinstance(error, Problem) else self._plain_problem(status_code)
        for name, value in problem.headers.items():
            self.set_header(name, value)
        self.set_header("Content-Type", MEDIA_TYPE)
        self.set_header("Cache-Control", "no-store")
        self.finish(msgspec.json.encode(problem.document()))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if not isinstance(value, HTTPError):
            _log.error("request failed", method=self.request.method, path=self.request.path, exc_info=(typ, value, tb))

    def _plain_problem(self, status: int) -> Problem:
        if status == 404:
            return Problem(404, "NOT_FOUND", "There is nothing at this address.")
        if status == 405:
            allowed = self.allowed()
            detail = f"This address takes {' and '.join(allowed)}, not {self.request.method}."
            return Problem(405, "METHOD_NOT_ALLOWED", detail, headers={"Allow": ", ".join(allowed)})
        if 400 <= status < 500:
            return Problem(status, "BAD_REQUEST", "The request cannot be understood.")
        return Problem(500, "INTERNAL", "Something went wrong on our side. It has been logged.")


@stream_request_body
class Handler(Shielded):
    """The base of the API's handlers. What the route's rule for the method does not allow ends with 401 or 403."""

    def initialize(self, backend: Backend, rules: Mapping[str, Rule]) -> None:
        """`rules`: by method; those of the route table."""
        self.backend = backend
        backend.edge.let_read(self)
        self.rule: Rule
        self.contract: Contract | None = None
        self._rules = rules
        backend.requests.add(self)
        self.caller: Caller
        self._left: Left | None = None
        self._body = bytearray()

    def prepare(self) -> Awaitable[None] | None:
        """An access token is read at once; an API key may have to be looked up, and is waited for."""
        method = self.request.method or ""
        rule = self._rules.get("GET" if method == "HEAD" else method)
        if rule is None:
            if method == "OPTIONS":
                return None
            raise HTTPError(405)
        if any("\0" in argument for argument in self.path_args):
            raise HTTPError(404)
        self.rule = rule
        self.contract = contract_of(type(self), method)
        self._spend(ADDRESS, network_of(self.address))
        size = self.request.headers.get("Content-Length", "0")
        if size.isdecimal() and (len(size) > SIZE_LIMIT_DIGITS or int(size) > BODY_LIMIT_BYTES):
            raise _too_large()
        if rule.public:
            return None
        token = self._token()
        if token.startswith(API_KEY_PREFIX):
            return self._admit(rule, token)
        self.caller = self.backend.callers.read(token)
        self._spend(USER, self.caller.purse)
        rule.check(self.caller)
        self._refuse_parameters()
        return None

    async def _admit(self, rule: Rule, key: str) -> None:
        self.caller = await self.backend.callers.identify(key, self.address)
        self._spend(USER, self.caller.purse)
        rule.check(self.caller)
        self._refuse_parameters()

    def _refuse_parameters(self) -> None:
        """Where there are none to read, none are let pass."""
        if self.contract is not None and self.contract.parameters is NoParameters:
            self.parameters(NoParameters)

    @property
    def address(self) -> str:
        """The client's; where trusted proxies are set, as they tell it (serving/proxy.py)."""
        return self.request.remote_ip or ""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.backend.edge.let_read(self)
        self._tell_what_is_left()
        if not self.request._body_future.done():
            # Tornado cuts such a connection off; a client that is not told sends its next request into it.
            self.set_header("Connection", "close")
        super().write_error(status_code, **kwargs)

    def allowed(self) -> list[str]:
        return [*super().allowed(), "OPTIONS"]

    def on_finish(self) -> None:
        self.backend.requests.discard(self)

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self.backend.requests.discard(self)

    def options(self, *_: str) -> None:
        """What may be asked here (RFC 9110, 9.3.7); a page of another origin is told too what it may send (CORS)."""
        self.set_header("Allow", ", ".join(self.allowed()))
        if self.backend.edge.knows(self.request.headers.get("Origin")):
            self.backend.edge.let_send(self, self.allowed())
        self.answer_nothing()

    def data_received(self, chunk: bytes) -> None:
        if len(self._body) + len(chunk) > BODY_LIMIT_BYTES:
            raise _too_large()
        self._body += chunk

    def parameters(self, kind: type[R]) -> R:
        """The query string as a struct; a parameter that is unknown, doubled or wrong is a problem that names it.

        `kind` is what the method's contract says.
        """
        assert self.contract is None or self.contract.parameters is kind
        given: dict[str, str] = {}
        for name, values in self.request.query_arguments.items():
            if len(values) > 1:
                raise invalid(name, "The parameter is given more than once.")
            try:
                given[name] = values[0].decode()
            except UnicodeDecodeError:
                raise invalid(name, "The parameter is not UTF-8.") from None
            if "\0" in given[name]:
                raise no_nul(name)
            if given[name].lower() == "null":
                raise invalid(name, "A parameter cannot be null: leave it out.")
        try:
            return msgspec.convert(given, kind, strict=False)
        except msgspec.ValidationError as error:
            raise of_validation(error) from None

    def body(self, kind: type[R]) -> R:
        """The body as a struct; a field that is missing, unknown or wrong is a problem that names it.

        `kind` is what the method's contract says.
        """
        assert self.contract is None or self.contract.body is kind
        try:
            return msgspec.json.decode(self._body, type=kind)
        except msgspec.ValidationError as error:
            raise of_validation(error) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Problem(400, "MALFORMED_JSON", "The body is not JSON (RFC 8259) in UTF-8.") from None

    def account(self, account_id: str | None = None) -> int:
        """The account that is meant, by the route's rule; `account_id` is what the request says of it."""
        return self.rule.account(self.caller, account_id)

    def answer(self, body: object, status: int = 200) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.finish(msgspec.json.encode(body))

    def answer_tagged(self, body: object) -> None:
        """200 with an entity tag, or 304 where the client has it already (RFC 9110, 13.1.2)."""
        self.answer_tagged_bytes(msgspec.json.encode(body), "application/json")

    def answer_tagged_bytes(self, content: bytes, media_type: str) -> None:
        self.set_header("Content-Type", media_type)
        self.set_header("Cache-Control", "no-cache")
        # Weak: the same tag stands for the compressed and the plain form.
        self.set_header("ETag", f'W/"{hashlib.sha256(content).hexdigest()[:32]}"')
        if self.check_etag_header():
            self.set_status(304)
            self.finish()
        else:
            self.finish(content)

    def head(self, *arguments: str) -> Awaitable[None] | None:
        """As GET, whose body the server leaves out (RFC 9110, 9.3.2)."""
        got: Awaitable[None] | None = self.get(*arguments)
        return got

    def answer_nothing(self) -> None:
        """204."""
        self.set_status(204)
        self.set_header("Cache-Control", "no-store")
        self.finish()

    def compute_etag(self) -> None:
        """None: what is asked for here changes all the time."""

    def _spend(self, whose: str, key: str) -> None:
        """Takes one request out of what a user or an address has left; the headers say what then is."""
        self._left = self.backend.allowances[whose].spend(key, self.backend.clock_ns())
        self._tell_what_is_left()
        if self._left.wait_s:
            raise too_many(self._left.wait_s)

    def _tell_what_is_left(self) -> None:
        if self._left is not None:
            self.set_header("RateLimit-Policy", self._left.policy)
            self.set_header("RateLimit", self._left.state)

    def _token(self) -> str:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthorised("Send an access token: Authorization: Bearer …")
        return token.strip()


class Nowhere(Shielded):
    """Every address that is not another's."""

    def prepare(self) -> None:
        raise HTTPError(404)


def _too_large() -> Problem:
    return Problem(413, "TOO_LARGE", f"A body has at most {BODY_LIMIT_BYTES} bytes.")
