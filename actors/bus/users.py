"""Users as the staff administer them, and the audit log: commands to persistence, which owns them, and its answers."""

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
    """What the second factor's secret is derived from (web/auth/totp.py); empty where there is none."""
    totp_confirmed: bool = False


class GetUser(Body, frozen=True):
    """UserReport answers; Refusal UNKNOWN_USER."""

    username: str


class UserReport(Body, frozen=True):
    user: User


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
