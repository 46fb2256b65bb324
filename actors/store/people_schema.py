"""The tables of people and of what they did, as migrations/ makes them."""

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Identity, Index, Table, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY

from actors.store.schema import METADATA
from actors.store.schema import number_column as _number
from actors.store.schema import text_column as _text

USERS = Table(
    "users",
    METADATA,
    _number("user_id", Identity(), primary_key=True),
    _text("username", unique=True),
    _text("password_hash"),
    _text("role"),
    _number("account_id", nullable=True),
    Column("created", DateTime(timezone=True), nullable=False, server_default=func.now()),
    _number("version", server_default=text("1"), comment="Rises with each change after which earlier tokens are void."),
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
    _text("totp_nonce", server_default=text("''")),
    Column("totp_confirmed", Boolean, nullable=False, server_default=text("false")),
    _number("totp_step", server_default=text("0")),
    Column("recovery_digests", ARRAY(Text), nullable=False, server_default=text("'{}'")),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    _number("session_id", Identity(always=True), primary_key=True),
    _number("user_id", ForeignKey(USERS.c.user_id)),
    _number("counter"),
    _text("address"),
    _number("began_ns"),
    _number("used_ns"),
    _number("ends_ns"),
    Column("ended", Boolean, nullable=False),
    Index("sessions_by_user", "user_id", "session_id"),
    comment="Logins. counter: the refresh token that may be used next; an earlier one ends the session.",
)

LOGIN_ATTEMPTS = Table(
    "login_attempts",
    METADATA,
    _text("subject", primary_key=True),
    _number("failures"),
    _number("last_ns"),
    Index("login_attempts_by_time", "last_ns"),
    comment="Since the last success, by user name (as SHA-256) and by address.",
)

API_KEYS = Table(
    "api_keys",
    METADATA,
    _number("key_id", Identity(always=True), primary_key=True),
    _number("user_id", ForeignKey(USERS.c.user_id)),
    _text("name"),
    _text("digest"),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("networks", ARRAY(Text), nullable=False),
    _number("created_ns"),
    _number("ends_ns"),
    Column("ended", Boolean, nullable=False),
    Index("api_keys_by_user", "user_id", "key_id"),
)

REVOCATIONS = Table(
    "revocations",
    METADATA,
    _number("seq", Identity(always=True), primary_key=True),
    _number("time_ns"),
    _number("user_id"),
    _number("version"),
    _number("session_id"),
    _number("key_id"),
)

AUDIT = Table(
    "audit",
    METADATA,
    _number("seq", primary_key=True, autoincrement=False),
    _number("time_ns"),
    _number("user_id"),
    _text("username"),
    _text("role"),
    _text("address"),
    _text("action"),
    _text("subject"),
    _text("before"),
    _text("after"),
    _text("reason"),
    _text("outcome"),
    _text("previous_hash"),
    _text("hash"),
    comment="Privileged acts. hash: SHA-256 over the line and the hash before it (actors/store/audit.py).",
)
