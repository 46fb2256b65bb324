"""A way through a proxy: HTTP CONNECT (RFC 9110, 9.3.6) and SOCKS5 (RFC 1928, with RFC 1929's user name)."""

import asyncio
import base64
import socket
from dataclasses import dataclass, field
from enum import Enum

ANSWER_LIMIT_BYTES = 8_192
_SOCKS_ADDRESS_BYTES = {1: 4, 4: 16}
_SOCKS_DOMAIN = 3


class ProxyKind(Enum):
    HTTP = "http"
    SOCKS5 = "socks5"


class ProxyRefused(OSError):
    """The proxy does not take us there, or is none."""


@dataclass(frozen=True, slots=True)
class Proxy:
    kind: ProxyKind
    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)

    async def connect(self, host: str, port: int) -> socket.socket:
        """A socket whose other end is that host; the proxy looks its name up. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        line = socket.socket(family, kind, protocol)
        try:
            line.setblocking(False)
            await loop.sock_connect(line, address)
            await (self._http if self.kind is ProxyKind.HTTP else self._socks)(line, host, port)
        except BaseException:
            line.close()
            raise
        return line

    async def _http(self, line: socket.socket, host: str, port: int) -> None:
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        request = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"
        if self.username:
            secret = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
            request += f"Proxy-Authorization: Basic {secret}\r\n"
        await asyncio.get_running_loop().sock_sendall(line, f"{request}\r\n".encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):  # Byte by byte: what follows belongs to the other end.
            answer += await _read(line, 1)
            if len(answer) > ANSWER_LIMIT_BYTES:
                raise ProxyRefused("the proxy's answer is too long")
        status = answer.split(b" ", 2)
        if len(status) < 2 or not status[0].startswith(b"HTTP/1.") or not status[1].startswith(b"2"):
            raise ProxyRefused(f"the proxy answered {answer[:40]!r}")

    async def _socks(self, line: socket.socket, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        method = 2 if self.username else 0
        await loop.sock_sendall(line, bytes((5, 1, method)))
        if await _read(line, 2) != bytes((5, method)):
            raise ProxyRefused("the proxy does not accept our way to authenticate")
        if method:
            user, password = self.username.encode(), self.password.encode()
            await loop.sock_sendall(line, bytes((1, len(user))) + user + bytes((len(password),)) + password)
            if (await _read(line, 2))[1]:
                raise ProxyRefused("the proxy does not accept the user name or password")
        name = host.encode("idna")
        await loop.sock_sendall(line, bytes((5, 1, 0, _SOCKS_DOMAIN, len(name))) + name + port.to_bytes(2, "big"))
        version, reply, _, kind = await _read(line, 4)
        if version != 5 or reply:
            raise ProxyRefused(f"the proxy refused with code {reply}")
        length = (await _read(line, 1))[0] if kind == _SOCKS_DOMAIN else _SOCKS_ADDRESS_BYTES.get(kind)
        if length is None:
            raise ProxyRefused("the proxy answered with an unknown kind of address")
        await _read(line, length + 2)


async def _read(line: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = await asyncio.get_running_loop().sock_recv(line, count - len(data))
        if not piece:
            raise ProxyRefused("the proxy hung up")
        data += piece
    return data
