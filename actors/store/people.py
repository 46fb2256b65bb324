"""People, as the staff administers them, and the table of all requests about people. Each change is audited."""

from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from actors.bus.answers import Answer, Refusal
from actors.bus.logins import (
    AddApiKey,
    BeginLogin,
    BeginTotp,
    ChangePassword,
    ConfirmTotp,
    DropTotp,
    EndApiKey,
    EndSession,
    EndSessions,
    GetApiKey,
    GetApiKeys,
    GetRevocations,
    OpenSession,
    RotateSession,
)
from actors.bus.people import PeopleRequest
from actors.bus.users import (
    AddUser,
    ChangeUser,
    GetActs,
    GetOneUser,
    GetUser,
    GetUsers,
    RecordAct,
    RecordOutcome,
    ResetLogin,
    UnlockUser,
    UserReport,
    UserRow,
    Users,
)
from actors.store import audit, logins, own_login
from actors.store.own_login import NO_TOTP
from actors.store.people_schema import LOGIN_ATTEMPTS, USERS
from actors.store.throttle import NAME, name_subject, until_ns

ROWS_MAX = 1_000


def answer(connection: sqlalchemy.Connection, told: PeopleRequest, now_ns: int) -> Answer:
    """In the transaction that is open. A Refusal may have changed something too: commit it."""
    return _ANSWERS[type(told)](connection, told, now_ns)


def _users(connection: sqlalchemy.Connection, asked: GetUsers, _: int) -> Answer:
    wanted = select(USERS).where(USERS.c.user_id > asked.after_id).order_by(USERS.c.user_id)
    rows = connection.execute(wanted.limit(min(max(asked.limit, 1), ROWS_MAX))).all()
    return Users([_row(connection, row) for row in rows])


def _user(connection: sqlalchemy.Connection, asked: GetOneUser, _: int) -> Answer:
    row = _find(connection, asked.user_id)
    return Users([_row(connection, row)]) if row is not None else _unknown(asked.user_id)


def _named(connection: sqlalchemy.Connection, asked: GetUser, _: int) -> Answer:
    row = connection.execute(select(USERS).where(USERS.c.username == asked.username)).first()
    if row is None:
        return Refusal("UNKNOWN_USER", "there is no such user", "username")
    return UserReport(logins.user_of(row))


def _add_user(connection: sqlalchemy.Connection, told: AddUser, now_ns: int) -> Answer:
    values = {
        "username": told.username,
        "password_hash": told.password_hash,
        "role": told.role,
        "account_id": told.account_id or None,
    }
    fresh = upsert(USERS).values(values).on_conflict_do_nothing(index_elements=["username"])
    row = connection.execute(fresh.returning(USERS)).first()
    if row is None:
        return Refusal("DUPLICATE_USER", f"there is a user {told.username} already", "username")
    _record(connection, now_ns, told, row, before=None, after=row)
    return Users([_row(connection, row)])


def _change_user(connection: sqlalchemy.Connection, told: ChangeUser, now_ns: int) -> Answer:
    before = _find(connection, told.user_id)
    if before is None:
        return _unknown(told.user_id)
    changes: dict[str, Any] = {}
    if told.role is not None:
        changes["role"] = told.role
    if told.account_id is not None:
        changes["account_id"] = told.account_id or None
    if told.disabled is not None:
        changes["disabled"] = told.disabled
    changes = {name: value for name, value in changes.items() if before._mapping[name] != value}
    if not changes:
        return Users([_row(connection, before)])
    if refusal := _own(told):
        return refusal
    stays_admin = changes.get("role", before.role) == "admin" and not changes.get("disabled", before.disabled)
    if before.role == "admin" and not before.disabled and not stays_admin and _admins(connection) == 1:
        return Refusal("LAST_ADMIN", "this is the last administrator", "user_id")
    connection.execute(update(USERS).where(USERS.c.user_id == told.user_id).values(changes))
    # What the tokens that are out say of the user is not true any more.
    logins.void_tokens(connection, told.user_id, now_ns, keys=True)
    return _changed(connection, now_ns, told, before)


def _reset_login(connection: sqlalchemy.Connection, told: ResetLogin, now_ns: int) -> Answer:
    before = _find(connection, told.user_id)
    if refusal := _may_not_help(told, before) or _own(told):
        return refusal
    assert before is not None
    changes = {"password_hash": told.password_hash, **NO_TOTP}
    connection.execute(update(USERS).where(USERS.c.user_id == told.user_id).values(changes))
    logins.void_tokens(connection, told.user_id, now_ns, keys=True)
    _unlock(connection, before.username)
    return _changed(connection, now_ns, told, before)


