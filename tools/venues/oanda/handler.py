"""What every address of the simulated OANDA does: the token, the account, errors in v20's words."""

import hmac
import re
import time
from collections.abc import Iterable
from itertools import count
from typing import Any

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from tools.venues.oanda.instruments import INSTRUMENTS
from tools.venues.oanda.state import State
from tools.venues.oanda.wire import date_time, in_unix_times
from tools.venues.subscriber import Subscriber

_ACCOUNT = re.compile(r"\d{3}-\d{3}-\d{1,12}-\d{3}", re.ASCII)


class Handler(RequestHandler):
    """Errors as the document has them: a JSON object with an errorMessage."""

    _request_ids = count(1)

    def initialize(self, venue: State) -> None:
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

    @property
    def unix(self) -> bool:
        """Whether the client wants times in seconds since 1970."""
        return self.request.headers.get("Accept-Datetime-Format") == "UNIX"

    def now(self) -> str:
        return date_time(time.time_ns(), self.unix)

    def rfc3339(self) -> str:
        """The time as the account's record has it."""
        return date_time(time.time_ns(), unix=False)

    def shown(self, answer: dict[str, Any]) -> dict[str, Any]:
        """What is from the record, with times in the form that the client wants."""
        return in_unix_times(answer) if self.unix else answer

    def named_instruments(self) -> list[str] | None:
        """The `instruments` parameter, None where it was not given; an unknown one is a bad request."""
        text = self.get_query_argument("instruments", None)
        if text is None:
            return None
        names = list(dict.fromkeys(text.split(",")))
        if not set(names).issubset(INSTRUMENTS):
            raise HTTPError(400, reason="Invalid value specified for 'instruments'")
        return names

    def asked_instruments(self) -> list[str]:
        """The same, where it is required."""
        names = self.named_instruments()
        if not names:
            raise HTTPError(400, reason="Invalid value specified for 'instruments'")
        return names

    def check_account(self, account: str, unknown_status: int = 404) -> None:
        if account == self.venue.account:
            return
        if not _ACCOUNT.fullmatch(account):
            raise HTTPError(400, reason="Invalid value specified for 'accountID'")
        raise HTTPError(unknown_status, reason="The account does not exist or is not yours")


class StreamHandler(Handler):
    """An answer that goes on for as long as the client reads it."""

    subscriber: Subscriber | None = None

    def subscribe(self, names: Iterable[str] = ()) -> Subscriber:
        self.subscriber = Subscriber(names, self.cut, self.venue.buffer_limit_bytes)
        self.set_header("Content-Type", "application/octet-stream")
        return self.subscriber

    async def write_lines(self, subscriber: Subscriber) -> None:
        try:
            await self.flush()
            while lines := await subscriber.take():
                self.write(b"".join(lines))
                await self.flush()
        except StreamClosedError:
            pass
        finally:
            subscriber.close()

    def on_connection_close(self) -> None:
        if self.subscriber:
            self.subscriber.close()

    def cut(self) -> None:
        if isinstance(self.request.connection, HTTP1Connection):
            self.request.connection.stream.close()


class UnknownHandler(Handler):
    def prepare(self) -> None:
        raise HTTPError(404, reason="No such resource")
