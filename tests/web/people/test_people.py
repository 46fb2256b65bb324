"""Logins, second factors, API keys and users over HTTP, with the store of people in a real PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from actors.bus.users import Actor, AddUser, GetUser, GetUsers, UserReport, Users
from actors.store.database import database_url as sqlalchemy_url
from actors.store.history import History
from actors.store.passwords import cost_of, hash_password
from tests.web.broker import COST, eventually
from tests.web.world import TOTP_KEY, World, running
from web.auth import totp

pytestmark = pytest.mark.anyio

ROOT = Actor(1, "setup", "admin", "127.0.0.1")
PASSWORD = "correct horse battery"
S = 1_000_000_000


class People:
    """The clients of a world whose persistence has anna (trader), sue (support), olga (auditor), root (admin)."""

    def __init__(self, world: World, history: History) -> None:
        self.world = world
        self.history = history
        self.http = world.http

    async def login(self, name: str = "anna", password: str = PASSWORD, **more: Any) -> httpx.Response:
        return await self.http.post("/login", json={"username": name, "password": password, **more})

    async def session(self, name: str = "anna") -> dict[str, Any]:
        response = await self.login(name)
        assert response.status_code == 200, response.text
        session: dict[str, Any] = response.json()
        return session

    async def ask(self, token: str, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.http.request(method, path, headers={"Authorization": f"Bearer {token}"}, json=body)

    async def refresh(self, session: dict[str, Any]) -> httpx.Response:
        return await self.http.post("/login/refresh", json={"refresh_token": session["refresh_token"]})


@pytest.fixture
async def people(tmp_path: Path, database_url: str) -> AsyncIterator[People]:
    history = History(sqlalchemy_url(Path(), database_url))
    hashed = hash_password(PASSWORD, COST)
    for name, role, account_id in (
        ("anna", "trader", 1),
        ("sue", "support", 0),
        ("olga", "auditor", 0),
        ("root", "admin", 0),
    ):
        history.answer_about_people(AddUser(ROOT, name, hashed, role, account_id, "test"), 1)
    async with running(tmp_path) as world:
        world.broker.people = lambda told: history.answer_about_people(told, world.clock())
        yield People(world, history)
    history.close()


async def test_a_refresh_token_works_once_and_its_replay_ends_the_session(people: People) -> None:
    first = await people.session()
    response = await people.refresh(first)
    second = response.json()
    assert response.status_code == 200
    assert (await people.ask(second["access_token"], "GET", "/account")).json()["account_id"] == "1"
    replayed = await people.refresh(first)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "REFRESH_REUSED")
    assert (await people.refresh(second)).json()["code"] == "SESSION_ENDED"
    for session in (first, second):
        token = session["access_token"]
        await eventually(lambda token=token: _refused(people, token))
    for token in (first["access_token"], "x", ""):
        wrong = await people.http.post("/login/refresh", json={"refresh_token": token})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "INVALID_TOKEN")
    acts = (await people.ask((await people.session("olga"))["access_token"], "GET", "/admin/audit")).json()["acts"]
    assert (acts[0]["action"], acts[0]["username"]) == ("RefreshReused", "anna")


async def _refused(people: People, token: str) -> bool:
    return (await people.ask(token, "GET", "/account")).status_code == 401


async def test_logout_ends_this_session_and_logout_everywhere_all(people: People) -> None:
    one, two, three = [await people.session() for _ in range(3)]
    assert (await people.ask(one["access_token"], "POST", "/logout")).status_code == 204
    assert await _refused(people, one["access_token"])
    assert (await people.refresh(one)).json()["code"] == "SESSION_ENDED"
    assert not await _refused(people, two["access_token"])
    async with people.world.socket(None) as socket:
        assert (await socket.ask(id=1, op="auth", token=two["access_token"]))["ok"]
        assert (await people.ask(three["access_token"], "POST", "/logout/everywhere")).status_code == 204
        assert await socket.closed() == 4401
    for session in (two, three):
        assert await _refused(people, session["access_token"])
        assert (await people.refresh(session)).status_code == 401
    assert not await _refused(people, (await people.session())["access_token"])


async def test_another_password_ends_all_sessions(people: People) -> None:
    session = await people.session()
    token = session["access_token"]
    for body, status, code in (
        ({"password": "wrong", "new_password": "a new password"}, 401, "BAD_CREDENTIALS"),
        ({"password": PASSWORD, "new_password": "too short"}, 422, "INVALID_FIELD"),
        ({"password": PASSWORD, "new_password": PASSWORD}, 422, "INVALID_FIELD"),
    ):
        response = await people.ask(token, "PUT", "/login/password", body)
        assert (response.status_code, response.json()["code"]) == (status, code)
    long = "ä" * 200 + "1"
    body = {"password": PASSWORD, "new_password": long}
    assert (await people.ask(token, "PUT", "/login/password", body)).status_code == 204
    assert await _refused(people, token)
    assert (await people.login()).status_code == 401
    assert (await people.login(password=long[:-1] + "2")).status_code == 401
    assert (await people.login(password=long)).status_code == 200


async def test_guesses_lock_the_name_whether_it_exists_or_not_and_support_unlocks_it(people: People) -> None:
    people.world.clock.hold()  # The lock lasts a second.
    for name in ("anna", "nobody"):
        for _ in range(5):
            assert (await people.login(name, "wrong")).status_code == 401
        locked = await people.login(name)
        assert (locked.status_code, locked.json()["code"], locked.headers["Retry-After"]) == (
            429,
            "TOO_MANY_ATTEMPTS",
            "1",
        )
    support = (await people.session("sue"))["access_token"]
    users = (await people.ask(support, "GET", "/admin/users")).json()["users"]
    assert [(user["username"], user["failures"]) for user in users] == [
        ("anna", 5),
        ("sue", 0),
        ("olga", 0),
        ("root", 0),
    ]
    anna = users[0]["id"]
    unlocked = await people.ask(support, "POST", f"/admin/users/{anna}/unlock", {"reason": "rang up"})
    assert (unlocked.status_code, unlocked.json()["user"]["failures"]) == (200, 0)
    assert (await people.login()).status_code == 200


async def test_a_second_factor_is_enrolled_asked_for_and_taken_away(people: People) -> None:
    people.world.clock.hold()  # A code is used once: the next half-minute has another.
    token = (await people.session())["access_token"]
    assert (await people.ask(token, "PUT", "/login/totp", {"otp": "123456"})).json()["code"] == "TOTP_NONE"
    begun = await people.ask(token, "POST", "/login/totp", {"password": PASSWORD})
    assert begun.status_code == 201
    (user,) = [row for row in _users(people) if row.username == "anna"]
    secret = totp.secret_of(TOTP_KEY, _nonce(people))
    assert begun.json()["secret"] == totp.text_of(secret)
    assert not user.second_factor

    def code() -> str:
        return totp.code(secret, people.world.clock() // S // totp.STEP_S)

    wrong = f"{(int(code()) + 1) % 10**6:06d}"
    assert (await people.ask(token, "PUT", "/login/totp", {"otp": wrong})).json()["code"] == "BAD_OTP"
    confirmed = await people.ask(token, "PUT", "/login/totp", {"otp": code()})
    recovery = confirmed.json()["recovery_codes"]
    assert (confirmed.status_code, len(recovery)) == (200, 10)
    assert (await people.login()).json()["code"] == "OTP_REQUIRED"
    assert (await people.login(otp=code())).json()["code"] == "OTP_USED"
    people.world.clock.ahead_ns += 60 * S
    assert (await people.login(otp=code())).status_code == 200
    assert (await people.login(otp=code())).json()["code"] == "OTP_USED"
    assert (await people.login(otp=recovery[3])).status_code == 200
    assert (await people.login(otp=recovery[3])).json()["code"] == "OTP_USED"
    people.world.clock.ahead_ns += 60 * S
    token = (await people.login(otp=code())).json()["access_token"]
    refused = await people.ask(token, "DELETE", "/login/totp", {"password": PASSWORD})
    assert refused.json()["code"] == "OTP_REQUIRED"
    people.world.clock.ahead_ns += 60 * S
    gone = await people.ask(token, "DELETE", "/login/totp", {"password": PASSWORD, "otp": code()})
    assert gone.status_code == 204
    assert (await people.login()).status_code == 200


def _users(people: People) -> Any:
    users = people.history.answer_about_people(GetUsers(100, 0), 1)
    assert isinstance(users, Users)
    return users.users


def _nonce(people: People) -> str:
    report = people.history.answer_about_people(GetUser("anna"), 1)
    assert isinstance(report, UserReport)
    return report.user.totp_nonce


async def test_api_keys_do_what_their_scopes_say_from_where_they_may(people: People) -> None:
    token = (await people.session())["access_token"]

    async def make(**body: Any) -> httpx.Response:
        return await people.ask(token, "POST", "/login/api-keys", {"name": "bot", "scopes": ["read"], **body})

    made = await make()
    key, body = made.json()["key"], made.json()["api_key"]
    assert (made.status_code, body["scopes"], body["networks"], body["expires"]) == (201, ["read"], [], None)
    assert (await people.ask(token, "GET", "/login/api-keys")).json() == {"api_keys": [body]}
    assert (await people.ask(key, "GET", "/account")).json()["account_id"] == "1"
    order = {"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "10000"}
    for method, path, what in (("POST", "/order", order), ("GET", "/login/api-keys", None), ("POST", "/logout", None)):
        refused = await people.ask(key, method, path, what)
        assert (refused.status_code, "lacks the scope" in refused.json()["detail"]) == (403, True)
    trading = (await make(scopes=["trade", "read"], networks=["127.0.0.0/8"])).json()["key"]
    assert (await people.ask(trading, "POST", "/order", order)).status_code == 201
    elsewhere = (await make(networks=["192.0.2.0/24", "2001:db8::/32"])).json()["key"]
    assert "address" in (await people.ask(elsewhere, "GET", "/account")).json()["detail"]
    soon = (await make(expires="2038-01-01T00:00:00Z")).json()["key"]
    assert (await people.ask(soon, "GET", "/account")).status_code == 200
    people.world.clock.ahead_ns = 2_200_000_000 * S - people.world.clock()
    assert "expired" in (await people.ask(soon, "GET", "/account")).json()["detail"]
    people.world.clock.ahead_ns = 0
    for wrong, field in (
        ({"scopes": ["admin"]}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"networks": ["192.0.2.1/24"]}, "networks"),
        ({"expires": "2001-01-01T00:00:00Z"}, "expires"),
    ):
        assert (await make(**wrong)).json()["field"] == field
    forged = f"{key[:-1]}{'A' if key[-1] != 'A' else 'B'}"
    for bad in (forged, "hgk_999_" + "x" * 43, "hgk_1_short", "hgk_"):
        assert (await people.ask(bad, "GET", "/account")).status_code == 401
    people.world.broker.mute.add("persistence")
    assert (await people.ask(key, "GET", "/account")).status_code == 200
    people.world.broker.mute.clear()
    assert (await people.ask(token, "DELETE", f"/login/api-keys/{body['id']}")).status_code == 204
    assert (await people.ask(key, "GET", "/account")).status_code == 401


async def test_administrators_make_change_and_disable_users(people: People) -> None:
    root = (await people.session("root"))["access_token"]
    new = {"username": "bob", "role": "trader", "account_id": "2", "reason": "new client"}
    made = await people.ask(root, "POST", "/admin/users", new)
    bob, password = made.json()["user"], made.json()["password"]
    assert (made.status_code, made.headers["Location"]) == (201, f"/admin/users/{bob['id']}")
    assert (await people.ask(root, "POST", "/admin/users", new)).json()["code"] == "DUPLICATE_USER"
    session = (await people.login("bob", password)).json()
    assert session["account_id"] == "2"
    path = f"/admin/users/{bob['id']}"
    changed = await people.ask(root, "PATCH", path, {"role": "dealer", "reason": "hired"})
    assert changed.json()["user"]["role"] == "dealer"
    assert await _refused(people, session["access_token"])
    assert (await people.login("bob", password)).json()["role"] == "dealer"
    left = await people.ask(root, "PATCH", path, {"account_id": None, "reason": "hired"})
    assert (left.json()["user"]["account_id"], left.json()["user"]["role"]) == (None, "dealer")
    odd = await people.ask(root, "PATCH", path, {"role": None, "reason": "hired"})
    assert (odd.status_code, odd.json()["field"]) == (422, "role")
    reset = (await people.ask(root, "POST", f"{path}/reset", {"reason": "forgot"})).json()
    assert (await people.login("bob", password)).status_code == 401
    assert (await people.login("bob", reset["password"])).status_code == 200
    await people.ask(root, "PATCH", path, {"disabled": True, "reason": "left"})
    assert (await people.login("bob", reset["password"])).json()["code"] == "BAD_CREDENTIALS"
    assert (await people.ask(root, "GET", "/admin/users/999")).status_code == 404
    page = await people.ask(root, "GET", "/admin/users?limit=2")
    assert (len(page.json()["users"]), page.json()["next"], page.headers["Link"]) == (
        2,
        "2",
        '</admin/users?limit=2&after=2>; rel="next"',
    )
    acts = (await people.ask(root, "GET", "/admin/audit?subject=user%20bob")).json()["acts"]
    assert [(act["action"], act["username"], act["reason"]) for act in acts] == [
        ("ChangeUser", "root", "left"),
        ("ResetLogin", "root", "forgot"),
        ("ChangeUser", "root", "hired"),
        ("ChangeUser", "root", "hired"),
        ("AddUser", "root", "new client"),
    ]
    assert password not in str(acts)


async def test_support_and_auditors_do_not_get_beyond_what_is_theirs(people: People) -> None:
    support, auditor = [(await people.session(name))["access_token"] for name in ("sue", "olga")]
    users = (await people.ask(auditor, "GET", "/admin/users")).json()["users"]
    root = next(user["id"] for user in users if user["username"] == "root")
    for act in ("reset", "unlock"):
        refused = await people.ask(support, "POST", f"/admin/users/{root}/{act}", {"reason": "try"})
        assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
        assert (await people.ask(auditor, "POST", f"/admin/users/{root}/{act}", {"reason": "x"})).status_code == 403
    assert (
        await people.ask(support, "PATCH", f"/admin/users/{root}", {"role": "trader", "reason": "x"})
    ).status_code == 403


async def test_a_password_hashed_at_another_cost_is_hashed_anew_at_login(people: People) -> None:
    people.history.answer_about_people(AddUser(ROOT, "old", hash_password(PASSWORD, COST - 2), "trader", 1, ""), 1)
    assert (await people.login("old")).status_code == 200
    report = people.history.answer_about_people(GetUser("old"), 1)
    assert isinstance(report, UserReport)
    assert cost_of(report.user.password_hash) == COST
    assert (await people.login("old")).status_code == 200


async def test_the_audit_log_is_read_page_by_page_to_its_end(people: People) -> None:
    for number in range(500):
        people.history.answer_about_people(AddUser(ROOT, f"user-{number}", "", "trader", 0, "test"), 1)
    token = {"Authorization": f"Bearer {(await people.session('olga'))['access_token']}"}
    seen: list[str] = []
    url: str | None = "/admin/audit?limit=500&username=setup"
    while url:
        page = await people.http.get(url, headers=token)
        seen += [act["subject"] for act in page.json()["acts"]]
        url = page.links.get("next", {}).get("url")
    assert seen == [f"user user-{number}" for number in reversed(range(500))] + [
        "user root",
        "user olga",
        "user sue",
        "user anna",
    ]
