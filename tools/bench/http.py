"""`http_order` and `http_positions`: the REST API on real sockets, beside a bare Tornado handler; and `http_scale`."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import zmq

from actors.bus import endpoints, sockets
from actors.store.journal import Journal
from tools.bench import http_chain, orders_chain, port
from tools.bench.child import Child
from tools.bench.http_chain import Answered, Load
from tools.bench.orders import TICK_INTERVAL_S, Prices
from tools.bench.result import Measurement, Result, Run, Say, Spoiled, in_turns

ORDER, POSITIONS, SCALE = "http_order", "http_positions", "http_scale"
REQUESTS = 15_000
CONNECTIONS = 50
ROUNDS = 3
TIMEOUT_S = 120
PEER = "bare Tornado: a body decoded and sent back"
CREW = 2
"""Web processes on one port."""


def measure(
    kind: str,
    folder: Path,
    say: Say,
    *,
    requests: int = REQUESTS,
    connections: int = CONNECTIONS,
    rounds: int = ROUNDS,
    client: Callable[[Load, bytes], Any] = http_chain.client,
) -> Result:
    """`kind`: order or positions; `client` runs the process that asks."""
    name = f"http_{kind}"
    folders = (folder / str(number) for number in range(rounds))
    runs = in_turns(
        name,
        rounds,
        lambda: _ours(next(folders), Load(port.free(), requests, connections, kind), client),
        lambda: _peer(Load(port.free(), requests, connections, "echo"), client),
        say,
    )
    return runs.result(name, "requests/s", PEER, {"requests": requests, "connections": connections})


def measure_scale(
    folder: Path, say: Say, *, requests: int = REQUESTS, connections: int = CONNECTIONS, rounds: int = ROUNDS
) -> Result:
    """Orders, in several web processes on one port, beside one."""

    def run(processes: int, under: Path) -> Run:
        load = Load(port.free(), requests, connections, "order", processes)
        told = _ours(under, load, http_chain.client)
        return told if processes > 1 else told._replace(extra={f"peer_{name}": us for name, us in told.extra.items()})

    folders = (folder / str(number) for number in range(2 * rounds))
    runs = in_turns(SCALE, rounds, lambda: run(CREW, next(folders)), lambda: run(1, next(folders)), say)
    extra = {"requests": requests, "connections": connections, "web_processes": CREW}
    return runs.result(SCALE, "requests/s", "one web process", extra)


def _ours(folder: Path, load: Load, client: Callable[[Load, bytes], Any]) -> Run:
    folder.mkdir()
    with zmq.Context() as context, sockets.publisher(context, endpoints.local(folder).ticks) as publisher:
        prices = Prices(publisher)
        with ExitStack() as running:
            engine = running.enter_context(Child(orders_chain.engine, folder))
            for _ in range(load.processes):
                running.enter_context(Child(http_chain.web, folder, load.port))
            _wait_for_the_crew(folder, load.processes)
            asking = running.enter_context(Child(client, load, b""))
            while not asking.has_reported(TICK_INTERVAL_S):
                prices.publish()
            answered = asking.report(Answered, TIMEOUT_S)
            engine.kill()
    _check(answered, load)
    if load.kind == "order":
        _check_journal(folder, load)
    return _run(answered, load, "")


def _wait_for_the_crew(folder: Path, processes: int) -> None:
    until_s = time.monotonic() + TIMEOUT_S
    while not http_chain.are_listening(folder, processes):
        if time.monotonic() > until_s:
            raise Spoiled(f"{processes} web processes were to listen")
        time.sleep(TICK_INTERVAL_S)


def _peer(load: Load, client: Callable[[Load, bytes], Any]) -> Run:
    with Child(http_chain.bare, load.port), Child(client, load, http_chain.order_body("echo", "buy")) as asking:
        answered = asking.report(Answered, TIMEOUT_S)
    _check(answered, load)
    return _run(answered, load, "peer_")


def _check(answered: Answered, load: Load) -> None:
    if answered.as_wanted != load.requests:
        raise Spoiled(f"of {load.requests} requests {answered.as_wanted} were answered as they should be")


def _check_journal(folder: Path, load: Load) -> None:
    """Raises Spoiled unless each order that was answered is in the journal of the engine that was killed, once."""
    journal = Journal(orders_chain.journal_file(folder))
    state = journal.recover().state
    journal.close()
    names = {name for account in state.accounts.values() for name in account.outcomes if name.startswith("order-")}
    if len(names) != load.requests or not state.ledger.is_balanced():
        raise Spoiled(f"the journal has {len(names)} of {load.requests} orders that were acknowledged")


def _run(answered: Answered, load: Load, prefix: str) -> Run:
    waited_ns = answered.latencies_ns
    told = {f"{prefix}p{share}_us": waited_ns[len(waited_ns) * share // 100] // 1_000 for share in (50, 99)}
    return Run(load.requests, answered.seconds, told)


_ABOUT = (
    f" in one web process, over {CONNECTIONS} connections of which each waits for its answer; web process, engine and "
    "client have a process each. The peer is a Tornado handler without a bus, a token or a check."
)
ORDERS = Measurement("`POST /order` to the durable fill" + _ABOUT, partial(measure, "order"))
QUESTIONS = Measurement("`GET /positions`" + _ABOUT, partial(measure, "positions"))
CREWS = Measurement(
    f"`POST /order` to the durable fill, as in `{ORDER}`, in {CREW} web processes on one port (SO_REUSEPORT), beside "
    "one. All share the machine's cores with the engine and the client: on two of them the second web process gets "
    "only what the first leaves.",
    measure_scale,
)
