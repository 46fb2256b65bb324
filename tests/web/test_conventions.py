"""What holds for every address, asked of every address: a table of the route table itself."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from tests.web.broker import ADMIN, TRADER
from tests.web.test_access import NEEDED, address, agreed
from tests.web.world import World
from web.auth.access import TRADE, Role
from web.payloads.problem import MEDIA_TYPE
from web.routes import API
from web.spec import openapi

pytestmark = pytest.mark.anyio

DOCUMENT = openapi.document(API)
OPERATIONS = openapi.operations(API)
ROUTED = [(route, operation) for route in API for operation in openapi.operations([route])]
FIGURES = {"quotes_per_second", "best_share", "uptime", "clock_ahead_ms"}
"""Measurements, and no prices, quantities or money: numbers."""
READINESS = ("/health/ready", "503")
"""Says what is missing as the other answer does; no refusal."""
SAFE_TWICE = {
    "post_admin_money_requests_by_request_id_decision": "decided again in the same way it stays as it is",
    "post_admin_breaks_settle": "settles all that is left of an order, so that nothing is left to settle again",
    "post_admin_breaks_dismiss": "moves nothing, and what is dismissed waits no more",
}
"""Of what moves money or orders, what needs no key."""

named = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def written(operation: openapi.Operation) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][operation.path][operation.method.lower()]
    return found


def properties() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Type, name and schema of each field, null left out."""
    for kind, schema in DOCUMENT["components"]["schemas"].items():
        for name, of in schema.get("properties", {}).items():
            for one in of.get("anyOf", [of]):
                if one != {"type": "null"}:
                    yield kind, name, one


def test_no_number_is_a_float_and_amounts_are_decimal_text() -> None:
    floats = {name for _, name, schema in properties() if schema.get("type") == "number"}
    assert floats == FIGURES
    words = re.compile(r"(^|_)(price|quantity|amount|profit|balance|equity|bid|ask|margin|markup|stop_loss|fee)$")
    wrong = [
        (kind, name, schema)
        for kind, name, schema in properties()
        if words.search(name) and schema.get("type") in ("integer", "number")
    ]
    assert wrong == []


def test_times_are_rfc_3339() -> None:
    word = re.compile(r"(^|_)(time|at|since|until|expires|created|began|start|end)$")
    wrong = [
        (kind, name)
        for kind, name, schema in properties()
        if word.search(name) and schema.get("type") == "string" and schema.get("format") != "date-time"
    ]
    assert wrong == []
    assert not [name for _, name, _ in properties() if name.endswith(("_ns", "_e8", "_ms_ns"))]


def test_ids_are_text() -> None:
    wrong = [
        (kind, name) for kind, name, schema in properties() if name.endswith("_id") and schema.get("type") != "string"
    ]
    assert wrong == []


@named
def test_refusals_are_problem_documents(operation: openapi.Operation) -> None:
    for status, answer in written(operation)["responses"].items():
        if (operation.path, status) == READINESS:
            continue
        content = answer.get("content", {})
        assert (MEDIA_TYPE in content) == (int(status) >= 400), status


@named
def test_what_is_left_is_told_and_when_to_come_back(operation: openapi.Operation) -> None:
    responses = written(operation)["responses"]
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= responses["429"]["headers"].keys()
    for status, answer in responses.items():
        assert "RateLimit" in answer.get("headers", {}) or status == "304"
        waits = status in ("429", "503") and (operation.path, status) != READINESS
        assert ("Retry-After" in answer.get("headers", {})) == waits, status


@named
def test_pages_have_a_limit_a_cursor_and_a_link(operation: openapi.Operation) -> None:
    answers = operation.contract.answers
    if not any(openapi.has_pages(kind) for kind in answers.values()):
        return
    names = {each["name"] for each in written(operation)["parameters"]}
    assert "limit" in names
    assert len(names & {"before", "after", "since"}) == 1
    assert "Link" in written(operation)["responses"]["200"]["headers"]


@named
def test_what_moves_money_or_orders_takes_a_key(operation: openapi.Operation) -> None:
    is_staffs = operation.path.endswith(("/money", "/decision", "/orders", "/close", "/settle", "/dismiss"))
    if operation.method == "POST" and (operation.rule == TRADE or is_staffs):
        assert operation.contract.keyed != (operation.name in SAFE_TWICE)
    names = {each["name"] for each in written(operation).get("parameters", [])}
    assert ("Idempotency-Key" in names) == operation.contract.keyed


@named
def test_changes_of_terms_heed_a_version(operation: openapi.Operation) -> None:
    """What has an ETag on its way out heeds If-Match on its way in."""
    if "If-Match" in operation.contract.headers:
        assert 412 in operation.contract.problems
        assert operation.method != "GET"


async def ask(world: World, route: Any, operation: openapi.Operation, **more: Any) -> httpx.Response:
    """As somebody who may."""
    who = TRADER if Role.TRADER in operation.rule.roles else ADMIN
    headers = {} if operation.rule.public else world.bearer(who)
    fields = msgspec.structs.fields(agreed(route, operation.method).parameters)
    params = {field.name: NEEDED[field.name] for field in fields if field.required} | more.pop("params", {})
    return await world.http.request(operation.method, address(route), headers=headers, params=params, **more)


async def test_a_parameter_that_is_not_known_is_refused_everywhere(world: World) -> None:
    for route, operation in ROUTED:
        answer = await ask(world, route, operation, params={"surprise": "1"})
        assert (answer.status_code, answer.json()["field"]) == (422, "surprise"), operation.name


async def test_bodies_are_checked_everywhere(world: World) -> None:
    """No JSON, and JSON with a field that nobody knows; of a public address too."""
    for route, operation in ROUTED:
        if operation.contract.body is None:
            continue
        key = {"Idempotency-Key": '"k-1"'} if operation.contract.needs_key else {}
        headers = {**({} if operation.rule.public else world.bearer(_who(operation))), **key}
        for content, status, code in ((b"{", 400, "MALFORMED_JSON"), (b'{"surprise": 1}', 422, "INVALID_FIELD")):
            answer = await world.http.request(operation.method, address(route), headers=headers, content=content)
            document = answer.json()
            assert (answer.status_code, document["code"]) == (status, code), (operation.name, document)
            assert answer.headers["Content-Type"] == MEDIA_TYPE
            assert {"type", "title", "status", "detail"} <= document.keys()


async def test_every_answer_tells_the_limit_and_long_ones_are_compressed(world: World) -> None:
    for route, operation in ROUTED:
        if operation.method != "GET":
            continue
        answer = await ask(world, route, operation)
        assert answer.headers["RateLimit"].startswith('"'), operation.name
        assert "RateLimit-Policy" in answer.headers
        is_long = len(answer.content) > 1_024
        assert (answer.headers.get("Content-Encoding") == "gzip") == is_long, (operation.name, len(answer.content))
        if answer.status_code < 400 and operation.contract.tagged:
            headers = {**world.bearer(), "If-None-Match": answer.headers["ETag"]}
            again = await world.http.get(address(route), headers=headers)
            assert (again.status_code, again.content) == (304, b""), operation.name


def _who(operation: openapi.Operation) -> str:
    return TRADER if Role.TRADER in operation.rule.roles else ADMIN
