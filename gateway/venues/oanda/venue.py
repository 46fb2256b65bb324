"""OANDA v20 as a venue. Its settings:

- `url`: the stream's host, https://stream-fxtrade.oanda.com or https://stream-fxpractice.oanda.com;
- `api_url`: the REST API's host; without it that of the same environment (`api-` for `stream-`);
- `account_env` and `token_env`: the names of the secrets. Neither is shown anywhere.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from urllib.parse import urlsplit

from gateway.venues.interface import BadSettings, Parser, Patience, Tap, VenueInstrument, refusal
from gateway.venues.oanda.candles import Page, fetch_candles
from gateway.venues.oanda.client import Client
from gateway.venues.oanda.instruments import instruments_request, parse_instruments
from gateway.venues.oanda.pricing import OandaPriceStream
from gateway.venues.oanda.rest import Account
from gateway.venues.oanda.stream import OandaStream, connection_pace

INSTRUMENTS_PER_STREAM = 200
"""OANDA names no limit but 20 streams from one address. So many of 32 characters fit into a request line of 8,000
octets, which is what a server should at least take (RFC 9112, 3)."""


class OandaVenue:
    """One account's prices. Account and token stay out of its `repr`."""

    instruments_per_stream = INSTRUMENTS_PER_STREAM

    def __init__(self, account: Account, patience: Patience):
        self._account = account
        self._patience = patience
        self._pace = connection_pace()

    def stream(self, instruments: Sequence[str], tap: Tap | None = None) -> OandaStream:
        return OandaStream(self._account, instruments, self._patience, tap, self._pace)

    def parser(self) -> Parser:
        return OandaPriceStream().receive_data

    async def instruments(self) -> dict[str, VenueInstrument] | None:
        async with Client(self._account, self._patience) as client:
            answer = await client.ask(instruments_request())
        if not answer.is_success:
            raise refusal(answer.status)
        return parse_instruments(answer)

    async def candles(self, instrument: str, start_ns: int, end_ns: int) -> AsyncGenerator[Page, None]:
        """Its minutes, a page at a time; raises `ConnectionLost`, and what was given before is good."""
        async with (
            Client(self._account, self._patience) as client,
            aclosing(fetch_candles(client, instrument, start_ns, end_ns)) as fetched,
        ):
            async for page in fetched:
                yield page


def account_of(settings: Mapping[str, object], secret: Callable[[str], str]) -> Account:
    """Raises `BadSettings`."""
    url, account_env, token_env = (_text(settings, name) for name in ("url", "account_env", "token_env"))
    api_url = _text(settings, "api_url") if "api_url" in settings else url.replace("://stream-", "://api-", 1)
    for name, address in (("url", url), ("api_url", api_url)):
        if not _is_address(address):
            raise BadSettings(f"OANDA: {name} is no http:// or https:// address of a host")
    try:
        return Account(api_url, url, secret(account_env), secret(token_env))
    except BadSettings:
        raise
    except ValueError as error:
        raise BadSettings(str(error)) from None


def adapter(settings: Mapping[str, object], secret: Callable[[str], str], patience: Patience) -> OandaVenue:
    return OandaVenue(account_of(settings, secret), patience)


def _text(settings: Mapping[str, object], name: str) -> str:
    value = settings.get(name)
    if not isinstance(value, str):
        raise BadSettings(f"OANDA needs {name}, a text")
    return value


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
