"""Money that staff move: at once up to a limit, above it when another person approves it."""

from actors.bus.desk_answers import MoneyReport, MoneyRequests
from actors.bus.requests import GetMoneyRequests
from actors.domain.approval import MoneyRequest, RequestStatus
from actors.domain.commands import Adjust, DecideRequest, Deposit, GrantCredit, Movement, RequestMoney, Withdraw
from actors.domain.money import format_minor
from web.desk import answers, schema
from web.desk.handler import DeskHandler, commands, looks_up
from web.payloads import problem
from web.payloads.terms import amount_minor
from web.payloads.times import format_ns

MOVEMENTS: dict[str, type[Deposit] | type[Withdraw] | type[GrantCredit] | type[Adjust]] = {
    "deposit": Deposit,
    "withdrawal": Withdraw,
    "credit": GrantCredit,
    "adjustment": Adjust,
}
_KINDS = {movement: kind for kind, movement in MOVEMENTS.items()}


class MoneyHandler(DeskHandler):
    """POST /admin/accounts/{id}/money: 201 where it was moved, 202 where another person must approve it first."""

    @commands(
        "Move money; above the limit ask for it.",
        {201: answers.OneMoneyRequest, 202: answers.OneMoneyRequest},
        schema.MoveMoney,
        {"kind": "deposit", "amount": "100.00", "reason": "wire 17"},
        needs_key=True,
    )
    async def post(self, account_id: str) -> None:
        key = self.idempotency_key()
        wanted = self.body(schema.MoveMoney)
        number = int(account_id)
        currency = await self.currency(number)
        moved_minor = amount_minor(wanted.amount, currency, "amount")
        movement: Movement = MOVEMENTS[wanted.kind](number, moved_minor, key, self.caller.username)
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
        self.answer(_request(report.request, currency), status)


class MoneyRequestsHandler(DeskHandler):
    """GET /admin/money-requests: newest first."""

    @looks_up("Money that was asked for.", answers.MoneyRequestsPage, schema.WhichRequests)
    async def get(self) -> None:
        page = self.parameters(schema.WhichRequests)
        asked = GetMoneyRequests(page.limit + 1, int(page.before or 0), page.status == "pending")
        found = (await self.engine(asked, MoneyRequests)).requests
        listed, cursor = self.page(found, page.limit, lambda request: request.request_id)
        bodies = [_request(it, await self.currency(it.movement.account_id)).request for it in listed]
        self.answer(answers.MoneyRequestsPage(requests=bodies, next=cursor))


class MoneyRequestHandler(DeskHandler):
    """GET /admin/money-requests/{id}."""

    @looks_up("One request for money.", answers.OneMoneyRequest)
    async def get(self, request_id: str) -> None:
        request = await _asked(self, int(request_id))
        self.answer(_request(request, await self.currency(request.movement.account_id)))


class DecisionHandler(DeskHandler):
    """POST /admin/money-requests/{id}/decision: approved by another person than asked, or turned down."""

    @commands(
        "Approve a request for money, or turn it down.",
        {200: answers.OneMoneyRequest},
        schema.Decision,
        {"approve": True, "reason": "seen"},
    )
    async def post(self, request_id: str) -> None:
        wanted = self.body(schema.Decision)
        request = await _asked(self, int(request_id))
        account_id = request.movement.account_id
        command = DecideRequest(request.request_id, wanted.approve, self.caller.username, wanted.reason)
        report = await self.order(command, f"account {account_id}", wanted.reason, MoneyReport, before=request)
        self.backend.accounts.known.note(account_id, report.seq)
        self.answer(_request(report.request, await self.currency(account_id)))


async def _asked(handler: DeskHandler, number: int) -> MoneyRequest:
    found = (await handler.engine(GetMoneyRequests(1, number + 1), MoneyRequests)).requests
    if not found or found[0].request_id != number:
        raise problem.of_code("UNKNOWN_REQUEST", f"there is no request {number}", "request_id")
    return found[0]


def _request(request: MoneyRequest, currency: str) -> answers.OneMoneyRequest:
    movement = request.movement
    body = answers.MoneyRequestBody(
        id=str(request.request_id),
        account_id=str(movement.account_id),
        kind=_KINDS[type(movement)],
        amount=format_minor(movement.amount_minor, currency),
        currency=currency,
        idempotency_key=movement.key,
        asked_by=movement.actor,
        reason=request.reason,
        asked=format_ns(request.asked_ns),
        status=request.status.value,
        decided_by=request.decided_by or None,
        decision_reason=request.decision_reason or None,
        decided=format_ns(request.decided_ns) if request.decided_ns else None,
    )
    return answers.OneMoneyRequest(request=body)
