"""Money that moves without a fill, at once or after another person's approval."""

from actors.domain.commands.told import Told


class Deposit(Told, frozen=True):
    """Pays money in, once per `key`."""

    account_id: int
    amount_minor: int
    key: str
    actor: str
    """Who is answerable: a user name, or "config"."""


class Withdraw(Told, frozen=True):
    """Pays money out, once per `key`: no more than the free margin, and never what was given as credit."""

    account_id: int
    amount_minor: int
    key: str
    actor: str


class GrantCredit(Told, frozen=True):
    """Gives a bonus that counts as equity and cannot be withdrawn, once per `key`; a negative amount takes it back."""

    account_id: int
    amount_minor: int
    key: str
    actor: str


class Adjust(Told, frozen=True):
    """Corrects a balance, up or down, once per `key`."""

    account_id: int
    amount_minor: int
    key: str
    actor: str


Movement = Deposit | Withdraw | GrantCredit | Adjust


class SetApprovalLimits(Told, frozen=True):
    """Sets how much one person may have moved on an account within a day, by currency; nothing in any other."""

    limits_minor: dict[str, int]


class RequestMoney(Told, frozen=True):
    """Has money moved, or above the limit asks for it (approval.py), once per key of the movement."""

    movement: Movement
    reason: str


class DecideRequest(Told, frozen=True):
    """Another person has the money moved that was asked for, or turns it down."""

    request_id: int
    approves: bool
    actor: str
    reason: str
