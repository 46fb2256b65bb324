"""Logging in, and what a token is good for."""

import base64
import hmac
import json
import time
from typing import Any

import httpx
import jwt
import pytest

from actors.bus.logins import Session
from actors.bus.users import User
from tests.conftest import Figure
from tests.web.broker import ADMIN, PASSWORD, TRADER
from tests.web.world import KEY, KID, World
from web.auth.keyring import Keyring
from web.auth.tokens import AUDIENCE, ISSUER, REFRESH_AUDIENCE, Tokens, Unauthorised

pytestmark = pytest.mark.anyio


async def login(world: World, username: str, password: str) -> httpx.Response:
    return await world.http.post("/login", json={"username": username, "password": password})


async def test_the_right_password_gets_a_token_that_works(world: World) -> None:
    response = await login(world, TRADER, PASSWORD)
    session = response.json()
    token, refresh = session.pop("access_token"), session.pop("refresh_token")
    assert 86_300 < session.pop("refresh_expires_in") <= 86_400
    assert jwt.get_unverified_header(token) == jwt.get_unverified_header(refresh)
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT", "kid": KID}
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert session == {
        "token_type": "Bearer",
        "expires_in": 600,
        "username": TRADER,
        "role": "trader",
        "account_id": "1",
    }
    account = await world.http.get("/account", headers={"Authorization": f"bearer {token}"})
    assert account.json()["account_id"] == "1"
    admin = (await login(world, ADMIN, PASSWORD)).json()
    assert (admin["role"], admin["account_id"]) == ("admin", None)


async def test_a_wrong_password_and_an_unknown_user_get_the_same_answer_in_the_same_time(
    world: World, figure: Figure
) -> None:
    # The processor's time, for both sides of the conversation are in this process, and the shortest of each: what a
    # busy machine adds to some, it adds to none of them all.
    taken: dict[str, list[float]] = {TRADER: [], "nobody": [], "no\0body": []}
    answers = []
    await login(world, TRADER, "first")
    for _ in range(15):
        for username, times in taken.items():
            began = time.process_time()
            response = await login(world, username, "wrong")
            times.append(time.process_time() - began)
            answers.append((response.status_code, response.json()))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 401
    assert answers[0][1]["code"] == "BAD_CREDENTIALS"
    for unknown in ("nobody", "no\0body"):
        ratio = min(taken[TRADER]) / min(taken[unknown])
        figure(f"login: the shortest time of a wrong password to that of {unknown!r}", ratio)
        assert 2 / 3 < ratio < 3 / 2  # without the dummy hash it is 10 and more


async def test_bad_credentials_of_every_kind(world: World) -> None:
    for body, field in (
        ({"username": TRADER}, "password"),
        ({"username": TRADER, "password": 7}, "password"),
        ({"username": "", "password": "x"}, "username"),
        ({"username": "x" * 65, "password": "x"}, "username"),
        ({"username": TRADER, "password": "x" * 1025}, "password"),
        ({"username": TRADER, "password": PASSWORD, "otp": "1"}, "otp"),
        ({"username": TRADER, "password": PASSWORD, "remember": True}, "remember"),
    ):
        response = await world.http.post("/login", json=body)
        assert (response.status_code, response.json()["field"]) == (422, field)
    assert (await login(world, TRADER, PASSWORD + "\0")).status_code == 401


async def test_persistence_away_logs_nobody_in_and_nobody_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.people.login.PEOPLE_TIMEOUT_MS", 50)
    token = world.bearer()
    world.broker.mute.add("persistence")
    response = await login(world, TRADER, PASSWORD)
    assert (response.status_code, response.json()["code"]) == (503, "UNAVAILABLE")
    assert response.headers["retry-after"] == "1"
    assert (await world.http.get("/account", headers=token)).status_code == 200
    assert (await world.order()).status_code == 201