def _unlock_user(connection: sqlalchemy.Connection, told: UnlockUser, now_ns: int) -> Answer:
    before = _find(connection, told.user_id)
    if refusal := _may_not_help(told, before):
        return refusal
    assert before is not None
    _unlock(connection, before.username)
    return _changed(connection, now_ns, told, before)


def _may_not_help(told: ResetLogin | UnlockUser, user: sqlalchemy.Row[tuple[object, ...]] | None) -> Refusal | None:
    """Whoever may reset a login may become that user: support does it for clients alone."""
    if user is None:
        return _unknown(told.user_id)
    if told.actor.role != "admin" and user.role != "trader":
        return Refusal("FORBIDDEN", "only an administrator does this for the staff", "user_id")
    return None


def _own(told: ChangeUser | ResetLogin) -> Refusal | None:
    """Nobody gives themselves a role, nor gets past the second factor of a session that they have found open."""
    if told.actor.user_id == told.user_id:
        return Refusal("SAME_PERSON", "another administrator does this for you", "user_id")
    return None


def _unlock(connection: sqlalchemy.Connection, username: str) -> None:
    connection.execute(delete(LOGIN_ATTEMPTS).where(_attempts_at(username)))


def _attempts_at(username: str) -> sqlalchemy.ColumnElement[bool]:
    """Wherever they are made from (logins.name_attempts)."""
    return LOGIN_ATTEMPTS.c.subject.startswith(name_subject(username), autoescape=True)


def _admins(connection: sqlalchemy.Connection) -> int:
    living = select(func.count()).select_from(USERS).where(USERS.c.role == "admin", ~USERS.c.disabled)
    return connection.scalar(living) or 0


def _changed(connection: sqlalchemy.Connection, now_ns: int, told: Any, before: sqlalchemy.Row[Any]) -> Answer:
    after = _find(connection, told.user_id)
    assert after is not None
    _record(connection, now_ns, told, after, before=before, after=after)
    return Users([_row(connection, after)])


def _record(
    connection: sqlalchemy.Connection,
    now_ns: int,
    told: AddUser | ChangeUser | ResetLogin | UnlockUser,
    user: sqlalchemy.Row[Any],
    *,
    before: sqlalchemy.Row[Any] | None,
    after: sqlalchemy.Row[Any],
) -> None:
    audit.record(
        connection,
        now_ns,
        told.actor,
        type(told).__name__,
        f"user {user.username}",
        before=_said(before) if before is not None else "",
        after=_said(after),
        reason=told.reason,
    )


def _said(user: sqlalchemy.Row[Any]) -> str:
    """What the audit log says of a user: no hashes."""
    told = ("role", "account_id", "disabled", "version", "totp_confirmed")
    return msgspec.json.encode({name: user._mapping[name] for name in told}).decode()


def _find(connection: sqlalchemy.Connection, user_id: int) -> sqlalchemy.Row[Any] | None:
    return connection.execute(select(USERS).where(USERS.c.user_id == user_id)).first()


def _row(connection: sqlalchemy.Connection, user: sqlalchemy.Row[Any]) -> UserRow:
    attempts = connection.execute(select(LOGIN_ATTEMPTS).where(_attempts_at(user.username))).all()
    return UserRow(
        user.user_id,
        user.username,
        user.role,
        user.account_id or 0,
        user.disabled,
        user.totp_confirmed,
        sum(row.failures for row in attempts),
        max((until_ns(NAME, row.failures, row.last_ns) for row in attempts), default=0),
        int(user.created.timestamp()) * 1_000_000_000,
    )


def _unknown(user_id: int) -> Refusal:
    return Refusal("UNKNOWN_USER", f"there is no user {user_id}", "user_id")


_ANSWERS: dict[type, Callable[[sqlalchemy.Connection, Any, int], Answer]] = {
    BeginLogin: logins.begin_login,
    OpenSession: logins.open_session,
    RotateSession: logins.rotate_session,
    EndSession: logins.end_session,
    EndSessions: logins.end_sessions,
    GetRevocations: logins.revocations,
    ChangePassword: own_login.change_password,
    BeginTotp: own_login.begin_totp,
    ConfirmTotp: own_login.confirm_totp,
    DropTotp: own_login.drop_totp,
    AddApiKey: own_login.add_api_key,
    EndApiKey: own_login.end_api_key,
    GetApiKeys: own_login.api_keys,
    GetApiKey: own_login.api_key,
    GetUser: _named,
    GetUsers: _users,
    GetOneUser: _user,
    AddUser: _add_user,
    ChangeUser: _change_user,
    ResetLogin: _reset_login,
    UnlockUser: _unlock_user,
    RecordAct: audit.record_act,
    RecordOutcome: audit.record_outcome,
    GetActs: audit.acts,
}
