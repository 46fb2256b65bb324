"""A TCP server that answers as it is told and keeps what it was asked."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass
class Asked:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class RawServer:
    """Answers with `answers`, one after another and then the last again; an empty one closes the connection."""

    answers: list[bytes]
    hang: bool = False
    """Whether it leaves the connection open after an answer that has no end."""
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    async def hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *fields = head.rstrip().split("\r\n")
                method, target, _ = first.split(" ")
                headers = dict(entry.split(": ", 1) for entry in fields)
                length = int({name.lower(): value for name, value in headers.items()}.get("content-length", "0"))
                self.asked.append(Asked(method, target, headers, await reader.readexactly(length)))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                writer.write(answer)
                await writer.drain()
                if self.hang:
                    await reader.read()
                if not answer or b"Content-Length" not in answer:
                    break


@contextlib.asynccontextmanager
async def raw_server(*answers: bytes, hang: bool = False) -> AsyncIterator[RawServer]:
    server = RawServer(list(answers), hang)
    talks: list[asyncio.Task[None]] = []

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(server.hold(reader, writer))
        talks.append(talk)
        with contextlib.suppress(asyncio.CancelledError):
            await talk
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    listening = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server
        for talk in talks:
            talk.cancel()
        await asyncio.sleep(0.01)


def answer(status: int, body: bytes = b"{}", *fields: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status} Said", *fields, f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body
