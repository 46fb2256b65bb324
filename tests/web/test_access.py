"""Who may do what: every address and method for every role, on the own account and on another's, by the route table."""

import re

import httpx
import msgspec
import pytest

from actors.bus.users import User
from tests.web.world import World
from web.access import PUBLIC, Role, Rule
from web.contract import contract_of
from web.health import HealthHandler
from web.orders import OneOrderHandler
from web.routes import API, Route

pytestmark = pytest.mark.anyio

RULED = [(route, method, rule) for route in API for method, rule in route.rules.items()]
OWN, OTHERS = "1", "2"
NEEDED = {
    "symbol": "EURUSD",
    "side": "buy",
    "quantity": "1000",
    "stop_loss": "1.05",
    "start": "2026-01-01T00:00:00Z",
    "timeframe": "M1",
    "reason": "why",
}


def address(route: Route) -> str:
    """One that the route matches: names and numbers that exist nowhere."""
    path = re.sub(r"\(\[\^/\]\+\)", "x", route.path)
    path = re.sub(r"\(\[A-Z\][^)]*\)", "X", path)
    return re.sub(r"\([^)]*\)", "9", path).replace("\\.", ".")


async def ask(world: World, route: Route, method: str, role: Role | None, account_id: str) -> httpx.Response:
    headers = {}
    if role is not None:
        account = int(OWN) if role is Role.TRADER else 0
        user = User(50 + list(Role).index(role), f"a-{role}", "", role, account)
        token = world.web.backend.callers.tokens.issue(user, world.clock() // 1_000_000_000)
        headers["Authorization"] = f"Bearer {token}"
    params = {"account_id": account_id, **needed(route, method)} if method == "GET" else {}
    return await world.http.request(method, address(route), headers=headers, params=params)


def needed(route: Route, method: str) -> dict[str, str]:
    """The parameters that the route cannot do without."""
    agreed = contract_of(route.handler, method)
    assert agreed is not None, f"{method} {route.path} has no contract"
    fields = msgspec.structs.fields(agreed.parameters)
    return {field.name: NEEDED[field.name] for field in fields if field.required}


async def test_each_address_admits_those_whom_its_rule_names_and_nobody_else(world: World) -> None:
    for route, method, rule in RULED:
        for role in (None, *Role):
            response = await ask(world, route, method, role, OWN)
            which = (method, route.path, role, response.status_code, response.content)
            if rule.public:
                assert response.status_code not in (401, 403), which
            elif role is None:
                assert (response.status_code, response.json()["code"]) == (401, "UNAUTHORISED"), which
            elif role not in rule.roles:
                assert response.status_code == 403, which
                assert response.json()["detail"] == f"This is not for the role {role}.", which
            else:
                assert response.status_code < 500, which
                assert response.status_code != 401, which
                assert "not for the role" not in response.text, which


async def test_another_s_account_is_for_those_whom_the_rule_names(world: World) -> None:
    for route, method, rule in RULED:
        if method != "GET" or not rule.others:
            continue
        for role in rule.roles:
            response = await ask(world, route, method, role, OTHERS)
            refused = response.status_code == 403
            assert refused == (role not in rule.others), (route.path, role, response.text)
            if refused:
                assert response.json()["field"] == "account_id"


def test_an_address_without_a_rule_for_each_of_its_methods_is_no_route() -> None:
    with pytest.raises(ValueError, match=r"/order/9.*DELETE.*GET"):
        Route("/order/9", OneOrderHandler, get=PUBLIC, delete=PUBLIC)
    with pytest.raises(ValueError, match="rules for"):
        Route("/health", HealthHandler, get=PUBLIC, post=PUBLIC)


def test_a_rule_without_roles_admits_nobody() -> None:
    assert not any(rule.roles for _, _, rule in RULED if rule.public)
    assert all(rule.roles for _, _, rule in RULED if not rule.public)
    assert Rule(frozenset(), PUBLIC.scope).public is False
