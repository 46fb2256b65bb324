"""Who may do what: every address and method for every role, login and API key, on the own account and on another's.

All of it is made from the route table and its contracts: a new address is asked here too, and has to have a rule.
"""

import hashlib
import re
from typing import Any

import httpx
import msgspec
import pytest

from actors.bus.logins import ApiKey, GetApiKey, KeyReport
from actors.bus.users import User
from tests.web.broker import OTHER, TRADER
from tests.web.world import World
from web.auth.access import KEY_SCOPES, PUBLIC, Role, Rule, Scope
from web.handling.contract import Contract, contract_of
from web.routes import API, ID, Route
from web.serving.health import HealthHandler
from web.trading.orders import OneOrderHandler

pytestmark = pytest.mark.anyio

RULED = [(route, method, rule) for route in API for method, rule in route.rules.items()]
OWN, OTHERS = "1", "2"
ACCOUNT_PATH = f"/admin/accounts/{ID}"
NEEDED = {
    "symbol": "EURUSD",
    "side": "buy",
    "quantity": "1000",
    "stop_loss": "1.05",
    "start": "2026-01-01T00:00:00Z",
    "timeframe": "M1",
    "reason": "why not",
}
REFUSED = {(404, "UNKNOWN_ORDER"), (404, "UNKNOWN_POSITION")}
SECRET = "s" * 43


def agreed(route: Route, method: str) -> Contract:
    contract = contract_of(route.handler, method)
    assert contract is not None, f"{method} {route.path} has no contract"
    return contract


def takes_account(kind: type[Any] | None) -> bool:
    return kind is not None and any(field.name == "account_id" for field in msgspec.structs.fields(kind))


def address(route: Route, account_id: str = OWN, number: str = "9") -> str:
    """One that the route matches: the account is the one that is meant, all other names and numbers exist nowhere."""
    path = route.path
    if path.startswith(ACCOUNT_PATH):
        path = path.replace(ACCOUNT_PATH, f"/admin/accounts/{account_id}")
    path = path.replace(ID, number)
    path = re.sub(r"\(\[\^/\]\+\)", "x", path)
    path = re.sub(r"\(\[A-Z\][^)]*\)", "X", path)
    return re.sub(r"\([^)]*\)", "9", path).replace("\\.", ".")


async def ask(
    world: World, route: Route, method: str, token: str | None, account_id: str, number: str = "9"
) -> httpx.Response:
    """The request as the contract has it, about an account where it can name one."""
    contract = agreed(route, method)
    fields = msgspec.structs.fields(contract.parameters)
    parameters = {field.name: NEEDED[field.name] for field in fields if field.required}
    if takes_account(contract.parameters):
        parameters["account_id"] = account_id
    body: dict[str, Any] | None = None if contract.body is None else {**(contract.example or {})}
    if body is not None and takes_account(contract.body):
        body["account_id"] = account_id
    headers = {"Idempotency-Key": f'"{method}-{account_id}"'} if contract.needs_key else {}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    url = address(route, account_id, number)
    return await world.http.request(method, url, headers=headers, params=parameters, json=body)


