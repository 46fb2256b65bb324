"""Two web processes on one port: whichever of them a connection gets to, it is one broker."""

import json
import os
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.system.running import PATIENCE_S, Broker, eventually, until_dealable
from tests.system.test_broker import made_ticks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="proc(5) says which process has a connection")

REQUESTS_PER_SECOND = 10
BURST = 4 * REQUESTS_PER_SECOND
AT_ONCE = 4
ORDER = {"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "1000"}


@pytest.fixture(scope="module")
def broker(private_folder: Path) -> Iterator[Broker]:
    folder = private_folder / "crew"
    folder.mkdir()
    ticks = folder / "EURUSD-made.csv"
    ticks.write_text(made_ticks())
    with Broker(
        folder / "var",
        HEDGEROW_TICKS=str(ticks),
        HEDGEROW_TICK_SPEED="2",
        HEDGEROW_WEB_PROCESSES="2",
        HEDGEROW_USER_REQUESTS_PER_SECOND=str(REQUESTS_PER_SECOND),
    ) as broker:
        broker.wait_ready()
        yield broker


@pytest.fixture
def token(broker: Broker) -> Iterator[str]:
    with broker.client() as client:
        token = client.headers["Authorization"]
        until_dealable(client)
        yield token


@pytest.fixture
def pair(broker: Broker, token: str) -> Iterator[list[httpx.Client]]:
    """A client at each of the processes, with one login."""
    with both(broker, token) as clients:
        yield clients


@contextmanager
def both(broker: Broker, authorization: str = "") -> Iterator[list[httpx.Client]]:
    with ExitStack() as opened:
        found: dict[int, httpx.Client] = {}

        def one_more() -> bool:
            headers = {"Authorization": authorization} if authorization else {}
            client = opened.enter_context(httpx.Client(base_url=broker.url, headers=headers, timeout=30))
            found.setdefault(process_at(broker, client), client)
            return len(found) == 2

        eventually(one_more)
        yield list(found.values())


def process_at(broker: Broker, client: httpx.Client) -> int:
    """The web process that the client is connected to."""
    answer = client.get("/health")
    return process_of(broker, answer.extensions["network_stream"].get_extra_info("client_addr")[1])


def process_of(broker: Broker, client_port: int) -> int:
    """The web process that has the connection from this port."""
    ends = f":{broker.port:04X} 0100007F:{client_port:04X} "

    def holder() -> int:
        """The table may leave a line out, or have it twice, while others connect."""
        lines = (line for line in Path("/proc/net/tcp").read_text().splitlines() if ends in line)
        sockets = {f"socket:[{line.split()[9]}]" for line in lines}
        return next((int(pid) for pid in crew(broker) if sockets & links(pid)), 0)

    found: int = eventually(holder)
    return found


def crew(broker: Broker) -> list[str]:
    return Path(f"/proc/{broker.pid('web')}/task/{broker.pid('web')}/children").read_text().split()


def links(pid: str) -> set[str]:
    found = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):  # It may be closed before it is looked at.
            found.add(os.readlink(f"/proc/{pid}/fd/{name}"))
    return found


def test_an_order_is_dealt_once_whichever_process_hears_of_it(pair: list[httpx.Client]) -> None:
    one, other = pair
    placed = one.post("/order", json={**ORDER, "client_order_id": "crew-1"})
    assert placed.status_code == 201, placed.text
    repeated = other.post("/order", json={**ORDER, "client_order_id": "crew-1"})
    assert (repeated.status_code, repeated.json()) == (200, placed.json())
    assert other.post("/order", json={**ORDER, "quantity": "2000", "client_order_id": "crew-1"}).status_code == 409
    position_id = placed.json()["order"]["position_id"]
    assert position_id in [position["id"] for position in other.get("/positions").json()["positions"]]
    with ThreadPoolExecutor(2) as threads:
        asked = {**ORDER, "client_order_id": "crew-2"}
        answers = list(threads.map(lambda client: client.post("/order", json=asked), pair))
    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert answers[0].json()["order"]["id"] == answers[1].json()["order"]["id"]


