"""At the edge: other origins, proxies, TLS, slow and oversized clients, and the audit log that must come first."""

import asyncio
import ssl
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.conftest import Figure
from tests.web.broker import ADMIN, eventually
from tests.web.world import PATIENCE_S, World, running
from web.routes import MESSAGE_LIMIT_BYTES
from web.serving.proxy import networks
from web.serving.server import Limits

pytestmark = pytest.mark.anyio

HOME, STRANGER = "https://terminal.example", "https://evil.example"


async def test_no_other_origin_may_read_send_or_stream_by_default(world: World) -> None:
    answer = await world.http.get("/account", headers={**world.bearer(), "Origin": STRANGER})
    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (200, False)
    preflight = {"Origin": STRANGER, "Access-Control-Request-Method": "POST"}
    told = (await world.http.options("/order", headers=preflight)).headers
    assert [name for name in told if name.startswith("access-control")] == []
    with pytest.raises(InvalidStatus, match="403"):
        async with connect(f"ws://127.0.0.1:{world.port}/ws", origin=STRANGER):  # type: ignore[arg-type]
            pass
    async with connect(f"ws://127.0.0.1:{world.port}/ws", origin=f"http://127.0.0.1:{world.port}"):  # type: ignore[arg-type]
        pass


async def test_the_origins_of_the_setting_may_and_never_with_cookies(tmp_path: Path) -> None:
    async with running(tmp_path, origins=(HOME,)) as world:
        for path, status in (("/account", 200), ("/order/9999", 404)):
            answer = await world.http.get(path, headers={**world.bearer(), "Origin": HOME})
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, HOME)
            assert "access-control-allow-credentials" not in answer.headers
            assert "Origin" in answer.headers["vary"].split(", ")
        preflight = await world.http.options(
            "/order/1", headers={"Origin": HOME, "Access-Control-Request-Method": "PUT"}
        )
        assert (preflight.status_code, preflight.headers["access-control-allow-methods"]) == (
            204,
            "GET, PUT, DELETE, HEAD, OPTIONS",
        )
        assert "Authorization" in preflight.headers["access-control-allow-headers"]
        stranger = await world.http.options("/order/1", headers={"Origin": STRANGER})
        assert [name for name in stranger.headers if name.startswith("access-control")] == []
        async with connect(f"ws://127.0.0.1:{world.port}/ws", origin=HOME):  # type: ignore[arg-type]
            pass
        for origin in (STRANGER, "https://terminal.example.evil.example", "null"):
            with pytest.raises(InvalidStatus, match="403"):
                async with connect(f"ws://127.0.0.1:{world.port}/ws", origin=origin):  # type: ignore[arg-type]
                    pass


async def _addresses(world: World, forwarded: str) -> str:
    """Where an act came from, as the audit log has it."""
    headers = {**world.bearer(ADMIN), "X-Forwarded-For": forwarded, "X-Real-Ip": "203.0.113.1"}
    await world.http.delete("/admin/lps/NOBODY", headers=headers)
    act: Any = world.broker.acts[-1]
    address: str = act.actor.address
    return address


async def test_x_forwarded_for_counts_from_trusted_proxies_alone(world: World, tmp_path: Path) -> None:
    assert await _addresses(world, "203.0.113.9") == "127.0.0.1"
    folder = tmp_path / "other"
    folder.mkdir()
    async with running(folder, proxies=networks(["127.0.0.1"])) as other:
        assert await _addresses(other, "203.0.113.9") == "203.0.113.9"
        assert await _addresses(other, "198.51.100.1, 203.0.113.9") == "203.0.113.9"
        assert await _addresses(other, "garbage") == "127.0.0.1"


