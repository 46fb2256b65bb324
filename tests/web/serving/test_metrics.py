"""/metrics: what Prometheus reads, and who may."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.web.broker import ADMIN, TRADER
from tests.web.world import World

pytestmark = pytest.mark.anyio


async def samples(world: World) -> dict[tuple[str, ...], float]:
    text = (await world.get("/metrics", ADMIN)).text
    families = text_string_to_metric_families(text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


async def test_the_figures_are_those_of_all_processes(world: World) -> None:
    await world.order()
    await world.http.request("NONSENSE", "/account")
    got = await samples(world)
    assert got["hedgerow_http_requests_total", "OrderHandler", "POST", "201"] == 1
    assert got["hedgerow_http_requests_total", "AccountHandler", "other", "405"] == 1
    assert got["hedgerow_http_request_seconds_count", "OrderHandler"] == 1
    assert got["hedgerow_web_requests_open",] == 1
    assert (got["hedgerow_web_sockets_closed_slow",], got["hedgerow_web_ticks_unknown",]) == (0, 0)
    assert got["hedgerow_feed_dropped_total", "oanda", "zero"] == 942
    assert [got["hedgerow_ready", name] for name in ("engine", "persistence", "aggregator", "feeds")] == [1, 1, 1, 1]
    world.web.sockets.closed_slow, world.web.prices.unknown_symbols = 3, 4
    got = await samples(world)
    assert (got["hedgerow_web_sockets_closed_slow",], got["hedgerow_web_ticks_unknown",]) == (3, 4)
    world.broker.mute = {"engine"}
    assert (await samples(world))["hedgerow_ready", "engine"] == 0


async def test_a_trader_and_a_stranger_may_not_read_them(world: World) -> None:
    assert (await world.get("/metrics", TRADER)).status_code == 403
    assert (await world.http.get("/metrics")).status_code == 401
