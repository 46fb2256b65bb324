"""The socket loop of OANDA's pricing stream."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager

import httpx

from gateway.venues.events import VenueEvent, VenueGarbage, VenueHeartbeat
from gateway.venues.interface import ConnectionLost, Events, Patience, Tap, is_here, refusal
from gateway.venues.oanda.pricing import HEARTBEAT_INTERVAL_MS, OandaPriceStream, pricing_stream_request
from gateway.venues.oanda.rest import RETRY_AFTER_CAP_MS, Account, retry_after_ms
from gateway.venues.pace import Pace

logging.getLogger("httpx").setLevel(logging.WARNING)  # At INFO it writes each address, and OANDA's holds the account.

CONNECTIONS_PER_S = 2
"""What OANDA recommends (best practices: connection limits)."""


def connection_pace() -> Pace:
    """Shared by all the streams of an account."""
    return Pace(CONNECTIONS_PER_S, burst=CONNECTIONS_PER_S, wait_limit_ms=RETRY_AFTER_CAP_MS)


class OandaStream:
    """A v20 pricing stream over HTTP. TLS certificates are verified; redirects are not followed.

    It is dead when neither a price nor a heartbeat has come for the patience's silence, whatever else comes. Heartbeats
    come while the market is closed too.
    """

    def __init__(
        self,
        account: Account,
        instruments: Sequence[str],
        patience: Patience,
        tap: Tap | None = None,
        pace: Pace | None = None,
    ):
        """Raises ValueError where the instruments cannot be asked for. `pace`: when it may connect."""
        self._account = account
        self._request = pricing_stream_request(instruments)
        self._tap = tap
        self._pace = pace or connection_pace()
        self._silence_s = patience.silence_timeout_ms / 1000
        self._timeout = httpx.Timeout(patience.connect_timeout_ms / 1000, read=self._silence_s)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Events]:
        await self._await_turn()
        ask, url = self._request, self._account.stream_url.rstrip("/")
        headers = {**self._account.headers(), "Accept-Encoding": "identity"}
        async with httpx.AsyncClient(timeout=self._timeout, trust_env=not is_here(url)) as client:
            address = url + self._account.path(ask.path)
            request = client.build_request(ask.method, address, headers=headers, params=ask.params)
            with self._httpx_losses():
                response = await client.send(request, stream=True)
            try:
                if response.status_code != httpx.codes.OK:
                    self._hold(response)
                    raise refusal(response.status_code)
                async with aclosing(self._events(response)) as events:
                    yield events
            finally:
                await response.aclose()

    async def change(self, instruments: Sequence[str]) -> bool:
        """False: v20 has no way to change a stream."""
        self._request = pricing_stream_request(instruments)
        return False

    async def _await_turn(self) -> None:
        wait_ns = self._pace.reserve(time.monotonic_ns())
        if wait_ns is None:
            raise ConnectionLost("too many connections to the LP are waiting already")
        await asyncio.sleep(wait_ns / 1e9)

    def _hold(self, response: httpx.Response) -> None:
        wait_ms = retry_after_ms(response.headers.get("Retry-After"), time.time_ns())
        self._pace.hold(time.monotonic_ns() + (wait_ms or 0) * 1_000_000)

    async def _events(self, response: httpx.Response) -> AsyncGenerator[list[VenueEvent], None]:
        parser = OandaPriceStream()
        if self._tap:
            self._tap(b"")
        heard_s = time.monotonic()
        # A stream that freezes before its first heartbeat is overdue as soon as one that freezes later.
        yield [VenueHeartbeat(0, HEARTBEAT_INTERVAL_MS)]
        with self._httpx_losses():
            async for chunk in response.aiter_raw():
                if self._tap:
                    self._tap(chunk)
                events = parser.receive_data(chunk)
                now_s = time.monotonic()
                if any(not isinstance(event, VenueGarbage) for event in events):
                    heard_s = now_s
                elif now_s - heard_s > self._silence_s:
                    raise ConnectionLost("neither price nor heartbeat for longer than the limit")
                yield events

    @contextmanager
    def _httpx_losses(self) -> Iterator[None]:
        try:
            yield
        except httpx.ReadTimeout:
            raise ConnectionLost("silent for longer than the limit") from None
        except httpx.HTTPError as error:
            raise ConnectionLost(self._account.without_secrets(f"{type(error).__name__}: {error}")) from None
