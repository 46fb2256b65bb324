"""FIX sessions that clients connect to, from TOML: client_sessions.toml beside this module, or an operator's own."""

import os
import tomllib
from datetime import time
from pathlib import Path
from typing import Any, Literal

import msgspec

PURPOSES = ("client", "drop_copy")
"""Of the sessions here; other purposes are other processes'."""


class Unreadable(ValueError):
    """The file cannot be what it is; says where and why."""


class Listener(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where clients connect to. Plain text only where the file says so; with `client_ca` clients show certificates."""

    host: str
    port: int
    tls: bool = True
    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a session is open. With weekdays (Monday is 0) once a week, else daily."""

    start: time
    end: time
    zone: str
    start_weekday: int | None = None
    end_weekday: int | None = None


class ClientSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One client's session: who it is, and what it may do."""

    id: str
    purpose: Literal["client", "drop_copy"]
    sender: str
    """Our CompID."""
    target: str
    """The client's."""
    username: str
    sender_sub: str = ""
    target_sub: str = ""
    sender_location: str = ""
    target_location: str = ""
    """Sub and location ids: where they are set, the client's Logon must have them the other way round."""
    password_env: str = ""
    """The environment variable that has the password; or"""
    password_file: str = ""
    """the file below `secrets` in the run directory, made with a new password where there is none."""
    enabled: bool = True
    account: int = 0
    """What a client trades and reads."""
    accounts: tuple[int, ...] = ()
    """Whose reports a drop copy gets."""
    permissions: tuple[Literal["trade", "read", "market_data"], ...] = ()
    requests_per_second: int = 5_000
    cancel_on_disconnect: bool = False
    market_data_interval_ms: int = 100
    """Prices that change more often are conflated."""
    subscriptions: int = 200
    """Symbols that it may follow at once, each by as many requests as it likes to count."""
    heartbeat_limit_s: int = 300
    position_id_tag: Literal[7007, 2618] = 7007
    """Where the client is told a position's id; 2618 is that of FIX 5.0 SP2, which dictionaries of FIX 4.4 lack."""
    next_expected: bool = False
    """NextExpectedMsgSeqNum (789) in its Logon is honoured, and answered with ours."""
    hours: Hours | None = None

    @property
    def reported_accounts(self) -> tuple[int, ...]:
        """Whose orders and fills it hears of."""
        if self.purpose == "drop_copy":
            return self.accounts
        return (self.account,) if {"trade", "read"} & set(self.permissions) else ()


def read(path: Path | None = None) -> tuple[Listener, list[ClientSession]]:
    """The listener, and the sessions that are enabled. Raises Unreadable."""
    where = path or Path(__file__).with_name("client_sessions.toml")
    try:
        tables: dict[str, Any] = tomllib.loads(where.read_text(encoding="utf-8"))
        listener = msgspec.convert(tables.pop("listener"), Listener, dec_hook=_path)
        entries = {name: entry for name, entry in tables.items() if entry.get("purpose") in PURPOSES}
        sessions = [msgspec.convert({"id": name, **entry}, ClientSession) for name, entry in entries.items()]
    except KeyError:
        raise Unreadable(f"{where}: there is no [listener]") from None
    except (OSError, ValueError, AttributeError) as error:
        raise Unreadable(f"{where}: {error}") from None
    enabled = [session for session in sessions if session.enabled]
    for session in enabled:
        if fault := _fault(session):
            raise Unreadable(f"{where}: [{session.id}]: {fault}")
    names = {(session.sender, session.target) for session in enabled}
    if len(names) < len(enabled):
        raise Unreadable(f"{where}: two sessions have the same sender and target")
    if listener.tls and not (listener.certificate and listener.key):
        raise Unreadable(f"{where}: [listener] with tls needs certificate and key; plain text is tls = false")
    return listener, enabled


def password(session: ClientSession) -> str:
    """From the environment; empty where it comes from a file. Raises Unreadable where the variable is not set."""
    if not session.password_env:
        return ""
    found = os.environ.get(session.password_env, "")
    if not found:
        raise Unreadable(f"[{session.id}]: the environment has no {session.password_env}")
    return found


def _path(kind: type, value: object) -> Path:
    if kind is not Path or not isinstance(value, str):
        raise ValueError(f"expected {kind.__name__}, got {type(value).__name__}")
    return Path(value)


def _fault(session: ClientSession) -> str:
    if bool(session.password_env) == bool(session.password_file):
        return "it needs a password: password_env or password_file"
    if not session.username:
        return "it needs a username"
    if session.password_file and Path(session.password_file).name != session.password_file:
        return "password_file is a name without a folder"
    if session.purpose == "client" and not session.account:
        return "a client has an account"
    if session.purpose == "drop_copy" and (session.permissions or not session.accounts):
        return "a drop copy has accounts, and no permissions"
    if not 0 < session.requests_per_second <= 100_000:
        return "requests_per_second is from 1 to 100,000"
    return ""
