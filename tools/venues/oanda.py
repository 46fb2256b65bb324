"""A simulated OANDA: the part of v20's REST API that a price feed needs, as OANDA's OpenAPI document describes it.

Beyond the document: a price is sent for every tick, where OANDA sends at most four a second, so that what a recording
holds arrives downstream to the last row. Times are stamped when sent. Liquidity is a constant; recordings have none.
"""

import hmac
import json
import re
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from tools.venues.market import Market, Play
from tools.venues.subscriber import BUFFER_LIMIT_BYTES, Subscriber, room

HEARTBEAT_INTERVAL_MS = 5_000
LIQUIDITY_UNITS = {"BTC": 10}
DEFAULT_LIQUIDITY_UNITS = 1_000_000
INSTRUMENTS = (
    *("EUR_USD", "GBP_USD", "USD_JPY", "USD_CHF", "AUD_USD", "USD_CAD", "NZD_USD", "EUR_GBP", "EUR_JPY", "EUR_CHF"),
    *("AUD_CAD", "AUD_CHF", "AUD_JPY", "AUD_NZD", "CAD_CHF", "EUR_CAD", "GBP_CHF", "BTC_USD"),
)
_ACCOUNT = re.compile(r"\d{3}-\d{3}-\d{1,12}-\d{3}", re.ASCII)


class OandaVenue:
    """The server's state: its play of the market and the clients of its price stream."""

    def __init__(
        self,
        market: Market,
        account: str,
        token: str,
        *,
        heartbeat_interval_ms: int = HEARTBEAT_INTERVAL_MS,
        buffer_limit_bytes: int = BUFFER_LIMIT_BYTES,
    ):
        self.account = account
        self.token = token
        self.buffer_limit_bytes = buffer_limit_bytes
        self.subscribers: dict[Subscriber, bool] = {}
        """Each client, and whether it wants UNIX times."""
        self.latest: dict[str, tuple[str, str]] = {}
        names = {name.replace("_", ""): name for name in INSTRUMENTS}
        self.play = Play(market, names, self._show, self._room)
        self._heartbeat = PeriodicCallback(self._beat, heartbeat_interval_ms)
        self._server = HTTPServer(self._application())

    def listen(self, host: str, port: int) -> int:
        """Serve; returns the port, which the system chooses where `port` is 0."""
        sockets = bind_sockets(port, host)
        self._server.add_sockets(sockets)
        self._heartbeat.start()
        bound: int = sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        self._heartbeat.stop()
        self._server.stop()
        await self.play.close()
        for subscriber in list(self.subscribers):
            subscriber.drop()
        await self._server.close_all_connections()

    def _application(self) -> Application:
        account = r"/v3/accounts/([^/]+)"
        return Application(
            [
                (r"/v3/accounts", AccountsHandler, {"venue": self}),
                (account + "/instruments", InstrumentsHandler, {"venue": self}),
                (account + "/pricing/stream", PricingStreamHandler, {"venue": self}),
            ],
            default_handler_class=UnknownHandler,
            default_handler_args={"venue": self},
            log_function=lambda handler: None,
        )

    def _show(self, name: str, bid: str, ask: str) -> None:
        self.latest[name] = bid, ask
        now_ns = time.time_ns()
        lines: dict[bool, bytes] = {}
        for subscriber, unix in list(self.subscribers.items()):
            if name in subscriber.instruments:
                line = lines.get(unix)
                if line is None:
                    line = lines[unix] = _line(client_price(name, bid, ask, date_time(now_ns, unix)))
                subscriber.put(line)

    def _beat(self) -> None:
        now_ns = time.time_ns()
        for subscriber, unix in list(self.subscribers.items()):
            subscriber.put(_line({"type": "HEARTBEAT", "time": date_time(now_ns, unix)}))

    def _room(self) -> Awaitable[None]:
        return room(self.subscribers.keys())


def date_time(now_ns: int, unix: bool) -> str:
    """A DateTime, in the form that Accept-Datetime-Format asks for."""
    second, nanos = divmod(now_ns, 1_000_000_000)
    if unix:
        return f"{second}.{nanos:09}"
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09}Z"


def client_price(name: str, bid: str, ask: str, now: str) -> dict[str, Any]:
    """A ClientPrice with one bucket a side."""
    liquidity = LIQUIDITY_UNITS.get(name[:3], DEFAULT_LIQUIDITY_UNITS)
    return {
        "type": "PRICE",
        "time": now,
        "bids": [{"price": bid, "liquidity": liquidity}],
        "asks": [{"price": ask, "liquidity": liquidity}],
        "closeoutBid": bid,
        "closeoutAsk": ask,
        "status": "tradeable",
        "tradeable": True,
        "instrument": name,
    }


