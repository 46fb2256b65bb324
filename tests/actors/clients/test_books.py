"""What the desk remembers of orders and requests, and its limits."""

import sqlite3

from actors.clients.books import KEPT_ORDERS, NAMES_LIMIT, Books, Known
from actors.domain.order import Order, OrderReason, OrderStatus, OrderTerms, OrderType, Side

TERMS = OrderTerms("EURUSD", Side.BUY, OrderType.LIMIT, 10**8)


def order(order_id: int, status: OrderStatus = OrderStatus.WORKING) -> Order:
    return Order(order_id, 1, f"o{order_id}", TERMS, "", OrderReason.CLIENT, status, 0, 0, 0, 0)


def test_an_order_that_is_changed_often_is_known_by_its_own_name_and_the_last_ones() -> None:
    db = sqlite3.connect(":memory:")
    books = Books(db)
    books.keep(known := Known(order(1), ["o1"], "S"))
    for number in range(NAMES_LIMIT + 1):
        books.rename(known, f"change-{number}")
    for one in (books, _kept(books, db)):
        found = [one.find(1, name) is not None for name in ("o1", "change-0", "change-1", "change-2", known.name)]
        assert found == [True, False, False, True, True]
        assert len(one.orders[1].names) == NAMES_LIMIT
        assert not one.is_taken(1, "change-0")


def test_of_orders_that_are_over_as_many_are_known_however_often_they_were_kept() -> None:
    books = Books(sqlite3.connect(":memory:"))
    for order_id in range(1, KEPT_ORDERS + 2):
        books.keep(known := Known(order(order_id), [f"o{order_id}"], ""))
        known.order = order(order_id, OrderStatus.CANCELLED)
        books.keep(known)
        books.rename(known, f"cancel-{order_id}")
    assert list(books.orders) == list(range(2, KEPT_ORDERS + 2))
    assert books.find(1, "cancel-1") is None


def _kept(books: Books, db: sqlite3.Connection) -> Books:
    books.save(db)
    return Books(db)
