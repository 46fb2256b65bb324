"""POST /login."""

from actors.bus.answers import User, UserReport
from actors.bus.requests import GetUser
from web import problem, schema
from web.auth import TooManyLogins
from web.bus import Away, Declined, NoAnswer
from web.handler import Handler

USER_TIMEOUT_MS = 2_000


class LoginHandler(Handler):
    """A user name and a password for an access token. An unknown user takes as long as a wrong password."""

    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(schema.Login)
        user = await self._find(wanted.username)
        try:
            right = await self.backend.passwords.check(wanted.password, user)
        except TooManyLogins:
            raise problem.unavailable("Too many people are logging in at once. Please try again in a moment.") from None
        if user is None or not right:
            raise problem.unauthorised("The user name or the password is wrong.", "BAD_CREDENTIALS")
        tokens = self.backend.tokens
        self.answer(
            schema.Session(
                access_token=tokens.issue(user, self.backend.now_s()),
                token_type="Bearer",  # noqa: S106  (RFC 6750's name of the scheme)
                expires_in=tokens.ttl_s,
                username=user.username,
                role=user.role,
                account_id=str(user.account_id) if user.account_id else None,
            )
        )

    async def _find(self, username: str) -> User | None:
        if not username.isprintable():
            return None  # Nobody has such a name, and PostgreSQL takes no zero byte to look for.
        try:
            return (await self.backend.history.ask(GetUser(username), UserReport, USER_TIMEOUT_MS)).user
        except (Away, NoAnswer, Declined) as error:
            if isinstance(error, Declined) and error.refusal.code == "UNKNOWN_USER":
                return None
            raise problem.unavailable("Nobody can log in at the moment. Please try again soon.") from None
