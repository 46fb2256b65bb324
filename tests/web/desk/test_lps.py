"""/admin/lps: the registry for the staff, its versions as entity tags, and who may not."""

from typing import Any

import httpx
import pytest

from actors.bus.streams import FeedStatus, StreamState
from actors.domain.prices.lp_registry import Lp
from actors.domain.prices.lp_status import LATENCY_BUCKETS, LpStatus
from tests.web.broker import ADMIN, DEALER, TRADER, eventually
from tests.web.world import World

pytestmark = pytest.mark.anyio

ACME = {"name": "ACME", "adapter": "acme", "symbols": {"EUR/USD": "EURUSD", "USDJPY": "USDJPY"}}
SECOND_NS = 1_000_000_000


async def ask(
    world: World, method: str, path: str = "", body: Any = None, who: str = ADMIN, tag: str | None = None
) -> httpx.Response:
    headers = {**world.bearer(who), **({} if tag is None else {"If-Match": tag})}
    return await world.http.request(method, f"/admin/lps{path}", headers=headers, json=body)


async def test_the_registry_is_added_to_changed_and_taken_from(world: World) -> None:
    listed = await ask(world, "GET")
    assert (listed.status_code, listed.headers["ETag"]) == (200, '"1"')
    assert (listed.json()["version"], [lp["name"] for lp in listed.json()["lps"]]) == (1, ["OANDA"])
    added = await ask(world, "POST", body={**ACME, "priority": 7}, tag='"1"')
    assert (added.status_code, added.headers["ETag"], added.headers["Location"]) == (201, '"2"', "/admin/lps/ACME")
    lp = Lp("ACME", "acme", {"EURUSD": "EURUSD", "USDJPY": "USDJPY"}, priority=7)
    assert world.broker.lps.registry.lps["ACME"] == lp
    assert (world.broker.lps.registry.by, world.broker.lps.registry.change) == (ADMIN, "AddLp ACME")
    assert (await ask(world, "GET", "/ACME", who=DEALER)).json() == added.json()
    changed = await ask(
        world,
        "PATCH",
        "/ACME",
        {"enabled": False, "symbols": {"USD/JPY": None}, "settings": {"depth": True}, "limits": {"age_ms": 9}},
        who=DEALER,
        tag='"2"',
    )
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"3"')
    body = changed.json()
    assert (body["enabled"], body["symbols"], body["settings"]) == (False, {"EURUSD": "EURUSD"}, {"depth": True})
    assert (body["limits"]["age_ms"], body["limits"]["ahead_ms"], body["priority"]) == (9, 5_000, 7)
    ranked = await ask(world, "PUT", "/priorities", {"priorities": {"OANDA": 2, "ACME": 1}})
    assert [(lp["name"], lp["priority"]) for lp in ranked.json()["lps"]] == [("OANDA", 2), ("ACME", 1)]
    removed = await ask(world, "DELETE", "/ACME", tag='"4"')
    assert (removed.status_code, removed.content) == (204, b"")
    assert (await ask(world, "GET", "/ACME")).status_code == 404
    assert world.broker.lps.registry.version == 5


async def test_a_change_to_another_version_is_refused(world: World) -> None:
    for method, path, body in (
        ("POST", "", ACME),
        ("PATCH", "/OANDA", {"weight": 3}),
        ("DELETE", "/OANDA", None),
        ("PUT", "/priorities", {"priorities": {"OANDA": 3}}),
    ):
        for tag in ('"7"', "7", "junk"):
            refused = await ask(world, method, path, body, tag=tag)
            assert (refused.status_code, refused.json()["code"]) == (412, "VERSION_MISMATCH"), (method, tag)
    assert world.broker.lps.registry.version == 1


