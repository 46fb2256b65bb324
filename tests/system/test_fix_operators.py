"""An operator's hand on the sessions with LPs over REST, while the whole broker runs; each act in the audit log."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.running import Broker, eventually

ORDERS = "simlp-orders"
LARGE = "600000"


@pytest.fixture(scope="module")
def broker(private_folder: Path) -> Iterator[Broker]:
    folder = private_folder / "lp-operators"
    folder.mkdir()
    with Broker(folder / "var") as broker:
        broker.wait_ready()
        yield broker


@pytest.fixture
def admin(broker: Broker) -> Iterator[httpx.Client]:
    with broker.client("admin") as client:
        yield client


def session(admin: httpx.Client) -> dict[str, Any]:
    """The orders' session; empty while its process does not answer."""
    body = admin.get("/admin/fix/sessions").json()
    return next((one for one in body["sessions"] if one["id"] == ORDERS), {})


def until(admin: httpx.Client, state: str) -> dict[str, Any]:
    found: dict[str, Any] = eventually(lambda: (seen := session(admin)).get("state") == state and seen)
    return found


def act(admin: httpx.Client, method: str, what: str, **body: Any) -> httpx.Response:
    return admin.request(method, f"/admin/fix/sessions/{ORDERS}/{what}", json=body or None)


def test_sessions_are_seen_held_repaired_and_connected(broker: Broker, admin: httpx.Client) -> None:
    eventually(lambda: (until(admin, "logged_on")["survey"] or {}).get("listed"))
    survey = until(admin, "logged_on")["survey"]
    assert (survey["misfits"], survey["refused"], survey["collateral"]["currency"]) == ({}, "", "USD")

    assert act(admin, "PUT", "sequence", next_out=1, reason="it is up").json()["code"] == "FIX_SESSION_UP"
    assert act(admin, "POST", "disconnect").status_code == 200
    before = until(admin, "held")
    broker.kill("fix-lp")
    broker.start("fix-lp")
    after = until(admin, "held")
    assert (after["next_out"], after["next_in"], after["logged_on"]) == (before["next_out"], before["next_in"], None)

    far_out = before["next_out"] + 1_000
    repaired = act(admin, "PUT", "sequence", next_out=far_out, reason="as agreed").json()
    assert (repaired["next_out"], repaired["next_in"], repaired["state"]) == (far_out, before["next_in"], "held")
    assert act(admin, "POST", "connect").status_code == 200
    assert until(admin, "logged_on")["next_out"] > far_out
    assert [
        (line["action"], line["reason"])
        for line in reversed(admin.get("/admin/audit", params={"subject": f"fix session {ORDERS}"}).json()["acts"])
    ] == [
        ("SetFixSequence", "it is up"),
        ("DisconnectFixSession", None),
        ("SetFixSequence", "as agreed"),
        ("ConnectFixSession", None),
    ]


def test_a_large_order_goes_to_the_lp_after_all_that(broker: Broker, admin: httpx.Client) -> None:
    until(admin, "logged_on")
    terms = {"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": LARGE}
    with broker.client() as client:
        eventually(lambda: client.post("/order", json=terms).is_success)
        eventually(lambda: client.get("/orders?limit=1").json()["orders"][0]["status"] == "filled")
    told = (broker.run_dir / "fix" / "log" / f"{ORDERS}.log").read_text().splitlines()
    assert any("|35=D|" in line and f"|38={LARGE}|" in line for line in told)
