"""TCP servers that hold a conversation with each client, and a wire that can be cut or slowed, unseen by its ends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

CLOSE_LIMIT_S = 1
Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@contextlib.asynccontextmanager
async def server(conversation: Conversation) -> AsyncIterator[int]:
    """Holds this conversation with each client; its port. At the end all of them are broken off, and closed."""
    talks: set[asyncio.Task[None]] = set()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(conversation(reader, writer))
        talks.add(talk)
        try:
            await asyncio.wait([talk])
        finally:
            talk.cancel()
            await asyncio.gather(talk, return_exceptions=True)
            talks.discard(talk)
            await shut(writer)

    listening = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        port: int = listening.sockets[0].getsockname()[1]
        yield port
    finally:
        listening.close()
        for talk in list(talks):
            talk.cancel()
        while talks:
            await asyncio.sleep(0)


async def shut(writer: asyncio.StreamWriter) -> None:
    """Closes it when all is written, or breaks it off after a moment."""
    writer.close()
    try:
        async with asyncio.timeout(CLOSE_LIMIT_S):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()


def saying(*pieces: bytes, then_wait: bool = False) -> Conversation:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if then_wait:
            await reader.read()

    return say


class Wire:
    """Passes bytes on between each client and a server.

    `cut`: they vanish, on connections that began with bytes in which this is, b"" on all. `lag_s`: they come so much
    later.
    """

    def __init__(self, port: int):
        self.port = port
        self.cut: bytes | None = None
        self.lag_s = 0.0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        began = await reader.read(65_536)
        both = ((reader, far_writer, began), (far_reader, writer, b""))
        ways = [asyncio.create_task(self._carry(*way, began)) for way in both]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            await shut(far_writer)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes, began: bytes
    ) -> None:
        loop = asyncio.get_running_loop()
        pending: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivering = asyncio.create_task(self._deliver(pending, writer))
        try:
            while True:
                if self.cut is None or self.cut not in began:
                    pending.put_nowait((loop.time() + self.lag_s, data))
                if not (data := await reader.read(65_536)):
                    break
        finally:
            if self.lag_s == 0.0:
                await pending.join()
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)

    @staticmethod
    async def _deliver(pending: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await pending.get()
            if (wait_s := due - loop.time()) > 0:
                await asyncio.sleep(wait_s)
            writer.write(data)
            pending.task_done()
