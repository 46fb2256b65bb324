"""One's own login: /login/password, /login/totp and /login/api-keys. The password is asked for again."""

import base64
import ipaddress
import secrets
from hashlib import sha256

from actors.bus.logins import (
    AddApiKey,
    ApiKey,
    ApiKeys,
    BeginTotp,
    ChangePassword,
    ConfirmTotp,
    DropTotp,
    EndApiKey,
    EndSession,
    GetApiKeys,
    OpenSession,
    Revoked,
    Session,
)
from actors.bus.users import GetUser, User, UserReport
from web.auth import totp
from web.auth.access import KEY_SCOPES, Role
from web.auth.tokens import TooManyLogins
from web.handling.contract import contract
from web.payloads import problem, schema
from web.payloads.times import format_ns, parse_ns
from web.people import schema as people_schema
from web.people.login import LOGIN, LoginsHandler, bad_code, too_many_logins

ISSUER = "Hedgerow"


class PasswordHandler(LoginsHandler):
    """PUT /login/password: another password. All sessions end; log in again."""

    @contract(
        "Change your password. All of your sessions end.",
        {204: None},
        body=people_schema.ChangePassword,
        problems=LOGIN,
        example={"password": "correct horse battery staple", "new_password": "staple battery horse correct"},
    )
    async def put(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(people_schema.ChangePassword)
        user = await self.proven(self.caller.username, wanted.password)
        if wanted.new_password in (wanted.password, user.username):
            raise problem.invalid("new_password", "It is the old password, or the user name.")
        try:
            password_hash = await self.backend.passwords.hash(wanted.new_password)
        except TooManyLogins:
            raise too_many_logins() from None
        revoked = await self.people(ChangePassword(self.actor(), user.version, password_hash), Revoked)
        self.backend.callers.revoke(revoked.revocations)
        self.answer_nothing()


class TotpHandler(LoginsHandler):
    """The second factor: POST begins one, PUT confirms it with a first code, DELETE takes it away with a last one."""

    @contract(
        "Begin a second factor (RFC 6238).",
        {201: people_schema.TotpBegun},
        body=people_schema.OwnPassword,
        problems=LOGIN,
        example={"password": "correct horse battery staple"},
    )
    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        user = await self.proven(self.caller.username, self.body(people_schema.OwnPassword).password)
        nonce = totp.new_nonce()
        await self.people(BeginTotp(self.actor(), nonce), Revoked)
        secret = totp.secret_of(self.backend.totp_key, nonce)
        self.answer(
            people_schema.TotpBegun(secret=totp.text_of(secret), uri=totp.uri(secret, user.username, ISSUER)), 201
        )

    @contract(
        "Confirm the second factor with a first code.",
        {200: people_schema.RecoveryCodes},
        body=people_schema.TotpCode,
        problems=LOGIN,
        example={"otp": "123456"},
    )
    async def put(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(people_schema.TotpCode)
        user = (await self.people(GetUser(self.caller.username), UserReport)).user
        step = self._step(user, wanted.otp)
        codes = totp.new_recovery_codes()
        digests = [totp.recovery_digest(code) for code in codes]
        await self.people(ConfirmTotp(self.actor(), user.totp_nonce, step, digests), Revoked)
        self.answer(people_schema.RecoveryCodes(recovery_codes=codes))

    @contract(
        "Take the second factor away with a last code.",
        {204: None},
        body=people_schema.OwnPasswordAndCode,
        problems=LOGIN,
        example={"password": "correct horse battery staple", "otp": "123456"},
    )
    async def delete(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(people_schema.OwnPasswordAndCode)
        user = await self.proven(self.caller.username, wanted.password)
        step, digest = self.second_factor(user, wanted.otp)
        # Opening a session is what uses a code up.
        used = OpenSession(
            user.user_id, user.version, user.username, self.address, self.session_ends_ns(), step, digest
        )
        session = await self.people(used, Session)
        await self.people(EndSession(session.session_id), Revoked)
        await self.people(DropTotp(self.actor()), Revoked)
        self.answer_nothing()

    def _step(self, user: User, otp: str) -> int:
        if not user.totp_nonce:
            raise problem.of_code("TOTP_NONE", "There is no second factor to confirm: begin one with POST.")
        secret = totp.secret_of(self.backend.totp_key, user.totp_nonce)
        step = totp.step_of(secret, otp, self.backend.now_s())
        if step is None:
            raise bad_code()
        return step


class ApiKeysHandler(LoginsHandler):
    """GET and POST /login/api-keys. The key itself is told once."""

    @contract("Your API keys.", {200: people_schema.ApiKeyList}, problems=LOGIN)
    async def get(self) -> None:
        self.parameters(schema.NoParameters)
        keys = (await self.people(GetApiKeys(self.caller.id), ApiKeys)).keys
        self.answer(people_schema.ApiKeyList(api_keys=[_key(key) for key in keys]))

    @contract(
        "Make an API key, which is told once.",
        {201: people_schema.MadeApiKey},
        body=people_schema.NewApiKey,
        problems=LOGIN,
        example={"name": "reports", "scopes": ["read"]},
    )
    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(people_schema.NewApiKey)
        allowed = KEY_SCOPES[Role(self.caller.role)]
        if not set(wanted.scopes) <= allowed:
            raise problem.invalid("scopes", f"Your role's keys may have {', '.join(sorted(allowed))}.")
        networks = [_network(text) for text in wanted.networks]
        ends_ns = _future_ns(wanted.expires, self.backend.clock_ns())
        secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        digest = sha256(secret.encode()).hexdigest()
        scopes = sorted(set(wanted.scopes))
        told = AddApiKey(self.actor(), wanted.name, digest, [*scopes], networks, ends_ns)
        (key,) = (await self.people(told, ApiKeys)).keys
        self.answer(people_schema.MadeApiKey(key=f"hgk_{key.key_id}_{secret}", api_key=_key(key)), 201)


class OneApiKeyHandler(LoginsHandler):
    """DELETE /login/api-keys/{id}."""

    @contract("End an API key.", {204: None}, problems=LOGIN)
    async def delete(self, key_id: str) -> None:
        self.parameters(schema.NoParameters)
        revoked = await self.people(EndApiKey(self.actor(), int(key_id)), Revoked)
        self.backend.callers.revoke(revoked.revocations)
        self.answer_nothing()


def _key(key: ApiKey) -> people_schema.ApiKeyBody:
    return people_schema.ApiKeyBody(
        id=str(key.key_id),
        name=key.name,
        scopes=key.scopes,
        networks=key.networks,
        created_at=format_ns(key.created_ns),
        expires=format_ns(key.ends_ns) if key.ends_ns else None,
    )


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise problem.invalid("networks", f"{error}.") from None


def _future_ns(text: str | None, now_ns: int) -> int:
    if text is None:
        return 0
    try:
        ends_ns = parse_ns(text)
    except ValueError as error:
        raise problem.invalid("expires", f"{error}.") from None
    if ends_ns <= now_ns:
        raise problem.invalid("expires", "That is not in the future.")
    return ends_ns
