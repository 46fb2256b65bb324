"""What somebody tries who means harm: forged requests, smuggled ones, injected headers, bombs, floods."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.web.broker import ADMIN, TRADER, eventually
from tests.web.test_access import RULED, ask, login
from tests.web.world import PATIENCE_S, World, running
from web.auth.access import Role
from web.auth.allowance import ADDRESS, USER
from web.routes import MESSAGE_LIMIT_BYTES
from web.serving.proxy import networks

pytestmark = pytest.mark.anyio

INSIDE = ("Traceback", 'File "', "sqlalchemy", "psycopg", "tornado", "zmq", "msgspec", ".py", " at 0x")
"""What would say something of the inside."""


async def raw(world: World, request: bytes) -> list[str]:
    """The status lines of all that comes back until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(request)
    got = b""
    with contextlib.suppress(ConnectionError):
        while chunk := await asyncio.wait_for(reader.read(65_536), PATIENCE_S):
            got += chunk
    writer.close()
    return [line for line in got.decode("latin-1").split("\r\n") if line.startswith("HTTP/1.1")]


async def test_no_address_sets_a_cookie_or_heeds_one_so_no_request_can_be_forged(plenty: World) -> None:
    for route, method, rule in RULED:
        for role in (None, *(rule.roles and [Role.ADMIN, Role.TRADER])):
            response = await ask(plenty, route, method, role and login(plenty, role), "1")
            assert "set-cookie" not in response.headers, (method, route.path)
    token = plenty.token()
    for name in ("token", "access_token", "session", "Authorization"):
        plenty.http.cookies.set(name, token)
        assert (await plenty.http.get("/account")).status_code == 401
        assert (await plenty.http.get("/account", params={name: token})).status_code == 401


async def test_what_refusals_say_is_nothing_of_the_inside(plenty: World) -> None:
    plenty.broker.mute.update({"persistence"})
    asked: list[httpx.Response] = []
    for path in ("/order/@x", "/order/@'; DROP TABLE users;--", "/ledger?account=x", "/ohlc?symbol=x", "/nowhere/%00"):
        asked.append(await plenty.http.get(path, headers=plenty.bearer()))
    for body in (b"", b"{", b"[" * 60_000, b'{"a":' * 10_000, b"9" * 5_000, b"1e999999", b"\xff\xfe", b'"\\ud800"'):
        asked += [await plenty.post("/order", body), await plenty.post("/login", body)]
    for response in asked:
        problem = response.json()
        assert response.status_code in (400, 401, 403, 404, 422, 503), problem
        assert not [word for word in INSIDE if word in response.text], response.text


async def test_a_text_with_a_nul_is_refused_before_anything_is_written(plenty: World) -> None:
    """PostgreSQL has no such text: neither the audit log nor the history could take it."""
    halt = {"scope": "symbol", "name": "EURUSD", "reason": "a\0b"}
    refused = await plenty.post("/admin/halts", halt, ADMIN)
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_FIELD")
    plain = await plenty.post("/admin/halts", {**halt, "reason": "a backslash: \\u0000"}, ADMIN)
    assert plain.status_code == 200
    named = await plenty.http.get("/admin/audit?username=a%00b", headers=plenty.bearer(ADMIN))
    assert (named.status_code, named.json()["field"]) == (422, "username")
    assert (await plenty.get("/admin/groups/a%00b", ADMIN)).status_code == 404
    assert [act.reason for act in plenty.broker.acts if hasattr(act, "reason")] == ["a backslash: \\u0000"]


async def test_no_header_can_be_put_into_an_answer(plenty: World) -> None:
    for path in ("/order/@x%0d%0aSet-Cookie:%20a=b", "/orders?limit=1&before=9%0d%0aSet-Cookie:%20a=b", "/%0d%0aX: y"):
        response = await plenty.http.get(path, headers=plenty.bearer())
        assert response.status_code in (404, 422)
        assert not {"set-cookie", "x"} & set(response.headers)
    origin = await plenty.http.get("/health", headers={"Origin": "https://evil.example", "Host": "evil.example"})
    assert not [name for name in origin.headers if name.startswith("access-control")]
    assert "evil" not in str(origin.headers)


