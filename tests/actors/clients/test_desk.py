"""What the desk refuses before anything is asked of the engine."""

import pytest

from actors.clients.books import Books
from actors.clients.correspondence import Correspondence
from actors.clients.desk import Desk
from gateway.fix.codec import Message
from gateway.fix.store import SqliteStore
from gateway.fix.trading.requests import Unfit
from gateway.fix.trading.vocabulary import UNAVAILABLE


def test_an_order_with_a_currency_waits_for_the_instruments() -> None:
    """Else a quantity of another currency than the base would be dealt as one of the base."""
    books = Books(SqliteStore(":memory:").db)
    desk = Desk(books, Correspondence(books, []), dict)
    with pytest.raises(Unfit) as refused:
        desk._check_currency(Message(b"FIX.4.4", [(35, b"D"), (55, b"EURUSD"), (15, b"USD")]))
    assert refused.value.code == UNAVAILABLE
    desk._check_currency(Message(b"FIX.4.4", [(35, b"D"), (55, b"EURUSD")]))