async def test_with_tls_there_is_no_plain_http(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "1",
            ),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    async with running(tmp_path, tls=context) as world:
        trust = ssl.create_default_context(cafile=str(cert))
        async with httpx.AsyncClient(verify=trust, base_url=f"https://127.0.0.1:{world.port}") as http:
            answer = await http.get("/account", headers=world.bearer())
            assert (answer.status_code, answer.headers["strict-transport-security"][:8]) == (200, "max-age=")
            for path in ("/", "/nowhere"):
                assert "strict-transport-security" in (await http.get(path)).headers
        with pytest.raises(httpx.TransportError):
            await world.http.get("/health")


async def _slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """What comes back to a client that sends a byte at a time for ever: first `request`, then what does not matter."""

    async def crawl() -> None:
        writer.write(request)
        while not writer.is_closing():
            writer.write(b"a")
            await asyncio.sleep(0.5)

    crawling = asyncio.create_task(crawl())
    try:
        return await _rest(reader)
    finally:
        crawling.cancel()
        await asyncio.gather(crawling, return_exceptions=True)
        writer.close()


@pytest.mark.parametrize("part", ["nothing", "head", "body"])
async def test_who_sends_slowly_is_cut_off_and_others_are_served_as_fast_as_ever(
    tmp_path: Path, part: str, figure: Figure
) -> None:
    """Slowloris: 200 clients that send a byte every 500 ms. How long another client waits is told as a ratio."""
    head = b"POST /login HTTP/1.1\r\nHost: x\r\n"
    begun = {"nothing": b"", "head": head + b"X-Slow: ", "body": head + b"Content-Length: 60000\r\n\r\n"}[part]
    async with running(tmp_path, Limits(request_timeout_s=2)) as world:
        calm = await _waited_s(world)
        lines = [await asyncio.open_connection("127.0.0.1", world.port) for _ in range(200)]
        slow = [asyncio.create_task(_slow(*line, begun)) for line in lines]
        crowded = await _waited_s(world)
        ratio = statistics.median(crowded) / statistics.median(calm)
        figure(f"slowloris ({part}): another client's median GET /account, to that of before", ratio)
        assert min(crowded) / min(calm) < 30  # a busy machine makes any of them slow, and none quick
        async with asyncio.timeout(PATIENCE_S):
            told = await asyncio.gather(*slow)
        assert set(told) == {b""}
        await eventually(lambda: len(world.web.server._connections) <= 1)


async def _waited_s(world: World) -> list[float]:
    """Some answers' times."""
    taken = []
    for _ in range(30):
        began_s = time.perf_counter()
        assert (await world.get("/account")).status_code == 200
        taken.append(time.perf_counter() - began_s)
    return taken


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def test_an_oversized_frame_closes_its_socket_alone(world: World) -> None:
    async with world.socket() as other, world.socket() as socket:
        await socket.connection.send("x" * (MESSAGE_LIMIT_BYTES + 1))
        assert await socket.closed() == 1009
        assert (await other.ask(id=1, op="ping"))["ok"]


async def test_a_privileged_act_is_refused_where_the_audit_log_cannot_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.broker.mute.add("persistence")
    with monkeypatch.context() as hasty:
        hasty.setattr("web.handling.auditing.AUDIT_TIMEOUT_MS", 50)
        refused = await world.delete("/admin/lps/OANDA", ADMIN)
    assert (refused.status_code, refused.json()["detail"][:16]) == (503, "Nothing was done")
    assert world.broker.lps.registry.version == 1
    assert (await world.order()).status_code == 201
    world.broker.mute.clear()
    assert (await world.delete("/admin/lps/OANDA", ADMIN)).status_code == 204
    act, outcome = world.broker.acts[-2:]
    assert (act.action, act.subject, act.actor.username) == ("RemoveLp", "lp OANDA", ADMIN)  # type: ignore[union-attr]
    assert outcome.outcome == "done"  # type: ignore[union-attr]
    assert (await world.delete("/admin/lps/OANDA", ADMIN)).status_code == 404
    assert world.broker.acts[-1].outcome == "UNKNOWN_LP"  # type: ignore[union-attr]
