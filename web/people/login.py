"""Logging in and out: /login, /login/refresh, /logout, /logout/everywhere. No cookies: no forged requests."""

from typing import Any, TypeVar

from actors.bus.answers import Answer
from actors.bus.asking import Away, Declined, NoAnswer
from actors.bus.logins import (
    BeginLogin,
    EndSession,
    EndSessions,
    GetApiKeys,
    LoginTicket,
    OpenSession,
    Revoked,
    RotateSession,
    Session,
)
from actors.bus.users import GetActs, GetOneUser, GetUser, GetUsers, User
from web.auth import totp
from web.auth.tokens import TooManyLogins, Unauthorised
from web.handling.auditing import AuditedHandler
from web.handling.contract import COMMAND, contract
from web.payloads import bodies, problem, schema

PEOPLE_TIMEOUT_MS = 2_000
LOGIN = COMMAND | {401}
QUESTIONS = (BeginLogin, GetActs, GetApiKeys, GetOneUser, GetUser, GetUsers)
"""They may be asked again, whatever became of them; BeginLogin only counts one attempt more."""

A = TypeVar("A", bound=Answer)


class LoginsHandler(AuditedHandler):
    """What all that has to do with logins shares."""

    async def people(self, told: Any, answer: type[A]) -> A:
        """What persistence answers about people; raises a problem."""
        try:
            return await self.backend.history.ask(told, answer, PEOPLE_TIMEOUT_MS)
        except (Away, Declined) as error:
            raise problem.of_bus(error) from None
        except NoAnswer as error:
            raise problem.of_bus(error) if isinstance(told, QUESTIONS) else problem.unknown_once() from None

    async def proven(self, username: str, password: str) -> User:
        """Whose name and password these are; raises a problem, after the same time for an unknown name."""
        ticket = await self.people(BeginLogin(username, self.address), LoginTicket)
        if ticket.wait_ns:
            seconds = -(-ticket.wait_ns // 1_000_000_000)
            raise problem.Problem(
                429,
                "TOO_MANY_ATTEMPTS",
                f"There were too many attempts to log in. Please try again in {seconds} s.",
                headers={"Retry-After": str(seconds)},
            )
        try:
            right = await self.backend.passwords.check(password, ticket.user)
        except TooManyLogins:
            raise too_many_logins() from None
        if ticket.user is None or not right:
            raise problem.unauthorised("The user name or the password is wrong.", "BAD_CREDENTIALS")
        return ticket.user

    def second_factor(self, user: User, otp: str | None) -> tuple[int, str]:
        """The step of the code, or the digest of the recovery code, that was given; (0, "") where none is needed."""
        if not user.totp_confirmed:
            return 0, ""
        if otp is None:
            raise problem.unauthorised("Send the code of your second factor too: otp.", "OTP_REQUIRED")
        if len(otp) != totp.DIGITS:
            return 0, totp.recovery_digest(otp)
        secret = totp.secret_of(self.backend.totp_key, user.totp_nonce)
        step = totp.step_of(secret, otp, self.backend.now_s())
        if step is None:
            raise bad_code()
        return step, ""

    def answer_session(self, session: Session) -> None:
        backend, user = self.backend, session.user
        tokens, now_s = backend.callers.tokens, backend.now_s()
        self.answer(
            bodies.Session(
                access_token=tokens.issue(user, now_s, session.session_id),
                token_type="Bearer",  # noqa: S106  (RFC 6750's name of the scheme)
                expires_in=tokens.ttl_s,
                refresh_token=tokens.issue_refresh(session, now_s),
                refresh_expires_in=session.ends_ns // 1_000_000_000 - now_s,
                username=user.username,
                role=user.role,
                account_id=str(user.account_id) if user.account_id else None,
            )
        )

    def session_ends_ns(self) -> int:
        return self.backend.clock_ns() + self.backend.callers.tokens.refresh_ttl_s * 1_000_000_000


class LoginHandler(LoginsHandler):
    """POST /login: a user name and a password, and a code where there is a second factor, for a session's tokens."""

    @contract(
        "Log in; with a second factor, with its code.",
        {200: bodies.Session},
        body=schema.Login,
        problems=LOGIN,
        example={"username": "trader", "password": "correct horse battery staple"},
    )
    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(schema.Login)
        user = await self.proven(wanted.username, wanted.password)
        step, digest = self.second_factor(user, wanted.otp)
        passwords, password_hash = self.backend.passwords, ""
        if passwords.is_outdated(user.password_hash):
            try:
                password_hash = await passwords.hash(wanted.password)
            except TooManyLogins:
                raise too_many_logins() from None
        told = OpenSession(
            user.user_id,
            user.version,
            user.username,
            self.address,
            self.session_ends_ns(),
            step,
            digest,
            password_hash,
        )
        self.answer_session(await self.people(told, Session))


class RefreshHandler(LoginsHandler):
    """POST /login/refresh: a refresh token for new tokens. Used twice, it ends its session: one of the two stole it."""

    @contract(
        "A refresh token for new tokens. Used twice, it ends its session.",
        {200: bodies.Session},
        body=schema.Refresh,
        problems=LOGIN,
        example={"refresh_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln"},
    )
    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(schema.Refresh)
        backend = self.backend
        try:
            session_id, counter = backend.callers.tokens.read_refresh(wanted.refresh_token, backend.now_s())
        except Unauthorised as error:
            raise problem.unauthorised(str(error), "INVALID_TOKEN") from None
        self.answer_session(
            await self.people(RotateSession(session_id, counter, self.address, self.session_ends_ns()), Session)
        )


class LogoutHandler(LoginsHandler):
    """POST /logout: this session ends, and its tokens with it."""

    @contract("End this session, and its tokens with it.", {204: None}, problems=LOGIN)
    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        self.backend.callers.revoke((await self.people(EndSession(self.caller.session_id), Revoked)).revocations)
        self.answer_nothing()


class LogoutEverywhereHandler(LoginsHandler):
    """POST /logout/everywhere: all the user's sessions end. API keys stay."""

    @contract("End all of your sessions. API keys stay.", {204: None}, problems=LOGIN)
    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        self.backend.callers.revoke((await self.people(EndSessions(self.actor()), Revoked)).revocations)
        self.answer_nothing()


def bad_code() -> problem.Problem:
    return problem.unauthorised("The code is wrong.", "BAD_OTP")


def too_many_logins() -> problem.Problem:
    return problem.unavailable("Too many people are logging in at once. Please try again in a moment.")