def instrument(name: str) -> dict[str, Any]:
    """An Instrument, with round limits of the kind that OANDA has."""
    coin, yen = name.startswith("BTC"), name.endswith("_JPY")
    pip = 0 if coin else -2 if yen else -4
    return {
        "name": name,
        "type": "CFD" if coin else "CURRENCY",
        "displayName": name.replace("_", "/"),
        "pipLocation": pip,
        "displayPrecision": 2 if coin else 1 - pip,
        "tradeUnitsPrecision": 2 if coin else 0,
        "minimumTradeSize": "0.01" if coin else "1",
        "maximumTrailingStopDistance": "10000.00" if coin else "100.000" if yen else "1.00000",
        "minimumTrailingStopDistance": "10.00" if coin else "0.050" if yen else "0.00050",
        "maximumPositionSize": "0",
        "maximumOrderUnits": "100" if coin else "100000000",
        "marginRate": "0.5" if coin else "0.0333",
    }


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class _Handler(RequestHandler):
    """Errors as the document has them: a JSON object with an errorMessage."""

    _request_ids = count(1)

    def initialize(self, venue: OandaVenue) -> None:
        self.venue = venue

    def set_default_headers(self) -> None:
        self.set_header("RequestID", str(next(self._request_ids)))
        self.set_header("Content-Type", "application/json")

    def prepare(self) -> None:
        given = self.request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.venue.token}".encode()):
            raise HTTPError(401, reason="Insufficient authorization to perform request.")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish({"errorMessage": self._reason})

    def named_instruments(self) -> list[str] | None:
        """The `instruments` parameter, None where it was not given; an unknown one is a bad request."""
        text = self.get_query_argument("instruments", None)
        if text is None:
            return None
        names = list(dict.fromkeys(text.split(",")))
        if not set(names).issubset(INSTRUMENTS):
            raise HTTPError(400, reason="Invalid value specified for 'instruments'")
        return names

    def check_account(self, account: str, unknown_status: int) -> None:
        if account == self.venue.account:
            return
        if not _ACCOUNT.fullmatch(account):
            raise HTTPError(400, reason="Invalid value specified for 'accountID'")
        raise HTTPError(unknown_status, reason="The account does not exist or is not yours")


class UnknownHandler(_Handler):
    def prepare(self) -> None:
        raise HTTPError(404, reason="No such resource")


class AccountsHandler(_Handler):
    def get(self) -> None:
        self.write({"accounts": [{"id": self.venue.account, "tags": []}]})


class InstrumentsHandler(_Handler):
    def get(self, account: str) -> None:
        self.check_account(account, unknown_status=400)  # The document has no 404 here.
        names = self.named_instruments()
        chosen = INSTRUMENTS if names is None else names
        self.write({"instruments": [instrument(name) for name in chosen], "lastTransactionID": "1"})


class PricingStreamHandler(_Handler):
    subscriber: Subscriber | None = None

    async def get(self, account: str) -> None:
        self.check_account(account, unknown_status=404)
        names = self.named_instruments()
        if not names:
            raise HTTPError(400, reason="Invalid value specified for 'instruments'")
        venue = self.venue
        unix = self.request.headers.get("Accept-Datetime-Format") == "UNIX"
        subscriber = self.subscriber = Subscriber(names, self._cut, venue.buffer_limit_bytes)
        self.set_header("Content-Type", "application/octet-stream")
        if self.get_query_argument("snapshot", "true").lower() != "false":
            now = date_time(time.time_ns(), unix)
            for name in names:
                if name in venue.latest:
                    subscriber.put(_line(client_price(name, *venue.latest[name], now)))
        venue.subscribers[subscriber] = unix
        venue.play.begin()
        try:
            await self.flush()
            while lines := await subscriber.take():
                self.write(b"".join(lines))
                await self.flush()
        except StreamClosedError:
            pass
        finally:
            subscriber.close()
            del venue.subscribers[subscriber]

    def on_connection_close(self) -> None:
        if self.subscriber:
            self.subscriber.close()

    def _cut(self) -> None:
        if isinstance(self.request.connection, HTTP1Connection):
            self.request.connection.stream.close()
