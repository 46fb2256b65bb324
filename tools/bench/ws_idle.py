"""`ws_idle`: what an open WebSocket costs in memory, and how fast very many of them come in."""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from tools.bench import ws_chain, ws_clients
from tools.bench.child import Child
from tools.bench.result import Measurement, Result, Say, Spoiled
from tools.bench.ws_fanout import START_S, tokens
from web.serving.server import connections_for

NAME = "ws_idle"
SOCKETS = 10_000

TIMEOUT_S = 180
SETTLE_S = 3.0


class Held(NamedTuple):
    sockets: int
    bytes_each: int
    """Of the server's resident memory."""
    seconds: float
    """Until all were connected, logged in and answered, one after the other."""


def measure(folder: Path, say: Say, *, sockets: int = SOCKETS) -> Result:
    say(f"{NAME}: ours")
    ours = _held(folder, sockets, tokens(), ws_chain.web)
    say(f"{NAME}: the peer")
    peer = _held(folder, sockets, [], ws_chain.bare, "")
    extra = {
        "sockets": ours.sockets,
        "connected_per_s": round(ours.sockets / ours.seconds),
        "peer_connected_per_s": round(peer.sockets / peer.seconds),
        "values": [ours.bytes_each],
        "peer_values": [peer.bytes_each],
    }
    return Result(NAME, ours.bytes_each, "bytes/socket", "a bare server of websockets", peer.bytes_each, extra)


def hold(folder: Path, sockets: int, logins: list[str]) -> Held:
    """The clients' process. Each says one thing, follows nothing, and stays."""
    if connections_for(sockets) < sockets:
        raise Spoiled(f"{sockets} sockets are more than this process may have")
    port, pid = ws_chain.port_of(folder), ws_chain.pid_of(folder)
    before_bytes, start_s = ws_clients.rss_bytes(pid), time.monotonic()
    crowd = ws_clients.Crowd(port, sockets, logins, [b'{"id":1,"op":"ping"}'])
    seconds = time.monotonic() - start_s
    crowd.listen(SETTLE_S)
    held_bytes = ws_clients.rss_bytes(pid) - before_bytes
    crowd.close()
    return Held(sockets, held_bytes // sockets, seconds)


def _held(folder: Path, sockets: int, logins: list[str], server: Callable[..., None], *arguments: Any) -> Held:
    with tempfile.TemporaryDirectory(dir=folder) as below, ExitStack() as running:
        at = Path(below)
        running.enter_context(Child(server, at, *arguments))
        ws_chain.port_of(at)
        time.sleep(START_S)
        return running.enter_context(Child(hold, at, sockets, logins)).report(Held, TIMEOUT_S)


MEASUREMENT = Measurement(
    f"{SOCKETS:,} WebSockets that are open and follow nothing: the growth of the web process's resident memory, by "
    "socket, after each has logged in by header and was answered a ping. Checked: none was refused or closed. The peer "
    "is a server of the library `websockets`, without compression, that does nothing.",
    measure,
)
