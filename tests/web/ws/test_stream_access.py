"""Who may ask what on /ws: every operation and channel for every role and scope, on the own account and on another's.

All of it is made from the tables of rules: what is new there is asked here too, and does not start without a rule.
"""

import hashlib
from typing import Any

import msgspec
import pytest

from actors.bus.logins import ApiKey, GetApiKey, KeyReport
from actors.bus.users import User
from tests.web.broker import DEALER, OTHER
from tests.web.test_access import OTHERS, OWN, SECRET, login
from tests.web.world import Socket, World
from web.auth import access
from web.auth.access import KEY_SCOPES, Role, Rule, Scope
from web.live.requests import Channel
from web.ws.channels import RULES, TAKES
from web.ws.stream import OPERATIONS

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "1000"}
NEEDED: dict[str, dict[str, Any]] = {
    "auth": {"token": "x"},
    "ping": {},
    "subscribe": {"channel": "quotes", "symbols": ["EURUSD"]},
    "unsubscribe": {"channel": "quotes"},
    "place": {"body": ORDER},
    "modify": {"order_id": "9", "body": {"limit_price": "1.05"}},
    "cancel": {"order_id": "9"},
    "protect": {"position_id": "9", "body": {"stop_loss": "1.05"}},
    "close": {"position_id": "9"},
    "close_by": {"position_id": "9", "body": {"other_position_id": "8"}},
    "reverse": {"position_id": "9"},
    "close_many": {"body": {"which": "all"}},
}
"""What each operation cannot do without."""
FOLLOWED: dict[str, Any] = {"symbols": ["EURUSD"], "timeframe": "M1"}
ASKED = {str(kind.__struct_config__.tag): entry.rule for kind, entry in OPERATIONS.items()}


async def asked(socket: Socket, **request: Any) -> dict[str, Any]:
    """The problem of the answer; empty: there is none."""
    number = len(socket.heard) + 1_000
    answer = await socket.ask(id=number, **request)
    problem: dict[str, Any] = answer.get("error", {})
    return problem


def followed(channel: Channel, account_id: str) -> dict[str, Any]:
    named = FOLLOWED | {"account_id": account_id}
    return {"channel": channel, **{name: value for name, value in named.items() if name in TAKES[channel]}}


def check(rule: Rule, role: Role, scopes: frozenset[Scope], problem: dict[str, Any], which: Any) -> None:
    """That who is refused is who the rule does not admit."""
    detail = problem.get("detail", "")
    assert (detail == f"This is not for the role {role}.") == (role not in rule.roles), (which, problem)
    lacks = role in rule.roles and rule.scope not in scopes
    assert (detail == f"The API key lacks the scope {rule.scope}.") == lacks, (which, problem)


async def test_before_it_is_known_who_asks_nothing_is_served_but_that(plenty: World) -> None:
    async with plenty.socket(username=None) as socket:
        for operation, rule in ASKED.items():
            if not rule.public:
                problem = await asked(socket, op=operation, **NEEDED[operation])
                assert (operation, problem["code"]) == (operation, "UNAUTHORISED")
    assert [operation for operation, rule in ASKED.items() if rule.public] == ["auth"]


@pytest.mark.parametrize("role", Role)
async def test_each_operation_admits_those_whom_its_rule_names_and_nobody_else(plenty: World, role: Role) -> None:
    async with plenty.socket(username=None) as socket:
        assert await asked(socket, op="auth", token=login(plenty, role)) == {}
        for operation, rule in ASKED.items():
            if not rule.public:
                problem = await asked(socket, op=operation, **NEEDED[operation])
                check(rule, role, frozenset(Scope), problem, operation)


@pytest.mark.parametrize("role", Role)
async def test_each_channel_admits_those_whom_its_rule_names_and_nobody_else(plenty: World, role: Role) -> None:
    async with plenty.socket(username=None) as socket:
        await asked(socket, op="auth", token=login(plenty, role))
        for channel, rule in RULES.items():
            for operation in ("subscribe", "unsubscribe"):
                request = followed(channel, OWN)
                if operation == "unsubscribe":
                    request.pop("since", None)
                problem = await asked(socket, op=operation, **request)
                check(rule, role, frozenset(Scope), problem, (operation, channel))
                assert (problem == {}) == (role in rule.roles), (operation, channel, problem)


