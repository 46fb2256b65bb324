"""`ws_fanout`: quotes to very many WebSocket clients, and the events of some accounts among them."""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec

from actors.bus.users import User
from tools.bench import ws_chain, ws_clients
from tools.bench.child import Child
from tools.bench.result import Measurement, Result, Run, Say, Spoiled, in_turns
from tools.bench.ws_chain import ACCOUNTS, FRAMES_PER_SECOND, ORDERS_PER_SECOND, SYMBOLS, Played
from tools.bench.ws_clients import Told

NAME = "ws_fanout"
CLIENTS = 2_000
SECONDS = 10
ROUNDS = 5
LEAST_SHARE = 0.95
"""Of the frames that are due: with fewer the server was not able to do it."""
TIMEOUT_S = 120
START_S = 2
"""After it the web process knows what can be traded."""


def measure(
    folder: Path,
    say: Say,
    *,
    clients: int = CLIENTS,
    seconds: int = SECONDS,
    rounds: int = ROUNDS,
    least_share: float = LEAST_SHARE,
) -> Result:
    """Frames per second of the server's own processor time."""
    payloads: list[str] = []
    runs = in_turns(
        NAME,
        rounds,
        lambda: _ours(folder, clients, seconds, payloads, least_share),
        lambda: _peer(folder, clients, seconds, payloads[-1]),
        say,
    )
    peer = "bare websockets.broadcast of the same text, uncompressed"
    return runs.middle(NAME, "frames/CPU s", peer, {"clients": clients, "symbols": len(SYMBOLS)})


def check(told: Told, played: Played, clients: int, least_share: float = LEAST_SHARE) -> None:
    """Raises Spoiled where a fill was not told, or frames that were due did not come."""
    if told.fills != played.fills:
        missing = sum(played.fills.values()) - sum(told.fills.values())
        raise Spoiled(f"of {sum(played.fills.values())} fills {missing} were not told")
    if told.unordered:
        raise Spoiled(f"{told.unordered} messages of accounts came out of order")
    due = clients * told.seconds * FRAMES_PER_SECOND
    if told.quotes < least_share * due:
        raise Spoiled(f"{told.quotes} frames of quotes came, and {due:.0f} were due")


def subscriptions() -> list[bytes]:
    """To the quotes, and of those that have an account to that."""
    quotes = {"id": 1, "op": "subscribe", "channel": "quotes", "symbols": SYMBOLS}
    return [msgspec.json.encode(quotes), b'{"id":2,"op":"subscribe","channel":"account"}']


def tokens() -> list[str]:
    """Of the owner of each account."""
    now_s = int(time.time())
    owners = [User(number, f"trader-{number}", "", "trader", number) for number in range(1, ACCOUNTS + 1)]
    return [ws_chain.TOKENS.issue(owner, now_s) for owner in owners]


def _ours(folder: Path, clients: int, seconds: int, payloads: list[str], least_share: float) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as below, ExitStack() as running:
        at = Path(below)
        running.enter_context(Child(ws_chain.engine, at))
        prices = running.enter_context(Child(ws_chain.prices, at))
        running.enter_context(Child(ws_chain.web, at))
        ws_chain.port_of(at)
        time.sleep(START_S)
        crowd = running.enter_context(Child(ws_clients.listen, at, clients, tokens(), subscriptions(), seconds))
        told = crowd.report(Told, TIMEOUT_S + seconds)
        check(told, prices.report(Played, TIMEOUT_S), clients, least_share)
    payloads.append(told.payload)
    delays = told.delays_us
    extra = {
        "frames_per_s": round(told.frames / told.seconds),
        "quote_frames_per_s": round(told.quotes / told.seconds),
        "frame_bytes": len(told.payload),
        "account_fills": sum(told.fills.values()),
        "p50_us": delays[len(delays) // 2],
        "p99_us": delays[len(delays) * 99 // 100],
    }
    return Run(told.frames, told.cpu_seconds, extra)


def _peer(folder: Path, clients: int, seconds: int, payload: str) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as below, ExitStack() as running:
        at = Path(below)
        running.enter_context(Child(ws_chain.bare, at, payload))
        crowd = running.enter_context(Child(ws_clients.listen, at, clients, [], [b"{}"], seconds))
        told = crowd.report(Told, TIMEOUT_S + seconds)
    return Run(told.frames, told.cpu_seconds, {"peer_frames_per_s": round(told.frames / told.seconds)})


MEASUREMENT = Measurement(
    f"Quotes to {CLIENTS:,} clients of `/ws`, each of which follows {len(SYMBOLS)} symbols at {FRAMES_PER_SECOND} "
    f"frames a second, and {ACCOUNTS} of them an account too, while {ORDERS_PER_SECOND} orders a second are filled: "
    "the web process, the real engine with its journal, a made-up price stream and a process with all clients, for "
    f"{SECONDS} s. The value is frames, of quotes and of accounts, by second of processor time that the web process "
    "spends, with all that it does besides. Latency is from the publication of a tick to the client that has read the "
    "frame with it, with what conflation waits. The middle one of all rounds counts. Checked: each fill was told to its"
    " account's client, in order, and the frames came that were due. The peer sends the text of such a frame with "
    "`websockets.broadcast`, without compression.",
    measure,
)
