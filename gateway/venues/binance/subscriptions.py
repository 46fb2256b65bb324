"""What one connection to Binance is subscribed to, brought to what is wanted and verified, without a socket.

Source: Binance's "WebSocket Streams" for spot, "Live Subscribing/Unsubscribing to streams" and "Websocket Limits": 5
incoming messages a second (pings and pongs count too), 1,024 streams a connection; beyond them it disconnects.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from gateway.venues.amount import INSTRUMENT_LIMIT_CHARS
from gateway.venues.binance.prices import BOOK_TICKER, DEPTH
from gateway.venues.interface import MALFORMED, ConnectionLost

STREAMS_LIMIT = 1024
REQUESTS_PER_SECOND, REQUESTS_BURST = 1, 2
"""With our pings and pongs that stays below Binance's 5 messages in any one second."""
NAMES_PER_REQUEST = 200
REPLY_LIMIT_MS = 10_000
VERIFICATIONS_LIMIT = 3
"""So often the list may differ from what was accepted before the connection is given up."""

Method = Literal["SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS"]


class Request(msgspec.Struct, frozen=True):
    id: int
    method: Method
    params: list[str]


class Reply(msgspec.Struct, frozen=True):
    """What answers the request of this id; `refusal` is the LP's sentence where it does not obey."""

    id: int | None
    result: list[str] | None
    refusal: str | None


class Shutdown(msgspec.Struct, frozen=True):
    """The LP's `serverShutdown`: the connection will be closed within minutes."""


def stream_names(instruments: Iterable[str], depth: bool) -> frozenset[str]:
    """The streams of these instruments; raises ValueError where they cannot be subscribed to on one connection."""
    suffixes = (BOOK_TICKER, DEPTH) if depth else (BOOK_TICKER,)
    names = list(instruments)
    for name in names:
        if not (name.isascii() and name.isalnum() and len(name) <= INSTRUMENT_LIMIT_CHARS):
            raise ValueError(f"{name[:INSTRUMENT_LIMIT_CHARS]!r} is no Binance symbol")
    streams = frozenset(name.lower() + suffix for name in names for suffix in suffixes)
    if not 0 < len(streams) <= STREAMS_LIMIT:
        raise ValueError(f"Binance takes 1 to {STREAMS_LIMIT} streams on a connection, not {len(streams)}")
    return streams


def notice(message: bytes) -> Reply | Shutdown | None:
    """What a message says of the connection itself; None: it is something else, or garbage."""
    try:
        said = msgspec.json.decode(message)
    except MALFORMED:
        return None
    if not isinstance(said, dict):
        return None
    for event in (said, said.get("data"), said.get("event")):
        if isinstance(event, dict) and event.get("e") == "serverShutdown":
            return Shutdown()
    number = said.get("id")
    request_id = number if isinstance(number, int) else None
    error = said.get("error", said if "code" in said else None)
    if isinstance(error, dict):
        return Reply(request_id, None, str(error.get("msg")))
    if "result" not in said:
        return None
    result = said["result"]
    if isinstance(result, list):
        return Reply(request_id, [str(name) for name in result], None)
    return Reply(request_id, None, None if result is None else "not the answer to a subscription")


class Subscriptions:
    """Asks for what is missing, withdraws what is too much, and then lets the LP list what there is: one request after
    another, each when the one before is answered.
    """

    def __init__(self, wanted: frozenset[str]):
        self._wanted = wanted
        self._held: set[str] = set()
        self._verified = False
        self._differences = 0
        self._asked: Request | None = None
        self._last_id = 0
        self._valid_after_id = 0
        """A list that was asked for by this request or an earlier one says nothing of what is wanted now."""

    @property
    def settled(self) -> bool:
        """The LP's own list has been what is wanted, and nothing has changed since."""
        return self._verified and self._asked is None and self._held == self._wanted

    def want(self, wanted: frozenset[str]) -> None:
        self._wanted = wanted
        self._differences = 0
        self.verify()

    def verify(self) -> None:
        """Have it listed once more: the answer comes behind all that the LP has sent until then."""
        self._verified = False
        self._valid_after_id = self._last_id

    def awaits(self, request: Request) -> bool:
        """The request is not answered yet."""
        return self._asked is request

    def next_request(self) -> Request | None:
        """What to send now; None: nothing, or the last request is not answered yet."""
        if self._asked is None:
            if surplus := sorted(self._held - self._wanted):
                self._ask("UNSUBSCRIBE", surplus[:NAMES_PER_REQUEST])
            elif missing := sorted(self._wanted - self._held):
                self._ask("SUBSCRIBE", missing[:NAMES_PER_REQUEST])
            elif not self._verified:
                self._ask("LIST_SUBSCRIPTIONS", [])
            return self._asked
        return None

    def receive_reply(self, reply: Reply) -> None:
        """An answer to nothing that was asked changes nothing. Raises `ConnectionLost` where the LP does not obey."""
        asked = self._asked
        if asked is None or reply.id not in (asked.id, None):
            return
        if reply.refusal is not None:
            raise ConnectionLost(f"Binance refuses {asked.method}: {reply.refusal}", refused=True)
        if reply.id is None:
            return
        self._asked = None
        if asked.method == "SUBSCRIBE":
            self._held.update(asked.params)
        elif asked.method == "UNSUBSCRIBE":
            self._held.difference_update(asked.params)
        else:
            self._held = set(reply.result or ())
            if asked.id > self._valid_after_id:
                self._compare(self._held)

    def _compare(self, listed: set[str]) -> None:
        """Where what the LP lists is not what is wanted the requests begin again."""
        self._verified = listed == self._wanted
        if not self._verified:
            self._differences += 1
            if self._differences > VERIFICATIONS_LIMIT:
                missing, surplus = len(self._wanted - listed), len(listed - self._wanted)
                raise ConnectionLost(f"Binance lists other subscriptions: {missing} missing, {surplus} too many")

    def _ask(self, method: Method, names: list[str]) -> None:
        self._last_id += 1
        self._asked = Request(self._last_id, method, names)
