"""Tokens (JWT, RFC 7519, HS256 with a key id): short-lived ones to ask with, and refresh tokens; and passwords.

The key id only chooses among the keys that we hold, and the algorithm is ours: nothing in a token says how it is read.
"""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NoReturn, TypeVar

import jwt
import msgspec

from actors.bus.logins import Session
from actors.bus.users import User
from actors.store.passwords import check_password, cost_of, hash_password
from web.auth.keyring import Keyring

ALGORITHM = "HS256"
ISSUER = "hedgerow"
AUDIENCE = "hedgerow-api"
REFRESH_AUDIENCE = "hedgerow-refresh"
TOKEN_LIMIT_CHARACTERS = 2_048
CLOCK_SKEW_S = 5
"""How far ahead of our clock a token may have been issued: clocks are set back."""
CHECK_THREADS = 2
WAITING_CHECKS_LIMIT = 64
"""How many passwords may wait to be checked; one more is told to come back (`TooManyLogins`)."""

C = TypeVar("C", bound=msgspec.Struct)


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
    """What of the role's powers the caller may use (access.py); a login may use all."""
    session_id: int = 0
    version: int = 0
    key_id: int = 0
    """The API key; 0: the caller has logged in."""

    @property
    def id(self) -> int:
        return int(self.user_id)

    @property
    def purse(self) -> str:
        """Out of whose allowance the caller's requests are: all logins and API keys of an account have one."""
        return f"account {self.account_id}" if self.account_id else f"user {self.user_id}"


class _Claims(msgspec.Struct):
    sub: str
    name: str
    role: str
    account: int
    sid: int
    ver: int
    iat: int
    exp: int


class _RefreshClaims(msgspec.Struct):
    sid: int
    n: int
    iat: int
    exp: int


class Tokens:
    """Issues tokens and reads them. Whoever holds a key of the ring can do the same."""

    def __init__(self, keyring: Keyring, ttl_s: int, refresh_ttl_s: int = 86_400) -> None:
        """`ttl_s`: of an access token; `refresh_ttl_s`: how long a session lasts that nobody uses."""
        self.keyring = keyring
        self.ttl_s = ttl_s
        self.refresh_ttl_s = refresh_ttl_s

    def issue(self, user: User, now_s: int, session_id: int = 0) -> str:
        """An access token. It says who is asking until it ends: nothing is looked up for it."""
        claims = {
            "sub": str(user.user_id),
            "name": user.username,
            "role": user.role,
            "account": user.account_id,
            "sid": session_id,
            "ver": user.version,
        }
        return self._sign(claims, AUDIENCE, now_s, now_s + self.ttl_s)

    def issue_refresh(self, session: Session, now_s: int) -> str:
        """Good for the session's next access token, once."""
        claims = {"sid": session.session_id, "n": session.counter}
        return self._sign(claims, REFRESH_AUDIENCE, now_s, session.ends_ns // 1_000_000_000)

    def read(self, token: str, now_s: int) -> Caller:
        """An access token; raises Unauthorised. The times are compared here, with the time that is passed in."""
        claims = self._read(token, AUDIENCE, _Claims, now_s)
        return Caller(
            claims.sub,
            claims.name,
            claims.role,
            claims.account,
            claims.exp,
            session_id=claims.sid,
            version=claims.ver,
        )

    def read_refresh(self, token: str, now_s: int) -> tuple[int, int]:
        """The session and the token's number in it; raises Unauthorised."""
        claims = self._read(token, REFRESH_AUDIENCE, _RefreshClaims, now_s)
        return claims.sid, claims.n

    def _sign(self, claims: dict[str, Any], audience: str, now_s: int, ends_s: int) -> str:
        kid, key = self.keyring.signing(now_s)
        whole = {"iss": ISSUER, "aud": audience, "iat": now_s, "exp": ends_s, **claims}
        return jwt.encode(whole, key, algorithm=ALGORITHM, headers={"kid": kid})

    def _read(self, token: str, audience: str, kind: type[C], now_s: int) -> C:
        if len(token) > TOKEN_LIMIT_CHARACTERS:
            _refuse()
        try:
            key = self.keyring.get(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                _refuse()
            payload = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=audience,
                options={
                    "require": ["exp", "iat", "iss", "aud"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            claims: Any = msgspec.convert(payload, kind)
        except (jwt.InvalidTokenError, msgspec.ValidationError, ValueError, RecursionError):
            _refuse()
        if claims.exp <= now_s:
            raise Unauthorised("The token has expired: log in again.")
        if claims.iat > now_s + CLOCK_SKEW_S:
            raise Unauthorised("The token is not valid yet.")
        got: C = claims
        return got


def _refuse() -> NoReturn:
    raise Unauthorised("The token is not valid.") from None


@cache
def _nobodys_hash(cost: int) -> str:
    """At the cost of all the others, so that checking against it takes their time."""
    return hash_password(secrets.token_hex(), cost)


class PasswordChecks:
    """Checks passwords on a few threads of their own: a check takes a quarter of a second by design."""

    def __init__(self, cost: int) -> None:
        """`cost`: of the hashes that are made here (actors/store/passwords.py)."""
        self._threads = ThreadPoolExecutor(CHECK_THREADS, thread_name_prefix="password")
        self._waiting = 0
        self._cost = cost
        self._nobodys_hash = _nobodys_hash(cost)

    async def check(self, password: str, user: User | None) -> bool:
        """Whether it is the user's; takes as long, and is False, where there is no such user. Raises TooManyLogins."""
        password_hash = user.password_hash if user else self._nobodys_hash
        right: bool = await self._run(check_password, password, password_hash)
        return right and user is not None

    async def hash(self, password: str) -> str:
        """A hash to keep. Raises TooManyLogins."""
        made: str = await self._run(hash_password, password, self._cost)
        return made

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made at another cost."""
        return cost_of(password_hash) != self._cost

    async def _run(self, work: Callable[..., Any], *arguments: object) -> Any:
        if self._waiting >= WAITING_CHECKS_LIMIT:
            raise TooManyLogins
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
