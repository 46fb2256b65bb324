"""OANDA v20 as a venue. Settings: `url` (the stream's host), `account`, and `token_env`, the name of the token."""

from collections.abc import Callable, Mapping, Sequence

from gateway.venues.interface import BadSettings, Parser, Patience, Tap, VenueInstrument
from gateway.venues.oanda.pricing import OandaPriceStream, PricingStreamRequest, pricing_stream_request
from gateway.venues.oanda.stream import OandaStream

INSTRUMENTS_PER_STREAM = 100


class OandaVenue:
    """Account and token stay out of its `repr`."""

    instruments_per_stream = INSTRUMENTS_PER_STREAM

    def __init__(self, url: str, account: str, token: str, patience: Patience):
        self._url = url
        self._account = account
        self._token = token
        self._patience = patience

    def stream(self, instruments: Sequence[str], tap: Tap | None = None) -> OandaStream:
        return OandaStream(self._request, instruments, self._patience, tap)

    def parser(self) -> Parser:
        return OandaPriceStream().receive_data

    async def instruments(self) -> dict[str, VenueInstrument] | None:
        return None

    def _request(self, instruments: Sequence[str]) -> PricingStreamRequest:
        return pricing_stream_request(self._url, self._account, self._token, instruments)


def adapter(settings: Mapping[str, object], secret: Callable[[str], str], patience: Patience) -> OandaVenue:
    url, account, token_env = (settings.get(name) for name in ("url", "account", "token_env"))
    if not (isinstance(url, str) and isinstance(account, str) and isinstance(token_env, str)):
        raise BadSettings("OANDA needs url, account and token_env, each a text")
    return OandaVenue(url, account, secret(token_env), patience)
