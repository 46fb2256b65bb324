"""Who may do what: roles, scopes, and the rules that the route table (web/routes.py) gives to each address and method.

What no rule allows is refused. A role says what a person may do, a scope what an API key was given of it; a login has
every scope.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple, TypeVar

from web.auth.tokens import Caller
from web.payloads import problem

K = TypeVar("K")
V = TypeVar("V")


class Role(StrEnum):
    TRADER = "trader"
    SUPPORT = "support"
    DEALER = "dealer"
    RISK = "risk"
    ADMIN = "admin"
    AUDITOR = "auditor"
    """Reads everything, changes nothing."""


class Scope(StrEnum):
    READ = "read"
    TRADE = "trade"
    WITHDRAW = "withdraw"
    """No address asks for it: clients ask the staff for their money."""
    ADMIN = "admin"
    PERSON = "person"
    """What concerns the login itself (password, second factor, API keys): no API key has it."""


EVERYBODY = frozenset(Role)
STAFF = EVERYBODY - {Role.TRADER}


class Rule(NamedTuple):
    """Whom an address and method is for."""

    roles: frozenset[Role]
    scope: Scope
    others: frozenset[Role] = frozenset()
    """Those of the roles who may name another's account."""
    audited: bool = False
    """A privileged act: nothing is done before the audit log has it (handling/auditing.py)."""
    public: bool = False
    """Without a token."""

    def admits(self, caller: Caller) -> bool:
        return caller.role in self.roles and self.scope in caller.scopes

    def check(self, caller: Caller) -> None:
        """Raises a problem, 403, which says what is missing."""
        if caller.role not in self.roles:
            raise problem.forbidden(f"This is not for the role {caller.role}.")
        if self.scope not in caller.scopes:
            raise problem.forbidden(f"The API key lacks the scope {self.scope}.")

    def account(self, caller: Caller, account_id: str | None) -> int:
        """The account that is meant: the caller's own, or the one that is named, if the caller may name it."""
        if account_id is not None and (int(account_id) == caller.account_id or caller.role in self.others):
            return int(account_id)
        if account_id is not None and caller.account_id:
            raise problem.forbidden("This is not your account.", "account_id")
        if not caller.account_id:
            hint = ": name one with ?account_id=…" if caller.role in self.others else ""
            raise problem.forbidden(f"You have no trading account{hint}.", "account_id" if hint else "")
        return caller.account_id


def _staff(*roles: Role, audited: bool = True) -> Rule:
    return Rule(frozenset(roles), Scope.ADMIN, STAFF, audited)


PUBLIC = Rule(frozenset(), Scope.READ, public=True)
ANYBODY = Rule(EVERYBODY, Scope.READ)
"""What is the same for all: symbols, prices."""
ACCOUNT = Rule(EVERYBODY, Scope.READ, STAFF)
"""Reading an account: a trader their own, the staff any."""
TRADE = Rule(frozenset({Role.TRADER}), Scope.TRADE)
"""Orders and positions of the caller's own account. The staff have addresses of their own for that, below /admin."""
PERSON = Rule(EVERYBODY, Scope.PERSON)
"""One's own login."""

SEE_DESK = _staff(Role.DEALER, Role.RISK, Role.ADMIN, Role.AUDITOR, audited=False)
"""LPs, routing, exposure, instruments and their versions."""
CHANGE_DESK = _staff(Role.DEALER, Role.ADMIN)
SEE_RISK = SEE_DESK
CHANGE_RISK = _staff(Role.DEALER, Role.RISK, Role.ADMIN)
"""Halting and resuming, groups' terms, hedging."""
SEE_CLIENTS = _staff(Role.SUPPORT, Role.DEALER, Role.RISK, Role.ADMIN, Role.AUDITOR, audited=False)
"""Users, accounts, and any account's orders and positions."""
DEAL_FOR_CLIENTS = _staff(Role.DEALER, Role.ADMIN)
MOVE_MONEY = _staff(Role.ADMIN)
HELP_USERS = _staff(Role.SUPPORT, Role.ADMIN)
"""Unlocking a login and resetting its password."""
CHANGE_USERS = _staff(Role.ADMIN)
SEE_AUDIT = _staff(Role.ADMIN, Role.AUDITOR, audited=False)

SEE_FIGURES = Rule(STAFF, Scope.READ)
"""What monitoring reads: an API key with the scope read is enough."""

KEY_SCOPES = {
    role: frozenset({Scope.READ, Scope.TRADE, Scope.WITHDRAW} if role is Role.TRADER else {Scope.READ, Scope.ADMIN})
    for role in Role
}
"""What API keys of each role may be given."""

BROKERS_BOOK = frozenset({Role.DEALER, Role.RISK, Role.ADMIN, Role.AUDITOR})
"""Who may read the ledger accounts that are no client's."""


def complete(table: Mapping[K, V], keys: Iterable[K]) -> Mapping[K, V]:
    """The table of rules as it is; ValueError where one of `keys` has none, or another has one."""
    if odd := sorted(str(key) for key in set(table) ^ set(keys)):
        raise ValueError(f"without a rule, or a rule without it: {', '.join(odd)}")
    return table