def login(world: World, role: Role) -> str:
    account = int(OWN) if role is Role.TRADER else 0
    user = User(50 + list(Role).index(role), f"a-{role}", "", role, account)
    return world.web.backend.callers.tokens.issue(user, world.clock() // 1_000_000_000)


async def test_each_address_admits_those_whom_its_rule_names_and_nobody_else(plenty: World) -> None:
    world = plenty
    for route, method, rule in RULED:
        for role in (None, *Role):
            response = await ask(world, route, method, role and login(world, role), OWN)
            which = (method, route.path, role, response.status_code, response.content)
            if rule.public:
                assert response.status_code not in (401, 403) or route.path.startswith("/login"), which
                assert "Bearer" not in response.text, which
            elif role is None:
                assert (response.status_code, response.json()["code"]) == (401, "UNAUTHORISED"), which
            elif role not in rule.roles:
                assert response.status_code == 403, which
                assert response.json()["detail"] == f"This is not for the role {role}.", which
            else:
                assert response.status_code < 500, which
                assert response.status_code != 401 or response.json()["code"] == "BAD_CREDENTIALS", which
                assert "not for the role" not in response.text, which


async def test_another_s_account_is_for_those_whom_the_rule_names(plenty: World) -> None:
    world, asked = plenty, set()
    for route, method, rule in RULED:
        contract = agreed(route, method)
        if not (takes_account(contract.parameters) or takes_account(contract.body)):
            continue
        for role in rule.roles:
            asked.add(method)
            response = await ask(world, route, method, login(world, role), OTHERS)
            refused = response.status_code == 403
            assert refused == (role not in rule.others), (method, route.path, role, response.text)
            if refused:
                assert response.json()["field"] == "account_id"
    assert asked == {"GET", "POST", "PATCH"}


async def test_what_is_another_s_is_neither_shown_nor_changed(world: World) -> None:
    """A trader gives the numbers of another's order and position wherever a number goes."""
    for username in (OTHER, TRADER):
        await world.order(username)
        await world.order(username, type="limit", limit_price="1.05")
    mine, theirs = (await world.get("/positions")).json(), world.broker.state.accounts[int(OTHERS)]
    before = (dict(theirs.orders), dict(theirs.positions))
    (order_id,), (position_id,) = theirs.orders, theirs.positions
    asked = set()
    for route, method, rule in RULED:
        if Role.TRADER not in rule.roles or rule.scope is Scope.PERSON or ID not in route.path:
            continue
        asked.add(method)
        number = order_id if route.path.startswith("/order/") else position_id
        response = await ask(world, route, method, world.token(), OWN, str(number))
        which = (method, route.path, response.status_code, response.text)
        assert (response.status_code, response.json()["code"]) in REFUSED, which
    assert asked == {"GET", "PUT", "DELETE", "POST"}
    assert (theirs.orders, theirs.positions) == before
    assert (await world.get("/positions")).json() == mine
    assert (await world.get("/ledger", account="client:2")).status_code == 403


async def test_each_api_key_does_what_its_scopes_say_and_its_owner_may(plenty: World) -> None:
    world = plenty
    owners = list(Role)

    def know(told: Any) -> Any:
        if not isinstance(told, GetApiKey):
            return world.broker.know(told)
        role, scope = owners[told.key_id // 10 - 1], list(Scope)[told.key_id % 10]
        user = User(told.key_id, f"a-{role}", "", role, int(OWN) if role is Role.TRADER else 0)
        key = ApiKey(told.key_id, user.user_id, "bot", [scope], [], 1, 0)
        return KeyReport(key, hashlib.sha256(SECRET.encode()).hexdigest(), user)

    world.broker.people = know
    for route, method, rule in RULED:
        for role in owners if not rule.public else ():
            for scope in KEY_SCOPES[role]:
                key = f"hgk_{10 * (owners.index(role) + 1) + list(Scope).index(scope)}_{SECRET}"
                response = await ask(world, route, method, key, OWN)
                which = (method, route.path, role, scope, response.status_code, response.text)
                detail = response.json().get("detail", "") if response.status_code == 403 else ""
                assert ("not for the role" in detail) == (role not in rule.roles), which
                lacks = role in rule.roles and scope is not rule.scope
                assert ("lacks the scope" in detail) == lacks, which
                assert response.status_code != 401, which


def test_no_api_key_may_be_given_what_concerns_the_login_itself() -> None:
    for scopes in KEY_SCOPES.values():
        assert Scope.PERSON not in scopes
    assert all(
        rule.scope is Scope.PERSON for route, _, rule in RULED if route.path.startswith("/login/") and rule.roles
    )


def test_an_address_without_a_rule_for_each_of_its_methods_is_no_route() -> None:
    with pytest.raises(ValueError, match=r"/order/9.*DELETE.*GET"):
        Route("/order/9", OneOrderHandler, get=PUBLIC, delete=PUBLIC)
    with pytest.raises(ValueError, match="rules for"):
        Route("/health", HealthHandler, get=PUBLIC, post=PUBLIC)


def test_a_rule_without_roles_admits_nobody() -> None:
    assert not any(rule.roles for _, _, rule in RULED if rule.public)
    assert all(rule.roles for _, _, rule in RULED if not rule.public)
    assert Rule(frozenset(), PUBLIC.scope).public is False
