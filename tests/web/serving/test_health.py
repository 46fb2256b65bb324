"""GET /health and /health/ready."""

import asyncio
from pathlib import Path

import httpx
import pytest
import zmq
from tornado.testing import bind_unused_port

from actors.bus import endpoints
from actors.bus.requests import Ping
from tests.web.broker import Context, eventually
from tests.web.world import KEY, KID, PATIENCE_S, TOTP_KEY, Clock, World
from web.app import Web
from web.auth.keyring import Keyring
from web.auth.tokens import Tokens

pytestmark = pytest.mark.anyio

WELL = {"ready": True, "detail": ""}


async def test_ready_with_every_component_and_the_feeds_counters(world: World) -> None:
    response = await world.http.get("/health/ready")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "components": {"engine": WELL, "persistence": WELL, "aggregator": WELL, "feeds": WELL},
        "feeds": [
            {
                "venue": "oanda",
                "connected": True,
                "detail": "",
                "quotes": 50,
                "dropped": {"zero": 942, "crossed": 4},
            }
        ],
    }
    assert (await world.http.get("/health")).json() == {"status": "ok"}


async def test_a_component_that_does_not_answer_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.handling.survey.PING_TIMEOUT_MS", 1_500)
    world.broker.mute.add("persistence")
    response = await world.http.get("/health/ready")
    assert response.status_code == 503
    body = response.json()
    assert body["status"] == "starting"
    assert body["components"] == {
        "engine": WELL,
        "persistence": {"ready": False, "detail": "persistence has not answered for 1500 ms"},
        "aggregator": WELL,
        "feeds": WELL,
    }


async def test_asking_often_asks_the_others_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.handling.survey.PING_TIMEOUT_MS", 60_000)
    world.broker.delay_s = 1.0
    world.broker.asked.clear()
    responses = await asyncio.gather(*(world.http.get("/health/ready") for _ in range(50)))
    assert {response.status_code for response in responses} == {200}
    assert len([body for body in world.broker.asked if isinstance(body, Ping)]) < 15


async def test_a_silent_stream_is_not_ready(world: World) -> None:
    world.broker.silent = True
    world.clock.ahead_ns = 3_000_000_000

    async def feeds() -> object:
        return (await world.http.get("/health/ready")).json()["components"]["feeds"]

    async def is_said() -> bool:
        return await feeds() == {"ready": False, "detail": "the price stream is silent"}

    await eventually(is_said)  # what was on its way may have come later


async def test_alone_it_lives_and_says_who_is_missing(tmp_path: Path) -> None:
    context: Context = zmq.Context()
    web = Web(context, endpoints.local(tmp_path), Tokens(Keyring({KID: KEY}), 60), Clock(), TOTP_KEY)
    listener, port = bind_unused_port()
    web.server.add_socket(listener)
    stop = asyncio.Event()
    running = asyncio.create_task(web.run(stop))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as http:
        response = await eventually(lambda: http.get("/health/ready"))
        assert response.status_code == 503
        assert response.json() == {
            "status": "starting",
            "components": {
                name: {"ready": False, "detail": detail}
                for name, detail in {
                    "engine": "engine is not there",
                    "persistence": "persistence is not there",
                    "aggregator": "aggregator is not there",
                    "feeds": "the instruments are not known yet",
                }.items()
            },
            "feeds": [],
        }
        login = await http.post("/login", json={"username": "x", "password": "y"})
        assert login.status_code == 503
    stop.set()
    await running
    context.destroy(linger=0)
