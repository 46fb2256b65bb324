"""The clients' sessions as they are configured: agreed terms, passwords, TLS."""

import secrets
import ssl
from pathlib import Path
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from actors.clients.client import may_be_sent_again
from actors.store import private_files
from config import client_sessions
from config.client_sessions import ClientSession, Listener, Unreadable
from config.settings import Settings
from gateway.fix.schedule import Schedule
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.tls import server_context
from gateway.fix.trading import vocabulary

PASSWORD_BYTES = 18


class Agreed(NamedTuple):
    """What clients connect to, and what was agreed with each, by session id."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    profiles: list[ClientSession]
    settings: list[SessionSettings]

    @classmethod
    def read(cls, settings: Settings) -> Self:
        """Raises Unreadable. A password file that is not there is made."""
        listener, profiles = client_sessions.read(settings.fix_sessions)
        folder = settings.run_dir / "secrets"
        agreed = [_settings(profile, _password(folder, profile)) for profile in profiles]
        return cls(listener.host, settings.fix_port or listener.port, _tls(listener), profiles, agreed)


def _password(folder: Path, profile: ClientSession) -> str:
    if profile.password_env:
        return client_sessions.password(profile)
    path = folder / profile.password_file
    if not path.exists():
        private_files.write(path, secrets.token_urlsafe(PASSWORD_BYTES) + "\n")
    try:
        found = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        found = ""
    if not found:
        raise Unreadable(f"[{profile.id}]: {path} has no password")
    return found


def _tls(listener: Listener) -> ssl.SSLContext | None:
    if not listener.tls or listener.certificate is None or listener.key is None:
        return None
    try:
        return server_context(listener.certificate, listener.key, listener.client_ca)
    except OSError as error:
        raise Unreadable(f"[listener]: certificate or key: {error}") from None


def _settings(profile: ClientSession, password: str) -> SessionSettings:
    hours = profile.hours
    schedule = None
    if hours is not None:
        try:
            zone = ZoneInfo(hours.zone)
            schedule = Schedule(hours.start, hours.end, zone, hours.start_weekday, hours.end_weekday)
        except (KeyError, ValueError) as error:
            raise Unreadable(f"[{profile.id}]: hours: {error}") from None
    return SessionSettings(
        session_id=profile.id,
        role=Role.ACCEPTOR,
        sender=profile.sender,
        target=profile.target,
        sender_sub=profile.sender_sub,
        target_sub=profile.target_sub,
        sender_location=profile.sender_location,
        target_location=profile.target_location,
        username=profile.username,
        password=password,
        heartbeat_limit_s=profile.heartbeat_limit_s,
        next_expected=profile.next_expected,
        dictionary=vocabulary.DICTIONARY,
        schedule=schedule,
        replay=may_be_sent_again,
    )
