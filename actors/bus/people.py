"""People and what they may use: commands to persistence, which owns them, and its answers. Times are `*_ns`, UTC.

Passwords and secrets never travel here, only what they are checked against.
"""

from actors.bus.message import Body, Message


class Actor(Message, frozen=True):
    """Who does a privileged act, and from where."""

    user_id: int
    username: str
    role: str
    address: str


class User(Message, frozen=True):
    user_id: int
    username: str
    password_hash: str
    role: str
    """One of trader, support, dealer, risk, admin, auditor."""
    account_id: int
    """The trading account; 0 where the user has none."""
    version: int = 1
    """Rises with each change after which earlier tokens are void."""
    disabled: bool = False
    totp_nonce: str = ""
    """What the second factor's secret is derived from (web/totp.py); empty where there is none."""
    totp_confirmed: bool = False


class GetUser(Body, frozen=True):
    """UserReport answers; Refusal UNKNOWN_USER."""

    username: str


class UserReport(Body, frozen=True):
    user: User


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


class GetUsers(Body, frozen=True):
    """Users answers: by number, those after `after_id`."""

    limit: int
    after_id: int


class GetOneUser(Body, frozen=True):
    """Users answers, with one; Refusal UNKNOWN_USER."""

    user_id: int


class UserRow(Message, frozen=True):
    user_id: int
    username: str
    role: str
    account_id: int
    disabled: bool
    second_factor: bool
    failures: int
    """Attempts to log in since the last that succeeded."""
    locked_until_ns: int
    created_ns: int


class Users(Body, frozen=True):
    users: list[UserRow]


class AddUser(Body, frozen=True):
    """Users answers, with the new one; Refusal DUPLICATE_USER."""

    actor: Actor
    username: str
    password_hash: str
    role: str
    account_id: int
    reason: str


class ChangeUser(Body, frozen=True):
    """What is None stays. Users answers; Refusal UNKNOWN_USER, LAST_ADMIN."""

    actor: Actor
    user_id: int
    role: str | None
    account_id: int | None
    disabled: bool | None
    reason: str


class ResetLogin(Body, frozen=True):
    """Another password, no second factor, no lock. Users answers; Refusal UNKNOWN_USER, FORBIDDEN."""

    actor: Actor
    user_id: int
    password_hash: str
    reason: str


class UnlockUser(Body, frozen=True):
    """Users answers; Refusal UNKNOWN_USER, FORBIDDEN."""

    actor: Actor
    user_id: int
    reason: str


class RecordAct(Body, frozen=True):
    """A privileged act that another process will do, before it is done. Recorded answers.

    `before` and `after` are JSON; empty: nothing to say.
    """

    actor: Actor
    action: str
    subject: str
    before: str
    after: str
    reason: str


class RecordOutcome(Body, frozen=True):
    """What came of the act numbered `act_seq`. Recorded answers."""

    actor: Actor
    act_seq: int
    outcome: str


class Recorded(Body, frozen=True):
    seq: int


class Act(Message, frozen=True):
    """A line of the audit log. The hashes are SHA-256 in hexadecimal (actors/store/audit.py)."""

    seq: int
    time_ns: int
    actor: Actor
    action: str
    subject: str
    before: str
    after: str
    reason: str
    outcome: str
    previous_hash: str
    hash: str


class GetActs(Body, frozen=True):
    """Acts answers: newest first, numbers below `before_seq` (0: from the newest); empty words match all."""

    limit: int
    before_seq: int
    username: str = ""
    subject: str = ""


class Acts(Body, frozen=True):
    acts: list[Act]


PeopleRequest = (
    GetUser
    | BeginLogin
    | OpenSession
    | RotateSession
    | EndSession
    | ChangePassword
    | EndSessions
    | BeginTotp
    | ConfirmTotp
    | DropTotp
    | AddApiKey
    | EndApiKey
    | GetApiKeys
    | GetApiKey
    | GetRevocations
    | GetUsers
    | GetOneUser
    | AddUser
    | ChangeUser
    | ResetLogin
    | UnlockUser
    | RecordAct
    | RecordOutcome
    | GetActs
)

PeopleAnswer = (
    UserReport | LoginTicket | Session | ApiKeys | KeyReport | Revocations | Revoked | Users | Recorded | Acts
)
