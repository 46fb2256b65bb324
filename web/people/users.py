"""Users and the audit log for the staff: /admin/users and below, /admin/audit. Persistence audits the changes."""

import secrets

from msgspec import UNSET

from actors.bus.users import (
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
from web.auth.tokens import TooManyLogins
from web.handling.contract import contract
from web.handling.paging import PagingHandler
from web.payloads import schema
from web.payloads.times import format_ns
from web.people import schema as people_schema
from web.people.login import LOGIN, LoginsHandler, too_many_logins

PASSWORD_BYTES = 16


class UsersHandler(LoginsHandler, PagingHandler):
    async def initial_password(self) -> tuple[str, str]:
        """A new password, and its hash."""
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        try:
            return password, await self.backend.passwords.hash(password)
        except TooManyLogins:
            raise too_many_logins() from None

    def answer_user(self, user: UserRow, status: int = 200, password: str | None = None) -> None:
        body = _user(user, self.backend.clock_ns())
        told = people_schema.OneUser(user=body, password=UNSET if password is None else password)
        self.answer(told, status)


class AllUsersHandler(UsersHandler):
    """GET and POST /admin/users. A new user's password is told once."""

    @contract("Users, by id.", {200: people_schema.UsersPage}, parameters=people_schema.WhichUsers, problems=LOGIN)
    async def get(self) -> None:
        page = self.parameters(people_schema.WhichUsers)
        users = (await self.people(GetUsers(page.limit + 1, int(page.after or 0)), Users)).users
        now_ns = self.backend.clock_ns()
        listed, cursor = self.page(users, page.limit, lambda user: user.user_id, "after")
        self.answer(people_schema.UsersPage(users=[_user(user, now_ns) for user in listed], next=cursor))

    @contract(
        "Add a user, whose first password is told once.",
        {201: people_schema.OneUser},
        body=people_schema.NewUser,
        problems=LOGIN,
        example={"username": "anna", "role": "support", "reason": "new colleague"},
    )
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

    @contract("A user.", {200: people_schema.OneUser}, problems=LOGIN)
    async def get(self, user_id: str) -> None:
        self.parameters(schema.NoParameters)
        (user,) = (await self.people(GetOneUser(int(user_id)), Users)).users
        self.answer_user(user)

    @contract(
        "Change a user, whose sessions and API keys end: what is absent stays, null takes the account away.",
        {200: people_schema.OneUser},
        body=people_schema.ChangedUser,
        problems=LOGIN,
        example={"disabled": True, "reason": "has left"},
    )
    async def patch(self, user_id: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(people_schema.ChangedUser)
        role = None if wanted.role is UNSET else wanted.role
        account_id = None if wanted.account_id is UNSET else int(wanted.account_id or 0)
        disabled = None if wanted.disabled is UNSET else wanted.disabled
        told = ChangeUser(self.actor(), int(user_id), role, account_id, disabled, wanted.reason)
        (user,) = (await self.people(told, Users)).users
        await self.backend.callers.follow()
        self.answer_user(user)


class ResetUserHandler(UsersHandler):
    """POST /admin/users/{id}/reset: another password, told once, and no second factor. Support does it for clients."""

    @contract(
        "Another password, told once, and no second factor.",
        {200: people_schema.OneUser},
        body=people_schema.Reasoned,
        problems=LOGIN,
        example={"reason": "lost the telephone"},
    )
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

    @contract(
        "Forget the attempts to log in.",
        {200: people_schema.OneUser},
        body=people_schema.Reasoned,
        problems=LOGIN,
        example={"reason": "called and proved who she is"},
    )
    async def post(self, user_id: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(people_schema.Reasoned)
        (user,) = (await self.people(UnlockUser(self.actor(), int(user_id), wanted.reason), Users)).users
        self.answer_user(user)


class AuditHandler(UsersHandler):
    """GET /admin/audit: newest first."""

    @contract(
        "The audit log, newest first.",
        {200: people_schema.ActsPage},
        parameters=people_schema.WhichActs,
        problems=LOGIN,
    )
    async def get(self) -> None:
        page = self.parameters(people_schema.WhichActs)
        asked = GetActs(page.limit + 1, int(page.before or 0), page.username or "", page.subject or "")
        acts = (await self.people(asked, Acts)).acts
        listed, cursor = self.page(acts, page.limit, lambda act: act.seq)
        self.answer(people_schema.ActsPage(acts=[_act(act) for act in listed], next=cursor))


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
