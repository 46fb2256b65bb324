"""Logins, their sessions, second factors and API keys: commands to persistence, and its answers. Times are `*_ns`, UTC.

Passwords and secrets never travel here, only what they are checked against.
"""

from actors.bus.message import Body, Message
from actors.bus.users import Actor, User


class BeginLogin(Body, frozen=True):
    """Counts an attempt, before it is known to be right: guesses that are made at once are counted too.

    LoginTicket answers.
    """

    username: str
    address: str


class LoginTicket(Body, frozen=True):
    """`wait_ns`: the attempt came too soon after others and may not be made before so much time has passed."""

    user: User | None
    wait_ns: int


class OpenSession(Body, frozen=True):
    """After a right password. Session answers; Refusal OTP_USED where the code was used before, or LOGIN_CHANGED.

    One of `totp_step` and `recovery_digest` is given where the user has a second factor.
    """

    user_id: int
    version: int
    username: str
    address: str
    ends_ns: int
    totp_step: int = 0
    recovery_digest: str = ""
    password_hash: str = ""
    """The same password hashed anew, at another cost; empty: it stays."""


class RotateSession(Body, frozen=True):
    """A refresh token is used, the one numbered `counter`, and another takes its place.

    Session answers; Refusal SESSION_ENDED, or REFRESH_REUSED where it was used before: then the session ends.
    """

    session_id: int
    counter: int
    address: str
    ends_ns: int


class EndSession(Body, frozen=True):
    """Logout. Revoked answers, also when it has ended before."""

    session_id: int


class Session(Body, frozen=True):
    session_id: int
    counter: int
    """Of the refresh token that may be used next."""
    ends_ns: int
    user: User


class ChangePassword(Body, frozen=True):
    """The user's own. All sessions end. Revoked answers; Refusal LOGIN_CHANGED where `version` is another by now."""

    actor: Actor
    version: int
    password_hash: str


class EndSessions(Body, frozen=True):
    """Logout everywhere. Revoked answers."""

    actor: Actor


class BeginTotp(Body, frozen=True):
    """A second factor that counts once it is confirmed. Revoked answers; Refusal TOTP_ON where there is one."""

    actor: Actor
    nonce: str


class ConfirmTotp(Body, frozen=True):
    """`recovery_digests`: SHA-256 of the codes that work once each in its place. Revoked; Refusal TOTP_NONE."""

    actor: Actor
    nonce: str
    step: int
    recovery_digests: list[str]


class DropTotp(Body, frozen=True):
    """Revoked answers."""

    actor: Actor


class ApiKey(Message, frozen=True):
    key_id: int
    user_id: int
    name: str
    scopes: list[str]
    networks: list[str]
    """From where it may be used, such as 203.0.113.0/24; empty: from everywhere."""
    created_ns: int
    ends_ns: int
    """0: never."""


class AddApiKey(Body, frozen=True):
    """ApiKeys answers, with the new one; Refusal TOO_MANY_KEYS."""

    actor: Actor
    name: str
    digest: str
    scopes: list[str]
    networks: list[str]
    ends_ns: int


class EndApiKey(Body, frozen=True):
    """Revoked answers; Refusal UNKNOWN_KEY."""

    actor: Actor
    key_id: int


class GetApiKeys(Body, frozen=True):
    """ApiKeys answers: those of a user that have not ended."""

    user_id: int


class ApiKeys(Body, frozen=True):
    keys: list[ApiKey]


class GetApiKey(Body, frozen=True):
    """KeyReport answers, or Refusal UNKNOWN_KEY."""

    key_id: int


class KeyReport(Body, frozen=True):
    key: ApiKey
    digest: str
    """SHA-256 of the secret, in hexadecimal."""
    user: User


class Revocation(Message, frozen=True):
    """Void from now on: a user's tokens of versions below `version` and their API keys, a session, or an API key."""

    seq: int
    time_ns: int
    user_id: int
    version: int
    session_id: int
    key_id: int


class GetRevocations(Body, frozen=True):
    """Revocations answers: those after number `after_seq` that are younger than `since_ns`."""

    after_seq: int
    since_ns: int


class Revocations(Body, frozen=True):
    revocations: list[Revocation]


class Revoked(Body, frozen=True):
    """Done; what it made void, perhaps nothing."""

    revocations: list[Revocation]
