"""Logging in and staying so: attempts counted, sessions with their refresh tokens, and what is void before its time."""

import hmac

import sqlalchemy
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from actors.bus.answers import Answer, Refusal
from actors.bus.logins import (
    BeginLogin,
    EndSession,
    EndSessions,
    GetRevocations,
    LoginTicket,
    OpenSession,
    Revocation,
    Revocations,
    Revoked,
    RotateSession,
    Session,
)
from actors.bus.users import Actor, User
from actors.store import audit, throttle
from actors.store.people_schema import API_KEYS, LOGIN_ATTEMPTS, REVOCATIONS, SESSIONS, USERS
from actors.store.throttle import ADDRESS, NAME, Limit, address_subject, name_subject, network_of

SESSIONS_PER_USER = 20
"""One more ends the oldest."""
SESSION_LIMIT_NS = 30 * 24 * 3_600 * 1_000_000_000
"""After it everybody logs in again, however busy the session was."""
REVOCATIONS_MAX = 10_000
"""In one answer; whoever asks for them asks again from there on."""


def begin_login(connection: sqlalchemy.Connection, told: BeginLogin, now_ns: int) -> Answer:
    connection.execute(delete(LOGIN_ATTEMPTS).where(LOGIN_ATTEMPTS.c.last_ns < now_ns - throttle.FORGET_AFTER_NS))
    subjects = {name_attempts(connection, told.username, told.address): NAME, address_subject(told.address): ADDRESS}
    wait_ns = max(locked_until_ns(connection, subject, limit) - now_ns for subject, limit in subjects.items())
    if wait_ns > 0:
        return LoginTicket(None, wait_ns)
    for subject in subjects:
        counted = upsert(LOGIN_ATTEMPTS).values(subject=subject, failures=1, last_ns=now_ns)
        failures = LOGIN_ATTEMPTS.c.failures + 1
        connection.execute(
            counted.on_conflict_do_update(index_elements=["subject"], set_={"failures": failures, "last_ns": now_ns})
        )
    if "\0" in told.username:  # PostgreSQL has no text with it, and so no such user.
        return LoginTicket(None, 0)
    row = connection.execute(select(USERS).where(USERS.c.username == told.username)).first()
    return LoginTicket(user_of(row) if row is not None and not row.disabled else None, 0)


def name_attempts(connection: sqlalchemy.Connection, username: str, address: str) -> str:
    """Under what attempts at this name count: where the user has a login, apart, so that nobody else locks them out."""
    subject = name_subject(username)
    if "\0" in username:
        return subject
    theirs = select(SESSIONS.c.address).join(USERS).where(USERS.c.username == username)
    networks = {network_of(known) for known in connection.scalars(theirs)}
    return f"{subject}:{network_of(address)}" if network_of(address) in networks else subject


def locked_until_ns(connection: sqlalchemy.Connection, subject: str, limit: Limit) -> int:
    row = connection.execute(select(LOGIN_ATTEMPTS).where(LOGIN_ATTEMPTS.c.subject == subject)).first()
    return throttle.until_ns(limit, row.failures, row.last_ns) if row is not None else 0


def open_session(connection: sqlalchemy.Connection, told: OpenSession, now_ns: int) -> Answer:
    row = connection.execute(select(USERS).where(USERS.c.user_id == told.user_id).with_for_update()).first()
    if row is None or row.disabled or row.version != told.version:
        return Refusal("LOGIN_CHANGED", "the login was changed in the meantime")
    changes: dict[str, object] = {}
    if row.totp_confirmed:
        if told.recovery_digest:
            left = [kept for kept in row.recovery_digests if not hmac.compare_digest(kept, told.recovery_digest)]
            if len(left) == len(row.recovery_digests):
                return Refusal("OTP_USED", "the recovery code is wrong, or was used before")
            changes["recovery_digests"] = left
        elif told.totp_step <= row.totp_step:
            return Refusal("OTP_USED", "the code was used before; wait for the next")
        else:
            changes["totp_step"] = told.totp_step
    if told.password_hash:
        changes["password_hash"] = told.password_hash
    if changes:
        connection.execute(update(USERS).where(USERS.c.user_id == told.user_id).values(changes))
    forgive(connection, told.username, told.address)
    _make_room(connection, told.user_id, now_ns)
    fresh = insert(SESSIONS).values(
        user_id=told.user_id,
        counter=1,
        address=told.address,
        began_ns=now_ns,
        used_ns=now_ns,
        ends_ns=min(told.ends_ns, now_ns + SESSION_LIMIT_NS),
        ended=False,
    )
    made = connection.execute(fresh.returning(SESSIONS)).one()
    return Session(made.session_id, 1, made.ends_ns, user_of(row))


