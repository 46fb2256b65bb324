"""Users and the audit log for the staff: /admin/users and below, /admin/audit. Persistence audits the changes."""

import secrets

from actors.bus.people import (
    Act,
    Acts,
    AddUser,
    ChangeUser,
    GetActs,
    GetOneUser,
    GetUsers,
    ResetLogin,
    UnlockUser,
    UserRow,
    Users,
)
from web import people_schema, schema
from web.auth import TooManyLogins
from web.login import LoginsHandler, too_many_logins
from web.times import format_ns

PASSWORD_BYTES = 16


class UsersHandler(LoginsHandler):
    async def initial_password(self) -> tuple[str, str]:
        """A new password, and its hash."""
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        try:
            return password, await self.backend.passwords.hash(password)
        except TooManyLogins:
            raise too_many_logins() from None

    def answer_user(self, user: UserRow, status: int = 200, password: str | None = None) -> None:
        body = _user(user, self.backend.clock_ns())
        self.answer({"user": body} if password is None else {"user": body, "password": password}, status)


class AllUsersHandler(UsersHandler):
    """GET and POST /admin/users. A new user's password is told once."""

    async def get(self) -> None:
        page = self.parameters(people_schema.WhichUsers)
        users = (await self.people(GetUsers(page.limit + 1, int(page.after or 0)), Users)).users
        now_ns = self.backend.clock_ns()
        listed = users[: page.limit]
        cursor = str(listed[-1].user_id) if len(users) > page.limit else None
        if cursor is not None:
            self.set_header("Link", f'</admin/users?limit={page.limit}&after={cursor}>; rel="next"')
        self.answer({"users": [_user(user, now_ns) for user in listed], "next": cursor})

    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(people_schema.NewUser)
        password, password_hash = await self.initial_password()
        account_id = int(wanted.account_id or 0)
        told = AddUser(self.actor(), wanted.username, password_hash, wanted.role, account_id, wanted.reason)
        (user,) = (await self.people(told, Users)).users
        self.set_header("Location", f"/admin/users/{user.user_id}")
        self.answer_user(user, 201, password)


class OneUserHandler(UsersHandler):
    """GET and PATCH /admin/users/{id}: role, account, disabled. A change ends the user's sessions and API keys."""

    async def get(self, user_id: str) -> None:
        self.parameters(schema.NoParameters)
        (user,) = (await self.people(GetOneUser(int(user_id)), Users)).users
        self.answer_user(user)

    async def patch(self, user_id: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(people_schema.ChangedUser)
        account_id = None if wanted.account_id is None else int(wanted.account_id)
        told = ChangeUser(self.actor(), int(user_id), wanted.role, account_id, wanted.disabled, wanted.reason)
        (user,) = (await self.people(told, Users)).users
        await self.backend.callers.follow()
        self.answer_user(user)


class ResetUserHandler(UsersHandler):
    """POST /admin/users/{id}/reset: another password, told once, and no second factor. Support does it for clients."""

    async def post(self, user_id: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(people_schema.Reasoned)
        password, password_hash = await self.initial_password()
        told = ResetLogin(self.actor(), int(user_id), password_hash, wanted.reason)
        (user,) = (await self.people(told, Users)).users
        await self.backend.callers.follow()
        self.answer_user(user, password=password)


class UnlockUserHandler(UsersHandler):
    """POST /admin/users/{id}/unlock: forgets the attempts to log in."""

    async def post(self, user_id: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(people_schema.Reasoned)
        (user,) = (await self.people(UnlockUser(self.actor(), int(user_id), wanted.reason), Users)).users
        self.answer_user(user)


class AuditHandler(UsersHandler):
    """GET /admin/audit: newest first."""

    async def get(self) -> None:
        page = self.parameters(people_schema.WhichActs)
        asked = GetActs(page.limit + 1, int(page.before or 0), page.username or "", page.subject or "")
        acts = (await self.people(asked, Acts)).acts
        listed = acts[: page.limit]
        cursor = str(listed[-1].seq) if len(acts) > page.limit else None
        self.answer({"acts": [_act(act) for act in listed], "next": cursor})


def _user(user: UserRow, now_ns: int) -> people_schema.UserBody:
    locked = user.locked_until_ns > now_ns
    return people_schema.UserBody(
        id=str(user.user_id),
        username=user.username,
        role=user.role,
        account_id=str(user.account_id) if user.account_id else None,
        disabled=user.disabled,
        second_factor=user.second_factor,
        failures=user.failures,
        locked_until=format_ns(user.locked_until_ns) if locked else None,
        created_at=format_ns(user.created_ns),
    )


def _act(act: Act) -> people_schema.ActBody:
    return people_schema.ActBody(
        seq=str(act.seq),
        time=format_ns(act.time_ns),
        username=act.actor.username,
        role=act.actor.role,
        address=act.actor.address,
        action=act.action,
        subject=act.subject,
        before=act.before or None,
        after=act.after or None,
        reason=act.reason or None,
        outcome=act.outcome or None,
        hash=act.hash,
    )
