"""The whole broker, as a client and an operator meet it: real processes, real sockets, real database."""

import json
import os
import signal
import stat
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from websockets.sync.client import ClientConnection, connect

from actors.store.database import conninfo, database_url
from tests.system.running import Broker, eventually, until_dealable

EURUSD_ROWS = 400


@pytest.fixture(scope="module")
def broker(private_folder: Path) -> Iterator[Broker]:
    folder = private_folder / "system"
    folder.mkdir()
    ticks = folder / "EURUSD-made.csv"
    ticks.write_text(made_ticks())
    with Broker(folder / "var", HEDGEROW_TICKS=str(ticks), HEDGEROW_TICK_SPEED="2") as broker:
        broker.wait_ready()
        yield broker


@pytest.fixture
def client(broker: Broker) -> Iterator[httpx.Client]:
    """The demo trader, logged in."""
    with broker.client() as client:
        yield client


def made_ticks() -> str:
    """EURUSD that climbs and falls by some points, a tick each 250 ms."""
    rows = ["time,bid,ask"]
    for number in range(EURUSD_ROWS):
        bid_points = 112_000 + abs((number * 7) % 160 - 80)
        second, millisecond = divmod(number * 250, 1000)
        rows.append(
            f"2020-01-01T22:{second // 60:02}:{second % 60:02}.{millisecond:03}Z,"
            f"{bid_points / 100_000:.5f},{(bid_points + 12) / 100_000:.5f}"
        )
    return "\n".join(rows) + "\n"


class Stream:
    """A client of /ws that remembers every message."""

    def __init__(self, socket: ClientConnection, client: httpx.Client) -> None:
        self._socket = socket
        self._next_id = 0
        self.messages: list[dict[str, Any]] = []
        token = client.headers["Authorization"].removeprefix("Bearer ")
        assert self.call(op="auth", token=token)["ok"]

    def call(self, **request: Any) -> dict[str, Any]:
        self._next_id += 1
        self._socket.send(json.dumps({"id": self._next_id, **request}))
        while True:
            message = self._receive()
            if message.get("id") == self._next_id and "ok" in message:
                return message

    def ticks(self, symbol: str) -> dict[int, dict[str, Any]]:
        """All ticks so far, by number; first takes in what is there."""
        while True:
            try:
                self._receive(timeout_s=0.05)
            except TimeoutError:
                break
        told = [quote for m in self.messages if m.get("type") == "quotes" for quote in m["quotes"]]
        return {quote["seq"]: quote for quote in told if quote["symbol"] == symbol}

    def _receive(self, timeout_s: float = 30) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv(timeout_s))
        self.messages.append(message)
        return message


def test_from_tick_to_ledger(broker: Broker, client: httpx.Client) -> None:
    """See several LPs, buy at the ask of a tick, see profit move, outlive a SIGKILL of the engine, close, balance."""
    with connect(f"ws://127.0.0.1:{broker.port}/ws") as socket:
        trade(broker, client, Stream(socket, client))


