"""Which other origins' pages may use the API from a browser (CORS, and /ws): by default none.

There are no cookies, so a foreign page can do nothing in a user's name, and none is ever answered with credentials.
"""

from collections.abc import Sequence

from tornado.web import RequestHandler

PREFLIGHT_AGE_S = 600
REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match"
ANSWER_HEADERS = "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After"


class Edge:
    def __init__(self, origins: Sequence[str] = ()) -> None:
        """`origins`: such as https://terminal.example.com."""
        self._origins = frozenset(origins)

    def knows(self, origin: str | None) -> bool:
        return origin in self._origins

    def let_read(self, handler: RequestHandler) -> None:
        """The headers of each answer."""
        if not self._origins:
            return
        handler.set_header("Vary", "Origin")
        origin = handler.request.headers.get("Origin")
        if origin is not None and self.knows(origin):
            handler.set_header("Access-Control-Allow-Origin", origin)
            handler.set_header("Access-Control-Expose-Headers", ANSWER_HEADERS)
            handler.set_header("Cross-Origin-Resource-Policy", "cross-origin")

    def let_send(self, handler: RequestHandler, methods: Sequence[str]) -> None:
        """The answer to a preflight."""
        handler.set_header("Access-Control-Allow-Methods", ", ".join(methods))
        handler.set_header("Access-Control-Allow-Headers", REQUEST_HEADERS)
        handler.set_header("Access-Control-Max-Age", str(PREFLIGHT_AGE_S))
