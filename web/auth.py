"""Who is asking: access tokens (JWT, HS256, RFC 7519), the key that signs them, and passwords, off the event loop."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import jwt
import msgspec

from actors.bus.answers import User
from actors.store import private_files
from actors.store.passwords import check_password, hash_password

ALGORITHM = "HS256"
ISSUER = "hedgerow"
AUDIENCE = "hedgerow-api"
KEY_BYTES = 32
TOKEN_LIMIT_CHARACTERS = 2_048
CLOCK_SKEW_S = 5
"""How far ahead of our clock a token may have been issued: clocks are set back."""
CHECK_THREADS = 2
WAITING_CHECKS_LIMIT = 64
"""How many passwords may wait to be checked; one more is told to come back (`TooManyLogins`)."""


class Unauthorised(Exception):
    """The token does not say who is asking. The sentence is fit for the client."""


class TooManyLogins(Exception):
    """So many passwords wait to be checked that this one is not taken."""


class Caller(msgspec.Struct, frozen=True):
    """Who is asking, as the token says."""

    user_id: str
    username: str
    role: str
    account_id: int
    """The trading account; 0 where the user has none."""
    expires_s: int
    scopes: frozenset[str] = frozenset({"read", "trade", "withdraw", "admin", "person"})
    """What of the role's powers the caller may use (web/access.py); a login may use all."""


class _Claims(msgspec.Struct):
    sub: str
    name: str
    role: str
    account: int
    iat: int
    exp: int


class Tokens:
    """Issues access tokens and reads them. Whoever holds `key` can do the same."""

    def __init__(self, key: bytes, ttl_s: int) -> None:
        self.ttl_s = ttl_s
        self._key = key

    def issue(self, user: User, now_s: int) -> str:
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user.user_id),
            "name": user.username,
            "role": user.role,
            "account": user.account_id,
            "iat": now_s,
            "exp": now_s + self.ttl_s,
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM)

    def read(self, token: str, now_s: int) -> Caller:
        """Raises Unauthorised. The times are compared here, with the time that is passed in."""
        try:
            if len(token) > TOKEN_LIMIT_CHARACTERS:
                raise Unauthorised("The access token is not valid.")
            payload = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={
                    "require": ["exp", "iat", "sub", "iss", "aud"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            claims = msgspec.convert(payload, _Claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError, ValueError, RecursionError):
            raise Unauthorised("The access token is not valid.") from None
        if claims.exp <= now_s:
            raise Unauthorised("The access token has expired: log in again.")
        if claims.iat > now_s + CLOCK_SKEW_S:
            raise Unauthorised("The access token is not valid yet.")
        return Caller(claims.sub, claims.name, claims.role, claims.account, claims.exp)


def signing_key(folder: Path) -> bytes:
    """The key in `folder`/jwt, made at the first start, readable for its owner alone; ValueError where it is unfit."""
    path = folder / "jwt"
    if not path.exists():
        private_files.write(path, secrets.token_hex(KEY_BYTES))
    key = path.read_bytes()
    if len(key) < KEY_BYTES:
        raise ValueError(f"{path} holds {len(key)} bytes; a signing key has {KEY_BYTES} or more")
    if path.stat().st_mode & 0o077:
        raise ValueError(f"{path} can be read by others; its mode must be 0600")
    return key


@cache
def _nobodys_hash() -> str:
    """At the cost of all the others, so that checking against it takes their time."""
    return hash_password(secrets.token_hex())


class PasswordChecks:
    """Checks passwords on a few threads of their own: a check takes a quarter of a second by design."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(CHECK_THREADS, thread_name_prefix="password")
        self._waiting = 0
        self._nobodys_hash = _nobodys_hash()

    async def check(self, password: str, user: User | None) -> bool:
        """Whether it is the user's; takes as long, and is False, where there is no such user. Raises TooManyLogins."""
        if self._waiting >= WAITING_CHECKS_LIMIT:
            raise TooManyLogins
        self._waiting += 1
        try:
            password_hash = user.password_hash if user else self._nobodys_hash
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, check_password, password, password_hash) and bool(user)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
