"""A streaming client's outgoing messages, bounded: who reads too slowly is dropped, and loses nothing silently."""

import asyncio
from collections.abc import Callable, Collection, Iterable

BUFFER_LIMIT_BYTES = 16 * 1024 * 1024
STALL_LIMIT_S = 10.0
"""How long a client may hold up a play at speed 0."""


class Subscriber:
    """One client: the instruments that it asked for and what waits to be written to it.

    `disconnect` is called, once, when more than `limit_bytes` wait; it must cut the connection.
    """

    def __init__(
        self, instruments: Iterable[str], disconnect: Callable[[], None], limit_bytes: int = BUFFER_LIMIT_BYTES
    ):
        self.instruments = set(instruments)
        self._disconnect = disconnect
        self._limit_bytes = limit_bytes
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._closed = False
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()

    @property
    def behind(self) -> bool:
        """More than a quarter of the limit waits."""
        return self._waiting_bytes > self._limit_bytes // 4

    def put(self, message: bytes) -> None:
        if self._closed:
            return
        self._waiting.append(message)
        self._waiting_bytes += len(message)
        self._emptied.clear()
        self._filled.set()
        if self._waiting_bytes > self._limit_bytes:
            self.drop()

    async def take(self) -> list[bytes]:
        """Wait for messages and take all of them; none when the client is gone."""
        await self._filled.wait()
        taken, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if not self._closed:
            self._filled.clear()
        self._emptied.set()
        return [] if self._closed else taken

    async def emptied(self) -> None:
        await self._emptied.wait()

    def close(self) -> None:
        """The client has gone, or is to go: `take` returns nothing from now on."""
        self._closed = True
        self._waiting, self._waiting_bytes = [], 0
        self._filled.set()
        self._emptied.set()

    def drop(self) -> None:
        """Cut the connection."""
        if not self._closed:
            self.close()
            self._disconnect()


async def room(subscribers: Collection[Subscriber]) -> None:
    """Give the writers a turn; while a client is far behind wait for it, up to STALL_LIMIT_S, and then drop it."""
    await asyncio.sleep(0)
    for subscriber in [subscriber for subscriber in subscribers if subscriber.behind]:
        try:
            await asyncio.wait_for(subscriber.emptied(), STALL_LIMIT_S)
        except TimeoutError:
            subscriber.drop()
