"""A trading account: its positions, and what they are worth at the prices of the moment."""

import msgspec


class AccountSummary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The figures of an account at one moment, in minor units of its currency."""

    account_id: int
    currency: str
    balance_minor: int
    open_profit_minor: int
    margin_minor: int
    time_ns: int

    @property
    def equity_minor(self) -> int:
        return self.balance_minor + self.open_profit_minor

    @property
    def free_margin_minor(self) -> int:
        return self.equity_minor - self.margin_minor