async def test_no_token_a_forged_one_and_an_expired_one_are_401(world: World) -> None:
    now_s = world.clock() // 1_000_000_000
    user = world.broker.users[TRADER]
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "1", "name": TRADER, "role": "trader", "account": 1}
    good |= {"sid": 1, "ver": 1}
    good |= {"iat": now_s, "exp": now_s + 60}
    header, payload, signature = world.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    admin = base64.urlsafe_b64encode(json.dumps(claims | {"role": "admin"}).encode()).decode().rstrip("=")
    none_kid = base64.urlsafe_b64encode(f'{{"alg":"none","kid":"{KID}"}}'.encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")

    def signed(key: bytes = KEY, algorithm: str = "HS256", kid: Any = KID, **changes: Any) -> str:
        claims = {k: v for k, v in (good | changes).items() if v is not None}
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})

    def headed(**header: Any) -> str:
        """The claims under a header of the attacker's, signed with the right key, as far as that goes."""
        head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
        mac = hmac.digest(KEY, f"{head}.{payload}".encode(), "sha256")
        return f"{head}.{payload}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    assert (await world.http.get("/account", headers={"Authorization": f"Bearer {signed()}"})).status_code == 200
    forged = {
        "another key": Tokens(Keyring({KID: b"x" * 32}), 600).issue(user, now_s),
        "another key and its id": Tokens(Keyring({"1700000001-0123abcd": b"x" * 32}), 600).issue(user, now_s),
        "no signature": f"{none}.{payload}.",
        "no algorithm, right key id": f"{none_kid}.{payload}.",
        "no algorithm, signed": headed(alg="none", kid=KID),
        "an algorithm of public keys": headed(alg="RS256", kid=KID),
        "no key id": headed(alg="HS256"),
        "a path as key id": signed(b"\0" * 32, kid="../../../dev/zero"),
        "a path and a known file": headed(alg="HS256", kid=f"../signing/{KID}"),
        "SQL as key id": headed(alg="HS256", kid="' UNION SELECT 'x"),
        "a list as key id": headed(alg="HS256", kid=[KID]),
        "a key of its own": headed(alg="HS256", jwk={"kty": "oct", "k": "eA"}, jku="http://127.0.0.1/keys"),
        "a refresh token": signed(aud=REFRESH_AUDIENCE, n=1),
        "both audiences": signed(aud=[REFRESH_AUDIENCE, "hedgerow-api "]),
        "other claims": f"{header}.{admin}.{signature}",
        "other algorithm": signed(algorithm="HS512", key=KEY * 2),
        "same key, other algorithm": signed(algorithm="HS384", key=KEY * 2),
        "expired": signed(iat=now_s - 100, exp=now_s),
        "not yet": signed(iat=now_s + 60, exp=now_s + 120),
        "no end": signed(exp=None),
        "no beginning": signed(iat=None),
        "nobody": signed(sub=None),
        "other audience": signed(aud="elsewhere"),
        "other issuer": signed(iss="elsewhere"),
        "no issuer": signed(iss=None),
        "account as text": signed(account="1"),
        "garbage": "x.y.z",
        "long": "x" * 5_000,
    }
    for why, token in forged.items():
        response = await world.http.get("/account", headers={"Authorization": f"Bearer {token}"})
        assert (why, response.status_code, response.json()["code"]) == (why, 401, "INVALID_TOKEN")
        assert response.headers["www-authenticate"] == 'Bearer realm="hedgerow"'
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}):
        response = await world.http.get("/account", headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, "UNAUTHORISED")
        assert response.headers["www-authenticate"] == 'Bearer realm="hedgerow"'


async def test_a_token_ends_with_its_time(world: World) -> None:
    token = world.bearer()
    world.clock.ahead_ns = 600 * 1_000_000_000
    expired = await world.http.get("/account", headers=token)
    assert (expired.status_code, "expired" in expired.json()["detail"]) == (401, True)


def test_times_are_those_passed_in() -> None:
    tokens = Tokens(Keyring({KID: KEY}), 60)
    token = tokens.issue(User(7, "x", "", "trader", 3), 1_000)
    caller = tokens.read(token, 1_059)
    assert (caller.user_id, caller.username, caller.role, caller.account_id, caller.expires_s) == (
        "7",
        "x",
        "trader",
        3,
        1_060,
    )
    with pytest.raises(Unauthorised):
        tokens.read(token, 1_060)
    with pytest.raises(Unauthorised):
        tokens.read(token, 994)


async def test_a_refresh_that_is_not_answered_has_an_unknown_outcome(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.people.login.PEOPLE_TIMEOUT_MS", 50)
    session = Session(7, 1, world.clock() + 10**12, world.broker.users[TRADER])
    token = world.web.backend.callers.tokens.issue_refresh(session, world.clock() // 10**9)
    world.broker.mute.add("persistence")
    response = await world.http.post("/login/refresh", json={"refresh_token": token})
    assert (response.status_code, response.json()["code"]) == (504, "OUTCOME_UNKNOWN")
