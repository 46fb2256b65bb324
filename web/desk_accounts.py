"""Accounts for the staff: opened, listed, limited; money with four eyes; orders and positions of any account."""

from typing import Any

from actors.bus.answers import AccountRow, AccountRows, Done, MoneyReport, MoneyRequests, OrderReport
from actors.bus.requests import GetAccounts, GetMoneyRequests
from actors.domain.approval import MoneyRequest, RequestStatus
from actors.domain.commands import (
    Adjust,
    CancelOrder,
    ClosePosition,
    DecideRequest,
    Deposit,
    GrantCredit,
    Movement,
    OpenAccount,
    RequestMoney,
    SetLimits,
    Withdraw,
)
from actors.domain.limits import Limits
from actors.domain.money import NotExact, format_minor, parse_minor
from actors.domain.order import OrderStatus
from web import desk_schema, problem, render, schema
from web.contract import COMMAND, QUESTION, contract
from web.desk import CHANGE, IF_MATCH, Answered, DeskHandler
from web.plain import merged, plain, struct_of
from web.terms import positive_e8
from web.times import format_ns

MOVEMENTS: dict[str, type[Deposit] | type[Withdraw] | type[GrantCredit] | type[Adjust]] = {
    "deposit": Deposit,
    "withdrawal": Withdraw,
    "credit": GrantCredit,
    "adjustment": Adjust,
}
_KINDS = {movement: kind for kind, movement in MOVEMENTS.items()}


class AccountsHandler(DeskHandler):
    """GET and POST /admin/accounts."""

    @contract("All accounts.", {200: Answered}, parameters=desk_schema.WhichAccounts, problems=QUESTION)
    async def get(self) -> None:
        page = self.parameters(desk_schema.WhichAccounts)
        asked = GetAccounts(page.limit + 1, int(page.after or 0), page.group or "")
        rows = (await self.engine(asked, AccountRows)).accounts
        listed = rows[: page.limit]
        cursor = str(listed[-1].account_id) if len(rows) > page.limit else None
        self.answer({"accounts": [_row(row) for row in listed], "next": cursor})

    @contract(
        "Open an account.",
        {201: Answered},
        body=desk_schema.NewAccount,
        problems=COMMAND,
        example={"account_id": "7", "currency": "USD", "reason": "new client"},
    )
    async def post(self) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(desk_schema.NewAccount)
        number = int(wanted.account_id)
        rows = (await self.engine(GetAccounts(1, number - 1), AccountRows)).accounts
        if rows and rows[0].account_id == number:
            raise problem.Problem(
                409, "DUPLICATE_ACCOUNT", f"There is an account {number} already.", field="account_id"
            )
        command = OpenAccount(number, wanted.currency, wanted.mode, wanted.group)
        await self.change(command, f"account {number}", wanted.reason)
        self.set_header("Location", f"/admin/accounts/{number}")
        self.answer({"account": _row(await row_of(self, number))}, 201)


class OneAccountHandler(DeskHandler):
    """GET /admin/accounts/{id}: its figures, its limits, and the terms of its group."""

    @contract("An account.", {200: Answered}, problems=QUESTION)
    async def get(self, account_id: str) -> None:
        self.parameters(schema.NoParameters)
        row = await row_of(self, int(account_id))
        report = await self.report(row.account_id)
        body = {
            "account": _row(row),
            "summary": render.account(report.summary),
            "limits_in_force": plain(report.limits),
        }
        self.answer(body)


