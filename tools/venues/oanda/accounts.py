"""The simulated OANDA's accounts, of which it has one, and what can be traded there."""

from tools.venues.oanda.handler import Handler
from tools.venues.oanda.instruments import INSTRUMENTS, instrument


class AccountsHandler(Handler):
    def get(self) -> None:
        self.write({"accounts": [{"id": self.venue.account, "tags": []}]})


class InstrumentsHandler(Handler):
    def get(self, account: str) -> None:
        self.check_account(account, unknown_status=400)  # The document has no 404 here.
        names = self.named_instruments()
        chosen = INSTRUMENTS if names is None else names
        self.write({"instruments": [instrument(name) for name in chosen], "lastTransactionID": self.venue.book.last_id})
