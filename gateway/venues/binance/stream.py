"""Binance's combined streams over WebSocket: the prices of some instruments."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

from gateway.venues.binance.session import Session, Terms
from gateway.venues.binance.subscriptions import stream_names
from gateway.venues.events import VenueEvent
from gateway.venues.interface import Events, Tap


class BinanceStream:
    """Connected means that the LP lists the subscriptions that are wanted, and no others."""

    def __init__(self, terms: Terms, instruments: Sequence[str], tap: Tap | None = None):
        """Raises ValueError where these cannot be subscribed to on one connection."""
        self._terms = terms
        self._tap = tap
        self._wanted = stream_names(instruments, depth=terms.rest is not None)
        self._session: Session | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Events]:
        session = self._session = Session(self._terms, self._wanted, self._tap)
        try:
            await session.start()
            async with aclosing(_events(session)) as events:
                yield events
        finally:
            self._session = None
            await session.close()

    async def change(self, instruments: Sequence[str]) -> bool:
        self._wanted = stream_names(instruments, depth=self._terms.rest is not None)
        if self._session is None:
            return False
        await self._session.change(self._wanted)
        return True


async def _events(session: Session) -> AsyncGenerator[list[VenueEvent], None]:
    while True:
        yield await session.take()