def test_a_session_is_one_at_both(broker: Broker) -> None:
    with both(broker) as (one, other):
        first = one.post("/login", json=broker.credentials("trader")).json()
        second = other.post("/login/refresh", json={"refresh_token": first["refresh_token"]})
        assert second.status_code == 200, second.text
        tokens = [{"Authorization": f"Bearer {told['access_token']}"} for told in (first, second.json())]
        answers = [client.get("/account", headers=token) for client in (one, other) for token in tokens]
        assert [answer.status_code for answer in answers] == [200] * 4
        assert one.post("/login/refresh", json={"refresh_token": first["refresh_token"]}).status_code == 401
        # The old number has ended the session, and each process hears of it.
        for client in (one, other):
            for token in tokens:
                eventually(partial(is_refused, client, token))


def test_who_logs_out_at_one_is_logged_out_at_both(pair: list[httpx.Client]) -> None:
    one, other = pair
    assert [client.get("/account").status_code for client in pair] == [200, 200]
    assert one.post("/logout").status_code == 204
    assert one.get("/account").status_code == 401
    eventually(partial(is_refused, other, {}))


def is_refused(client: httpx.Client, headers: dict[str, str]) -> bool:
    return client.get("/account", headers=headers).status_code == 401


def test_a_stream_is_resumed_at_the_other_process(broker: Broker, token: str, pair: list[httpx.Client]) -> None:
    """What happened while nobody listened, and the last event that was heard, each told once."""
    with socket_at(broker, token, process_at(broker, pair[0])) as stream:
        before = subscribed(stream)
    for number in range(3):
        placed = pair[number % 2].post("/order", json={**ORDER, "client_order_id": f"crew-away-{number}"})
        assert placed.status_code == 201, placed.text
    with socket_at(broker, token, process_at(broker, pair[1])) as stream:
        messages = subscribed(stream, since=before[-1]["seq"])
    orders = [message["client_order_id"] for message in messages if message["type"] == "order"]
    assert orders == ["crew-away-0", "crew-away-1", "crew-away-2"]
    assert [message["type"] for message in messages].count("fill") == 3


def test_each_process_counts_rates_by_itself(broker: Broker, token: str) -> None:
    """As docs/operations.md says: a user has the limit at each."""
    one, other = crew(broker)
    with ExitStack() as opened:
        streams = [opened.enter_context(stream_at(broker, int(one))) for _ in range(AT_ONCE)]
        answered = 0
        while (told := statuses(streams, token)) == {200: AT_ONCE}:
            answered += AT_ONCE
        assert set(told) <= {200, 429}
        assert answered >= BURST // 2
        assert statuses([opened.enter_context(stream_at(broker, int(other)))], token) == {200: 1}


def stream_at(broker: Broker, process: int) -> socket.socket:
    """A connection that this process has got."""

    def one_more() -> socket.socket | None:
        stream = socket.create_connection(("127.0.0.1", broker.port), PATIENCE_S)
        if process_of(broker, stream.getsockname()[1]) == process:
            return stream
        stream.close()
        return None

    found: socket.socket = eventually(one_more)
    return found


def statuses(streams: list[socket.socket], token: str) -> Counter[int]:
    """What is answered to a request on each of them, all asked at once: so even a slow machine asks often."""
    for stream in streams:
        stream.sendall(f"GET /symbols HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode())
    return Counter(status_of_next(stream) for stream in streams)


def status_of_next(stream: socket.socket) -> int:
    with stream.makefile("rb") as answer:
        status = int(answer.readline().split()[1])
        head = b"".join(iter(answer.readline, b"\r\n")).lower()
        answer.read(int(head.partition(b"content-length:")[2].split()[0]))
    return status


def subscribed(stream: ClientConnection, **since: Any) -> list[dict[str, Any]]:
    """What of the account was missed, and its figures, with which the snapshot begins."""
    stream.send(json.dumps({"id": 1, "op": "subscribe", "channel": "account", **since}))
    messages: list[dict[str, Any]] = [json.loads(stream.recv(30))]
    assert messages == [{"id": 1, "ok": True}]
    while messages[-1].get("type") != "account":
        messages.append(json.loads(stream.recv(30)))
    return messages[1:]


@contextmanager
def socket_at(broker: Broker, token: str, process: int) -> Iterator[ClientConnection]:
    """A connection to /ws that this process has got."""
    with ExitStack() as opened:

        def one_more() -> ClientConnection | None:
            url = f"ws://127.0.0.1:{broker.port}/ws"
            stream = opened.enter_context(connect(url, additional_headers={"Authorization": token}))
            return stream if process_of(broker, stream.local_address[1]) == process else None

        yield eventually(one_more)