class AccountLimitsHandler(DeskHandler):
    """PATCH /admin/accounts/{id}/limits: its own; 0 (and no currency of an exposure limit) is what its group says."""

    @contract(
        "Change an account's own limits.",
        {200: Answered},
        body=desk_schema.ChangedTerms,
        problems=CHANGE,
        headers=IF_MATCH,
        example={"terms": {"positions": 7}, "reason": "asked for"},
    )
    async def patch(self, account_id: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(desk_schema.ChangedTerms)
        row = await row_of(self, int(account_id))
        limits = struct_of(Limits, merged(plain(row.limits), wanted.terms))
        version = self.wanted_version() or row.limits_version
        command = SetLimits(row.account_id, limits, self.caller.username, wanted.reason, version)
        await self.change(command, f"account {account_id}", wanted.reason, before=row.limits)
        row = await row_of(self, row.account_id)
        self.answer_terms(row.limits, "limits", {"limits": row.limits_version})


class MoneyHandler(DeskHandler):
    """POST /admin/accounts/{id}/money: 201 where it was moved, 202 where another person must approve it first."""

    @contract(
        "Move money; above the limit ask for it.",
        {201: Answered, 202: Answered},
        body=desk_schema.MoveMoney,
        problems=COMMAND,
        needs_key=True,
        example={"kind": "deposit", "amount": "100.00", "reason": "wire 17"},
    )
    async def post(self, account_id: str) -> None:
        self.parameters(schema.NoParameters)
        key = self.idempotency_key()
        wanted = self.body(desk_schema.MoveMoney)
        number = int(account_id)
        currency = await self.currency(number)
        amount_minor = _minor(wanted.amount, currency)
        movement: Movement = MOVEMENTS[wanted.kind](number, amount_minor, key, self.caller.username)
        report = await self.order(
            RequestMoney(movement, wanted.reason),
            f"account {number}",
            wanted.reason,
            MoneyReport,
            identity={"idempotency_key": key},
        )
        self.backend.accounts.known.note(number, report.seq)
        status = 202 if report.request.status is RequestStatus.PENDING else 201
        self.set_header("Location", f"/admin/money-requests/{report.request.request_id}")
        self.answer({"request": _request(report.request, currency)}, status)


class MoneyRequestsHandler(DeskHandler):
    """GET /admin/money-requests: newest first."""

    @contract("Money that was asked for.", {200: Answered}, parameters=desk_schema.WhichRequests, problems=QUESTION)
    async def get(self) -> None:
        page = self.parameters(desk_schema.WhichRequests)
        asked = GetMoneyRequests(page.limit + 1, int(page.before or 0), page.status == "pending")
        found = (await self.engine(asked, MoneyRequests)).requests
        listed = found[: page.limit]
        cursor = str(listed[-1].request_id) if len(found) > page.limit else None
        bodies = [_request(it, await self.currency(it.movement.account_id)) for it in listed]
        self.answer({"requests": bodies, "next": cursor})


class MoneyRequestHandler(DeskHandler):
    """GET /admin/money-requests/{id}."""

    @contract("One request for money.", {200: Answered}, problems=QUESTION)
    async def get(self, request_id: str) -> None:
        self.parameters(schema.NoParameters)
        request = await _asked(self, int(request_id))
        self.answer({"request": _request(request, await self.currency(request.movement.account_id))})


class DecisionHandler(DeskHandler):
    """POST /admin/money-requests/{id}/decision: approved by another person than asked, or turned down."""

    @contract(
        "Approve a request for money, or turn it down.",
        {200: Answered},
        body=desk_schema.Decision,
        problems=COMMAND,
        example={"approve": True, "reason": "seen"},
    )
    async def post(self, request_id: str) -> None:
        self.parameters(schema.NoParameters)
        wanted = self.body(desk_schema.Decision)
        request = await _asked(self, int(request_id))
        account_id = request.movement.account_id
        command = DecideRequest(request.request_id, wanted.approve, self.caller.username, wanted.reason)
        report = await self.order(command, f"account {account_id}", wanted.reason, MoneyReport, before=request)
        self.backend.accounts.known.note(account_id, report.seq)
        self.answer({"request": _request(report.request, await self.currency(account_id))})


class AccountOrdersHandler(DeskHandler):
    """GET /admin/accounts/{id}/orders: those that wait, oldest first."""

    @contract("Orders that wait.", {200: Answered}, problems=QUESTION)
    async def get(self, account_id: str) -> None:
        self.parameters(schema.NoParameters)
        orders = (await self.report(int(account_id))).orders
        self.answer({"orders": [self.backend.render.order(order) for order in orders]})


class AccountOrderHandler(DeskHandler):
    """DELETE /admin/accounts/{id}/orders/{id}: cancelled."""

    @contract("Cancel an order.", {204: None}, parameters=desk_schema.Why, problems=COMMAND)
    async def delete(self, account_id: str, order_id: str) -> None:
        reason = self.parameters(desk_schema.Why).reason
        command = CancelOrder(int(account_id), int(order_id))
        done = await self.order(command, f"account {account_id}", reason, Done)
        self.backend.accounts.known.note(int(account_id), done.seq)
        self.answer_nothing()


class AccountPositionsHandler(DeskHandler):
    """GET /admin/accounts/{id}/positions."""

    @contract("Open positions.", {200: Answered}, problems=QUESTION)
    async def get(self, account_id: str) -> None:
        self.parameters(schema.NoParameters)
        report = await self.report(int(account_id))
        position, currency = self.backend.render.position, report.summary.currency
        bodies = [position(p.position, p.price_e8, p.profit_minor, currency) for p in report.positions]
        self.answer({"positions": bodies})


class ClosePositionHandler(DeskHandler):
    """POST /admin/accounts/{id}/positions/{id}/close: all of it, or the quantity named."""

    @contract(
        "Close a position.",
        {200: Answered},
        body=desk_schema.CloseForClient,
        problems=COMMAND,
        needs_key=True,
        example={"reason": "asked by phone"},
    )
    async def post(self, account_id: str, position_id: str) -> None:
        self.parameters(schema.NoParameters)
        key = self.idempotency_key()
        wanted = self.body(desk_schema.CloseForClient)
        number = int(account_id)
        quantity_e8 = 0 if wanted.quantity is None else positive_e8(wanted.quantity, "quantity")
        currency = await self.currency(number)
        command = ClosePosition(number, key, int(position_id), quantity_e8)
        report = await self.order(
            command, f"account {number}", wanted.reason, OrderReport, identity={"idempotency_key": key}
        )
        self.backend.accounts.known.note(number, report.seq)
        execution = self.backend.render.execution(report.outcome, currency)
        if report.outcome.order.status is OrderStatus.REJECTED:
            raise problem.of_code(report.outcome.code, report.outcome.detail, order=execution.order)
        self.answer(execution)


async def row_of(handler: DeskHandler, account_id: int) -> AccountRow:
    rows = (await handler.engine(GetAccounts(1, account_id - 1), AccountRows)).accounts
    if not rows or rows[0].account_id != account_id:
        raise problem.of_code("UNKNOWN_ACCOUNT", f"there is no account {account_id}", "account_id")
    return rows[0]


async def _asked(handler: DeskHandler, number: int) -> MoneyRequest:
    found = (await handler.engine(GetMoneyRequests(1, number + 1), MoneyRequests)).requests
    if not found or found[0].request_id != number:
        raise problem.of_code("UNKNOWN_REQUEST", f"there is no request {number}", "request_id")
    return found[0]


def _row(row: AccountRow) -> dict[str, Any]:
    body: dict[str, Any] = plain(row)
    return {**body, "limits_version": str(row.limits_version) if row.limits_version else None}


def _minor(text: str, currency: str) -> int:
    try:
        return parse_minor(text, currency)
    except NotExact as error:
        raise problem.invalid("amount", f"amount: {error}.") from None


def _request(request: MoneyRequest, currency: str) -> dict[str, Any]:
    movement = request.movement
    return {
        "id": str(request.request_id),
        "account_id": str(movement.account_id),
        "kind": _KINDS[type(movement)],
        "amount": format_minor(movement.amount_minor, currency),
        "currency": currency,
        "idempotency_key": movement.key,
        "asked_by": movement.actor,
        "reason": request.reason,
        "asked": format_ns(request.asked_ns),
        "status": request.status.value,
        "decided_by": request.decided_by or None,
        "decision_reason": request.decision_reason or None,
        "decided": format_ns(request.decided_ns) if request.decided_ns else None,
    }
