"""Refusals as problem documents (RFC 9457), and which status each of the bus's codes becomes."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from tornado.web import HTTPError

from actors.bus.answers import Refusal
from actors.bus.asking import Away, Declined, NoAnswer

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1

_STATUS = {
    "UNKNOWN_ACCOUNT": 404,
    "UNKNOWN_ORDER": 404,
    "UNKNOWN_POSITION": 404,
    "DUPLICATE_CLIENT_ORDER_ID": 409,
    "UNKNOWN_REQUEST": 404,
    "UNKNOWN_BREAK": 404,
    "UNKNOWN_FILL": 404,
    "REQUEST_DECIDED": 409,
    "SAME_PERSON": 403,
    "UNKNOWN_LP": 404,
    "DUPLICATE_LP": 409,
    "VERSION_MISMATCH": 412,
    "UNKNOWN_FIX_SESSION": 404,
    "FIX_SESSION_UP": 409,
    "UNKNOWN_USER": 404,
    "UNKNOWN_KEY": 404,
    "INSTRUMENT_IN_USE": 409,
    "DUPLICATE_USER": 409,
    "LAST_ADMIN": 409,
    "LOGIN_CHANGED": 409,
    "TOTP_ON": 409,
    "FORBIDDEN": 403,
    "OTP_USED": 401,
    "SESSION_ENDED": 401,
    "REFRESH_REUSED": 401,
    "UNAVAILABLE": 503,
    "JOURNAL_FULL": 503,
    "EXPIRED_REQUEST": 503,
}
"""Codes that are not 422, which says that the request was understood and cannot be carried out."""

_HEADERS = {503: {"Retry-After": str(RETRY_AFTER_S)}, 401: {"WWW-Authenticate": 'Bearer realm="hedgerow"'}}

_FIELD = {
    "UNKNOWN_ACCOUNT": "account_id",
    "UNKNOWN_SYMBOL": "symbol",
    "BAD_CLIENT_ORDER_ID": "client_order_id",
    "DUPLICATE_CLIENT_ORDER_ID": "client_order_id",
    "QUANTITY_OUT_OF_RANGE": "quantity",
    "QUANTITY_STEP": "quantity",
    "INSUFFICIENT_MARGIN": "quantity",
    "PRICE_BOUND": "price_bound",
    "NOTHING_TO_CLOSE": "reduce_only",
}
"""What is at fault where the answer does not say: an order that was rejected carries its code alone."""

_NAME = {"limit": "limit_price", "stop": "stop_price", "bound": "price_bound", "key": "Idempotency-Key"}
"""Fields that the engine calls otherwise."""

_UNKNOWN = "The request was sent and is not answered yet: its outcome is unknown."

_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_NAMED_FIELD = re.compile(r"(?:missing required|contains unknown) field `(?P<name>[^`]+)`")


class Problem(HTTPError):
    """An answer that is no. `detail` is a sentence for a person, `code` a word for a program."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        field: str = "",
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        """`field` names the part of the request that is at fault; `members` are further ones of the document."""
        super().__init__(status)
        self.code = code
        self.detail = detail
        self.field = field
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    def document(self) -> dict[str, Any]:
        """With type about:blank, the title is the status' own phrase (RFC 9457, section 4.2.1)."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status_code).phrase,
            "status": self.status_code,
            "detail": self.detail,
            "code": self.code,
        }
        if self.field:
            document["field"] = self.field
        return document | self.members


def invalid(field: str, detail: str) -> Problem:
    """422: the request is well-formed, and this field of it cannot be."""
    return Problem(422, "INVALID_FIELD", detail, field=field)


def no_nul(field: str = "") -> Problem:
    """PostgreSQL has no text with it: neither the audit log nor the history could take it."""
    return invalid(field, "A text cannot hold the character U+0000.")


def forbidden(detail: str, field: str = "") -> Problem:
    return Problem(403, "FORBIDDEN", detail, field=field)


def unauthorised(detail: str, code: str = "UNAUTHORISED") -> Problem:
    """401, with the challenge that RFC 6750 asks for."""
    return Problem(401, code, detail, headers={"WWW-Authenticate": 'Bearer realm="hedgerow"'})


def unavailable(detail: str) -> Problem:
    return Problem(503, "UNAVAILABLE", detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def too_many(wait_s: int) -> Problem:
    """429 (RFC 6585, section 4)."""
    detail = f"You have asked too often. Please try again in {wait_s} s."
    headers = {"Retry-After": str(wait_s)}
    return Problem(429, "TOO_MANY_REQUESTS", detail, headers=headers, members={"retry_after_s": wait_s})


def key_reused() -> Problem:
    """422 (draft-ietf-httpapi-idempotency-key-header-07, section 2.7)."""
    detail = "Another request was sent under this Idempotency-Key."
    return Problem(422, "IDEMPOTENCY_KEY_REUSED", detail, field="Idempotency-Key")


def starting() -> Problem:
    """While the instruments are not known, no symbol can be said to be unknown."""
    return unavailable("The broker is starting. Please try again in a moment.")


def outcome_unknown(identity: Mapping[str, str]) -> Problem:
    """504: a command was sent and not answered. `identity`: under what it is known, where it has such a thing."""
    name = " under the same client_order_id" if "client_order_id" in identity else ""
    advice = f"Sending it again{name} is safe: it is never carried out twice."
    return Problem(504, "OUTCOME_UNKNOWN", f"{_UNKNOWN} {advice}", members=identity)


def unknown_once() -> Problem:
    """As outcome_unknown, of what is not the same when it is sent again."""
    return Problem(504, "OUTCOME_UNKNOWN", f"{_UNKNOWN} Look what became of it before you send it again.")


def of_code(code: str, detail: str, field: str = "", **members: Any) -> Problem:
    """The problem that one of the codes of actors/domain/refusal.py is."""
    status = _STATUS.get(code, 422)
    headers = _HEADERS.get(status)
    return Problem(status, code, detail, field=field or _FIELD.get(code, ""), headers=headers, members=members)


def of_refusal(refusal: Refusal) -> Problem:
    return of_code(refusal.code, refusal.detail, _NAME.get(refusal.field, refusal.field))


def of_bus(error: Away | NoAnswer | Declined) -> Problem:
    """The problem of a question that got no answer, or a refusal for one. Not for commands: see handling/asking.py."""
    if isinstance(error, Declined):
        return of_refusal(error.refusal)
    return unavailable(f"Please try again in a moment: {error}.")


def of_validation(error: msgspec.ValidationError) -> Problem:
    """What msgspec found wrong with a field, with the field's name taken out of its sentence."""
    text = str(error)
    path = _PATH.search(text)
    sentence = text[: path.start()] if path else text
    named = _NAMED_FIELD.search(sentence)
    field = ".".join(part for part in (path["path"] if path else "", named["name"] if named else "") if part)
    return invalid(field, sentence.replace("`", "'"))
