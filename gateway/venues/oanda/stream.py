"""The socket loop of OANDA's pricing stream."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager

import httpx

from gateway.venues.events import VenueEvent
from gateway.venues.interface import ConnectionLost, Events, Patience, Tap, is_here, refusal
from gateway.venues.oanda.pricing import OandaPriceStream, PricingStreamRequest

logging.getLogger("httpx").setLevel(logging.WARNING)  # At INFO it writes each address, and OANDA's holds the account.


class OandaStream:
    """A v20 pricing stream over HTTP. TLS certificates are verified; redirects are not followed."""

    def __init__(
        self,
        request_for: Callable[[Sequence[str]], PricingStreamRequest],
        instruments: Sequence[str],
        patience: Patience,
        tap: Tap | None = None,
    ):
        """`request_for`: raises ValueError where these instruments cannot be asked for."""
        self._request_for = request_for
        self._request = request_for(instruments)
        self._tap = tap
        self._timeout = httpx.Timeout(patience.connect_timeout_ms / 1000, read=patience.silence_timeout_ms / 1000)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Events]:
        ask = self._request
        async with httpx.AsyncClient(timeout=self._timeout, trust_env=not is_here(ask.url)) as client:
            request = client.build_request(ask.method, ask.url, headers=ask.headers, params=ask.params)
            with _httpx_losses():
                response = await client.send(request, stream=True)
            try:
                if response.status_code != httpx.codes.OK:
                    raise refusal(response.status_code)
                async with aclosing(self._events(response)) as events:
                    yield events
            finally:
                await response.aclose()

    async def change(self, instruments: Sequence[str]) -> bool:
        """False: v20 has no way to change a stream."""
        self._request = self._request_for(instruments)
        return False

    async def _events(self, response: httpx.Response) -> AsyncGenerator[list[VenueEvent], None]:
        parser = OandaPriceStream()
        if self._tap:
            self._tap(b"")
        with _httpx_losses():
            async for chunk in response.aiter_raw():
                if self._tap:
                    self._tap(chunk)
                yield parser.receive_data(chunk)


@contextmanager
def _httpx_losses() -> Iterator[None]:
    try:
        yield
    except httpx.ReadTimeout:
        raise ConnectionLost("silent for longer than the limit") from None
    except httpx.HTTPError as error:
        raise ConnectionLost(f"{type(error).__name__}: {error}") from None
