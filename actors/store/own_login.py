"""What people change of their own login: password, second factor, API keys. Each change is in the audit log."""

import msgspec
import sqlalchemy
from sqlalchemy import func, insert, select, update

from actors.bus.answers import Answer, Refusal
from actors.bus.logins import (
    AddApiKey,
    ApiKey,
    ApiKeys,
    BeginTotp,
    ChangePassword,
    ConfirmTotp,
    DropTotp,
    EndApiKey,
    GetApiKey,
    GetApiKeys,
    KeyReport,
    Revoked,
)
from actors.store import audit
from actors.store.logins import forgive, revoke, user_of, void_tokens
from actors.store.people_schema import API_KEYS, USERS

KEYS_PER_USER = 20


def change_password(connection: sqlalchemy.Connection, told: ChangePassword, now_ns: int) -> Answer:
    changed = connection.execute(
        update(USERS)
        .where(USERS.c.user_id == told.actor.user_id, USERS.c.version == told.version, ~USERS.c.disabled)
        .values(password_hash=told.password_hash)
    )
    if not changed.rowcount:
        return Refusal("LOGIN_CHANGED", "the login was changed in the meantime")
    forgive(connection, told.actor.username, told.actor.address)
    audit.record(connection, now_ns, told.actor, "ChangePassword", f"user {told.actor.username}")
    return Revoked([void_tokens(connection, told.actor.user_id, now_ns, keys=False)])


def begin_totp(connection: sqlalchemy.Connection, told: BeginTotp, now_ns: int) -> Answer:
    begun = connection.execute(
        update(USERS)
        .where(USERS.c.user_id == told.actor.user_id, ~USERS.c.totp_confirmed)
        .values(totp_nonce=told.nonce)
    )
    if not begun.rowcount:
        return Refusal("TOTP_ON", "there is a second factor already: take it away first")
    forgive(connection, told.actor.username, told.actor.address)
    return Revoked([])


def confirm_totp(connection: sqlalchemy.Connection, told: ConfirmTotp, now_ns: int) -> Answer:
    confirmed = connection.execute(
        update(USERS)
        .where(
            USERS.c.user_id == told.actor.user_id,
            ~USERS.c.totp_confirmed,
            USERS.c.totp_nonce == told.nonce,
            USERS.c.totp_nonce != "",
        )
        .values(totp_confirmed=True, totp_step=told.step, recovery_digests=told.recovery_digests)
    )
    if not confirmed.rowcount:
        return Refusal("TOTP_NONE", "there is no second factor to confirm: begin anew")
    audit.record(connection, now_ns, told.actor, "ConfirmTotp", f"user {told.actor.username}")
    return Revoked([])


def drop_totp(connection: sqlalchemy.Connection, told: DropTotp, now_ns: int) -> Answer:
    connection.execute(update(USERS).where(USERS.c.user_id == told.actor.user_id).values(NO_TOTP))
    audit.record(connection, now_ns, told.actor, "DropTotp", f"user {told.actor.username}")
    return Revoked([])


NO_TOTP = {"totp_nonce": "", "totp_confirmed": False, "totp_step": 0, "recovery_digests": []}


def add_api_key(connection: sqlalchemy.Connection, told: AddApiKey, now_ns: int) -> Answer:
    user_id = told.actor.user_id
    live = select(func.count()).select_from(API_KEYS).where(API_KEYS.c.user_id == user_id, ~API_KEYS.c.ended)
    if (connection.scalar(live) or 0) >= KEYS_PER_USER:
        return Refusal("TOO_MANY_KEYS", f"there are {KEYS_PER_USER} keys already: end one first")
    fresh = insert(API_KEYS).values(
        user_id=user_id,
        name=told.name,
        digest=told.digest,
        scopes=told.scopes,
        networks=told.networks,
        created_ns=now_ns,
        ends_ns=told.ends_ns,
        ended=False,
    )
    key = _key_of(connection.execute(fresh.returning(API_KEYS)).one())
    after = msgspec.json.encode({"scopes": key.scopes, "networks": key.networks, "ends_ns": key.ends_ns}).decode()
    audit.record(connection, now_ns, told.actor, "AddApiKey", f"key {key.key_id}", after=after)
    return ApiKeys([key])


def end_api_key(connection: sqlalchemy.Connection, told: EndApiKey, now_ns: int) -> Answer:
    ended = connection.execute(
        update(API_KEYS)
        .where(API_KEYS.c.key_id == told.key_id, API_KEYS.c.user_id == told.actor.user_id, ~API_KEYS.c.ended)
        .values(ended=True)
    )
    if not ended.rowcount:
        return Refusal("UNKNOWN_KEY", f"there is no key {told.key_id}")
    audit.record(connection, now_ns, told.actor, "EndApiKey", f"key {told.key_id}")
    return Revoked([revoke(connection, now_ns, told.actor.user_id, key_id=told.key_id)])


def api_keys(connection: sqlalchemy.Connection, asked: GetApiKeys, _: int) -> Answer:
    live = select(API_KEYS).where(API_KEYS.c.user_id == asked.user_id, ~API_KEYS.c.ended)
    return ApiKeys([_key_of(row) for row in connection.execute(live.order_by(API_KEYS.c.key_id))])


def api_key(connection: sqlalchemy.Connection, asked: GetApiKey, _: int) -> Answer:
    row = connection.execute(select(API_KEYS).where(API_KEYS.c.key_id == asked.key_id, ~API_KEYS.c.ended)).first()
    if row is None:
        return Refusal("UNKNOWN_KEY", f"there is no key {asked.key_id}")
    user = connection.execute(select(USERS).where(USERS.c.user_id == row.user_id)).one()
    if user.disabled:
        return Refusal("UNKNOWN_KEY", "the key's user is disabled")
    return KeyReport(_key_of(row), row.digest, user_of(user))


def _key_of(row: sqlalchemy.Row[tuple[object, ...]]) -> ApiKey:
    return ApiKey(**{name: row._mapping[name] for name in ApiKey.__struct_fields__})
