"""The simulated OANDA's accounts, of which it has one, and what can be traded there."""

from typing import Any

from tools.venues.oanda.book import Book
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


def summary(book: Book, created: str) -> dict[str, Any]:
    """An AccountSummary. What is open is counted; money never moves (book.py)."""
    return {
        "id": book.account,
        "alias": "Simulated",
        "currency": HOME_CURRENCY,
        "createdByUserID": 1000001,
        "createdTime": created,
        "guaranteedStopLossOrderMode": "DISABLED",
        "hedgingEnabled": False,
        **dict.fromkeys(("balance", "NAV", "marginAvailable", "marginCloseoutNAV", "withdrawalLimit"), BALANCE),
        **dict.fromkeys(_SUMS, _NOTHING),
        "openTradeCount": len(book.open_trades()),
        "openPositionCount": len(list(book.positions(only_open=True))),
        "pendingOrderCount": len(book.pending()),
        "lastTransactionID": book.last_id,
    }


class AccountsHandler(Handler):
    def get(self) -> None:
        self.write({"accounts": [{"id": self.venue.account, "tags": []}]})


class AccountSummaryHandler(Handler):
    def get(self, account: str) -> None:
        self.check_account(account, unknown_status=400)  # The document has no 404 here.
        created = date_time(self.venue.began_ns, self.unix)
        book = self.venue.book
        self.write({"account": summary(book, created), "lastTransactionID": book.last_id})


class AccountHandler(Handler):
    def get(self, account: str) -> None:
        self.check_account(account, unknown_status=400)  # The document has no 404 here.
        created = date_time(self.venue.began_ns, self.unix)
        book = self.venue.book
        details = {
            "trades": book.open_trades(),
            "positions": list(book.positions(only_open=False)),
            "orders": book.pending(),
        }
        self.write(self.shown({"account": summary(book, created) | details, "lastTransactionID": book.last_id}))


class InstrumentsHandler(Handler):
    def get(self, account: str) -> None:
        self.check_account(account, unknown_status=400)  # The document has no 404 here.
        names = self.named_instruments()
        chosen = INSTRUMENTS if names is None else names
        self.write({"instruments": [instrument(name) for name in chosen], "lastTransactionID": self.venue.book.last_id})
