"""The file of the clients' FIX sessions."""

from pathlib import Path

import pytest

from config import client_sessions
from config.client_sessions import Unreadable

LISTENER = '[listener]\nhost = "127.0.0.1"\nport = 9880\ntls = false\n'
CLIENT = """
[A]
purpose = "client"
sender = "US"
target = "A"
username = "a"
password_file = "a"
account = 1
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "client_sessions.toml"
    path.write_text(text)
    return path


def test_ours_has_one_session_for_this_machine_alone() -> None:
    listener, sessions = client_sessions.read()
    assert (listener.host, listener.tls, [one.id for one in sessions]) == ("127.0.0.1", False, ["DEMO"])


def test_certificates_are_files(tmp_path: Path) -> None:
    secure = 'certificate = "/etc/fix/own.pem"\nkey = "/etc/fix/own.key"\nclient_ca = "/etc/fix/clients.pem"\n'
    listener, _ = client_sessions.read(written(tmp_path, LISTENER.replace("tls = false\n", secure)))
    folder = Path("/etc/fix")
    assert (listener.certificate, listener.key) == (folder / "own.pem", folder / "own.key")
    assert (listener.tls, listener.client_ca) == (True, folder / "clients.pem")


def test_only_sessions_that_are_enabled_are_read(tmp_path: Path) -> None:
    other = CLIENT.replace("[A]", "[B]").replace('"A"', '"B"') + "enabled = false\n"
    (session,) = client_sessions.read(written(tmp_path, LISTENER + CLIENT + other))[1]
    assert (session.id, session.reported_accounts) == ("A", ())


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", r"there is no \[listener\]"),
        ("= nonsense", "Invalid"),
        (LISTENER.replace("false", "true"), "needs certificate and key"),
        (LISTENER + "key = 7\n", "expected Path"),
        (LISTENER + CLIENT + "colour = 1\n", "colour"),
        (LISTENER + CLIENT + 'permissions = ["fly"]\n', "fly"),
        (LISTENER + CLIENT + 'password_env = "X"\n', "needs a password"),
        (LISTENER + CLIENT.replace('"a"', '""', 1), "needs a username"),
        (LISTENER + CLIENT.replace('password_file = "a"', 'password_file = "../a"'), "without a folder"),
        (LISTENER + CLIENT.replace("account = 1", ""), "has an account"),
        (LISTENER + CLIENT.replace('"client"', '"drop_copy"'), "has accounts"),
        (LISTENER + CLIENT + CLIENT.replace("[A]", "[B]"), "same sender and target"),
        (LISTENER + CLIENT + "requests_per_second = 0\n", "requests_per_second"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(Unreadable, match=fault):
        client_sessions.read(written(tmp_path, text))


def test_a_password_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = LISTENER + CLIENT.replace('password_file = "a"', 'password_env = "FIX_A"')
    (session,) = client_sessions.read(written(tmp_path, text))[1]
    with pytest.raises(Unreadable, match="the environment has no FIX_A"):
        client_sessions.password(session)
    monkeypatch.setenv("FIX_A", "hush")
    assert client_sessions.password(session) == "hush"
