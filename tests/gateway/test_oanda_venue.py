"""OANDA as a venue: its settings, its list of instruments and its streams, against the simulated OANDA."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from gateway.venues.events import VenueQuote
from gateway.venues.interface import BadSettings, ConnectionLost, Patience
from gateway.venues.oanda.candles import MINUTE_NS
from gateway.venues.oanda.rest import Account
from gateway.venues.oanda.stream import OandaStream
from gateway.venues.oanda.venue import OandaVenue, account_of, adapter
from tests.gateway.raw_server import answer, raw_server
from tools.venues.market import Market
from tools.venues.oanda import INSTRUMENTS
from tools.venues.oanda import OandaVenue as Simulated

SECRETS = {"A": "101-001-1000001-001", "T": "token-of-the-test"}
NAMES = {"account_env": "A", "token_env": "T"}
PATIENCE = Patience(60_000, 60_000, backoff_first_ms=1, backoff_cap_ms=2)
WEDNESDAY_NS = 1_763_553_600 * 10**9
WAIT_LIMIT_S = 90


def secret(name: str) -> str:
    if name not in SECRETS:
        raise BadSettings(f"the environment variable {name} is not set")
    return SECRETS[name]


@contextlib.asynccontextmanager
async def simulated(token: str = SECRETS["T"]) -> AsyncIterator[OandaVenue]:
    venue = Simulated(Market(), SECRETS["A"], token)
    try:
        url = f"http://127.0.0.1:{venue.listen('127.0.0.1', 0)}"
        yield adapter({"url": url, **NAMES}, secret, PATIENCE)
    finally:
        await venue.close()


@pytest.mark.parametrize(
    ("settings", "api_url"),
    [
        ({"url": "https://stream-fxtrade.oanda.com"}, "https://api-fxtrade.oanda.com"),
        ({"url": "http://127.0.0.1:80"}, "http://127.0.0.1:80"),
        ({"url": "https://a.example", "api_url": "https://b.example"}, "https://b.example"),
    ],
)
def test_settings(settings: dict[str, object], api_url: str) -> None:
    expected = Account(api_url, str(settings["url"]), SECRETS["A"], SECRETS["T"])
    assert account_of({**settings, **NAMES}, secret) == expected
    assert not any(value in repr(expected) for value in SECRETS.values())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "OANDA needs url, a text"),
        ({"url": "https://x", "token_env": "T"}, "OANDA needs account_env, a text"),
        ({"url": "https://x", "account_env": "A", "token_env": 1}, "OANDA needs token_env, a text"),
        ({"url": "ftp://x", **NAMES}, "url is no http"),
        ({"url": "https://", **NAMES}, "url is no http"),
        ({"url": "https://x:99999", **NAMES}, "url is no http"),
        ({"url": "https://x", "api_url": "x", **NAMES}, "api_url is no http"),
        ({"url": "https://x", "account_env": "NO", "token_env": "T"}, "the environment variable NO is not set"),
    ],
)
def test_settings_that_will_not_do(settings: dict[str, object], words: str) -> None:
    with pytest.raises(BadSettings, match=words):
        adapter(settings, secret, PATIENCE)


def test_what_the_lp_lists() -> None:
    async def main() -> None:
        async with simulated() as venue:
            listed = await venue.instruments()
        assert listed is not None
        assert tuple(listed) == INSTRUMENTS
        assert (listed["EUR_USD"].price_digits, listed["EUR_USD"].pip_e8) == (5, 10_000)
        async with simulated("another") as venue:
            with pytest.raises(ConnectionLost, match="HTTP 401: the LP does not accept the token"):
                await venue.instruments()

    asyncio.run(main())


def test_a_stream_carries_what_it_was_asked_for_last() -> None:
    async def main() -> None:
        async with simulated() as venue:
            stream = venue.stream(["EUR_USD"])
            assert await names_of(stream) == {"EUR_USD"}
            assert not await stream.change(["USD_JPY", "BTC_USD"])
            assert await names_of(stream) <= {"USD_JPY", "BTC_USD"}

    async def names_of(stream: OandaStream) -> set[str]:
        async with asyncio.timeout(WAIT_LIMIT_S), stream.open() as chunks:
            async for events in chunks:
                if names := {event.instrument for event in events if isinstance(event, VenueQuote)}:
                    return names
        return set()

    asyncio.run(main())


def test_candles_come_page_by_page() -> None:
    async def main() -> None:
        async with simulated() as venue:
            end_ns = WEDNESDAY_NS + 6_000 * MINUTE_NS
            pages = [page async for page in venue.candles("BTC_USD", WEDNESDAY_NS, end_ns)]
        assert [len(page.candles) for page in pages] == [5_000, 1_000]
        starts = [candle.start_ns for page in pages for candle in page.candles]
        assert starts == list(range(WEDNESDAY_NS, end_ns, MINUTE_NS))
        assert {page.dropped for page in pages} == {0}

    asyncio.run(main())


def test_streams_of_one_account_connect_two_a_second_and_wait_when_they_are_told_to() -> None:
    async def main() -> None:
        async with raw_server(answer(429, b"{}", "Retry-After: 1")) as server:
            venue = adapter({"url": server.url, **NAMES}, secret, PATIENCE)
            loop = asyncio.get_running_loop()
            began = loop.time()
            for _ in range(2):
                with pytest.raises(ConnectionLost, match="HTTP 429: too many requests or connections") as refused:
                    async with venue.stream(["EUR_USD"]).open():
                        pass
                assert refused.value.refused
            assert loop.time() - began >= 1

    asyncio.run(main())
