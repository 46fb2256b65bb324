"""What the simulated LP keeps: sequence numbers, what it has sent, orders and executions; a SQLite file, or memory."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tools.venues.fix.wire import Fields

_TABLES = """
CREATE TABLE IF NOT EXISTS sessions (
    peer TEXT PRIMARY KEY, next_in INTEGER NOT NULL DEFAULT 1, next_out INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS sent (
    peer TEXT, seq INTEGER, msg_type TEXT NOT NULL, sent_at TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (peer, seq)
);
CREATE TABLE IF NOT EXISTS orders (
    order_id INTEGER PRIMARY KEY, peer TEXT NOT NULL,
    cl_ord_id TEXT NOT NULL UNIQUE, orig_cl_ord_id TEXT NOT NULL DEFAULT '',
    symbol TEXT NOT NULL, side TEXT NOT NULL, ord_type TEXT NOT NULL, time_in_force TEXT NOT NULL,
    quantity_e8 INTEGER NOT NULL, price_e8 INTEGER NOT NULL,
    filled_e8 INTEGER NOT NULL DEFAULT 0, cost TEXT NOT NULL DEFAULT '0',
    status TEXT NOT NULL, reason TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS open_orders ON orders (symbol) WHERE status IN ('0', '1');
CREATE TABLE IF NOT EXISTS executions (
    exec_id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, quantity_e8 INTEGER NOT NULL, price_e8 INTEGER NOT NULL,
    time TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS amendments (
    amendment_id INTEGER PRIMARY KEY, exec_id INTEGER NOT NULL, kind TEXT NOT NULL, price_e8 INTEGER NOT NULL
);
"""


class Order(NamedTuple):
    order_id: int
    peer: str
    cl_ord_id: str
    orig_cl_ord_id: str
    symbol: str
    side: str
    """1 buy, 2 sell."""
    ord_type: str
    """1 market, 2 limit."""
    time_in_force: str
    quantity_e8: int
    price_e8: int
    filled_e8: int
    cost: str
    """Sum of price times quantity, on the 10^-16 scale, as text: it does not fit 64 bits."""
    status: str
    """OrdStatus."""
    reason: str

    @property
    def left_e8(self) -> int:
        return self.quantity_e8 - self.filled_e8 if self.is_open else 0

    @property
    def is_open(self) -> bool:
        return self.status in ("0", "1")


class Execution(NamedTuple):
    exec_id: int
    order_id: int
    quantity_e8: int
    price_e8: int
    time: str


class Amendment(NamedTuple):
    """What became of an execution: H it never was, G its price is another."""

    amendment_id: int
    exec_id: int
    kind: str
    price_e8: int


class Sent(NamedTuple):
    seq: int
    msg_type: str
    sent_at: str
    body: Fields


class Book:
    """Everything is one transaction with the message that caused it: see `transaction`."""

    def __init__(self, path: Path | None = None) -> None:
        """`path` None: kept in memory, forgotten at the end of the process."""
        self._db = sqlite3.connect(":memory:" if path is None else path, isolation_level=None)
        if path is not None:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")  # Survives the process; a power cut need not be survived.
        self._db.executescript(_TABLES)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def numbers(self, peer: str) -> tuple[int, int]:
        """The next sequence numbers, in and out."""
        self._db.execute("INSERT OR IGNORE INTO sessions (peer) VALUES (?)", (peer,))
        found: tuple[int, int] = self._one("SELECT next_in, next_out FROM sessions WHERE peer = ?", peer)
        return found

    def set_next_in(self, peer: str, seq: int) -> None:
        self._db.execute("UPDATE sessions SET next_in = ? WHERE peer = ?", (seq, peer))

    def set_next_out(self, peer: str, seq: int) -> None:
        self._db.execute("UPDATE sessions SET next_out = ? WHERE peer = ?", (seq, peer))

    def reset(self, peer: str) -> None:
        self._db.execute("UPDATE sessions SET next_in = 1, next_out = 1 WHERE peer = ?", (peer,))
        self._db.execute("DELETE FROM sent WHERE peer = ?", (peer,))

    def keep_sent(self, peer: str, sent: Sent) -> None:
        row = (peer, sent.seq, sent.msg_type, sent.sent_at, json.dumps(sent.body))
        self._db.execute("INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?, ?)", row)

    def sent(self, peer: str, first: int, last: int) -> list[Sent]:
        """What was sent for the application with these numbers, both included, in order."""
        rows = self._db.execute(
            "SELECT seq, msg_type, sent_at, body FROM sent WHERE peer = ? AND seq BETWEEN ? AND ? ORDER BY seq",
            (peer, first, last),
        )
        return [
            Sent(seq, msg_type, sent_at, [(tag, value) for tag, value in json.loads(body)])
            for seq, msg_type, sent_at, body in rows
        ]

    def new_order(self, **terms: Any) -> Order:
        names, marks = ", ".join(terms), ", ".join("?" * len(terms))
        made = self._db.execute(f"INSERT INTO orders ({names}) VALUES ({marks})", tuple(terms.values()))  # noqa: S608
        assert made.lastrowid is not None
        return self.order(made.lastrowid)

    def order(self, order_id: int) -> Order:
        return Order(*self._one("SELECT * FROM orders WHERE order_id = ?", order_id))

    def named(self, cl_ord_id: str) -> Order | None:
        """Under the name that it was given, or that a cancel or replacement has given it."""
        either = "SELECT * FROM orders WHERE cl_ord_id = ?1 OR orig_cl_ord_id = ?1 ORDER BY order_id DESC"
        found = self._db.execute(either, (cl_ord_id,)).fetchone()
        return found and Order(*found)

    def orders(self) -> list[Order]:
        return [Order(*row) for row in self._db.execute("SELECT * FROM orders ORDER BY order_id").fetchall()]

    def unfinished(self) -> list[int]:
        """Orders that were taken and should have been dealt with at once."""
        rows = self._db.execute(
            "SELECT order_id FROM orders WHERE status IN ('0', '1') AND (ord_type = '1' OR time_in_force IN ('3', '4'))"
        )
        return [order_id for (order_id,) in rows.fetchall()]

    def resting(self, symbol: str) -> list[Order]:
        """Limit orders that wait, oldest first."""
        rows = self._db.execute(
            "SELECT * FROM orders WHERE symbol = ? AND status IN ('0', '1') AND ord_type = '2' ORDER BY order_id",
            (symbol,),
        )
        return [Order(*row) for row in rows.fetchall()]

    def change(self, order_id: int, **changed: Any) -> Order:
        terms = ", ".join(f"{name} = ?" for name in changed)
        self._db.execute(f"UPDATE orders SET {terms} WHERE order_id = ?", (*changed.values(), order_id))  # noqa: S608
        return self.order(order_id)

    def fill(self, order: Order, quantity_e8: int, price_e8: int, time: str) -> tuple[Order, Execution]:
        made = self._db.execute(
            "INSERT INTO executions (order_id, quantity_e8, price_e8, time) VALUES (?, ?, ?, ?)",
            (order.order_id, quantity_e8, price_e8, time),
        )
        assert made.lastrowid is not None
        filled_e8 = order.filled_e8 + quantity_e8
        changed = self.change(
            order.order_id,
            filled_e8=filled_e8,
            cost=str(int(order.cost) + quantity_e8 * price_e8),
            status="2" if filled_e8 == order.quantity_e8 else "1",
        )
        return changed, Execution(made.lastrowid, order.order_id, quantity_e8, price_e8, time)

    def executions(self) -> list[tuple[Order, Execution]]:
        rows = self._db.execute("SELECT * FROM executions ORDER BY exec_id").fetchall()
        return [(self.order(row[1]), Execution(*row)) for row in rows]

    def amend(self, execution: Execution, kind: str, price_e8: int) -> tuple[Order, Amendment]:
        row = (execution.exec_id, kind, price_e8)
        made = self._db.execute("INSERT INTO amendments (exec_id, kind, price_e8) VALUES (?, ?, ?)", row)
        assert made.lastrowid is not None
        order, quantity_e8 = self.order(execution.order_id), execution.quantity_e8
        filled_e8 = order.filled_e8 - quantity_e8 if kind == "H" else order.filled_e8
        cost = int(order.cost) + quantity_e8 * (price_e8 - execution.price_e8)
        status = "4" if kind == "H" else order.status
        changed = self.change(order.order_id, filled_e8=filled_e8, cost=str(cost), status=status)
        return changed, Amendment(made.lastrowid, *row)

    def amendments(self) -> list[tuple[Order, Execution, Amendment]]:
        """With the order and the execution as they were reported."""
        executions = {execution.exec_id: (order, execution) for order, execution in self.executions()}
        rows = self._db.execute("SELECT * FROM amendments ORDER BY amendment_id").fetchall()
        return [(*executions[row[1]], Amendment(*row)) for row in rows]

    def _one(self, statement: str, *values: object) -> Any:
        found = self._db.execute(statement, values).fetchone()
        if found is None:
            raise LookupError(f"nothing for {values}")
        return found
