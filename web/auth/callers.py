"""Who is asking, by a token or an API key, and what of it is void before its time.

A token is read without a question to anybody, and its signature is checked once: that costs a fifth of what an order
does. What was revoked is asked for once a second, and kept as long as a token may live; API keys are looked up once and
kept until they are revoked. So a database that is away logs nobody out; what is revoked elsewhere meanwhile is heard of
when it is back.
"""

import hashlib
import hmac
import ipaddress
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from actors.bus.asking import Asker, Away, Declined, NoAnswer
from actors.bus.logins import GetApiKey, GetRevocations, KeyReport, Revocation, Revocations
from web.auth import keyring
from web.auth.tokens import Caller, Tokens, Unauthorised
from web.payloads import problem

TIMEOUT_MS = 2_000
KEYS_KEPT_LIMIT = 10_000
TOKENS_KEPT_LIMIT = 10_000
"""Tokens whose signature is known to be good; the longest known is forgotten first, and is checked again."""
MARGIN_NS = 60 * 1_000_000_000
"""How much longer than a token's life a revocation is kept: clocks differ."""
API_KEY = re.compile(r"hgk_([1-9][0-9]{0,17})_([A-Za-z0-9_-]{43})")

_log = structlog.get_logger("web")


class Callers:
    def __init__(
        self, tokens: Tokens, history: Asker, clock_ns: Callable[[], int], keys_folder: Path | None = None
    ) -> None:
        """`keys_folder`: looked at again with each `follow`; None: the keys stay as they are."""
        self.tokens = tokens
        self._history = history
        self._clock_ns = clock_ns
        self._keys_folder = keys_folder
        self._seq = 0
        self._revoked: OrderedDict[int, Revocation] = OrderedDict()
        self._versions: dict[int, int] = {}
        """By user, the lowest version that is good."""
        self._ended: dict[int, None] = {}
        """Sessions."""
        self._keys: OrderedDict[int, KeyReport] = OrderedDict()
        self._signed: dict[str, Caller] = {}
        """By tokens whose signature is good: whether they have ended or were revoked is looked at each time."""

    def read(self, token: str) -> Caller:
        """By an access token; raises a problem, 401."""
        now_s = self._clock_ns() // 1_000_000_000
        caller = self._signed.get(token)
        if caller is None or caller.expires_s <= now_s:
            self._signed.pop(token, None)
            try:
                caller = self.tokens.read(token, now_s)
            except Unauthorised as error:
                raise problem.unauthorised(str(error), "INVALID_TOKEN") from None
            self._signed[token] = caller
            if len(self._signed) > TOKENS_KEPT_LIMIT:
                del self._signed[next(iter(self._signed))]
        if self.is_void(caller):
            raise problem.unauthorised("The token was revoked: log in again.", "INVALID_TOKEN")
        return caller

    async def identify(self, token: str, address: str) -> Caller:
        """By an access token or an API key; raises a problem, 401, or 503 where a key cannot be looked up."""
        match = API_KEY.fullmatch(token)
        if match is None:
            return self.read(token)
        report = await self._key(int(match[1]))
        digest = hashlib.sha256(match[2].encode()).hexdigest()
        if report is None or not hmac.compare_digest(digest, report.digest):
            raise problem.unauthorised("The API key is not valid.", "INVALID_TOKEN")
        return self._key_caller(report, address)

    def is_void(self, caller: Caller) -> bool:
        """Whether it was revoked since it was read, or has ended."""
        if caller.key_id:
            return caller.key_id not in self._keys or caller.expires_s * 1_000_000_000 <= self._clock_ns()
        return caller.version < self._versions.get(caller.id, 0) or caller.session_id in self._ended

    def revoke(self, revocations: Iterable[Revocation]) -> None:
        """From now on: what was just revoked here, or was heard of."""
        for revocation in revocations:
            self._revoked[revocation.seq] = revocation
            if revocation.version:
                known = self._versions.get(revocation.user_id, 0)
                self._versions[revocation.user_id] = max(known, revocation.version)
                self._forget_keys_of(revocation.user_id)
            if revocation.session_id:
                self._ended[revocation.session_id] = None
            self._keys.pop(revocation.key_id, None)

    async def follow(self) -> None:
        """Hears of what was revoked elsewhere, and of keys that were rotated. Once a second."""
        since_ns = self._clock_ns() - self.tokens.ttl_s * 1_000_000_000 - MARGIN_NS
        try:
            got = await self._history.ask(GetRevocations(self._seq, since_ns), Revocations, TIMEOUT_MS)
        except (Away, NoAnswer, Declined):
            pass
        else:
            self.revoke(got.revocations)
            self._seq = max([self._seq, *(revocation.seq for revocation in got.revocations)])
        self._forget(since_ns)
        if self._keys_folder is not None:
            self._read_keys(self._keys_folder)

    def _read_keys(self, folder: Path) -> None:
        try:
            keys = keyring.load(folder)
        except (OSError, keyring.UnfitKey) as error:
            _log.error("signing keys unfit", detail=str(error))
            return
        if keys and self.tokens.keyring.replace(keys):
            self._signed.clear()

    def _forget(self, since_ns: int) -> None:
        """Revocations of tokens that have ended by themselves."""
        while self._revoked and next(iter(self._revoked.values())).time_ns < since_ns:
            _, old = self._revoked.popitem(last=False)
            self._ended.pop(old.session_id, None)
            if self._versions.get(old.user_id) == old.version:
                del self._versions[old.user_id]

    async def _key(self, key_id: int) -> KeyReport | None:
        report = self._keys.get(key_id)
        if report is None:
            try:
                report = await self._history.ask(GetApiKey(key_id), KeyReport, TIMEOUT_MS)
            except Declined as error:
                if error.refusal.code == "UNKNOWN_KEY":
                    return None
                raise problem.of_bus(error) from None
            except (Away, NoAnswer) as error:
                raise problem.of_bus(error) from None
            self._keys[key_id] = report
            if len(self._keys) > KEYS_KEPT_LIMIT:
                self._keys.popitem(last=False)
        return report

    def _key_caller(self, report: KeyReport, address: str) -> Caller:
        key, user = report.key, report.user
        if key.ends_ns and key.ends_ns <= self._clock_ns():
            raise problem.unauthorised("The API key has expired.", "INVALID_TOKEN")
        if key.networks and not _is_in(address, key.networks):
            raise problem.unauthorised("The API key may not be used from this address.", "INVALID_TOKEN")
        return Caller(
            str(user.user_id),
            user.username,
            user.role,
            user.account_id,
            (key.ends_ns or 2**62) // 1_000_000_000,
            frozenset(key.scopes),
            version=user.version,
            key_id=key.key_id,
        )

    def _forget_keys_of(self, user_id: int) -> None:
        for key_id in [key_id for key_id, report in self._keys.items() if report.user.user_id == user_id]:
            del self._keys[key_id]


def _is_in(address: str, networks: Iterable[str]) -> bool:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    plain = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(plain in ipaddress.ip_network(network) for network in networks)
