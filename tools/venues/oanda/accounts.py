"""The simulated OANDA's accounts, of which it has one, and what can be traded there."""

from typing import Any

from tools.venues.oanda.handler import Handler
from tools.venues.oanda.instruments import INSTRUMENTS, instrument
from tools.venues.oanda.prices import HOME_CURRENCY
from tools.venues.oanda.wire import date_time

BALANCE = "1000000.0000"
_NOTHING = "0.0000"
_SUMS = (
    *("pl", "resettablePL", "financing", "commission", "guaranteedExecutionFees", "unrealizedPL", "marginUsed"),
    *("positionValue", "marginCloseoutUnrealizedPL", "marginCloseoutMarginUsed", "marginCloseoutPositionValue"),
    *("marginCloseoutPercent", "marginCallMarginUsed", "marginCallPercent"),
)


def summary(account: str, created: str) -> dict[str, Any]:
    """An AccountSummary of an account on which nothing was ever done."""
    return {
        "id": account,
        "alias": "Simulated",
        "currency": HOME_CURRENCY,
        "createdByUserID": 1000001,
        "createdTime": created,
        "guaranteedStopLossOrderMode": "DISABLED",
        "hedgingEnabled": False,
        **dict.fromkeys(("balance", "NAV", "marginAvailable", "marginCloseoutNAV", "withdrawalLimit"), BALANCE),
        **dict.fromkeys(_SUMS, _NOTHING),
        **dict.fromkeys(("openTradeCount", "openPositionCount", "pendingOrderCount"), 0),
        "lastTransactionID": "1",
    }


class AccountsHandler(Handler):
    def get(self) -> None:
        self.write({"accounts": [{"id": self.venue.account, "tags": []}]})


class AccountSummaryHandler(Handler):
    def get(self, account: str) -> None:
        self.check_account(account, unknown_status=400)  # The document has no 404 here.
        created = date_time(self.venue.began_ns, self.unix)
        self.write({"account": summary(self.venue.account, created), "lastTransactionID": "1"})


class AccountHandler(Handler):
    def get(self, account: str) -> None:
        self.check_account(account, unknown_status=400)  # The document has no 404 here.
        created = date_time(self.venue.began_ns, self.unix)
        nothing: dict[str, list[Any]] = {"trades": [], "positions": [], "orders": []}
        self.write({"account": summary(self.venue.account, created) | nothing, "lastTransactionID": "1"})


class InstrumentsHandler(Handler):
    def get(self, account: str) -> None:
        self.check_account(account, unknown_status=400)  # The document has no 404 here.
        names = self.named_instruments()
        chosen = INSTRUMENTS if names is None else names
        self.write({"instruments": [instrument(name) for name in chosen], "lastTransactionID": "1"})
