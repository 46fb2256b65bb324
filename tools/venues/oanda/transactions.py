"""The simulated OANDA's record over HTTP: transactions one by one, in ranges and as they come; what they add up to."""

from tornado.web import HTTPError

from tools.venues.oanda.book import Transaction
from tools.venues.oanda.handler import Handler, StreamHandler
from tools.venues.oanda.wire import line

PAGE_TRANSACTIONS = 1_000


class TransactionHandler(Handler):
    def get(self, account: str, number: str) -> None:
        self.check_account(account)
        book = self.venue.book
        if not 0 < int(number[:19]) <= len(book.transactions):
            raise HTTPError(404, reason="The Transaction specified does not exist")
        transaction = book.transactions[int(number) - 1]
        self.write(self.shown({"transaction": transaction, "lastTransactionID": book.last_id}))


class TransactionsSinceHandler(Handler):
    def get(self, account: str) -> None:
        self.check_account(account)
        since = self.number("id")
        self.write_page(since, len(self.venue.book.transactions))

    def number(self, name: str) -> int:
        text = self.get_query_argument(name, "")
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise HTTPError(400, reason=f"Invalid value specified for '{name}'")
        if int(text) > len(self.venue.book.transactions):
            raise HTTPError(416, reason=f"'{name}' is after the last transaction")
        return int(text)

    def write_page(self, since: int, until: int) -> None:
        book = self.venue.book
        page = book.transactions[since : min(until, since + PAGE_TRANSACTIONS)]
        self.write(self.shown({"transactions": page, "lastTransactionID": book.last_id}))


class TransactionRangeHandler(TransactionsSinceHandler):
    def get(self, account: str) -> None:
        self.check_account(account)
        self.write_page(max(self.number("from") - 1, 0), self.number("to"))


class TransactionStreamHandler(StreamHandler):
    """Transactions from now on, and heartbeats."""

    async def get(self, account: str) -> None:
        self.check_account(account)
        venue = self.venue
        subscriber = self.subscribe()

        def follow(transaction: Transaction) -> None:
            subscriber.put(line(self.shown(transaction)))

        venue.followers[subscriber] = self.unix
        venue.book.followers.append(follow)
        try:
            await self.write_lines(subscriber)
        finally:
            venue.book.followers.remove(follow)
            del venue.followers[subscriber]


class TradesHandler(Handler):
    def get(self, account: str) -> None:
        self.check_account(account)
        book = self.venue.book
        self.write(self.shown({"trades": book.open_trades(), "lastTransactionID": book.last_id}))


class PositionsHandler(Handler):
    only_open = False

    def get(self, account: str) -> None:
        self.check_account(account)
        book = self.venue.book
        positions = list(book.positions(only_open=self.only_open))
        self.write({"positions": positions, "lastTransactionID": book.last_id})


class OpenPositionsHandler(PositionsHandler):
    only_open = True
