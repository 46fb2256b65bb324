"""The HTTP server, which takes no more connections than it has descriptors for."""

import resource
from collections.abc import Sequence, Sized
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.iostream import IOStream
from tornado.web import Application, GZipContentEncoding

from web.proxy import Network, client_address

RESERVED_DESCRIPTORS = 64
"""For the bus, the log, and files of the page."""


def connections_for(wanted: int) -> int:
    """Raises this process's limit of descriptors as far as it may; gives how many connections that is enough for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = max(soft, min(hard, wanted + RESERVED_DESCRIPTORS))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(min(wanted, soft - RESERVED_DESCRIPTORS), 1)


class Server(HTTPServer):
    """Once `bound`, closes each connection too many at once: accept() without a descriptor would fail for ever."""

    refused = 0

    def bound(self, connections: int, upgraded: Sized) -> None:
        """`upgraded`: the connections that have become WebSockets, which the server no longer counts among its own."""
        self._connections_limit = connections
        self._upgraded = upgraded

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        if len(self._connections) + len(self._upgraded) >= self._connections_limit:
            self.refused += 1
            stream.close()
        else:
            super().handle_stream(stream, address)


class Compressed(GZipContentEncoding):
    """Tornado's, for YAML (RFC 9512) too."""

    CONTENT_TYPES = GZipContentEncoding.CONTENT_TYPES | {"application/yaml"}


class Proxied(Application):
    """An application whose requests come from the address that trusted proxies tell (web/proxy.py)."""

    def trust(self, proxies: Sequence[Network]) -> None:
        self._proxies = tuple(proxies)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        forwarded = request.headers.get_list("X-Forwarded-For")
        if forwarded and self._proxies and request.remote_ip is not None:
            request.remote_ip = client_address(request.remote_ip, forwarded, self._proxies)
        return super().find_handler(request, **kwargs)
