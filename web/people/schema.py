"""The JSON of logins, users and the audit log (see payloads/schema.py)."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from web.payloads.bodies import Body
from web.payloads.schema import Id, Moment, Page, Reason, Request, Time

PASSWORD_CHARACTERS = 12
"""The fewest that a new password has."""

Password = Annotated[str, Meta(min_length=1, max_length=1_024)]
Username = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$", examples=["anna"])]
RoleName = Literal["trader", "support", "dealer", "risk", "admin", "auditor"]
ScopeName = Literal["read", "trade", "withdraw", "admin"]
Otp = Annotated[str, Meta(min_length=6, max_length=32, description="a code, or a recovery code")]


class OwnPassword(Request, frozen=True):
    password: Password


class OwnPasswordAndCode(OwnPassword, frozen=True):
    otp: Otp | None = None


class ChangePassword(OwnPassword, frozen=True):
    new_password: Annotated[str, Meta(min_length=PASSWORD_CHARACTERS, max_length=1_024)]


class TotpCode(Request, frozen=True):
    otp: Otp


class NewApiKey(Request, frozen=True):
    name: Annotated[str, Meta(pattern=r"^[^\x00-\x1f]{1,64}$")]
    scopes: Annotated[list[ScopeName], Meta(min_length=1, max_length=4)]
    networks: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=20)] = []  # noqa: RUF012
    expires: Time | None = None


class NewUser(Request, frozen=True):
    username: Username
    role: RoleName
    reason: Reason
    account_id: Id | None = None


class ChangedUser(Request, frozen=True):
    """What is absent stays; null takes the account away."""

    reason: Reason
    role: RoleName | UnsetType = UNSET
    account_id: Id | UnsetType | None = UNSET
    disabled: bool | UnsetType = UNSET


class Reasoned(Request, frozen=True):
    reason: Reason


class WhichUsers(Request, frozen=True):
    limit: Page = 100
    after: Id | None = None


class WhichActs(Request, frozen=True):
    limit: Page = 100
    before: Id | None = None
    username: Username | None = None
    subject: Annotated[str, Meta(pattern=r"^[^\x00]{1,128}$")] | None = None


class TotpBegun(Body, frozen=True):
    secret: str
    uri: str


class RecoveryCodes(Body, frozen=True):
    recovery_codes: list[str]


class ApiKeyBody(Body, frozen=True):
    id: str
    name: str
    scopes: list[str]
    networks: list[str]
    created_at: Moment
    expires: Moment | None


class MadeApiKey(Body, frozen=True):
    key: str
    api_key: ApiKeyBody


class UserBody(Body, frozen=True):
    id: str
    username: str
    role: str
    account_id: str | None
    disabled: bool
    second_factor: bool
    failures: int
    locked_until: Moment | None
    created_at: Moment


class ActBody(Body, frozen=True):
    seq: str
    time: Moment
    username: str
    role: str
    address: str
    action: str
    subject: str
    before: str | None
    after: str | None
    reason: str | None
    outcome: str | None
    hash: str


class ApiKeyList(Body, frozen=True):
    api_keys: list[ApiKeyBody]


class OneUser(Body, frozen=True):
    user: UserBody
    password: str | UnsetType = UNSET
    """Where it is a new one."""


class UsersPage(Body, frozen=True):
    users: list[UserBody]
    next: str | None


class ActsPage(Body, frozen=True):
    acts: list[ActBody]
    next: str | None
