"""Roles, sessions, API keys, attempts to log in, what was revoked, and the audit log."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = """
ALTER TABLE users
    DROP CONSTRAINT users_role_check,
    ADD CONSTRAINT users_role_check
        CHECK (role IN ('trader', 'support', 'dealer', 'risk', 'admin', 'auditor')),
    ADD COLUMN version bigint NOT NULL DEFAULT 1,
    ADD COLUMN disabled boolean NOT NULL DEFAULT false,
    ADD COLUMN totp_nonce text NOT NULL DEFAULT '',
    ADD COLUMN totp_confirmed boolean NOT NULL DEFAULT false,
    ADD COLUMN totp_step bigint NOT NULL DEFAULT 0,
    ADD COLUMN recovery_digests text[] NOT NULL DEFAULT '{}';

CREATE TABLE sessions (
    session_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users,
    counter bigint NOT NULL,
    address text NOT NULL,
    began_ns bigint NOT NULL,
    used_ns bigint NOT NULL,
    ends_ns bigint NOT NULL,
    ended boolean NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id, session_id);

CREATE TABLE login_attempts (
    subject text PRIMARY KEY,
    failures bigint NOT NULL,
    last_ns bigint NOT NULL
);
CREATE INDEX login_attempts_by_time ON login_attempts (last_ns);

CREATE TABLE api_keys (
    key_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users,
    name text NOT NULL,
    digest text NOT NULL,
    scopes text[] NOT NULL,
    networks text[] NOT NULL,
    created_ns bigint NOT NULL,
    ends_ns bigint NOT NULL,
    ended boolean NOT NULL
);
CREATE INDEX api_keys_by_user ON api_keys (user_id, key_id);

CREATE TABLE revocations (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time_ns bigint NOT NULL,
    user_id bigint NOT NULL,
    version bigint NOT NULL,
    session_id bigint NOT NULL,
    key_id bigint NOT NULL
);

CREATE TABLE audit (
    seq bigint PRIMARY KEY,
    time_ns bigint NOT NULL,
    user_id bigint NOT NULL,
    username text NOT NULL,
    role text NOT NULL,
    address text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    reason text NOT NULL,
    outcome text NOT NULL,
    previous_hash text NOT NULL,
    hash text NOT NULL
);
"""

# The table's owner can take the trigger away; the chain of hashes shows what was done then.
_APPEND_ONLY = """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
"""

_COMMENTS = """
COMMENT ON COLUMN users.version IS 'Rises with each change after which earlier tokens are void.';
COMMENT ON TABLE sessions IS
    'Logins. counter: the refresh token that may be used next; an earlier one ends the session.';
COMMENT ON TABLE login_attempts IS 'Since the last success, by user name (as SHA-256) and by address.';
COMMENT ON TABLE audit IS
    'Privileged acts. hash: SHA-256 over the line and the hash before it (actors/store/audit.py).';
"""


def upgrade() -> None:
    op.execute(_TABLES)
    op.execute(_APPEND_ONLY)
    op.execute(_COMMENTS)


def downgrade() -> None:
    raise NotImplementedError("people are not forgotten")
