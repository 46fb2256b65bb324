"""The simulated OANDA's orders over HTTP."""

import asyncio
import json
from decimal import Decimal
from typing import Any

from tornado.http1connection import HTTP1Connection
from tornado.web import HTTPError

from tools.venues.oanda.book import Transaction
from tools.venues.oanda.faults import HALF, KINDS
from tools.venues.oanda.handler import Handler

COUNT_LIMIT = 500
_ANSWER_NAMES = {"ORDER_FILL": "orderFillTransaction", "ORDER_CANCEL": "orderCancelTransaction"}


class OrdersHandler(Handler):
    async def post(self, account: str) -> None:
        self.check_account(account)
        try:
            order = json.loads(self.request.body)["order"]
            if not isinstance(order, dict):
                raise TypeError
        except (ValueError, TypeError, LookupError):
            raise HTTPError(400, reason="Invalid JSON, ParseErrorCode: 3") from None
        self.venue.play.begin()
        kind, delay_ms = self.venue.faults.next()
        if kind == "swallow":
            self.cut()
            return
        if kind == "late":
            self.cut()
        if kind in ("delay", "late"):
            await asyncio.sleep(delay_ms / 1000)
        batch = self._submit(order, kind)
        if kind == "cut":
            self.cut()
        elif kind != "late":
            self._answer(batch)

    def get(self, account: str) -> None:
        """Those of a state (default: pending), newest first."""
        self.check_account(account)
        state = self.get_query_argument("state", "PENDING")
        orders = [it for it in self.venue.book.orders.values() if state in ("ALL", it["state"])]
        self.write({"orders": orders[::-1][:COUNT_LIMIT], "lastTransactionID": self.venue.book.last_id})

    def cut(self) -> None:
        if isinstance(self.request.connection, HTTP1Connection):
            self.request.connection.stream.close()

    def _submit(self, order: dict[str, Any], kind: str) -> list[Transaction]:
        return self.venue.dealer.submit(
            order,
            self.rfc3339(),
            share=HALF if kind == "partial" else Decimal(1),
            reject="INSTRUMENT_NOT_TRADEABLE" if kind == "reject" else "",
            cancel="INSUFFICIENT_LIQUIDITY" if kind == "cancel" else "",
        )

    def _answer(self, batch: list[Transaction]) -> None:
        first = batch[0]
        known = {"relatedTransactionIDs": [it["id"] for it in batch], "lastTransactionID": self.venue.book.last_id}
        if first["type"].endswith("_REJECT"):
            reason = first["rejectReason"]
            self.set_status(400)
            refusal = {"orderRejectTransaction": first, "errorCode": reason, "errorMessage": f"Order refused: {reason}"}
            self.write(self.shown({**refusal, **known}))
            return
        parts = {_ANSWER_NAMES[it["type"]]: it for it in batch[1:]}
        self.set_status(201)
        self.write(self.shown({"orderCreateTransaction": first, **parts, **known}))


class FaultsHandler(Handler):
    def put(self) -> None:
        """Those that were waiting go."""
        try:
            self.venue.faults.want(self.request.body)
        except ValueError:
            raise HTTPError(400, reason=f"A list of faults, each of a kind of {', '.join(KINDS)}") from None
        self.get()

    def get(self) -> None:
        self.write({"faults": [{"kind": kind, "delay_ms": delay_ms} for kind, delay_ms in self.venue.faults.waiting]})


class PendingOrdersHandler(Handler):
    def get(self, account: str) -> None:
        self.check_account(account)
        book = self.venue.book
        self.write(self.shown({"orders": book.pending(), "lastTransactionID": book.last_id}))


class OrderHandler(Handler):
    def get(self, account: str, specifier: str) -> None:
        self.check_account(account)
        order = self.venue.book.order(specifier)
        if order is None:
            raise HTTPError(404, reason="The order ID specified does not exist")
        self.write(self.shown({"order": order, "lastTransactionID": self.venue.book.last_id}))


class CancelOrderHandler(Handler):
    def put(self, account: str, specifier: str) -> None:
        self.check_account(account)
        book = self.venue.book
        order = book.order(specifier)
        if order is not None and order["state"] == "PENDING":
            (made,) = self.venue.dealer.cancel(order, self.rfc3339())
            answer: dict[str, Any] = {"orderCancelTransaction": made}
        else:
            self.set_status(404)
            known = {"orderID": order["id"]} if order else {}
            refused = {"type": "ORDER_CANCEL_REJECT", "rejectReason": "ORDER_DOESNT_EXIST", **known}
            (made,) = book.make(self.rfc3339(), refused)
            message = {"errorCode": "ORDER_DOESNT_EXIST", "errorMessage": "The Order specified does not exist"}
            answer = {"orderCancelRejectTransaction": made, **message}
        self.write(self.shown({**answer, "relatedTransactionIDs": [made["id"]], "lastTransactionID": book.last_id}))
