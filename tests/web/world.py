"""A web process in front of a fake broker, and the clients that talk to it: HTTP and WebSocket on a real port."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import zmq
from tornado.testing import bind_unused_port
from websockets.asyncio.client import ClientConnection, connect

from actors.bus import endpoints
from tests.web import described
from tests.web.broker import ADMIN, COST, TRADER, Context, FakeBroker, eventually
from web.app import LIMITS, RATES_PER_S, Web
from web.auth.keyring import Keyring
from web.auth.tokens import Tokens
from web.serving.safety import Safety
from web.serving.server import Limits

KEY = b"0123456789abcdef0123456789abcdef"
KID = "1700000000-0123abcd"
TOTP_KEY = b"fedcba9876543210fedcba9876543210"
PATIENCE_S = 90.0
PATIENT = LIMITS._replace(request_timeout_s=PATIENCE_S)
"""A client's idle connection is not cut off just when it is used again."""


class Clock:
    """The time of day, which a test may set forward, or hold: what counts requests in time counts exactly then."""

    def __init__(self) -> None:
        self.ahead_ns = 0
        self._held_ns = 0

    def hold(self) -> None:
        self._held_ns = time.time_ns()

    def __call__(self) -> int:
        return (self._held_ns or time.time_ns()) + self.ahead_ns


class Socket:
    """A client of /ws that keeps what it hears."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.heard: list[dict[str, Any]] = []

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(PATIENCE_S):
            message: dict[str, Any] = json.loads(await self.connection.recv())
        self.heard.append(message)
        return message

    async def say(self, **request: Any) -> None:
        await self.connection.send(json.dumps(request))

    async def ask(self, **request: Any) -> dict[str, Any]:
        """Sends a request and gives its answer; what comes before it is in `heard`."""
        await self.say(**request)
        return await self.hear_until(lambda message: message.get("id", 0) == request["id"])

    async def hear_until(self, wanted: Any) -> dict[str, Any]:
        while not wanted(message := await self.hear()):
            pass
        return message

    async def closed(self) -> int:
        """The code with which the server closes."""
        async with asyncio.timeout(PATIENCE_S):
            await self.connection.wait_closed()
        assert self.connection.close_code is not None
        return self.connection.close_code


class World:
    def __init__(self, broker: FakeBroker, web: Web, clock: Clock, port: int, http: httpx.AsyncClient) -> None:
        self.broker = broker
        self.web = web
        self.clock = clock
        self.port = port
        self.http = http

    def token(self, username: str = TRADER) -> str:
        return self.web.backend.callers.tokens.issue(self.broker.users[username], self.clock() // 1_000_000_000)

    def bearer(self, username: str = TRADER) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(username)}"}

    async def get(self, path: str, username: str = TRADER, **parameters: Any) -> httpx.Response:
        return await self.http.get(path, headers=self.bearer(username), params=parameters)

    async def post(self, path: str, body: Any, username: str = TRADER) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.http.post(path, headers=self.bearer(username), content=content)

    async def put(self, path: str, body: Any, username: str = TRADER) -> httpx.Response:
        return await self.http.put(path, headers=self.bearer(username), content=json.dumps(body).encode())

    async def delete(self, path: str, username: str = TRADER) -> httpx.Response:
        return await self.http.delete(path, headers=self.bearer(username))

    async def waiting(self, username: str = TRADER) -> list[dict[str, Any]]:
        """The orders that wait, newest first."""
        orders: list[dict[str, Any]] = (await self.get("/orders", username, status="working")).json()["orders"]
        return orders

    async def order(self, username: str = TRADER, **changes: Any) -> httpx.Response:
        order = {"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "10000"}
        return await self.post("/order", {**order, **changes}, username)

    async def price(self, symbol: str, bid: str, ask: str) -> None:
        """A tick that the web process has heard of when this returns."""
        tick = self.broker.tick(symbol, bid, ask)
        await eventually(lambda: self.web.prices.ticks.get(symbol) == tick)

    @asynccontextmanager
    async def socket(self, username: str | None = TRADER) -> AsyncIterator[Socket]:
        """A connection to /ws, authenticated as `username`, or not at all."""
        url = f"ws://127.0.0.1:{self.port}/ws"
        async with connect(url, open_timeout=PATIENCE_S, ping_interval=None, max_queue=None) as connection:
            socket = Socket(connection)
            if username is not None:
                assert await socket.ask(id=0, op="auth", token=self.token(username)) == {"id": 0, "ok": True}
            yield socket


@asynccontextmanager
async def running(
    folder: Path, limits: Limits = PATIENT, rates_per_s: Mapping[str, int] = RATES_PER_S, **safety: Any
) -> AsyncIterator[World]:
    """A web process that has heard of the broker, with a price for each symbol. `safety`: see web/serving/safety.py."""
    context: Context = zmq.Context()
    where = endpoints.local(folder)
    clock = Clock()
    broker = FakeBroker(context, where)
    tokens = Tokens(Keyring({KID: KEY}), ttl_s=600)
    set_up = Safety(**{"bcrypt_cost": COST, **safety})
    web = Web(context, where, tokens, clock, TOTP_KEY, set_up, folder / "dist", limits, rates_per_s)
    listener, port = bind_unused_port()
    web.server.add_socket(listener)
    stop = asyncio.Event()
    tasks = [asyncio.create_task(broker.run()), asyncio.create_task(web.run(stop))]
    try:
        hooks = {"response": [described.check]}
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, event_hooks=hooks) as http:
            world = World(broker, web, clock, port, http)
            await eventually(lambda: web.prices.instruments)
            await world.price("EURUSD", "1.10000", "1.10010")
            await world.price("USDJPY", "150.000", "150.010")
            # The first heartbeat on the event stream tells where it stands.
            await eventually(lambda: web.events.heard_seq)
            await eventually(lambda: web.prices.feeds)
            yield world
        stop.set()
        await tasks[1]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        context.destroy(linger=0)


__all__ = ["ADMIN", "KEY", "KID", "TOTP_KEY", "TRADER", "Socket", "World", "running"]
