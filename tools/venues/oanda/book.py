"""The simulated OANDA's account: orders, transactions, trades. The transactions are the record; all else follows.

Quantities and prices are kept, money is not: profit, financing and margin are always zero, and so nothing is refused
for want of margin. Positions are netted, oldest trade first.
"""

import json
import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

Transaction = dict[str, Any]
ZERO = "0.0000"
USER_ID = 1
PENDING, FILLED, CANCELLED = "PENDING", "FILLED", "CANCELLED"


class Book:
    """Transactions are made batch by batch: a batch is on the disk, whole, before anybody hears of it."""

    def __init__(self, account: str, now: str, path: Path | None = None) -> None:
        """`path`: where the record is kept, and read again; None: only as long as the process lives."""
        self.account = account
        self.transactions: list[Transaction] = []
        """The one with id N is at N - 1."""
        self.orders: dict[str, dict[str, Any]] = {}
        self.client_ids: dict[str, str] = {}
        """The last order of each client id."""
        self.trades: dict[str, dict[str, Any]] = {}
        self.followers: list[Callable[[Transaction], None]] = []
        self._file: int | None = None
        if path is not None:
            self._open(path)
        if not self.transactions:
            self.make(now, {"type": "CREATE", "homeCurrency": "USD"})

    @property
    def last_id(self) -> str:
        return str(len(self.transactions))

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def make(self, now: str, *parts: Transaction) -> list[Transaction]:
        """A batch of transactions with these fields; an `orderID` of "" is that of the order made in it."""
        first = len(self.transactions) + 1
        batch = []
        for number, part in enumerate(parts, first):
            common = {"id": str(number), "time": now, "userID": USER_ID, "accountID": self.account}
            batch.append({**common, "batchID": str(first), "requestID": str(first), **part})
            if batch[-1].get("orderID") == "":
                batch[-1]["orderID"] = str(first)
            if batch[-1]["type"] == "ORDER_FILL":
                batch[-1] |= self._trades_of(batch[-1])
        if self._file is not None:
            os.write(self._file, json.dumps(batch, separators=(",", ":")).encode() + b"\n")
            os.fsync(self._file)
        for transaction in batch:
            self._take(transaction)
        for transaction in batch:
            for follower in list(self.followers):
                follower(transaction)
        return batch

    def order(self, specifier: str) -> dict[str, Any] | None:
        """By OANDA's id, or after an @ by the client's."""
        number = self.client_ids.get(specifier[1:], "") if specifier.startswith("@") else specifier
        return self.orders.get(number)

    def pending(self) -> list[dict[str, Any]]:
        return [order for order in self.orders.values() if order["state"] == PENDING]

    def open_trades(self, instrument: str = "") -> list[dict[str, Any]]:
        trades = [trade for trade in self.trades.values() if trade["state"] == "OPEN"]
        return [trade for trade in trades if instrument in ("", trade["instrument"])]

    def positions(self, *, only_open: bool) -> Iterator[dict[str, Any]]:
        names = dict.fromkeys(trade["instrument"] for trade in self.trades.values())
        for name in names:
            trades = self.open_trades(name)
            if trades or not only_open:
                yield {
                    "instrument": name,
                    "pl": ZERO,
                    "unrealizedPL": ZERO,
                    "resettablePL": ZERO,
                    "long": _side([it for it in trades if Decimal(it["currentUnits"]) > 0]),
                    "short": _side([it for it in trades if Decimal(it["currentUnits"]) < 0]),
                }

    def _open(self, path: Path) -> None:
        """A last line without its end is a batch that nobody has heard of."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        for line in whole.splitlines():
            for transaction in json.loads(line):
                self._take(transaction)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.ftruncate(self._file, len(whole))

    def _take(self, it: Transaction) -> None:
        self.transactions.append(it)
        if it["type"] in ("MARKET_ORDER", "LIMIT_ORDER"):
            self._take_order(it)
        elif it["type"] == "ORDER_FILL":
            filled = {"state": FILLED, "fillingTransactionID": it["id"], "filledTime": it["time"]}
            self.orders[it["orderID"]] |= filled
            self._take_trades(it)
        elif it["type"] == "ORDER_CANCEL":
            cancelled = {"state": CANCELLED, "cancellingTransactionID": it["id"], "cancelledTime": it["time"]}
            self.orders[it["orderID"]] |= cancelled

    def _take_order(self, it: Transaction) -> None:
        named = ("instrument", "units", "timeInForce", "price", "priceBound", "gtdTime", "positionFill")
        kept = {name: it[name] for name in (*named, "triggerCondition", "clientExtensions") if name in it}
        kind = "MARKET" if it["type"] == "MARKET_ORDER" else "LIMIT"
        self.orders[it["id"]] = {"id": it["id"], "createTime": it["time"], "state": PENDING, "type": kind, **kept}
        client_id = it.get("clientExtensions", {}).get("id")
        if client_id:
            self.client_ids[client_id] = it["id"]

    def _trades_of(self, fill: Transaction) -> Transaction:
        """What a fill closes, reduces and opens."""
        units, price, closed = Decimal(fill["units"]), fill["fullVWAP"], []
        found: Transaction = {}
        for trade in self.open_trades(fill["instrument"]):
            held = Decimal(trade["currentUnits"])
            if not units or (held > 0) == (units > 0):
                continue
            part = min(abs(held), abs(units)) * (1 if units > 0 else -1)
            units -= part
            reduced = {"tradeID": trade["id"], "units": f"{part:f}", "price": price, "realizedPL": ZERO}
            if held + part:
                found["tradeReduced"] = reduced
            else:
                closed.append(reduced)
        if closed:
            found["tradesClosed"] = closed
        if units:
            found["tradeOpened"] = {"tradeID": fill["id"], "units": f"{units:f}", "price": price}
        return found

    def _take_trades(self, fill: Transaction) -> None:
        changed = [*fill.get("tradesClosed", []), *([fill["tradeReduced"]] if "tradeReduced" in fill else [])]
        for part in changed:
            trade = self.trades[part["tradeID"]]
            left = Decimal(trade["currentUnits"]) + Decimal(part["units"])
            trade["currentUnits"] = f"{left:f}"
            if not left:
                trade |= {"state": "CLOSED", "closeTime": fill["time"]}
        opened = fill.get("tradeOpened")
        if opened:
            self.trades[opened["tradeID"]] = {
                "id": opened["tradeID"],
                "instrument": fill["instrument"],
                "price": opened["price"],
                "openTime": fill["time"],
                "state": "OPEN",
                "initialUnits": opened["units"],
                "currentUnits": opened["units"],
                "realizedPL": ZERO,
                "unrealizedPL": ZERO,
                "financing": ZERO,
            }


def _side(trades: list[dict[str, Any]]) -> dict[str, Any]:
    units = sum((Decimal(trade["currentUnits"]) for trade in trades), Decimal(0))
    side = {"units": f"{units:f}", "pl": ZERO, "unrealizedPL": ZERO, "resettablePL": ZERO}
    if not units:
        return side
    cost = sum(Decimal(trade["currentUnits"]) * Decimal(trade["price"]) for trade in trades)
    return {**side, "averagePrice": f"{cost / units:.5f}", "tradeIDs": [trade["id"] for trade in trades]}
