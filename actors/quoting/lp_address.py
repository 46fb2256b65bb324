"""Where an LP is: as its entry in the registry says, or as the environment says, or the simulated LP of `make run`."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from actors.domain.prices.lp_registry import Lp
from config import settings as config
from config.settings import Settings
from gateway.venues import discovery
from gateway.venues.interface import (
    Adapter,
    BadSettings,
    ConnectionLost,
    Events,
    Parser,
    Patience,
    Stream,
    Tap,
    Venue,
    VenueInstrument,
)

SIMULATED = ("binance", "oanda")
"""The adapters whose LPs `tools.venues` simulates."""
SIMULATED_PER_STREAM = 100

_SECRETS = {"account_env": "account", "token_env": "token"}


def venue_of(lp: Lp, settings: Settings) -> Venue:
    """Raises `BadSettings`."""
    adapter = discovery.adapter(lp.adapter)
    patience = Patience(silence_timeout_ms=lp.silence_timeout_ms)
    if lp.adapter in SIMULATED and "url" not in lp.settings:
        given = _of_environment(lp.adapter, settings)
        if given is None:
            return SimulatedVenue(adapter, lp, settings.venues_file, patience)
        return adapter({**given, **lp.settings}, _secret, patience)
    return adapter(lp.settings, _secret, patience)


def _of_environment(adapter: str, settings: Settings) -> dict[str, object] | None:
    if adapter == "binance":
        return {"url": settings.binance_url} if settings.binance_url is not None else None
    if settings.oanda_url is None:
        return None
    if settings.oanda_account is None or settings.oanda_token is None:
        raise BadSettings("HEDGEROW_OANDA_URL needs HEDGEROW_OANDA_ACCOUNT and HEDGEROW_OANDA_TOKEN beside it")
    return {
        "url": settings.oanda_url,
        "account_env": "HEDGEROW_OANDA_ACCOUNT",
        "token_env": "HEDGEROW_OANDA_TOKEN",
    }


def _secret(name: str) -> str:
    value = config.secret(name)
    if value is None:
        raise BadSettings(f"the environment variable {name} is not set")
    return value


class SimulatedVenue:
    """A simulated LP, wherever it listens now: the venues process writes that down at its start."""

    def __init__(self, adapter: Adapter, lp: Lp, addresses: Path, patience: Patience) -> None:
        self._adapter = adapter
        self._lp = lp
        self._addresses = addresses
        self._patience = patience
        self.instruments_per_stream = SIMULATED_PER_STREAM

    def stream(self, instruments: Sequence[str], tap: Tap | None = None) -> Stream:
        return _SimulatedStream(self.found, instruments, tap)

    def parser(self) -> Parser:
        return discovery.parser_of(self._lp.adapter, self._lp.settings)()

    async def instruments(self) -> dict[str, VenueInstrument] | None:
        return await self.found().instruments()

    def found(self) -> Venue:
        """As it is now; raises `ConnectionLost`."""
        try:
            address: dict[str, str] = json.loads(self._addresses.read_text(encoding="utf-8"))[self._lp.adapter]
            plain = {name: value for name, value in address.items() if name not in _SECRETS.values()}
            settings: Mapping[str, object] = {**plain, **_SECRETS, **self._lp.settings}
            return self._adapter(settings, lambda name: address[name], self._patience)
        except BadSettings as error:
            raise ConnectionLost(f"settings: {error}") from None
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            raise ConnectionLost("the simulated LPs are not up yet") from None


class _SimulatedStream:
    """Looks for the LP at each connect."""

    def __init__(self, find: Callable[[], Venue], instruments: Sequence[str], tap: Tap | None) -> None:
        self._find = find
        self._instruments = instruments
        self._tap = tap
        self._stream: Stream | None = None

    def open(self) -> AbstractAsyncContextManager[Events]:
        self._stream = self._find().stream(self._instruments, self._tap)
        return self._stream.open()

    async def change(self, instruments: Sequence[str]) -> bool:
        self._instruments = instruments
        return self._stream is not None and await self._stream.change(instruments)
