"""What holds at every address: methods, bodies, parameters, headers, and no word about the inside."""

import asyncio

import pytest

from tests.web.broker import ADMIN, TRADER, eventually
from tests.web.test_access import address
from tests.web.world import PATIENCE_S, World
from web.handling.handler import METHODS
from web.routes import API

pytestmark = pytest.mark.anyio

RIGHT = {address(route): route.rules for route in API}


async def test_every_answer_has_the_security_headers_and_does_not_name_the_server(world: World) -> None:
    for path in ("/", "/account", "/nowhere", "/health", "/assets/x.js", "/ws"):
        headers = (await world.http.get(path)).headers
        assert headers["content-security-policy"] == (
            "default-src 'self'; connect-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
            "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers


async def test_an_unknown_address_is_404(world: World) -> None:
    for path in ("/nowhere", "/account/", "/order/x", "/assets", "/assets/"):
        response = await world.http.get(path)
        assert (path, response.status_code) == (path, 404)
        assert response.json() == {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "There is nothing at this address.",
            "code": "NOT_FOUND",
        }


async def test_a_wrong_method_is_405_and_told_which_is_right(world: World) -> None:
    for path, right in RIGHT.items():
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH"} - {*right}:
            response = await world.http.request(method, path)
            assert (path, method, response.status_code) == (path, method, 405)
            allowed = [*(name for name in METHODS if name in right), *(["HEAD"] if "GET" in right else []), "OPTIONS"]
            assert response.headers["allow"].split(", ") == allowed
            assert response.json()["code"] == "METHOD_NOT_ALLOWED"


async def test_an_unknown_or_doubled_parameter_is_named(world: World) -> None:
    for path, right in RIGHT.items():
        for method, rule in right.items():
            who = TRADER if rule.public or "trader" in rule.roles else ADMIN
            response = await world.http.request(method, f"{path}?nonsense=1", headers=world.bearer(who))
            assert (path, response.status_code, response.json()["field"]) == (path, 422, "nonsense")
    for query, field in (("limit=1&limit=2", "limit"), ("limit=%ff", "limit"), ("%ff=1", "ÿ")):
        response = await world.http.get(f"/orders?{query}", headers=world.bearer())
        assert (response.status_code, response.json()["field"]) == (422, field)


async def test_who_is_refused_before_the_body_is_read_is_told_that_the_connection_ends(world: World) -> None:
    """RFC 9112, 9.6: a client that is not told sends its next request into a connection that is gone."""
    for head, keeps in (
        ("GET /account HTTP/1.1\r\n", False),
        ("POST /order HTTP/1.1\r\nContent-Length: 2\r\n", False),
        (f"POST /order HTTP/1.1\r\nAuthorization: Bearer {world.token()}\r\nContent-Length: 2\r\n", True),
        (f"GET /account HTTP/1.1\r\nAuthorization: Bearer {world.token()}\r\n", True),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(head.encode() + b"Host: x\r\n\r\n" + b"{}" * ("Length" in head))
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        assert (head, b"\r\nConnection: close\r\n" in answer) == (head, not keeps)
        if keeps:
            writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            await asyncio.wait_for(reader.readuntil(b'{"status":"ok"}'), PATIENCE_S)
        else:
            await asyncio.wait_for(reader.read(), PATIENCE_S)
        writer.close()


async def test_a_body_over_the_limit_is_refused(world: World) -> None:
    raw = f"POST /order HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.token()}\r\n".encode()
    for rest in (
        b"Content-Length: 65537\r\n\r\n",
        b"Content-Length: 99999999999999999999\r\n\r\n",
        b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n" + b"4000\r\n" + b"x" * 0x4000 + b"\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(raw + rest)
        if b"chunked" in rest:
            writer.write((b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 4 + b"0\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
        assert answer.split(b"\r\n")[0] in (b"HTTP/1.1 413 Request Entity Too Large", b"HTTP/1.1 400 Bad Request")
        writer.close()
    assert (await world.post("/order", b" " * 65_000)).status_code == 400


async def test_a_length_that_is_none_is_no_fault_of_ours(world: World) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write("POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: ²\r\n\r\n".encode("latin-1"))
    assert await asyncio.wait_for(reader.readline(), PATIENCE_S) == b"HTTP/1.1 400 Bad Request\r\n"
    writer.close()


async def test_headers_over_the_limit_close_the_connection(world: World) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\n")
    assert b"200 OK" not in await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    assert (await world.http.get("/health")).json() == {"status": "ok"}


async def test_a_fault_of_ours_says_nothing_of_the_inside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(world.web.backend.accounts, "report", fail)
    response = await world.get("/account")
    assert response.status_code == 500
    assert response.json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "Something went wrong on our side. It has been logged.",
        "code": "INTERNAL",
    }


async def test_requests_are_counted_in_and_out(world: World) -> None:
    for path in ("/account", "/nowhere", "/health"):
        await world.http.get(path)
    await world.post("/order", b"{")
    _, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(f"POST /order HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.token()}\r\n".encode())
    writer.write(b"Content-Length: 10\r\n\r\nhalf")
    await eventually(lambda: world.web.backend.requests)
    writer.close()
    await eventually(lambda: not world.web.backend.requests)