@pytest.mark.parametrize(
    "smuggled",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        "Content-Length: +4\r\n\r\nabcd",
        "Content-Length: 0x4\r\n\r\nabcd",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n",
        "Content-Length : 4\r\n\r\nabcd",
        "Content-Length: 4\r\n\tTransfer-Encoding: chunked\r\n\r\nabcd",
    ],
)
async def test_a_request_of_two_lengths_is_none_and_no_second_one_is_smuggled(world: World, smuggled: str) -> None:
    second = f"GET /account HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.token()}\r\n\r\n"
    statuses = await raw(world, f"POST /login HTTP/1.1\r\nHost: x\r\n{smuggled}{second}".encode())
    assert not [status for status in statuses if "200" in status], statuses


async def test_a_body_may_not_outgrow_its_bound_however_it_is_sent(world: World) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: x\r\n"
    chunk = b"8000\r\n" + b"a" * 0x8000 + b"\r\n"
    told = await raw(world, head + b"Content-Length: 65537\r\n\r\n" + b"a" * 65_537)
    assert told == ["HTTP/1.1 413 Request Entity Too Large"]
    assert "200" not in str(await raw(world, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 40))
    assert "200" not in str(await raw(world, head + b"X: " + b"a" * 20_000 + b"\r\n\r\n"))
    assert (await world.get("/account")).status_code == 200


async def test_a_message_in_pieces_may_not_outgrow_its_bound(world: World) -> None:
    async with world.socket() as other, world.socket() as socket:
        pieces = (b" " * 1_000 for _ in range(MESSAGE_LIMIT_BYTES // 1_000 + 2))
        with contextlib.suppress(Exception):
            await socket.connection.send(pieces)
        assert await socket.closed() in (1006, 1009)
        assert (await other.ask(id=1, op="ping"))["ok"]


async def test_pings_that_are_never_read_cost_no_memory(world: World) -> None:
    """Tornado keeps one pong back at most."""
    async with world.socket() as socket:
        socket.connection.transport.pause_reading()
        for _ in range(20_000):
            socket.connection.transport.write(b"\x89\xfd\0\0\0\0" + b"x" * 125)
            if socket.connection.transport.get_write_buffer_size() > 1_000_000:
                await asyncio.sleep(0)
        await eventually(lambda: not socket.connection.transport.get_write_buffer_size())
        (handler,) = world.web.sockets
        stream: Any = handler._outlet._stream  # type: ignore[attr-defined]
        assert len(stream._write_buffer) < 1_000
        socket.connection.transport.resume_reading()


async def test_an_ipv6_client_has_one_allowance_whichever_of_its_addresses_it_takes(tmp_path: Path) -> None:
    rates = {USER: 1_000, ADDRESS: 2}
    async with running(tmp_path, rates_per_s=rates, proxies=networks(["127.0.0.1"])) as world:
        world.clock.hold()
        statuses = [
            (await world.http.get("/health", headers={"X-Forwarded-For": f"2001:db8::{number:x}"})).status_code
            for number in range(1, 12)
        ]
        other = await world.http.get("/health", headers={"X-Forwarded-For": "2001:db8:0:1::1"})
    assert (statuses[0], statuses[-1], other.status_code) == (200, 429, 200)


async def test_a_foreign_page_can_send_nothing_that_counts(world: World) -> None:
    """A form is sent without asking (CORS calls it simple): it has no Authorization, and nothing else says who asks."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        headers = {"Content-Type": kind, "Origin": "https://evil.example", "Cookie": f"token={world.token()}"}
        body = json.dumps({"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "1000"})
        assert (await world.http.post("/order", headers=headers, content=body)).status_code == 401
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Headers": "authorization"}
    answer = await world.http.options("/order", headers=preflight)
    assert not [name for name in answer.headers if name.startswith("access-control")]
    async with connect(f"ws://127.0.0.1:{world.port}/ws?token={world.token(TRADER)}") as connection:
        await connection.send('{"id":1,"op":"ping"}')
        assert json.loads(await connection.recv())["error"]["code"] == "UNAUTHORISED"
