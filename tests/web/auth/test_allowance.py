"""How often somebody may ask."""

import pytest

from tests.web.broker import OTHER
from tests.web.world import World
from web.auth import allowance
from web.auth.allowance import BURST_S, USER, Allowance

SECOND_NS = 1_000_000_000
NOW_NS = 1_768_833_000 * SECOND_NS


def test_a_bucket_empties_and_fills_at_its_rate() -> None:
    allowed = Allowance("user", 10)
    left = [allowed.spend("a", NOW_NS) for _ in range(10 * BURST_S + 1)]
    assert [each.wait_s for each in left] == [0] * 10 * BURST_S + [1]
    assert left[0] == ('"user";q=40;w=4', '"user";r=39;t=1', 0)
    assert left[-1] == ('"user";q=40;w=4', '"user";r=0;t=4', 1)
    assert allowed.spend("b", NOW_NS).wait_s == 0
    assert allowed.spend("a", NOW_NS + SECOND_NS // 10).wait_s == 0
    assert allowed.spend("a", NOW_NS + SECOND_NS // 10).wait_s == 1
    assert allowed.refused == 2


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    allowed = Allowance("user", 10)
    for now_ns in (NOW_NS, NOW_NS - SECOND_NS, 2 * NOW_NS, NOW_NS):
        assert allowed.spend("a", now_ns).wait_s == 0


def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "KEPT_LIMIT", 3)
    allowed = Allowance("address", 1)
    for number in range(100):
        allowed.spend(str(number), NOW_NS)
    assert len(allowed) == 3


@pytest.mark.anyio
async def test_a_user_who_asks_too_often_is_told_when_to_come_back_and_nobody_else_is(world: World) -> None:
    bucket = world.web.backend.allowances[USER]
    response = await world.get("/positions")
    while response.status_code == 200:  # A slow machine gives one back between the last one and the next.
        while not bucket.spend("account 1", world.clock()).wait_s:
            pass
        response = await world.get("/positions")
    assert (response.status_code, response.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["ratelimit-policy"] == '"user";q=400;w=4'
    assert response.headers["ratelimit"].startswith('"user";r=0;')
    assert (await world.get("/positions", OTHER)).status_code == 200
    world.clock.ahead_ns += 2 * SECOND_NS
    assert (await world.get("/positions")).status_code == 200