async def test_a_change_that_is_made_twice_is_one(world: World) -> None:
    for _ in range(2):
        assert (await ask(world, "POST", body=ACME)).status_code == 201
        assert (await ask(world, "PATCH", "/OANDA", {"weight": 3})).json()["weight"] == 3
    assert world.broker.lps.registry.version == 3


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "field"),
    [
        ("POST", "", {**ACME, "name": "lower"}, 422, "INVALID_FIELD", "name"),
        ("POST", "", {**ACME, "surprise": 1}, 422, "INVALID_FIELD", "surprise"),
        ("POST", "", {**ACME, "adapter": "nobodys"}, 422, "BAD_LP", "adapter"),
        ("POST", "", {**ACME, "symbols": {"XAUUSD": "X"}}, 422, "BAD_LP", "symbols.XAUUSD"),
        ("POST", "", {**ACME, "settings": {"token": "s3cret"}}, 422, "BAD_LP", "settings.token"),
        ("POST", "", {**ACME, "settings": {"a": 1.5}}, 422, "INVALID_FIELD", "settings[...]"),
        ("POST", "", {**ACME, "limits": {"age_ms": 0}}, 422, "INVALID_FIELD", "limits"),
        ("POST", "", {**ACME, "limits": {"surprise": 1}}, 422, "INVALID_FIELD", "limits.surprise"),
        ("POST", "", {**ACME, "name": "OANDA"}, 409, "DUPLICATE_LP", "name"),
        ("PATCH", "/OANDA", {"name": "OTHER"}, 422, "INVALID_FIELD", "name"),
        ("PATCH", "/OANDA", {"priority": "1"}, 422, "INVALID_FIELD", "priority"),
        ("PATCH", "/NOBODY", {"priority": 1}, 404, "UNKNOWN_LP", "name"),
        ("DELETE", "/NOBODY", None, 404, "UNKNOWN_LP", "name"),
        ("PUT", "/priorities", {"priorities": {"NOBODY": 1}}, 404, "UNKNOWN_LP", "name"),
    ],
)
async def test_what_cannot_be_names_the_field(
    world: World, method: str, path: str, body: Any, status: int, code: str, field: str
) -> None:
    refused = await ask(world, method, path, body)
    problem = refused.json()
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert (refused.status_code, problem["code"], problem["field"]) == (status, code, field)
    assert "s3cret" not in refused.text
    assert world.broker.lps.registry.version == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_it_is_for_the_staff(world: World, method: str) -> None:
    assert (await ask(world, method, body=ACME, who=TRADER)).status_code == 403
    assert (await world.http.request(method, "/admin/lps")).status_code == 401
    assert (await ask(world, "PUT", body={})).status_code == 405


async def test_an_aggregator_that_does_not_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.desk.handler.TIMEOUT_MS", 50)
    world.broker.mute.add("aggregator")
    assert ((await ask(world, "GET")).status_code, (await ask(world, "POST", body=ACME)).status_code) == (503, 504)


async def test_what_the_feed_says_and_what_the_aggregator_sees_are_shown(world: World) -> None:
    now_ns = world.clock()
    streams = (StreamState(True, "connected", 2, now_ns - SECOND_NS, 3), StreamState(False, "lost", 1, 0, 0))
    quoted_ns = {"EURUSD": now_ns - SECOND_NS, "USDJPY": 0}
    world.broker.feeds = [
        FeedStatus(
            "OANDA", True, "up", now_ns, 50, {"bad_json": 1}, now_ns - SECOND_NS, streams, quoted_ns, {"X": "silent"}
        )
    ]
    counts = [0] * LATENCY_BUCKETS
    world.broker.seen = (
        LpStatus(
            "OANDA",
            True,
            2_000_000,
            9,
            1_500,
            {"spike": 2},
            4,
            250_000,
            SECOND_NS,
            990_000,
            -1_500_000,
            counts,
            [1, *counts[1:]],
            ["EURUSD"],
        ),
    )
    await eventually(lambda: world.web.prices.lps)
    shown = (await ask(world, "GET", "/OANDA")).json()
    feed, status = shown["feed"], shown["status"]
    assert (feed["connected"], feed["detail"], feed["quotes"], feed["missing"]) == (True, "up", 50, {"X": "silent"})
    assert 1_000 <= feed["quote_age_ms"]["EURUSD"] < 60_000
    assert feed["quote_age_ms"]["USDJPY"] is None
    assert [(stream["connected"], stream["symbols"], stream["connections"]) for stream in feed["streams"]] == [
        (True, 2, 3),
        (False, 1, 0),
    ]
    assert feed["streams"][1]["silent_ms"] is None
    buckets = status.pop("to_published")
    assert (len(buckets), buckets[0]) == (LATENCY_BUCKETS, {"below_us": 1, "quotes": 1})
    assert (buckets[1]["below_us"], buckets[-1]["below_us"]) == (2, None)
    assert len(status.pop("to_received")) == LATENCY_BUCKETS
    assert status == {
        "connected": True,
        "last_quote_age_ms": 2,
        "quotes": 9,
        "quotes_per_second": 1.5,
        "dropped": {"spike": 2},
        "best_share": 0.25,
        "connected_s": 1,
        "uptime": 0.99,
        "clock_ahead_ms": -1.5,
        "quarantined": ["EURUSD"],
    }
