"""What the settings say of safety, and what production does without: a development default stops the process there."""

import ipaddress
import secrets
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from actors.store import passwords, private_files
from config import settings as config
from config.settings import Settings
from web.auth import keyring
from web.serving import proxy
from web.serving.proxy import Network

TOKEN_TTL_LIMIT_S = 3_600
"""In production: so long at most does an access token work whose revocation nobody hears of."""


class Safety(NamedTuple):
    origins: tuple[str, ...] = ()
    proxies: tuple[Network, ...] = ()
    tls: ssl.SSLContext | None = None
    bcrypt_cost: int = passwords.COST
    keys_folder: Path | None = None


DEVELOPMENT = Safety()


def safety_of(settings: Settings) -> Safety:
    """As the settings say; the end of the process where they cannot be, or where production forbids what they say."""
    if settings.production:
        for fault in faults(settings):
            config.stop(f"{fault} (HEDGEROW_PRODUCTION is set)")
    return Safety(
        settings.allowed_origins,
        proxy.networks(settings.trusted_proxies),
        _tls(settings),
        settings.bcrypt_cost,
        keyring.folder_of(settings.run_dir / "secrets"),
    )


def signing_keys(settings: Settings) -> dict[str, bytes]:
    """At the first start makes one, except in production."""
    folder = keyring.folder_of(settings.run_dir / "secrets")
    try:
        keys = keyring.load(folder)
        if not keys and not settings.production:
            keyring.make(folder)
            keys = keyring.load(folder)
    except keyring.UnfitKey as fault:
        config.stop(f"{fault}.")
    if not keys:
        config.stop(f"{folder} holds no signing key: make one with `python -m tools.keys rotate`.")
    return keys


def secret_key(settings: Settings, name: str) -> bytes:
    """The key in `secrets/<name>`; made at the first start, except in production."""
    path = settings.run_dir / "secrets" / name
    if not path.exists():
        if settings.production:
            config.stop(f"{path} is missing: make it with `python -m tools.keys make {name}`.")
        private_files.write(path, secrets.token_hex(keyring.KEY_BYTES))
    try:
        return keyring.secret(path)
    except keyring.UnfitKey as fault:
        config.stop(f"{fault}.")


def faults(settings: Settings) -> Iterator[str]:
    """What production does not start with, each in a sentence that names the setting or the file."""
    if settings.tls_cert is None and not _is_loopback(settings.http_host):
        yield f"HEDGEROW_HTTP_HOST: {settings.http_host} is reached from outside, and HEDGEROW_TLS_CERT is not set."
    if settings.tls_key is not None and settings.tls_key.exists() and settings.tls_key.stat().st_mode & 0o077:
        yield f"HEDGEROW_TLS_KEY: {settings.tls_key} can be read by others; its mode must be 0600."
    if settings.token_ttl_s > TOKEN_TTL_LIMIT_S:
        yield f"HEDGEROW_TOKEN_TTL_S: {settings.token_ttl_s} s is more than {TOKEN_TTL_LIMIT_S} s."
    if settings.bcrypt_cost < passwords.COST:
        yield f"HEDGEROW_BCRYPT_COST: {settings.bcrypt_cost} is less than {passwords.COST}."
    for origin in settings.allowed_origins:
        if not origin.startswith("https://"):
            yield f"HEDGEROW_ALLOWED_ORIGINS: {origin} is not https."
    for network in proxy.networks(settings.trusted_proxies):
        if network.prefixlen == 0:
            yield f"HEDGEROW_TRUSTED_PROXIES: {network} trusts everybody."
    if settings.database_url is not None:
        yield from _database_faults(settings.database_url.get_secret_value())
    credentials = settings.run_dir / "credentials.json"
    if credentials.exists():
        yield f"{credentials} still holds the first passwords: keep them elsewhere, and delete it."


def _database_faults(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.hostname is None or _is_loopback(parts.hostname):
        return
    mode = parse_qs(parts.query).get("sslmode", ["prefer"])[0]
    if mode not in ("require", "verify-ca", "verify-full"):
        yield f"DATABASE_URL: {parts.hostname} is another host, and sslmode is {mode}, not verify-full."
    if not parts.password:
        yield "DATABASE_URL: it has no password."


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_cert is None:
        if settings.tls_key is not None:
            config.stop("HEDGEROW_TLS_KEY: it is set, and HEDGEROW_TLS_CERT is not.")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        config.stop(f"HEDGEROW_TLS_CERT: {settings.tls_cert} cannot be used: {error}.")
    return context


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
