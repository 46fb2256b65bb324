"""How the simulated OANDA deals: at the bid or ask that it shows now, up to the liquidity that it shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.venues.timestamp import BadTime, parse_time_ns
from tools.venues.oanda.book import Book, Transaction
from tools.venues.oanda.instruments import INSTRUMENTS, instrument
from tools.venues.oanda.prices import liquidity_units

AT_ONCE = ("FOK", "IOC")
TIMES = {"MARKET": AT_ONCE, "LIMIT": ("GTC", "GTD", "GFD", *AT_ONCE)}


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """A TransactionRejectReason."""

    reason: str


class Dealer:
    """Deals for one account at the prices in `latest`, by instrument: bid and ask as decimal text."""

    def __init__(self, book: Book, latest: Mapping[str, tuple[str, str]]) -> None:
        self._book = book
        self._latest = latest

    def submit(
        self, order: dict[str, Any], now: str, *, share: Decimal = Decimal(1), reject: str = "", cancel: str = ""
    ) -> list[Transaction]:
        """An OrderRequest; the transactions that it leads to, the first of which says whether it was taken.

        `share`: so much of the liquidity is there. `reject` and `cancel`: refused, or given up, for this reason.
        """
        kind = order.get("type")
        made = f"{kind}_ORDER" if kind in TIMES else "MARKET_ORDER"
        named = {name: value for name, value in order.items() if name != "type"} | {"reason": "CLIENT_ORDER"}
        try:
            if reject:
                raise Refused(reject)
            self._check(order)
        except Refused as refusal:
            return self._book.make(now, {"type": f"{made}_REJECT", **named, "rejectReason": refusal.reason})
        created = {"type": made, **named}
        if cancel:
            return self._book.make(now, created, self._cancel(order, cancel))
        return self._book.make(now, created, *self._outcome(order, share))

    def cancel(self, order: dict[str, Any], now: str, reason: str = "CLIENT_REQUEST") -> list[Transaction]:
        """A pending order is taken back."""
        return self._book.make(now, self._cancel(order, reason) | {"orderID": order["id"]})

    def show(self, name: str, now: str, now_ns: int) -> None:
        """A new price: pending orders that it reaches are filled, and those whose time is over go."""
        for order in self._book.pending():
            if order["timeInForce"] == "GTD" and parse_time_ns(order["gtdTime"]) <= now_ns:
                self.cancel(order, now, "TIME_IN_FORCE_EXPIRED")
            elif order["instrument"] == name and (price := self._price(order)) and self._is_within(order, price):
                units = Decimal(order["units"])
                self._book.make(now, self._fill(order, units, price) | {"orderID": order["id"]})

    def _check(self, order: dict[str, Any]) -> None:
        """Raises Refused."""
        if order.get("instrument") not in INSTRUMENTS:
            raise Refused("INSTRUMENT_UNKNOWN")
        terms = instrument(order["instrument"])
        units = _number(order.get("units"), terms["tradeUnitsPrecision"], "UNITS")
        if abs(units) < Decimal(terms["minimumTradeSize"]):
            raise Refused("UNITS_MIMIMUM_NOT_MET")
        if abs(units) > Decimal(terms["maximumOrderUnits"]):
            raise Refused("UNITS_LIMIT_EXCEEDED")
        if order.get("timeInForce") not in TIMES.get(str(order.get("type")), ()):
            raise Refused("TIME_IN_FORCE_INVALID")
        if order["timeInForce"] == "GTD" and "gtdTime" not in order:
            raise Refused("TIME_IN_FORCE_GTD_TIMESTAMP_MISSING")
        if order["timeInForce"] == "GTD":
            try:
                parse_time_ns(str(order["gtdTime"]))
            except BadTime:
                raise Refused("TIME_IN_FORCE_INVALID") from None
        for name, what in (("price", "PRICE"), ("priceBound", "PRICE_BOUND")):
            if name in order or (name == "price" and order["type"] == "LIMIT"):
                _number(order.get(name), terms["displayPrecision"], what)
        client_id = order.get("clientExtensions", {}).get("id", "")
        before = self._book.order(f"@{client_id}") if client_id else None
        if before is not None and before["state"] == "PENDING":
            raise Refused("CLIENT_ORDER_ID_ALREADY_EXISTS")
        if order["instrument"] not in self._latest:
            raise Refused("INSTRUMENT_PRICE_UNKNOWN")

    def _outcome(self, order: dict[str, Any], share: Decimal) -> list[Transaction]:
        """What follows at once from an order that was taken."""
        at_once = order["timeInForce"] in AT_ONCE
        price, units = self._price(order), Decimal(order["units"])
        if price is None:
            return [self._cancel(order, "MARKET_HALTED")] if at_once else []
        if not self._is_within(order, price):
            return [self._cancel(order, "BOUNDS_VIOLATION")] if at_once else []
        step = Decimal(1).scaleb(-instrument(order["instrument"])["tradeUnitsPrecision"])
        there = min(abs(units), Decimal(liquidity_units(order["instrument"]))) * share // step * step
        if there == abs(units):
            return [self._fill(order, units, price)]
        if order["timeInForce"] == "FOK" or not there:
            return [self._cancel(order, "INSUFFICIENT_LIQUIDITY")]
        part = there if units > 0 else -there
        return [self._fill(order, part, price), self._cancel(order, "INSUFFICIENT_LIQUIDITY")]

    def _price(self, order: dict[str, Any]) -> Decimal | None:
        """What it would be filled at now; None where there is no such price."""
        bid, ask = (Decimal(text) for text in self._latest.get(order["instrument"], ("0", "0")))
        return (ask if Decimal(order["units"]) > 0 else bid) if 0 < bid <= ask else None

    @staticmethod
    def _is_within(order: dict[str, Any], price: Decimal) -> bool:
        bound = order.get("price") or order.get("priceBound")
        if bound is None:
            return True
        return price <= Decimal(bound) if Decimal(order["units"]) > 0 else price >= Decimal(bound)

    def _fill(self, order: dict[str, Any], units: Decimal, price: Decimal) -> Transaction:
        kind = "LIMIT_ORDER" if "price" in order else "MARKET_ORDER"
        filled = {"instrument": order["instrument"], "units": f"{units:f}", "price": f"{price:f}"}
        money = {"fullVWAP": f"{price:f}", "pl": "0.0000", "financing": "0.0000", "commission": "0.0000"}
        return {"type": "ORDER_FILL", **_names(order), **filled, **money, "reason": kind}

    @staticmethod
    def _cancel(order: dict[str, Any], reason: str) -> Transaction:
        return {"type": "ORDER_CANCEL", **_names(order), "reason": reason}


def _names(order: dict[str, Any]) -> Transaction:
    """An order that is not made yet has no id: the book gives it."""
    client_id = order.get("clientExtensions", {}).get("id", "")
    return {"orderID": "", **({"clientOrderID": client_id} if client_id else {})}


def _number(text: Any, digits: int, what: str) -> Decimal:
    """Raises Refused."""
    if text is None:
        raise Refused(f"{what}_MISSING")
    try:
        number = Decimal(text) if isinstance(text, str) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not number:
        raise Refused(f"{what}_INVALID")
    if number != round(number, digits):
        raise Refused(f"{what}_PRECISION_EXCEEDED")
    return number
