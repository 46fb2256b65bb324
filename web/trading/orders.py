"""Orders: placed, looked up, changed and cancelled. Those that wait are the engine's, all others are history."""

from collections.abc import Callable

from actors.bus.history_answers import Orders
from actors.bus.requests import GetOrders
from actors.domain.commands import CancelOrder
from actors.domain.order import Order
from web.handling import dealing
from web.handling.asking import AskingHandler, CommandHandler
from web.handling.contract import COMMAND, QUESTION, F, contract
from web.handling.paging import PagingHandler
from web.payloads import answers, bodies, problem, schema

NAMED_ORDERS_LIMIT = 1_000
"""How many of an account's last orders are searched for a client_order_id."""
AT_AN_LP = "One that rests at an LP is as it was until the LP answers, which /ws tells."
"""For OpenAPI."""


class OrderHandler(CommandHandler):
    """POST /order: 201 with what came of it, 200 with the same, as it is by now, when the order is sent again."""

    @contract(
        "Place an order: 201 with what came of it, 200 with the same, as it is by now, when it is sent again.",
        {201: bodies.ExecutionBody, 200: bodies.ExecutionBody},
        body=schema.PlaceOrder,
        problems=COMMAND,
        keyed=True,
        example={"symbol": "EURUSD", "side": "buy", "type": "market", "quantity": "10000", "client_order_id": "my-1"},
    )
    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.keyed_body(schema.PlaceOrder)
        account_id = self.account(wanted.account_id)
        execution, repeated = await self.deal(dealing.submit(account_id, wanted))
        self.answer(execution, 200 if repeated else 201)


def changes(summary: str) -> Callable[[F], F]:
    """The contract of a change of an order."""
    example = {"limit_price": "1.0600", "take_profit": None}
    return contract(summary, {204: None}, body=schema.ChangeOrder, problems=COMMAND, example=example)


class OneOrderHandler(CommandHandler):
    """GET, PUT and DELETE /order/{id}. A change: what is not named stays, null takes it away."""

    @contract("An order, waiting or past.", {200: answers.OneOrder}, parameters=schema.WhoseAccount, problems=QUESTION)
    async def get(self, order_id: str) -> None:
        account_id = self.account(self.parameters(schema.WhoseAccount).account_id)
        number = int(order_id)
        waiting, seq = await _waiting(self, account_id)
        order = waiting.get(number)
        if order is None:
            past = (await self.history(GetOrders(account_id, 1, number + 1, seq), Orders)).orders
            if not past or past[0].order_id != number:
                raise _unknown(f"there is no order {number}")
            order = past[0]
        self.answer(answers.OneOrder(order=self.backend.render.order(order)))

    @changes(f"Change an order that waits: what is absent stays as it is, null takes it away. {AT_AN_LP}")
    async def put(self, order_id: str) -> None:
        wanted = self.body(schema.ChangeOrder)
        await dealing.modify_order(self.backend, self.account(), order_id, wanted)
        self.answer_nothing()

    @contract(f"Cancel an order that waits. {AT_AN_LP}", {204: None}, problems=COMMAND)
    async def delete(self, order_id: str) -> None:
        await self.change(CancelOrder(self.account(), int(order_id)))


class NamedOrderHandler(CommandHandler):
    """GET, PUT and DELETE /order/@{client_order_id}: of the orders of one request, the last."""

    @contract(
        "An order by its client_order_id, among the last 1,000: of several of one request the last.",
        {200: answers.OneOrder},
        parameters=schema.WhoseAccount,
        problems=QUESTION,
    )
    async def get(self, client_order_id: str) -> None:
        account_id = self.account(self.parameters(schema.WhoseAccount).account_id)
        waiting, seq = await _waiting(self, account_id)
        orders = [*reversed(waiting.values())]
        if not _named(orders, client_order_id):
            orders = (await self.history(GetOrders(account_id, NAMED_ORDERS_LIMIT, 0, seq), Orders)).orders
        order = _named(orders, client_order_id)
        if order is None:
            raise _unknown(f"the last {NAMED_ORDERS_LIMIT} orders have no client_order_id {client_order_id[:64]!r}")
        self.answer(answers.OneOrder(order=self.backend.render.order(order)))

    @changes(f"Change an order that waits, by its client_order_id. {AT_AN_LP}")
    async def put(self, client_order_id: str) -> None:
        wanted, account_id = self.body(schema.ChangeOrder), self.account()
        number = await self.number(account_id, client_order_id)
        await dealing.modify_order(self.backend, account_id, number, wanted)
        self.answer_nothing()

    @contract(f"Cancel an order that waits, by its client_order_id. {AT_AN_LP}", {204: None}, problems=COMMAND)
    async def delete(self, client_order_id: str) -> None:
        account_id = self.account()
        await self.change(CancelOrder(account_id, int(await self.number(account_id, client_order_id))))

    async def number(self, account_id: int, client_order_id: str) -> str:
        """The id of the one that waits; raises a problem where none does."""
        waiting, _ = await _waiting(self, account_id)
        order = _named([*reversed(waiting.values())], client_order_id)
        if order is None:
            raise _unknown(f"no order with the client_order_id {client_order_id[:64]!r} waits")
        return str(order.order_id)


class OrdersHandler(PagingHandler):
    """GET /orders: all of history, or with status=working those that wait."""

    @contract("Orders, newest first.", {200: answers.OrdersPage}, parameters=schema.WhichOrders, problems=QUESTION)
    async def get(self) -> None:
        page = self.parameters(schema.WhichOrders)
        account_id = self.account(page.account_id)
        before_id = int(page.before or 0)
        if page.status is None:
            seq = self.backend.accounts.known.seq(account_id)
            orders = (await self.history(GetOrders(account_id, page.limit + 1, before_id, seq), Orders)).orders
        else:
            waiting, _ = await _waiting(self, account_id)
            orders = [order for order in reversed(waiting.values()) if order.order_id < before_id or not before_id]
        shown, cursor = self.page(orders, page.limit, lambda order: order.order_id)
        self.answer(answers.OrdersPage(orders=[self.backend.render.order(order) for order in shown], next=cursor))


async def _waiting(handler: AskingHandler, account_id: int) -> tuple[dict[int, Order], int]:
    """The orders that wait, oldest first, and the event after which it is so."""
    report = await handler.report(account_id)
    return {order.order_id: order for order in sorted(report.orders, key=lambda order: order.order_id)}, report.seq


def _named(orders: list[Order], client_order_id: str) -> Order | None:
    return next((order for order in orders if order.client_order_id == client_order_id), None)


def _unknown(detail: str) -> problem.Problem:
    return problem.of_code("UNKNOWN_ORDER", detail)
