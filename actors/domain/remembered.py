"""How many requests are known by their client_order_id: of one account, and of all together."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.domain.account import Account

REMEMBERED_ORDERS = 10_000
"""Of an account's last requests; older ones are history's alone.

A request of which an order still waits is known as long as that waits.
"""
REMEMBERED_IN_ALL = 1_000_000
"""Of all accounts: about a kilobyte of memory each, and a quarter of that in a snapshot."""


class Remembered:
    """The requests of all accounts. No account loses what is within its share because of what others ask."""

    def __init__(self, in_all: int = REMEMBERED_IN_ALL) -> None:
        self.in_all = in_all
        self.turn = 0
        """Place of the account that is to forget something next, where the one that asks has no more than its share."""
        self._count = 0
        self._accounts: list[Account] = []

    def join(self, account: "Account") -> None:
        self._accounts.append(account)

    def restored(self, account: "Account") -> None:
        """What the account knows is from a snapshot."""
        self._count += len(account.outcomes)

    def note(self, account: "Account", latest: str) -> None:
        """The account has one request more, `latest`; where that is too many, it or another forgets its oldest.

        Two are forgotten for one where there are more than may be, as after a start with a lower limit.
        """
        self._count += 1
        while len(account.outcomes) > REMEMBERED_ORDERS and account.forget(latest):
            self._count -= 1
        for _ in range(2):
            if self._count > self.in_all:
                self._make_room(account, latest)

    def _make_room(self, account: "Account", latest: str) -> None:
        accounts = self._accounts
        share = max(1, self.in_all // len(accounts))
        if len(account.outcomes) > share and account.forget(latest):
            self._count -= 1
            return
        for _ in accounts:
            other = accounts[self.turn]
            if other is not account and len(other.outcomes) > share and other.forget():
                # It is asked again the next time: whoever was passed over has no more than its share.
                self._count -= 1
                return
            self.turn = (self.turn + 1) % len(accounts)
