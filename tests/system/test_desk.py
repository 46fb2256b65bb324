"""What the staff do, at a broker that runs: real engine, real database, and a kill in between."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.running import Broker, eventually, until_dealable

ORDER = {"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "1000"}


@pytest.fixture(scope="module")
def broker(private_folder: Path) -> Iterator[Broker]:
    with Broker(private_folder / "desk" / "var") as broker:
        broker.wait_ready()
        yield broker


@pytest.fixture
def trader(broker: Broker) -> Iterator[httpx.Client]:
    with broker.client() as client:
        yield client


@pytest.fixture
def admin(broker: Broker) -> Iterator[httpx.Client]:
    with broker.client("admin") as client:
        yield client


def said(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json().get("code", "")


def keyed(client: httpx.Client, path: str, key: str, body: dict[str, Any]) -> httpx.Response:
    return client.post(path, json=body, headers={"Idempotency-Key": f'"{key}"'})


def acts(admin: httpx.Client, subject: str) -> list[str]:
    """The last first."""
    return [act["action"] for act in admin.get("/admin/audit", params={"subject": subject}).json()["acts"]]


def test_money_above_the_limit_waits_for_another_person_and_for_a_killed_engine(
    broker: Broker, trader: httpx.Client, admin: httpx.Client
) -> None:
    before = trader.get("/account").json()
    path = f"/admin/accounts/{before['account_id']}/money"
    body = {"kind": "deposit", "amount": "50000.01", "reason": "wire"}
    asked = keyed(admin, path, "large", body)
    request = asked.json()["request"]
    assert (asked.status_code, request["status"]) == (202, "pending")
    assert keyed(admin, path, "large", body).json() == asked.json()
    decision = f"/admin/money-requests/{request['id']}/decision"
    assert said(admin.post(decision, json={"approve": True, "reason": "mine"})) == (403, "SAME_PERSON")
    assert trader.get("/account").json()["balance"] == before["balance"]

    broker.kill("engine")
    broker.start("engine")
    new = {"username": "second", "role": "admin", "reason": "four eyes"}
    password = admin.post("/admin/users", json=new).json()["password"]
    session = broker.ask("POST", "/login", json={"username": "second", "password": password}).json()
    second = {"Authorization": f"Bearer {session['access_token']}"}
    broker.wait_ready()
    moved = admin.post(decision, json={"approve": True, "reason": "seen"}, headers=second)
    assert (moved.status_code, moved.json()["request"]["status"]) == (200, "moved")
    again = admin.post(decision, json={"approve": True, "reason": "seen"}, headers=second)
    assert (again.status_code, again.json()) == (200, moved.json())
    late = admin.post(decision, json={"approve": False, "reason": "no"}, headers=second)
    assert said(late) == (409, "REQUEST_DECIDED")
    assert Decimal(trader.get("/account").json()["balance"]) - Decimal(before["balance"]) == Decimal("50000.01")
    told = acts(admin, f"account {before['account_id']}")
    assert told[:6] == ["DecideRequest"] * 4 + ["RequestMoney"] * 2


def test_a_halt_outlives_the_engine(broker: Broker, trader: httpx.Client, admin: httpx.Client) -> None:
    halt = {"scope": "symbol", "name": "EURUSD", "reason": "news"}
    assert [each["name"] for each in admin.post("/admin/halts", json=halt).json()["halts"]] == ["EURUSD"]
    assert said(keyed(trader, "/order", "halted-1", ORDER)) == (422, "HALTED")
    broker.kill("engine")
    broker.start("engine")
    broker.wait_ready()
    refused = eventually(
        lambda: (answer := keyed(trader, "/order", "halted-2", ORDER)).status_code not in (503, 504) and answer
    )
    assert said(refused) == (422, "HALTED")
    assert admin.post("/admin/halts/resume", json=halt).json() == {"halts": []}
    until_dealable(trader)  # What is refused for want of a price is refused for good under its key.
    assert keyed(trader, "/order", "resumed", ORDER).status_code == 201


def test_a_position_is_closed_for_a_client_once(trader: httpx.Client, admin: httpx.Client) -> None:
    until_dealable(trader)
    opened = keyed(trader, "/order", "to-close", ORDER).json()["order"]
    path = f"/admin/accounts/{opened['account_id']}/positions/{opened['position_id']}/close"
    first, again = [keyed(admin, path, "for-client", {"reason": "rang up"}) for _ in range(2)]
    assert (first.status_code, first.json()) == (200, again.json())
    open_now = [each["id"] for each in trader.get("/positions").json()["positions"]]
    assert opened["position_id"] not in open_now
    assert said(keyed(admin, path, "once-more", {"reason": "rang up"})) == (404, "UNKNOWN_POSITION")
    fills = trader.get("/trades", params={"limit": 10}).json()["trades"]
    closing = [fill for fill in fills if fill["position_id"] == opened["position_id"] and fill["side"] == "sell"]
    assert len(closing) == 1
