"""The HTTP server and its limits: connections, in all and by address, and how slowly a request may come."""

import resource
from collections import Counter
from collections.abc import Sequence
from ssl import SSLContext
from typing import Any, NamedTuple

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.iostream import IOStream
from tornado.web import Application, GZipContentEncoding

from actors.store.throttle import network_of
from web.handling.connected import Sockets
from web.handling.handler import BODY_LIMIT_BYTES
from web.serving.proxy import Network, client_address, is_trusted

HEADER_LIMIT_BYTES = 16_384
RESERVED_DESCRIPTORS = 64
"""For the bus, the log, and files of the page."""


def connections_for(wanted: int) -> int:
    """Raises this process's limit of descriptors as far as it may; gives how many connections that is enough for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = max(soft, min(hard, wanted + RESERVED_DESCRIPTORS))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(min(wanted, soft - RESERVED_DESCRIPTORS), 1)


class Limits(NamedTuple):
    connections: int = 30_000
    """Open at a time, WebSockets among them; one more is closed at once."""
    address_connections: int = 1_000
    """The same from one address, of IPv6 from a network of 64 bits. A trusted proxy may have all."""
    request_timeout_s: float = 10
    """A head that is not whole by then, a body that is not, and a connection that is idle for so long, is cut off."""


class Server(HTTPServer):
    """Closes each connection too many at once: accept() without a descriptor would fail for ever."""

    refused = 0
    _upgraded: Sockets
    _limits: Limits
    _proxies: tuple[Network, ...]
    _by_network: Counter[str]

    @classmethod
    def of(
        cls,
        application: Application,
        sockets: Sockets,
        limits: Limits,
        proxies: Sequence[Network] = (),
        tls: SSLContext | None = None,
    ) -> "Server":
        """`sockets`: the connections that have become WebSockets, which the server no longer counts among its own."""
        server = cls(
            application,
            ssl_options=tls,
            max_header_size=HEADER_LIMIT_BYTES,
            max_body_size=BODY_LIMIT_BYTES,
            idle_connection_timeout=limits.request_timeout_s,
            body_timeout=limits.request_timeout_s,
        )
        server._upgraded = sockets
        server._limits = limits
        server._proxies = tuple(proxies)
        server._by_network = Counter()
        return server

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        if self._is_full_for(address[0]):
            self.refused += 1
            stream.close()
        else:
            self._by_network[network_of(address[0])] += 1
            super().handle_stream(stream, address)

    def on_close(self, server_conn: Any) -> None:
        super().on_close(server_conn)
        network = network_of(server_conn.context.address[0])
        self._by_network[network] -= 1
        if not self._by_network[network]:
            del self._by_network[network]

    def _is_full_for(self, address: str) -> bool:
        if len(self._connections) + len(self._upgraded) >= self._limits.connections:
            return True
        network = network_of(address)
        open_now = self._by_network[network] + self._upgraded.of(network)
        return open_now >= self._limits.address_connections and not is_trusted(address, self._proxies)


class Compressed(GZipContentEncoding):
    """Tornado's, for YAML (RFC 9512) too."""

    CONTENT_TYPES = GZipContentEncoding.CONTENT_TYPES | {"application/yaml"}


class Proxied(Application):
    """An application whose requests come from the address that trusted proxies tell (proxy.py)."""

    def trust(self, proxies: Sequence[Network]) -> None:
        self._proxies = tuple(proxies)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        forwarded = request.headers.get_list("X-Forwarded-For")
        if forwarded and self._proxies and request.remote_ip is not None:
            request.remote_ip = client_address(request.remote_ip, forwarded, self._proxies)
        return super().find_handler(request, **kwargs)
