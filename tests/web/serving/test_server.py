"""The bound on connections."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tornado.testing import bind_unused_port
from tornado.web import Application

from tests.conftest import ROOT
from tests.web.broker import eventually
from web.handling.connected import Sockets
from web.serving.proxy import networks
from web.serving.server import RESERVED_DESCRIPTORS, Limits, Server

pytestmark = pytest.mark.anyio


async def answers(port: int) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        return await reader.readline() == b"HTTP/1.1 404 Not Found\r\n"
    except ConnectionError:
        return False
    finally:
        writer.close()


@asynccontextmanager
async def serving(limits: Limits, *proxies: str) -> AsyncIterator[tuple[Server, int]]:
    socket, port = bind_unused_port()
    server = Server.of(Application([]), Sockets(limits.address_connections), limits, networks(proxies))
    server.add_socket(socket)
    yield server, port
    server.stop()
    await server.close_all_connections()


@pytest.mark.parametrize("limits", [Limits(connections=2), Limits(address_connections=2)])
async def test_one_connection_too_many_is_closed_and_the_rest_live(limits: Limits) -> None:
    async with serving(limits) as (server, port):
        first = await asyncio.open_connection("127.0.0.1", port)
        assert await answers(port)
        await eventually(lambda: len(server._connections) == 1)
        second = await asyncio.open_connection("127.0.0.1", port)
        await eventually(lambda: len(server._connections) == 2)
        assert not await answers(port)
        assert server.refused == 1
        for _, writer in (first, second):
            writer.close()
        await eventually(lambda: not server._connections)
        assert await answers(port)


async def test_a_trusted_proxy_may_have_all_connections() -> None:
    async with serving(Limits(connections=3, address_connections=1), "127.0.0.0/8") as (server, port):
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await eventually(lambda: len(server._connections) == 3)
        assert not await answers(port)
        for _, writer in opened:
            writer.close()


def test_there_are_fewer_connections_than_descriptors() -> None:
    tighten = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))"
    script = "from web.serving.server import connections_for; print(connections_for(10**9), connections_for(5))"
    said = subprocess.check_output([sys.executable, "-c", f"{tighten}\n{script}"], cwd=ROOT, text=True)
    assert said == f"{200 - RESERVED_DESCRIPTORS} 5\n"
