"""Accounts for the staff: opened, listed, limited; money with four eyes; orders and positions of any account."""

from typing import Any

from actors.bus.answers import Done, OrderReport
from actors.bus.desk_answers import AccountRow, AccountRows
from actors.bus.requests import GetAccounts
from actors.domain.commands import (
    AssignGroup,
    CancelOrder,
    ClosePosition,
    OpenAccount,
    SetLimits,
)
from actors.domain.order import OrderStatus
from actors.domain.risk.limits import Limits
from web.desk import answers as desk_answers
from web.desk import schema
from web.desk.handler import DeskHandler, changes, commands, looks_up
from web.payloads import answers, bodies, problem, render
from web.payloads.plain import merged, plain, struct_of
from web.payloads.plain_types import patched
from web.payloads.terms import positive_e8


class AccountsHandler(DeskHandler):
    """GET and POST /admin/accounts."""

    @looks_up("All accounts.", desk_answers.ACCOUNTS, schema.WhichAccounts)
    async def get(self) -> None:
        page = self.parameters(schema.WhichAccounts)
        asked = GetAccounts(page.limit + 1, int(page.after or 0), page.group or "")
        rows = (await self.engine(asked, AccountRows)).accounts
        listed, cursor = self.page(rows, page.limit, lambda row: row.account_id, "after")
        self.answer({"accounts": [_row(row) for row in listed], "next": cursor})

    @commands(
        "Open an account.",
        {201: desk_answers.ACCOUNT},
        schema.NewAccount,
        {"account_id": "7", "currency": "USD", "reason": "new client"},
    )
    async def post(self) -> None:
        wanted = self.body(schema.NewAccount)
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

    @looks_up("An account.", desk_answers.ONE_ACCOUNT)
    async def get(self, account_id: str) -> None:
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

    @changes(
        "Change an account's own limits.",
        desk_answers.OWN_LIMITS,
        schema.ChangedTerms,
        {"terms": {"positions": 7}, "reason": "asked for"},
        terms=patched(Limits),
    )
    async def patch(self, account_id: str) -> None:
        wanted = self.body(schema.ChangedTerms)
        row = await row_of(self, int(account_id))
        limits = struct_of(Limits, merged(plain(row.limits), wanted.terms))
        command = SetLimits(row.account_id, limits, *self.by(wanted.reason, row.limits_version))
        await self.change(command, f"account {account_id}", wanted.reason, before=row.limits)
        row = await row_of(self, row.account_id)
        self.answer_terms(row.limits, "limits", {"limits": row.limits_version})


class AccountGroupHandler(DeskHandler):
    """PUT /admin/accounts/{id}/group: on whose terms it deals from now on, with what it has open and waiting."""

    @changes(
        "Move an account to another group.",
        desk_answers.ACCOUNT,
        schema.AssignedGroup,
        {"group": "pros", "reason": "asked for"},
    )
    async def put(self, account_id: str) -> None:
        wanted = self.body(schema.AssignedGroup)
        row = await row_of(self, int(account_id))
        command = AssignGroup(row.account_id, wanted.group, *self.by(wanted.reason, row.group_version))
        await self.change(command, f"account {account_id}", wanted.reason, before={"group": row.group})
        row = await row_of(self, row.account_id)
        self.tag(row.group_version)
        self.answer({"account": _row(row)})


class AccountOrdersHandler(DeskHandler):
    """GET /admin/accounts/{id}/orders: those that wait, oldest first."""

    @looks_up("Orders that wait.", desk_answers.WaitingOrders)
    async def get(self, account_id: str) -> None:
        orders = (await self.report(int(account_id))).orders
        self.answer(desk_answers.WaitingOrders(orders=[self.backend.render.order(order) for order in orders]))


class AccountOrderHandler(DeskHandler):
    """DELETE /admin/accounts/{id}/orders/{id}: cancelled."""

    @commands("Cancel an order.", {204: None}, parameters=schema.Why)
    async def delete(self, account_id: str, order_id: str) -> None:
        reason = self.parameters(schema.Why).reason
        command = CancelOrder(int(account_id), int(order_id))
        done = await self.order(command, f"account {account_id}", reason, Done)
        self.backend.accounts.known.note(int(account_id), done.seq)
        self.answer_nothing()


class AccountPositionsHandler(DeskHandler):
    """GET /admin/accounts/{id}/positions."""

    @looks_up("Open positions.", answers.Positions)
    async def get(self, account_id: str) -> None:
        report = await self.report(int(account_id))
        position, currency = self.backend.render.position, report.summary.currency
        bodies = [position(p.position, p.price_e8, p.profit_minor, currency) for p in report.positions]
        self.answer(answers.Positions(positions=bodies))


class ClosePositionHandler(DeskHandler):
    """POST /admin/accounts/{id}/positions/{id}/close: all of it, or the quantity named."""

    @commands(
        "Close a position.",
        {200: bodies.ExecutionBody},
        schema.CloseForClient,
        {"reason": "asked by phone"},
        needs_key=True,
    )
    async def post(self, account_id: str, position_id: str) -> None:
        key = self.idempotency_key()
        wanted = self.body(schema.CloseForClient)
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


def _row(row: AccountRow) -> dict[str, Any]:
    body: dict[str, Any] = plain(row)
    for name in ("limits_version", "group_version"):
        body[name] = str(body[name]) if body[name] else None
    return body
