"""What `config/lp_sessions.toml` says of a session, as the gateway wants it: what was agreed, and the way to the LP."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from actors.store import private_files
from config import settings as config
from config.lp_sessions import LpHours, LpProxy, LpSession
from config.settings import Settings
from gateway.fix.dictionary import Dictionary, fix44
from gateway.fix.initiator import Host, Route
from gateway.fix.proxy import Proxy, ProxyKind
from gateway.fix.schedule import Schedule
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import SentMessage
from gateway.fix.tls import client_context
from gateway.fix.validation import Level
from gateway.venues.interface import BadSettings, Patience

QUOTES_COUNT_DELAY_MS = 1_000
"""Quotes that come again after a crash are dropped (PossDupFlag), so their count need not be on the disk at once."""


def session_settings(
    session: LpSession, settings: Settings, replay: Callable[[SentMessage, int], bool]
) -> SessionSettings:
    """Raises BadSettings."""
    return SessionSettings(
        session_id=session.id,
        role=Role.INITIATOR,
        sender=session.sender,
        target=session.target,
        sender_sub=session.sender_sub,
        target_sub=session.target_sub,
        sender_location=session.sender_location,
        target_location=session.target_location,
        username=session.username,
        password=_password(session, settings),
        heartbeat_s=session.heartbeat_s,
        reset_on_logon=session.reset_on_logon,
        next_expected=session.next_expected,
        logon_timeout_ms=session.logon_timeout_ms,
        validation=Level(session.validation),
        dictionary=_dictionary(session),
        schedule=_schedule(session.hours) if session.hours else None,
        replay=replay,
        count_delay_ms=0 if session.has_orders else QUOTES_COUNT_DELAY_MS,
    )


def route(session: LpSession, settings: Settings) -> Route:
    """Raises BadSettings."""
    try:
        tls = session.tls
        files = (Path(name) if name else None for name in (tls.ca, tls.certificate, tls.key))
        context = None if session.plain else client_context(*files)
    except OSError as error:
        raise BadSettings(f"[{session.id}]: its certificates cannot be used: {error}") from None
    patience = Patience(
        connect_timeout_ms=session.connect_timeout_ms,
        backoff_first_ms=session.reconnect_first_ms,
        backoff_cap_ms=session.reconnect_cap_ms,
    )
    proxy = _proxy(session.proxy) if session.proxy else None
    if not session.hosts:
        return SimulatedRoute(hosts=(), tls=context, proxy=proxy, patience=patience, addresses=settings.venues_file)
    hosts = [Host(name, session.port) for name in session.hosts]
    return Route(hosts=hosts, tls=context, proxy=proxy, server_name=session.tls.server_name, patience=patience)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedRoute(Route):
    """To the simulated LP, wherever it listens now: the venues process writes that down at its start."""

    addresses: Path

    def host(self, attempt: int) -> Host:
        try:
            address = json.loads(self.addresses.read_text(encoding="utf-8"))["fix"]
            return Host(str(address["host"]), int(address["port"]))
        except (OSError, ValueError, LookupError, TypeError):
            raise OSError("the simulated LPs are not up yet") from None


def _password(session: LpSession, settings: Settings) -> str:
    if session.password_env:
        return _secret(session.password_env)
    return "" if session.hosts else private_files.secret(settings.simulated_fix_password)


def _secret(name: str) -> str:
    value = config.secret(name)
    if value is None:
        raise BadSettings(f"the environment variable {name} is not set")
    return value


def _dictionary(session: LpSession) -> Dictionary:
    dictionary = replace(fix44(), begin_string=session.begin_string.encode("ascii"))
    if not session.custom_fields and not session.custom_messages:
        return dictionary
    fields = {int(tag): rule for tag, rule in session.custom_fields.items()}
    return dictionary.with_custom(fields, session.custom_messages)


def _schedule(hours: LpHours) -> Schedule:
    try:
        return Schedule(hours.start, hours.end, ZoneInfo(hours.zone), hours.start_weekday, hours.end_weekday)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise BadSettings(f"session hours: {error}") from None


def _proxy(proxy: LpProxy) -> Proxy:
    password = _secret(proxy.password_env) if proxy.password_env else ""
    return Proxy(ProxyKind(proxy.kind), proxy.host, proxy.port, proxy.username, password)
