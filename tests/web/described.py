"""Whether an answer is one that the route's contract describes, field by field: every answer in these tests is."""

import re

import httpx
import msgspec

from web.payloads.answers import ProblemBody
from web.payloads.problem import MEDIA_TYPE
from web.routes import API
from web.spec import openapi

_OPERATIONS = {
    (operation.method, re.compile(route.path)): operation for route in API for operation in openapi.operations([route])
}


def operation_of(method: str, path: str) -> openapi.Operation | None:
    found = [it for (name, pattern), it in _OPERATIONS.items() if name == method and pattern.fullmatch(path)]
    return found[0] if found else None


async def check(response: httpx.Response) -> None:
    """Raises AssertionError or ValidationError."""
    operation = operation_of(response.request.method, response.request.url.path)
    if operation is None or response.headers.get("content-type", "") not in ("application/json", MEDIA_TYPE):
        return
    await response.aread()
    if not response.content:
        return
    is_problem = response.headers["content-type"] == MEDIA_TYPE
    kind = ProblemBody if is_problem else operation.contract.answers[response.status_code]
    told = msgspec.json.decode(response.content)
    taken = msgspec.convert(told, kind)
    # What the type does not name would be lost on the way.
    assert msgspec.to_builtins(taken) == told, (operation.name, response.status_code)
