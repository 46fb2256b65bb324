"""What a handler's method takes and answers: the one source of what is checked, and of what spec/openapi.py says."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from tornado.web import RequestHandler

from web.payloads.schema import NoParameters, Request

F = TypeVar("F", bound=Callable[..., Any])

JSON = "application/json"

QUESTION = frozenset({404, 503})
"""Problems of what is asked of another process."""
COMMAND = QUESTION | {409, 504}
"""Problems of what another process is to do."""


class Contract(NamedTuple):
    """Problems that any request may have (400, 413, 422, 429, and of a token 401 and 403) need not be named."""

    summary: str
    answers: Mapping[int, Any]
    """By status the type of the body; None: there is none."""
    parameters: type[Request]
    body: type[Request] | None
    problems: frozenset[int]
    keyed: bool
    """Takes an Idempotency-Key."""
    needs_key: bool
    """Takes nothing without one."""
    tagged: bool
    """Answers have an ETag, and If-None-Match is heeded."""
    media: tuple[str, ...]
    """Of the answers."""
    example: Mapping[str, Any] | None
    """Of the body."""
    headers: Mapping[str, str]
    """What the request may have further, by name, and what it means."""
    terms: Any
    """What the body's `terms` may have, where they are checked field by field."""


def contract(
    summary: str,
    answers: Mapping[int, Any],
    *,
    parameters: type[Request] = NoParameters,
    body: type[Request] | None = None,
    problems: frozenset[int] = frozenset(),
    keyed: bool = False,
    needs_key: bool = False,
    tagged: bool = False,
    media: tuple[str, ...] = (JSON,),
    example: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    terms: Any = None,
) -> Callable[[F], F]:
    """Marks a handler's method with its contract."""
    made = Contract(
        summary,
        answers,
        parameters,
        body,
        problems,
        keyed or needs_key,
        needs_key,
        tagged,
        media,
        example,
        dict(headers or {}),
        terms,
    )

    def mark(method: F) -> F:
        method.__dict__["contract"] = made
        return method

    return mark


def contract_of(handler: type[RequestHandler], method: str) -> Contract | None:
    """None where the method has none."""
    name = "get" if method == "HEAD" else method.lower()
    found: Contract | None = getattr(getattr(handler, name), "contract", None)
    return found