@pytest.mark.parametrize("role", Role)
async def test_another_s_account_is_for_those_whom_the_rule_names(plenty: World, role: Role) -> None:
    async with plenty.socket(username=None) as socket:
        await asked(socket, op="auth", token=login(plenty, role))
        of_accounts = [channel for channel in RULES if "account_id" in TAKES[channel]]
        for channel in of_accounts:
            for operation in ("subscribe", "unsubscribe"):
                problem = await asked(socket, op=operation, **followed(channel, OTHERS))
                refused = (problem.get("code"), problem.get("field")) == ("FORBIDDEN", "account_id")
                assert refused == (role not in RULES[channel].others), (operation, channel, problem)
        if role in ASKED["place"].roles:
            problem = await asked(socket, op="place", body={**ORDER, "account_id": OTHERS})
            assert (problem["code"], problem["field"]) == ("FORBIDDEN", "account_id")
    assert of_accounts == [Channel.ACCOUNT, Channel.ALERTS]


async def test_what_is_another_s_is_not_changed(plenty: World) -> None:
    await plenty.order(OTHER)
    await plenty.order(OTHER, type="limit", limit_price="1.05")
    theirs = plenty.broker.state.accounts[int(OTHERS)]
    before = (dict(theirs.orders), dict(theirs.positions))
    (order_id,), (position_id,) = theirs.orders, theirs.positions
    async with plenty.socket() as socket:
        for operation, needed in NEEDED.items():
            named = {"order_id": str(order_id), "position_id": str(position_id)}
            request = {name: named.get(name, value) for name, value in needed.items()}
            if request != needed:
                problem = await asked(socket, op=operation, **request)
                assert problem["code"] in ("UNKNOWN_ORDER", "UNKNOWN_POSITION"), (operation, problem)
        await asked(socket, op="close_many", body={"which": "all"})
    assert (theirs.orders, theirs.positions) == before


@pytest.mark.parametrize("role", [Role.TRADER, Role.ADMIN])
async def test_each_api_key_does_what_its_scopes_say(plenty: World, role: Role) -> None:
    """One without the scope read opens no socket at all."""

    def know(told: Any) -> Any:
        if not isinstance(told, GetApiKey):
            return plenty.broker.know(told)
        user = User(90, f"a-{role}", "", role, int(OWN) if role is Role.TRADER else 0)
        scopes = {list(Scope)[told.key_id % 10], *([Scope.READ] if told.key_id >= 100 else [])}
        key = ApiKey(told.key_id, 90, "bot", [*scopes], [], 1, 0)
        return KeyReport(key, hashlib.sha256(SECRET.encode()).hexdigest(), user)

    plenty.broker.people = know
    for scope in KEY_SCOPES[role]:
        number = list(Scope).index(scope)
        if scope is not Scope.READ:
            async with plenty.socket(username=None) as socket:
                problem = await asked(socket, op="auth", token=f"hgk_{number}_{SECRET}")
                assert problem["detail"] == "The API key lacks the scope read."
        async with plenty.socket(username=None) as socket:
            assert await asked(socket, op="auth", token=f"hgk_{100 + number}_{SECRET}") == {}
            scopes = frozenset({Scope.READ, scope})
            for operation, rule in ASKED.items():
                if not rule.public:
                    check(rule, role, scopes, await asked(socket, op=operation, **NEEDED[operation]), operation)
            for channel, rule in RULES.items():
                problem = await asked(socket, op="subscribe", **followed(channel, OWN))
                check(rule, role, scopes, problem, channel)


def test_what_has_no_rule_does_not_start() -> None:
    assert access.complete({1: "a", 2: "b"}, [1, 2]) == {1: "a", 2: "b"}
    for keys in ([1], [1, 2, 3]):
        with pytest.raises(ValueError, match="without a rule"):
            access.complete({1: "a", 2: "b"}, keys)


async def test_who_is_given_another_role_or_account_keeps_no_subscription(plenty: World) -> None:
    user = plenty.broker.users[DEALER]
    for other in ({"role": "trader"}, {"account_id": 2}, {"user_id": 99}):
        async with plenty.socket(DEALER) as socket:
            assert await asked(socket, op="subscribe", channel="exposure") == {}
            plenty.broker.users[DEALER] = msgspec.structs.replace(user, **other)
            problem = await asked(socket, op="auth", token=plenty.token(DEALER))
            assert problem["code"] == "FORBIDDEN"
            assert await socket.closed() == 4401
        plenty.broker.users[DEALER] = user
