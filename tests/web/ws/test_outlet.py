"""Frames past Tornado's own writing, on real sockets: whole and in order, whoever else writes, and within a bound."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
from tornado.iostream import IOStream

from tests.web.broker import eventually
from web.ws.outlet import Outlet

pytestmark = pytest.mark.anyio

LARGE = 300_000


class Wire:
    """An outlet, and the other side, which reads when it is told to."""

    def __init__(self) -> None:
        near, self.far = socket.socketpair()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
        near.setblocking(False)
        self.far.setblocking(False)
        self.stream = IOStream(near)
        self.overruns = 0
        self.outlet = Outlet(self.stream, self._overrun)
        self.got = bytearray()

    async def read(self, size_bytes: int) -> bytes:
        """All that has come, once it is so much."""
        await eventually(lambda: self.take() >= size_bytes)
        return bytes(self.got)

    def take(self) -> int:
        """What is there now; the size of all that has come."""
        with suppress(BlockingIOError):
            self.got.extend(self.far.recv(65_536))
        return len(self.got)

    def _overrun(self) -> None:
        self.overruns += 1


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    made = Wire()
    yield made
    made.stream.close()
    made.far.close()


async def test_what_the_socket_does_not_take_comes_later_and_in_order(wire: Wire) -> None:
    frames = [b"a" * 10, b"b" * LARGE, b"c" * 10, b"d" * LARGE]
    for frame in frames:
        wire.outlet.write(frame)
    assert await wire.read(2 * LARGE + 20) == b"".join(frames)
    wire.outlet.write(b"after")
    assert (await wire.read(2 * LARGE + 25)).endswith(b"dafter")
    assert wire.overruns == 0


@pytest.mark.parametrize("told", [Outlet.look, Outlet.share])
async def test_what_somebody_else_has_written_is_not_overtaken(wire: Wire, told: Callable[[Outlet], None]) -> None:
    wire.outlet.write(b"first")
    others = wire.stream.write(b"x" * LARGE)
    told(wire.outlet)
    assert wire.take() < LARGE  # the socket has room again, and the stream does not know yet
    wire.outlet.write(b"last")
    assert await wire.read(LARGE + 9) == b"first" + b"x" * LARGE + b"last"
    await others


async def test_who_shares_the_stream_may_write_at_any_time(wire: Wire) -> None:
    wire.outlet.share()
    wire.outlet.write(b"first")
    others = wire.stream.write(b"x" * LARGE)
    wire.take()
    wire.outlet.write(b"last")
    assert await wire.read(LARGE + 9) == b"first" + b"x" * LARGE + b"last"
    await others


async def test_with_too_much_waiting_frames_are_not_taken(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.ws.outlet.UNSENT_LIMIT_BYTES", LARGE)
    for letter in (b"a", b"b", b"c"):
        wire.outlet.write(letter * LARGE)
    assert wire.overruns == 1
    assert await wire.read(2 * LARGE) == b"a" * LARGE + b"b" * LARGE


async def test_after_the_end_nothing_is_sent_but_what_waits(wire: Wire) -> None:
    wire.outlet.write(b"a" * LARGE)
    wire.outlet.close()
    wire.outlet.write(b"b")
    await wire.read(LARGE)
    wire.outlet.write(b"c")
    await wire.stream.write(b".")
    assert await wire.read(LARGE + 1) == b"a" * LARGE + b"."
    assert wire.overruns == 0


async def test_a_connection_that_is_lost_is_closed_quietly(wire: Wire) -> None:
    wire.far.close()
    wire.outlet.write(b"a")
    assert wire.stream.closed()
    wire.outlet.write(b"b")
    assert wire.overruns == 0