def trade(broker: Broker, client: httpx.Client, stream: Stream) -> None:
    assert stream.call(op="subscribe", channel="quotes", symbols=["EURUSD"], max_rate=None)["ok"]
    assert stream.call(op="subscribe", channel="account")["ok"]
    eventually(
        lambda: (
            {m[side] for m in stream.ticks("EURUSD").values() for side in ("lp_bid", "lp_ask")} >= {"OANDA", "SIMLP"}
        )
    )

    until_dealable(client)
    request = {"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "10000", "client_order_id": "e2e-1"}
    reply = client.post("/order", json=request)
    assert reply.status_code == 201, reply.text
    (fill,) = reply.json()["fills"]
    assert reply.json()["order"]["status"] == "filled"
    seen = eventually(lambda: stream.ticks("EURUSD").get(fill["tick_seq"]))
    assert fill["price"] == seen["ask"]
    again = client.post("/order", json=request)
    assert again.status_code == 200
    assert again.json() == reply.json()

    position_id = fill["position_id"]
    first_profit = position(client, position_id)["profit"]
    eventually(lambda: position(client, position_id)["profit"] != first_profit)

    before = resting(client, position_id)
    broker.kill("engine")
    broker.start("engine")
    broker.wait_ready()
    assert resting(client, position_id) == before
    assert client.post("/order", json=request).json() == reply.json()

    def closed() -> Any:
        reply = client.post(f"/position/{position_id}/close", json={"client_order_id": "e2e-2"})
        return reply.json() if reply.is_success else None

    done = eventually(closed)
    profit = Decimal(done["fills"][0]["profit"])
    assert profit == expected_profit(fill["price"], done["fills"][0]["price"], "10000")
    assert client.get("/positions").json()["positions"] == []
    account = client.get("/account").json()
    assert Decimal(account["balance"]) == Decimal("100000.00") + profit
    assert (account["margin"], account["equity"]) == ("0.00", account["balance"])

    entries = client.get("/ledger").json()["entries"]
    assert sum(Decimal(entry["amount"]) for entry in entries) == Decimal(account["balance"])
    assert entries[0]["balance_after"] == account["balance"]
    assert {order["client_order_id"] for order in client.get("/orders").json()["orders"]} == {"e2e-1", "e2e-2"}
    assert len(client.get("/trades").json()["trades"]) == 2
    check_database(broker, profit)


def position(client: httpx.Client, position_id: str) -> dict[str, Any]:
    positions = client.get("/positions").json()["positions"]
    found: dict[str, Any] = next(p for p in positions if p["id"] == position_id)
    return found


def resting(client: httpx.Client, position_id: str) -> dict[str, Any]:
    """What does not move with the price."""
    account = client.get("/account").json()
    moving = {"current_price", "profit"}
    return {
        "balance": account["balance"],
        "margin": account["margin"],
        "position": {k: v for k, v in position(client, position_id).items() if k not in moving},
    }


def expected_profit(opened: str, closed: str, quantity: str) -> Decimal:
    return ((Decimal(closed) - Decimal(opened)) * Decimal(quantity)).quantize(Decimal("0.01"))


def check_database(broker: Broker, profit: Decimal) -> None:
    with psycopg.connect(conninfo(database_url(broker.run_dir, None))) as db:

        def one(query: str) -> Any:
            row = db.execute(query.encode()).fetchone()
            db.commit()
            return row

        assert one("SELECT count(*), count(*) FILTER (WHERE status = 'filled') FROM orders") == (2, 2)
        assert one("SELECT count(*), sum(profit) FROM fills") == (2, profit)
        sums = db.execute("SELECT posting_id, sum(amount) FROM entries GROUP BY posting_id, currency").fetchall()
        assert len(sums) == (2 if profit else 1)
        assert all(total == 0 for _, total in sums)
        eventually(lambda: one("SELECT count(*) > 50 FROM ticks") == (True,))
        assert one("SELECT count(*) = count(DISTINCT (symbol, seq)) FROM ticks") == (True,)
        eventually(lambda: one("SELECT count(*) > 0 FROM bars") == (True,))


def test_a_second_life_of_every_process(broker: Broker, client: httpx.Client) -> None:
    """Each process but the database is killed in turn; the broker comes back and still deals."""
    for name in ("aggregator", "feeds", "venues", "persistence", "web"):
        broker.kill(name)
        broker.start(name)
    broker.wait_ready()

    def deals() -> Any:
        order = {"symbol": "EURUSD", "side": "sell", "type": "market", "quantity": "1000"}
        reply = client.post("/order", json=order)
        return reply.json()["fills"][0] if reply.status_code == 201 else None

    fill = eventually(deals)
    ticks = client.get("/ticks", params={"symbol": "EURUSD", "limit": "1000"}).json()["ticks"]
    assert [tick["seq"] for tick in ticks] == sorted({tick["seq"] for tick in ticks})
    bids = {tick["seq"]: tick["bid"] for tick in ticks}
    eventually(lambda: fill["tick_seq"] in bids or bids.update(stored_bids(client)))
    assert bids[fill["tick_seq"]] == fill["price"]


def stored_bids(client: httpx.Client) -> dict[int, str]:
    ticks = client.get("/ticks", params={"symbol": "EURUSD", "limit": "1000"}).json()["ticks"]
    return {tick["seq"]: tick["bid"] for tick in ticks}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"symbol": "NOSUCH"}, "symbol"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "1.000000001"}, "quantity"),
        ({"quantity": "9" * 40}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"quantity": 10000}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"side": "hold"}, "side"),
        ({"account_id": "2"}, "account_id"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_bad_orders_name_the_field_and_book_nothing(client: httpx.Client, change: dict[str, Any], field: str) -> None:
    before = client.get("/ledger").json()
    order = {"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "1000"} | change
    reply = client.post("/order", json=order)
    assert 400 <= reply.status_code < 500
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json()["field"] == field
    assert client.get("/ledger").json() == before


def test_what_is_secret_is_the_owners_alone(broker: Broker) -> None:
    kept = [path for path in (broker.run_dir / "secrets").rglob("*") if path.is_file()]
    secrets = [broker.run_dir / "credentials.json", *kept]
    assert len(secrets) >= 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    passwords = [broker.credentials(role)["password"] for role in ("trader", "admin")]
    logs = "".join(path.read_text() for path in Path(broker.run_dir.parent).glob("*.log"))
    assert not [password for password in passwords if password in logs]


def test_an_lp_is_added_while_the_broker_runs(broker: Broker) -> None:
    """A second LP at the simulated OANDA: its feed starts, is killed and comes back, and ends when it is removed."""
    with broker.client("admin") as admin:
        lp = {"name": "SECOND", "adapter": "oanda", "symbols": {"EUR/USD": "EUR_USD"}}
        added = admin.post("/admin/lps", json=lp)
        assert added.status_code == 201, added.text

        def quotes() -> int:
            status = admin.get("/admin/lps/SECOND").json()["status"]
            return status["quotes"] if status and status["connected"] else 0

        assert eventually(quotes)
        lock = broker.run_dir / "locks" / "feed-second"
        pid = lock.read_text()
        os.kill(int(pid), signal.SIGKILL)
        eventually(lambda: lock.read_text() not in ("", pid))
        assert eventually(quotes)
        tag = admin.get("/admin/lps").headers["ETag"]
        assert admin.delete("/admin/lps/SECOND", headers={"If-Match": tag}).status_code == 204
        eventually(lambda: broker.log("feeds").count("stopped process=feed-second"))
        assert "SECOND" not in [lp["name"] for lp in admin.get("/admin/lps").json()["lps"]]
