"""Asks OANDA: the httpx driver of `gateway.venues.oanda.rest`."""

import asyncio
import logging
import random
import time
from typing import Self

import httpx

from gateway.connection import backoff_ms
from gateway.venues.interface import ConnectionLost, Patience, is_here, refusal
from gateway.venues.oanda.rest import Account, Answer, Body, Request, Unanswered, retry_after_ms
from gateway.venues.pace import Pace

logging.getLogger("httpx").setLevel(logging.WARNING)  # At INFO it writes each address, and OANDA's holds the account.

ANSWER_TIMEOUT_MS = 30_000
"""For a whole answer; the patience's silence is for each piece of it."""
TRIES_LIMIT = 4
REQUESTS_PER_S = 100
REQUESTS_BURST = 20
"""Together OANDA's 120 in any second."""
PACE_WAIT_LIMIT_MS = 5_000
THROTTLED_MS = 1_000
"""The pause after HTTP 429 where no Retry-After is given: the limit is one by the second."""
CONNECTIONS_LIMIT = 4


class Client:
    """One account's REST API, over connections that are kept open. For one event loop."""

    def __init__(self, account: Account, patience: Patience, chance: random.Random | None = None):
        self._account = account
        self._patience = patience
        self._chance = chance or random.SystemRandom()
        self._pace = Pace(REQUESTS_PER_S, REQUESTS_BURST, PACE_WAIT_LIMIT_MS)
        self._http = httpx.AsyncClient(
            base_url=account.url.rstrip("/"),
            headers={**account.headers(), "Accept-Encoding": "gzip"},
            timeout=httpx.Timeout(patience.silence_timeout_ms / 1000, connect=patience.connect_timeout_ms / 1000),
            limits=httpx.Limits(max_connections=CONNECTIONS_LIMIT, max_keepalive_connections=CONNECTIONS_LIMIT),
            trust_env=not is_here(account.url),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(self, request: Request) -> Answer:
        """The answer, after up to TRIES_LIMIT tries.

        What was certainly not carried out is tried again (not connected, HTTP 429), and where the request is repeatable
        also what got no answer (timeout, connection lost, 5xx). Raises `ConnectionLost`, and `Unanswered` where nobody
        knows whether the request was carried out.
        """
        for failures in range(1, TRIES_LIMIT + 1):
            await self._await_turn()
            try:
                return await self._once(request)
            except Throttled as error:
                lost: ConnectionLost = error
            except Unanswered as error:
                if not request.repeatable:
                    raise
                lost = error
            except ConnectionLost as error:
                if error.refused:
                    raise
                lost = error
            if failures < TRIES_LIMIT:
                await asyncio.sleep(backoff_ms(failures, False, self._patience, self._chance) / 1000)
        raise lost

    async def _await_turn(self) -> None:
        wait_ns = self._pace.reserve(time.monotonic_ns())
        if wait_ns is None:
            raise ConnectionLost("too many requests: this one was not sent")
        await asyncio.sleep(wait_ns / 1e9)

    async def _once(self, request: Request) -> Answer:
        content = {"Content-Type": "application/json"} if request.body is not None else {}
        asked = self._http.build_request(
            request.method,
            self._account.path(request.path),
            params=request.params,
            content=request.body,
            headers=content,
        )
        if self._http.is_closed:
            raise ConnectionLost("the connection was given up: this request was not sent")
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_MS / 1000):
                response = await self._http.send(asked, stream=True)
                try:
                    body = Body(response.headers.get("Content-Encoding", ""))
                    async for piece in response.aiter_raw():
                        body.receive_data(piece)
                finally:
                    await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ConnectionLost(self._words(error)) from None
        except TimeoutError:
            raise Unanswered("no whole answer within the limit") from None
        except httpx.HTTPError as error:
            raise Unanswered(self._words(error)) from None
        return self._judged(response, body.end())

    def _judged(self, response: httpx.Response, body: bytes) -> Answer:
        status = response.status_code
        wait_ms = retry_after_ms(response.headers.get("Retry-After"), time.time_ns())
        if status == httpx.codes.TOO_MANY_REQUESTS:
            self._hold(THROTTLED_MS if wait_ms is None else wait_ms)
            raise Throttled(str(refusal(status)), refused=True)
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise refusal(status)
        if not 200 <= status < 500 or 300 <= status < 400:
            self._hold(wait_ms or 0)
            raise Unanswered(str(refusal(status)))
        return Answer(status, body)

    def _hold(self, wait_ms: int) -> None:
        self._pace.hold(time.monotonic_ns() + wait_ms * 1_000_000)

    def _words(self, error: Exception) -> str:
        return self._account.without_secrets(f"{type(error).__name__}: {error}")


class Throttled(ConnectionLost):
    """HTTP 429: not carried out, and wanted later."""
