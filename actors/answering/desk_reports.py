"""What the engine answers its staff: terms and who changed them, accounts, requests for money, breaks, routes."""

from heapq import nsmallest
from itertools import islice

from actors.bus.desk_answers import (
    AccountRow,
    AccountRows,
    Breaks,
    Changes,
    MoneyReport,
    MoneyRequests,
    RoutePreview,
    Terms,
)
from actors.bus.requests import GetAccounts, GetChanges, GetMoneyRequests, PreviewRoute
from actors.domain.approval import RequestStatus
from actors.domain.checks import account_of, instrument_of
from actors.domain.dealing.abook import PROFESSIONAL, RETAIL
from actors.domain.order import BUY
from actors.domain.refusal import Code, Refused
from actors.domain.routing.books import routed
from actors.domain.routing.route import Router, RouteRequest
from actors.domain.routing.rulebook import RuleBook, faults
from actors.domain.state import State

OF_ACCOUNTS = ("limits ", "account ")
"""Subjects of which there are as many as accounts: their versions are told with the account."""
ROWS_LIMIT = 501
"""No answer has more, whatever was asked for: it must fit a frame. A page of 500, and one more row."""


def terms(state: State) -> Terms:
    books = state.books
    return Terms(
        state.event_seq,
        list(state.instruments.values()),
        list(state.groups.values()),
        books.rules,
        books.venues,
        list(books.hedges.values()),
        dict(state.holidays),
        list(state.halts),
        dict(state.approval_limits),
        {
            subject: version
            for subject, version in state.versions.current.items()
            if not subject.startswith(OF_ACCOUNTS)
        },
    )


def changes(state: State, query: GetChanges) -> Changes:
    """The newest first."""
    found = (
        change
        for change in reversed(state.versions.changes)
        if (not query.before_version or change.version < query.before_version)
        and (not query.subject or change.subject == query.subject)
    )
    return Changes(list(islice(found, _rows(query.limit))))


def accounts(state: State, query: GetAccounts) -> AccountRows:
    """By number, the lowest first."""
    wanted = (
        number
        for number, account in state.accounts.items()
        if number > query.after_id and query.group in ("", account.group.name)
    )
    found = [state.accounts[number] for number in nsmallest(_rows(query.limit), wanted)]
    return AccountRows(
        state.event_seq,
        [
            AccountRow(
                account.account_id,
                account.currency,
                account.mode,
                account.group.name,
                state.balance_minor(account),
                state.credit_minor(account),
                len(account.positions),
                len(account.orders),
                account.status,
                account.own_limits,
                state.versions.current.get(f"limits {account.account_id}", 0),
                state.versions.current.get(f"account {account.account_id}", 0),
            )
            for account in found
        ],
    )


def money_requests(state: State, query: GetMoneyRequests) -> MoneyRequests:
    """The newest first."""
    found = (
        request
        for request in reversed(state.requests.by_key.values())
        if (not query.before_id or request.request_id < query.before_id)
        and (not query.only_pending or request.status is RequestStatus.PENDING)
    )
    return MoneyRequests(list(islice(found, _rows(query.limit))))


def money_report(state: State, request_id: int) -> MoneyReport:
    """Raises Refused UNKNOWN_REQUEST."""
    request = state.requests.find(request_id)
    if request is None:
        raise Refused(Code.UNKNOWN_REQUEST, f"there is no request {request_id}", "request_id")
    return MoneyReport(state.event_seq, request)


def breaks(state: State) -> Breaks:
    return Breaks(list(reversed(state.books.breaks.values()))[:ROWS_LIMIT])


def preview(state: State, query: PreviewRoute, now_ns: int) -> RoutePreview:
    """Raises Refused where account, symbol or the rules cannot be."""
    account = account_of(state, query.account_id)
    instrument_of(state, query.symbol)
    tick = account.ticks.get(query.symbol)
    if tick is None:
        raise Refused(Code.NO_PRICE, f"there is no price of {query.symbol} to work a notional out with", "symbol")
    symbols = {name: routed(it) for name, it in state.instruments.items()}
    router = state.books.router(state.instruments)
    if query.rules:
        found = faults(query.rules, symbols, state.books.venues)
        if found:
            raise Refused(Code.BAD_TERMS, found[0], "rules")
        router = Router(RuleBook(state.books.rules.version + 1, query.rules), symbols)
    price_e8 = tick.ask_e8 if query.side is BUY else tick.bid_e8
    order = RouteRequest(
        account.account_id,
        account.group.name,
        RETAIL if account.group.retail else PROFESSIONAL,
        query.symbol,
        query.side,
        query.quantity_e8,
        price_e8,
        query.time_ns or now_ns,
    )
    return RoutePreview(router.book.version, price_e8, router.route(order), router.preview(order))


def _rows(asked: int) -> int:
    return min(max(asked, 1), ROWS_LIMIT)
