"""Logging in, and what a token is good for."""

import base64
import json
import os
import stat
import statistics
import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from actors.bus.people import User
from tests.web.broker import ADMIN, PASSWORD, TRADER
from tests.web.world import KEY, World
from web.auth import AUDIENCE, ISSUER, Tokens, Unauthorised, signing_key

pytestmark = pytest.mark.anyio


async def login(world: World, username: str, password: str) -> httpx.Response:
    return await world.http.post("/login", json={"username": username, "password": password})


async def test_the_right_password_gets_a_token_that_works(world: World) -> None:
    response = await login(world, TRADER, PASSWORD)
    session = response.json()
    token = session.pop("access_token")
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


async def test_a_wrong_password_and_an_unknown_user_get_the_same_answer_in_the_same_time(world: World) -> None:
    taken: dict[str, list[float]] = {TRADER: [], "nobody": [], "no\0body": []}
    answers = []
    await login(world, TRADER, "first")
    for _ in range(3):
        for username, times in taken.items():
            began = time.perf_counter()
            response = await login(world, username, "wrong")
            times.append(time.perf_counter() - began)
            answers.append((response.status_code, response.json()))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 401
    assert answers[0][1]["code"] == "BAD_CREDENTIALS"
    for unknown in ("nobody", "no\0body"):
        ratio = statistics.median(taken[TRADER]) / statistics.median(taken[unknown])
        assert 1 / 2 < ratio < 2  # without the dummy hash it is 100


async def test_bad_credentials_of_every_kind(world: World) -> None:
    for body, field in (
        ({"username": TRADER}, "password"),
        ({"username": TRADER, "password": 7}, "password"),
        ({"username": "", "password": "x"}, "username"),
        ({"username": "x" * 65, "password": "x"}, "username"),
        ({"username": TRADER, "password": "x" * 1025}, "password"),
        ({"username": TRADER, "password": PASSWORD, "otp": "1"}, "otp"),
    ):
        response = await world.http.post("/login", json=body)
        assert (response.status_code, response.json()["field"]) == (422, field)
    assert (await login(world, TRADER, PASSWORD + "\0")).status_code == 401


async def test_persistence_away_logs_nobody_in_and_nobody_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.login.USER_TIMEOUT_MS", 50)
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
    good |= {"iat": now_s, "exp": now_s + 60}
    header, payload, signature = world.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    admin = base64.urlsafe_b64encode(json.dumps(claims | {"role": "admin"}).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")

    def signed(key: bytes = KEY, algorithm: str = "HS256", **changes: Any) -> str:
        return jwt.encode({k: v for k, v in (good | changes).items() if v is not None}, key, algorithm=algorithm)

    assert (await world.http.get("/account", headers={"Authorization": f"Bearer {signed()}"})).status_code == 200
    forged = {
        "another key": Tokens(b"x" * 32, 600).issue(user, now_s),
        "no signature": f"{none}.{payload}.",
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
    tokens = Tokens(KEY, 60)
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


def test_the_signing_key_is_made_once_and_is_its_owner_s_alone(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    key = signing_key(folder)
    assert len(key) >= 32
    assert signing_key(folder) == key
    assert stat.S_IMODE((folder / "jwt").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == ["jwt"]
    assert signing_key(tmp_path / "elsewhere") != key
    (folder / f"jwt.{os.getpid()}").hardlink_to(folder / "jwt")
    assert signing_key(folder) == key  # A file that a crash left there must not become the key again.


def test_a_signing_key_that_others_can_read_or_that_is_short_is_refused(tmp_path: Path) -> None:
    signing_key(tmp_path)
    (tmp_path / "jwt").chmod(0o644)
    with pytest.raises(ValueError, match="0600"):
        signing_key(tmp_path)
    (tmp_path / "jwt").write_bytes(b"short")
    with pytest.raises(ValueError, match="5 bytes"):
        signing_key(tmp_path)
