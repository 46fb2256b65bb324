"""Very many WebSocket clients in one thread, which take as little of a shared machine as they can."""

import base64
import os
import re
import select
import socket
import struct
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec

from tools.bench import ws_chain
from tools.bench.result import Spoiled
from web.serving.server import connections_for

_SEQ = re.compile(rb'"seq":(\d+)')
RECEIVE_BYTES = 262_144
PING, PONG = 0x89, b"\x8a\x80\0\0\0\0"
_decode = msgspec.json.decode
_KEY = base64.b64encode(b"0123456789abcdef").decode()


class Told(NamedTuple):
    """What all clients heard while the time ran, and what the server's process spent on it."""

    frames: int
    quotes: int
    """Of the frames, those of quotes."""
    seconds: float
    cpu_seconds: float
    delays_us: list[int]
    """From the publication of a tick to the client that has its frame: one tick of each frame, sorted."""
    fills: dict[int, int]
    """By account, those that were told to its client, from first to last."""
    unordered: int
    """Messages of an account that came with a lower number than the one before."""
    payload: str
    """One frame of quotes."""


def cpu_s(pid: int) -> float:
    """What a process has spent so far, in both modes (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def connected(port: int, token: str) -> socket.socket:
    """A WebSocket; raises Spoiled where the server does not agree."""
    stream = socket.create_connection(("127.0.0.1", port), timeout=20)
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    request = (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{bearer}"
        f"Sec-WebSocket-Key: {_KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    stream.sendall(request.encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        piece = stream.recv(1)
        if not piece:
            raise Spoiled(f"no WebSocket: {answer[:80]!r}")
        answer += piece
    if not answer.startswith(b"HTTP/1.1 101 "):
        raise Spoiled(f"no WebSocket: {answer[:80]!r}")
    return stream


def masked(text: bytes) -> bytes:
    """A client's frame (RFC 6455, section 5.3), with a mask of zeros."""
    size = len(text)
    head = struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x81, 0x80 | 126, size)
    return head + bytes(4) + text


class _Client:
    __slots__ = ("account_id", "last_seq", "rest", "socket")

    def __init__(self, stream: socket.socket, account_id: int) -> None:
        self.socket = stream
        self.account_id = account_id
        self.rest = b""
        self.last_seq = 0

    def frames(self, data: bytes) -> list[bytes]:
        """The payloads of the text frames that are whole by now; pings are answered."""
        data, start, found = self.rest + data, 0, []
        while len(data) - start >= 2:
            size, head = data[start + 1], 2
            if size == 126:
                size, head = int.from_bytes(data[start + 2 : start + 4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(data[start + 2 : start + 10], "big"), 10
            if len(data) - start < head + size:
                break
            if data[start] == PING:
                self.socket.sendall(PONG)
            else:
                found.append(data[start + head : start + head + size])
            start += head + size
        self.rest = data[start:]
        return found


class Crowd:
    """The clients of one server, and what they have heard."""

    def __init__(self, port: int, clients: int, tokens: list[str], subscriptions: list[bytes]) -> None:
        """Client so and so logs in with the token of its turn. Those of the first round follow their account too."""
        self.fills: Counter[int] = Counter()
        self.delays_us: list[int] = []
        self.frames = self.quotes = self.unordered = 0
        self.payload = b""
        self._counts = False
        self._epoll = select.epoll()
        self._clients: dict[int, _Client] = {}
        for number in range(clients):
            has_account = number < len(tokens)
            stream = connected(port, tokens[number % len(tokens)] if tokens else "")
            for text in subscriptions[: None if has_account else 1]:
                stream.sendall(masked(text))
            stream.setblocking(False)
            self._clients[stream.fileno()] = _Client(stream, number + 1 if has_account else 0)
            self._epoll.register(stream.fileno(), select.EPOLLIN)
            self.listen(0.0)

    def listen(self, seconds: float, *, counts: bool = False) -> None:
        """Takes what comes for so long."""
        self._counts = counts
        until_s = time.monotonic() + seconds
        while True:
            left_s = until_s - time.monotonic()
            events = self._epoll.poll(max(left_s, 0.0), 256)
            for descriptor, _ in events:
                self._take(self._clients[descriptor])
            if left_s <= 0:
                return

    def close(self) -> None:
        for client in self._clients.values():
            client.socket.close()
        self._epoll.close()

    def _take(self, client: _Client) -> None:
        data = client.socket.recv(RECEIVE_BYTES)
        if not data:
            raise Spoiled("the server has closed a connection")
        now_us = time.time_ns() // 1_000
        for payload in client.frames(data):
            self.frames += self._counts
            if payload.startswith(b'{"type":"quotes"'):
                if self._counts:
                    self.quotes += 1
                    self.payload = payload
                    match = _SEQ.search(payload)
                    if match:
                        self.delays_us.append(now_us - int(match[1]))
            elif client.account_id:
                self._hear(client, payload)

    def _hear(self, client: _Client, payload: bytes) -> None:
        message = _decode(payload)
        seq = message.get("seq", client.last_seq)
        self.unordered += seq < client.last_seq
        client.last_seq = seq
        if message.get("ok") is False:
            raise Spoiled(f"a request was refused: {message}")
        self.fills[client.account_id] += message.get("type") == "fill"


def listen(folder: Path, clients: int, tokens: list[str], subscriptions: list[bytes], seconds: int) -> Told:
    """The clients' process: all connect to the server in the folder, and after a second the time runs."""
    port, pid = ws_chain.port_of(folder), ws_chain.pid_of(folder)
    connections_for(clients)
    crowd = Crowd(port, clients, tokens, subscriptions)
    (folder / ws_chain.START_FILE).touch()
    crowd.listen(1.0)
    start_s, start_cpu_s = time.monotonic(), cpu_s(pid)
    crowd.listen(seconds, counts=True)
    seconds_s, spent_s = time.monotonic() - start_s, cpu_s(pid) - start_cpu_s
    (folder / ws_chain.STOP_FILE).touch()
    if tokens:
        crowd.listen(2.0)
    crowd.close()
    fills = {account_id: count for account_id, count in crowd.fills.items() if count}
    return Told(
        crowd.frames,
        crowd.quotes,
        seconds_s,
        spent_s,
        sorted(crowd.delays_us),
        fills,
        crowd.unordered,
        crowd.payload.decode(),
    )
