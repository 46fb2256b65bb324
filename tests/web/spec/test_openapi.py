"""What the API says of itself: complete, valid, and the same as what checks the requests."""

import re

import msgspec
import pytest

from tests.web.world import World
from web.auth.access import PUBLIC
from web.handling.contract import contract_of
from web.routes import API, Route
from web.serving.health import HealthHandler
from web.spec import openapi

pytestmark = pytest.mark.anyio

OPERATIONS = openapi.operations(API)


def test_every_method_of_every_route_has_a_contract_and_a_name_of_its_own() -> None:
    assert len(OPERATIONS) == sum(len(route.rules) for route in API)
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)


def test_a_method_without_a_contract_is_named() -> None:
    class Silent(HealthHandler):
        def get(self) -> None:
            """Says nothing of itself."""

    with pytest.raises(ValueError, match="GET /silent has no contract"):
        openapi.operations([Route("/silent", Silent, get=PUBLIC)])


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_examples_are_requests_that_are_taken(operation: openapi.Operation) -> None:
    agreed = operation.contract
    assert (agreed.body is None) == (agreed.example is None)
    if agreed.body is not None:
        msgspec.convert(agreed.example, agreed.body)


def test_what_the_rule_says_is_told() -> None:
    document = openapi.document(API)
    assert document["paths"]["/order"]["post"]["x-roles"] == ["trader"]
    assert document["paths"]["/login"]["post"]["security"] == []
    assert set(document["paths"]["/order/{order_id}"]) == {"get", "put", "delete"}


def test_every_reference_leads_somewhere() -> None:
    document = openapi.document(API)
    named = set(re.findall(r'"#/components/(\w+)/([^"]+)"', msgspec.json.encode(document).decode()))
    assert {(kind, name) for kind, name in named if name not in document["components"][kind]} == set()
    assert ("schemas", "Why") in named


async def test_the_descriptions_are_served_and_tagged(world: World) -> None:
    as_json = await world.http.get("/openapi.json")
    as_yaml = await world.http.get("/swagger.yaml")
    assert msgspec.yaml.decode(as_yaml.content) == as_json.json()
    assert as_json.headers["content-encoding"] == "gzip"
    again = await world.http.get("/openapi.json", headers={"If-None-Match": as_json.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    live = (await world.http.get("/asyncapi.json")).json()
    assert live["asyncapi"] == "3.0.0"
    assert "Subscribe" in live["components"]["messages"]
    assert [name for name in live["components"]["schemas"] if "." in name] == [], "modules of ours"


async def test_the_page_needs_nothing_from_elsewhere(world: World) -> None:
    page = (await world.http.get("/docs")).text
    assert "/order/{order_id}" in page
    assert "<script" not in page
    assert 'Body: <a href="#type-ChangedTerms">ChangedTerms</a>, <code>terms</code>: <a' in page
    assert "Body: any" not in page
    assert "http://" not in page
    assert "https://" not in page


async def test_head_is_get_without_a_body_and_options_tells_the_methods(world: World) -> None:
    head = await world.http.head("/account", headers=world.bearer())
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len((await world.get("/account")).content)
    assert (await world.http.head("/account")).status_code == 401
    options = await world.http.options("/order/1")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, PUT, DELETE, HEAD, OPTIONS")


def test_contracts_are_found_for_head() -> None:
    assert contract_of(HealthHandler, "HEAD") is contract_of(HealthHandler, "GET")
