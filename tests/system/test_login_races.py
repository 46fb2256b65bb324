"""Logins at two web processes at once: what works once works once. And no secret of them gets into a log."""

import base64
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.running import Broker, eventually
from web.auth import totp

AT_ONCE = 5
"""As many as may guess without waiting."""


@pytest.fixture(scope="module")
def broker(private_folder: Path) -> Iterator[Broker]:
    settings = {"HEDGEROW_WEB_PROCESSES": "2", "HEDGEROW_LOG_LEVEL": "debug"}
    with Broker(private_folder / "races" / "var", **settings) as broker:
        broker.wait_ready()
        yield broker


def at_once(broker: Broker, path: str, body: dict[str, str]) -> list[httpx.Response]:
    """The same request over connections of their own, which the system deals out to the two processes."""

    def ask(_: int) -> httpx.Response:
        return broker.ask("POST", path, json=body)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, range(AT_ONCE)))


def codes(answers: list[httpx.Response]) -> Counter[str]:
    return Counter("done" if answer.status_code == 200 else answer.json()["code"] for answer in answers)


def test_what_works_once_works_once_and_no_log_has_a_secret(broker: Broker) -> None:
    secrets: list[str] = []
    with broker.client("admin") as admin:
        wanted = {"username": "racer", "role": "support", "reason": "a race"}
        login = {"username": "racer", "password": admin.post("/admin/users", json=wanted).json()["password"]}
        secrets += [login["password"], admin.headers["Authorization"].split()[1]]
    secrets += _refresh_at_once(broker, login)
    secrets += _log_in_at_once(broker, login)
    broker.ask("GET", "/account", params={"token": secrets[0]}, headers={"Authorization": f"Bearer {secrets[0]}"})
    logs = {path.name: path.read_text() for path in broker.run_dir.parent.glob("*.log")}
    assert "path=/login/refresh" in logs["web.log"]
    assert [(name, secret) for name, text in logs.items() for secret in secrets if secret in text] == []


def _refresh_at_once(broker: Broker, login: dict[str, str]) -> list[str]:
    """Gives the secrets that it has seen."""
    session = broker.ask("POST", "/login", json=login).json()
    answers = at_once(broker, "/login/refresh", {"refresh_token": session["refresh_token"]})
    assert codes(answers) == {"done": 1, "REFRESH_REUSED": 1, "SESSION_ENDED": AT_ONCE - 2}
    won: dict[str, Any] = next(answer.json() for answer in answers if answer.status_code == 200)
    again = broker.ask("POST", "/login/refresh", json={"refresh_token": won["refresh_token"]})
    assert again.json()["code"] == "SESSION_ENDED"
    tokens = [each[name] for each in (session, won) for name in ("access_token", "refresh_token")]
    for token in (session["access_token"], won["access_token"]):
        headers = {"Authorization": f"Bearer {token}"}
        eventually(
            lambda headers=headers: (
                {  # type: ignore[misc]
                    broker.ask("GET", "/symbols", headers=headers).status_code for _ in range(10)
                }
                == {401}
            )
        )
    return tokens


def _log_in_at_once(broker: Broker, login: dict[str, str]) -> list[str]:
    """With one code of the second factor. Gives the secrets that it has seen."""
    session = broker.ask("POST", "/login", json=login).json()
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    made = broker.ask("POST", "/login/api-keys", json={"name": "bot", "scopes": ["read"]}, headers=headers)
    key = made.json()["key"]
    assert broker.ask("GET", "/symbols", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    begun = broker.ask("POST", "/login/totp", json={"password": login["password"]}, headers=headers).json()
    secret = base64.b32decode(begun["secret"])
    step = int(time.time()) // totp.STEP_S
    confirmed = broker.ask("PUT", "/login/totp", json={"otp": totp.code(secret, step)}, headers=headers)
    recovery: list[str] = confirmed.json()["recovery_codes"]
    with_code = {**login, "otp": totp.code(secret, step + 1)}
    assert codes(at_once(broker, "/login", with_code)) == {"done": 1, "OTP_USED": AT_ONCE - 1}
    assert broker.ask("POST", "/login", json=with_code).json()["code"] in ("OTP_USED", "TOO_MANY_ATTEMPTS")
    return [session["access_token"], session["refresh_token"], key, begun["secret"], *recovery]
