"""What an LP's adapter is: a few small protocols, and what everyone who speaks with an LP needs.

An adapter is found by its name among the entry points of the group `hedgerow.venues`; docs/venues.md shows one in a
package of its own. It knows its LP's protocol and nothing of ours but the words of `gateway.venues.events`.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from gateway.venues.events import VenueEvent

DETAIL_LIMIT_CHARS = 160
MALFORMED = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What msgspec raises at bytes that are not the JSON that is wanted."""

Events = AsyncIterator[list[VenueEvent]]
Parser = Callable[[bytes], list[VenueEvent]]
"""Takes one connection's bytes in, cut as they came (a WebSocket: message by message); gives events, raises nothing."""
Tap = Callable[[bytes], None]
"""Is shown each piece of a connection before it is parsed; b"" says that a connection has opened."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection waits. Silence is the time without a byte (HTTP) or without a pong (WebSocket)."""

    connect_timeout_ms: int = 10_000
    silence_timeout_ms: int = 12_000
    backoff_first_ms: int = 250
    backoff_cap_ms: int = 30_000


class ConnectionLost(Exception):
    """Not connected, or no longer; the text is one short line without secrets.

    `refused`: the LP said no (4xx), and will say so again until somebody acts.
    """

    def __init__(self, detail: str, refused: bool = False):
        super().__init__("".join(c if c.isprintable() else " " for c in detail)[:DETAIL_LIMIT_CHARS])
        self.refused = refused


class Stream(Protocol):
    """The prices of some of an LP's instruments, on one connection."""

    def open(self) -> AbstractAsyncContextManager[Events]:
        """Connect once, with a new parser: the events of each chunk that comes, until the LP ends the stream.

        Both connecting and reading may raise `ConnectionLost`.
        """
        ...

    async def change(self, instruments: Sequence[str]) -> bool:
        """From now on these instruments.

        True: subscribed and unsubscribed on the living connection. False: they hold from the next `open` on, and the
        caller opens anew. Raises ValueError as `Venue.stream` does, and `ConnectionLost`.
        """
        ...


@dataclass(frozen=True, slots=True)
class VenueInstrument:
    """What the LP says of one of its instruments; None where it does not say."""

    name: str
    price_digits: int | None = None
    quantity_min_e8: int | None = None
    quantity_max_e8: int | None = None
    margin_rate_e8: int | None = None
    price_step_e8: int | None = None
    quantity_step_e8: int | None = None
    pip_e8: int | None = None
    contract_e8: int | None = None
    """How many units a quantity of 1 is there."""


class Venue(Protocol):
    """One LP, as its settings name it."""

    instruments_per_stream: int
    """The LP's own limit; more are split over several streams."""

    def stream(self, instruments: Sequence[str], tap: Tap | None = None) -> Stream:
        """A stream of these, not connected yet. Raises ValueError where the LP cannot be asked for one of them."""
        ...

    def parser(self) -> Parser:
        """What each connection's bytes go through, new for each: a recording is played back through it."""
        ...

    async def instruments(self) -> dict[str, VenueInstrument] | None:
        """What the LP lists, by name; None where it has no list. Raises `ConnectionLost`."""
        ...


class BadSettings(ValueError):
    """The LP's settings are not what the adapter needs; one sentence for the operator, without secrets."""


class Adapter(Protocol):
    """What an entry point names."""

    def __call__(self, settings: Mapping[str, object], secret: Callable[[str], str], patience: Patience) -> Venue:
        """The LP of these settings (its entry in the registry, as JSON has it); raises `BadSettings`.

        Secrets are not in the settings but named there: `secret(name)` gives the value, or raises `BadSettings`.
        """
        ...


_REFUSALS = {
    400: "the LP does not understand the request: are the instruments right?",
    401: "the LP does not accept the token",
    403: "the LP forbids it: is the token allowed to use this account?",
    404: "the LP knows no such account or address",
    418: "the LP has banned this address for too many requests",
    429: "too many requests or connections",
    451: "the LP does not serve this place",
}


def refusal(status: int) -> ConnectionLost:
    words = _REFUSALS.get(status, "the LP is out of order" if status >= 500 else "not the answer of a stream")
    return ConnectionLost(f"HTTP {status}: {words}", refused=400 <= status < 500)


def is_here(url: str) -> bool:
    """On this machine: a proxy that the environment names is for the way out."""
    return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")
