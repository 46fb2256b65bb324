"""OANDA v20's REST API: requests, answers, and what an answer means for the one who asked. No socket here.

Source: OANDA's v20 OpenAPI document and its development guide: 120 requests a second from one address, HTTP 429 beyond;
a request over an established connection at most 100 times a second. `gateway.venues.oanda.client` sends them.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import quote

import msgspec

from gateway.venues.interface import MALFORMED, ConnectionLost

T = TypeVar("T")

RETRY_AFTER_CAP_MS = 60_000
ANSWER_LIMIT_BYTES = 8 * 1024 * 1024
"""Unpacked: 5000 candles are about 1 MB."""


class Unanswered(ConnectionLost):
    """A request may have reached the LP, and no answer came that can be read: what became of it is unknown.

    A plain `ConnectionLost` means that the request was not carried out.
    """


@dataclass(frozen=True, slots=True)
class Account:
    """Where an account is and what opens it. `url` is the API's host and `stream_url` the stream's, without `/v3`.

    Raises ValueError, without the value, where one cannot be sent.
    """

    url: str
    stream_url: str
    account_id: str = field(repr=False)
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        for name, value in (("account", self.account_id), ("token", self.token)):
            if not value or not (value.isascii() and value.isprintable()) or " " in value:
                raise ValueError(f"the OANDA {name} must be printable ASCII without blanks")

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Datetime-Format": "RFC3339"}

    def path(self, template: str) -> str:
        return "/v3" + template.replace("{account}", quote(self.account_id, safe=""))

    def without_secrets(self, text: str) -> str:
        return text.replace(self.token, "…").replace(self.account_id, "…")


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask. `path` is below `/v3`, with `{account}` in the account's place: no request holds the account.

    `repeatable`: asking twice does no more than asking once, so that the client may ask again when no answer came.
    """

    method: str
    path: str
    params: dict[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    repeatable: bool = True


def csv(names: Sequence[str]) -> str:
    """A list parameter (collectionFormat csv); raises ValueError for none, an empty one or one with a comma."""
    if not names or any(not name or "," in name for name in names):
        raise ValueError("at least one instrument, none of them empty or with a comma")
    return ",".join(names)


class Answer(msgspec.Struct, frozen=True):
    """The LP's answer: of success (2xx), or about the request itself (400, 404 and others below 500).

    A token that is not accepted, a limit that was passed and an LP that is out of order are no answers: they raise.
    """

    status: int
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def read(self, kind: type[T]) -> T:
        """The body; raises `Unanswered` where it is not of this kind."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except MALFORMED:
            raise Unanswered(f"HTTP {self.status}: not the answer that the API describes") from None


class Fault(msgspec.Struct, frozen=True, rename="camel"):
    """What an answer of 4xx says, where it says anything (the document's responses)."""

    error_message: str = ""


def fault_of(answer: Answer) -> Fault:
    try:
        return msgspec.json.decode(answer.body, type=Fault)
    except MALFORMED:
        return Fault()


def retry_after_ms(value: str | None, now_ns: int) -> int | None:
    """A Retry-After header, seconds or a date (RFC 9110, 10.2.3), up to RETRY_AFTER_CAP_MS; None without one."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        wait_ms = int(text[:10]) * 1000
    else:
        try:
            wait_ms = int(parsedate_to_datetime(text).timestamp() * 1000) - now_ns // 1_000_000
        except (ValueError, OverflowError):
            return None
    return min(max(wait_ms, 0), RETRY_AFTER_CAP_MS)


class Body:
    """An answer's body as its pieces come, unpacked. Raises `Unanswered` for what is damaged or beyond the limit."""

    def __init__(self, encoding: str):
        """`encoding`: the Content-Encoding, empty without one."""
        if encoding not in ("", "identity", "gzip"):
            raise Unanswered("the answer is packed in a way that was not asked for")
        self._gzip = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding == "gzip" else None
        self._whole = bytearray()

    def receive_data(self, data: bytes) -> None:
        try:
            self._whole += (
                self._gzip.decompress(data, ANSWER_LIMIT_BYTES + 1 - len(self._whole)) if self._gzip else data
            )
        except zlib.error:
            raise Unanswered("the answer cannot be unpacked") from None
        if len(self._whole) > ANSWER_LIMIT_BYTES:
            raise Unanswered(f"the answer is longer than {ANSWER_LIMIT_BYTES} bytes")

    def end(self) -> bytes:
        if self._gzip and self._whole and not self._gzip.eof:
            raise Unanswered("the answer is cut off")
        return bytes(self._whole)