def rotate_session(connection: sqlalchemy.Connection, told: RotateSession, now_ns: int) -> Answer:
    session = connection.execute(select(SESSIONS).where(SESSIONS.c.session_id == told.session_id)).first()
    if session is None or session.ended or session.ends_ns <= now_ns or told.counter > session.counter:
        return Refusal("SESSION_ENDED", "the session has ended: log in again")
    user = connection.execute(select(USERS).where(USERS.c.user_id == session.user_id)).one()
    if told.counter < session.counter:
        end_session(connection, EndSession(told.session_id), now_ns)
        actor = Actor(user.user_id, user.username, user.role, told.address)
        audit.record(connection, now_ns, actor, "RefreshReused", f"session {told.session_id}")
        return Refusal("REFRESH_REUSED", "the refresh token was used before: its session is ended, log in again")
    ends_ns = min(told.ends_ns, session.began_ns + SESSION_LIMIT_NS)
    counter = told.counter + 1
    connection.execute(
        update(SESSIONS)
        .where(SESSIONS.c.session_id == told.session_id)
        .values(counter=counter, used_ns=now_ns, ends_ns=ends_ns, address=told.address)
    )
    return Session(told.session_id, counter, ends_ns, user_of(user))


def end_session(connection: sqlalchemy.Connection, told: EndSession, now_ns: int) -> Answer:
    ended = connection.execute(
        update(SESSIONS)
        .where(SESSIONS.c.session_id == told.session_id, ~SESSIONS.c.ended)
        .values(ended=True)
        .returning(SESSIONS.c.user_id)
    ).first()
    if ended is None:
        return Revoked([])
    return Revoked([revoke(connection, now_ns, ended.user_id, session_id=told.session_id)])


def end_sessions(connection: sqlalchemy.Connection, told: EndSessions, now_ns: int) -> Answer:
    revocation = void_tokens(connection, told.actor.user_id, now_ns, keys=False)
    audit.record(connection, now_ns, told.actor, "EndSessions", f"user {told.actor.username}")
    return Revoked([revocation])


def void_tokens(connection: sqlalchemy.Connection, user_id: int, now_ns: int, *, keys: bool) -> Revocation:
    """All sessions of a user end, the access tokens that are out are void, and with `keys` the API keys end too."""
    version = connection.scalar(
        update(USERS).where(USERS.c.user_id == user_id).values(version=USERS.c.version + 1).returning(USERS.c.version)
    )
    connection.execute(update(SESSIONS).where(SESSIONS.c.user_id == user_id, ~SESSIONS.c.ended).values(ended=True))
    if keys:
        connection.execute(update(API_KEYS).where(API_KEYS.c.user_id == user_id, ~API_KEYS.c.ended).values(ended=True))
    return revoke(connection, now_ns, user_id, version=version or 0)


def revoke(
    connection: sqlalchemy.Connection,
    now_ns: int,
    user_id: int,
    *,
    version: int = 0,
    session_id: int = 0,
    key_id: int = 0,
) -> Revocation:
    values = {
        "time_ns": now_ns,
        "user_id": user_id,
        "version": version,
        "session_id": session_id,
        "key_id": key_id,
    }
    row = connection.execute(insert(REVOCATIONS).values(values).returning(REVOCATIONS)).one()
    return Revocation(**row._mapping)


def revocations(connection: sqlalchemy.Connection, asked: GetRevocations, _: int) -> Answer:
    wanted = select(REVOCATIONS).where(REVOCATIONS.c.seq > asked.after_seq, REVOCATIONS.c.time_ns >= asked.since_ns)
    rows = connection.execute(wanted.order_by(REVOCATIONS.c.seq).limit(REVOCATIONS_MAX))
    return Revocations([Revocation(**row._mapping) for row in rows])


def user_of(row: sqlalchemy.Row[tuple[object, ...]]) -> User:
    fields = {name: row._mapping[name] for name in User.__struct_fields__}
    return User(**{**fields, "account_id": fields["account_id"] or 0})


def forgive(connection: sqlalchemy.Connection, username: str, address: str) -> None:
    """The name's attempts are forgotten; of the address's only this one, or one good login would excuse all guesses."""
    subject = name_attempts(connection, username, address)
    connection.execute(delete(LOGIN_ATTEMPTS).where(LOGIN_ATTEMPTS.c.subject == subject))
    connection.execute(
        update(LOGIN_ATTEMPTS)
        .where(LOGIN_ATTEMPTS.c.subject == address_subject(address))
        .values(failures=func.greatest(LOGIN_ATTEMPTS.c.failures - 1, 0))
    )


def _make_room(connection: sqlalchemy.Connection, user_id: int, now_ns: int) -> None:
    """Forgets the user's sessions that are over, and ends the oldest where there are too many."""
    mine = SESSIONS.c.user_id == user_id
    connection.execute(delete(SESSIONS).where(mine, SESSIONS.c.ended | (SESSIONS.c.ends_ns <= now_ns)))
    live = connection.scalars(select(SESSIONS.c.session_id).where(mine).order_by(SESSIONS.c.session_id.desc())).all()
    for session_id in live[SESSIONS_PER_USER - 1 :]:
        end_session(connection, EndSession(session_id), now_ns)
