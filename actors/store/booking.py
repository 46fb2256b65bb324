"""What a run of events changes in the tables."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy
from sqlalchemy import ARRAY, Text, bindparam, func, select, text

from actors.domain.events.accounts import (
    AccountOpened,
    DaySealed,
    MarginRevised,
    MarginStatusChanged,
    MoneyMoved,
    NegativeBalanceForgiven,
    SwapCharged,
)
from actors.domain.events.event import Event
from actors.domain.events.orders import (
    OrderAccepted,
    OrderEnded,
    OrderFilled,
    OrderModified,
    OrderRejected,
    PositionModified,
)
from actors.domain.events.terms import (
    ApprovalLimitsSet,
    GroupAssigned,
    GroupDefined,
    HolidaysDefined,
    InstrumentDefined,
    LimitsSet,
    MoneyRequested,
    RequestDecided,
    TermsChanged,
    TradingHalted,
    TradingResumed,
)
from actors.domain.events.venues import (
    BreakDismissed,
    BreakFound,
    ChildChanged,
    ChildSent,
    HedgeDefined,
    HedgeOrdered,
    HedgeRemoved,
    InquiryDue,
    RulesDefined,
)
from actors.domain.ledger import Posting
from actors.domain.order import Position
from actors.store import order_rows, rows
from actors.store.database import DatabaseRefused
from actors.store.rows import Row
from actors.store.schema import ACCOUNTS, ENTRIES

_BALANCES = text("""
    SELECT wanted.account, wanted.currency, last.balance
    FROM unnest(:accounts, :currencies) AS wanted (account, currency)
    CROSS JOIN LATERAL (
        SELECT balance FROM entries
        WHERE entries.account = wanted.account AND entries.currency = wanted.currency
        ORDER BY entry_id DESC LIMIT 1
    ) AS last
""").bindparams(bindparam("accounts", type_=ARRAY(Text)), bindparam("currencies", type_=ARRAY(Text)))


class EventRows:
    """The rows of the events, in the order in which they may be written. Of what changes, the last state."""

    def __init__(self, connection: sqlalchemy.Connection, events: Sequence[Event]) -> None:
        """Reads on `connection`, in the transaction that will write, what the new rows build upon."""
        self.instruments: dict[str, Row] = {}
        self.accounts: dict[int, Row] = {}
        self.orders: dict[int, Row] = {}
        self.fills: list[Row] = []
        self.positions: dict[int, Row] = {}
        self.postings: list[Row] = []
        self.entries: list[Row] = []
        self.groups: dict[int, str] = {}
        """By account, the group that it has been given."""
        self.statuses: dict[int, str] = {}
        """By account, its margin status."""
        self.trial_balances: list[Row] = []
        self._currencies = _currencies(connection, events)
        self._booked: list[Posting] = []
        add: dict[type, Callable[[Any], None]] = {
            InstrumentDefined: self._instrument,
            AccountOpened: self._account,
            MoneyMoved: self._money,
            OrderAccepted: self._order,
            OrderModified: self._order,
            OrderFilled: self._fill,
            OrderEnded: self._order,
            OrderRejected: self._order,
            PositionModified: self._modification,
            MarginStatusChanged: self._status,
            NegativeBalanceForgiven: self._movement,
            SwapCharged: self._movement,
            DaySealed: self._seal,
            GroupAssigned: self._group,
            GroupDefined: self._nothing,
            MarginRevised: self._nothing,
            LimitsSet: self._nothing,
            HolidaysDefined: self._nothing,
            RulesDefined: self._nothing,
            HedgeDefined: self._nothing,
            HedgeRemoved: self._nothing,
            ChildSent: self._nothing,
            ChildChanged: self._nothing,
            BreakFound: self._nothing,
            BreakDismissed: self._nothing,
            HedgeOrdered: self._nothing,
            TermsChanged: self._nothing,
            TradingHalted: self._nothing,
            TradingResumed: self._nothing,
            ApprovalLimitsSet: self._nothing,
            MoneyRequested: self._nothing,
            RequestDecided: self._nothing,
            InquiryDue: self._nothing,
        }
        for event in events:
            add[type(event)](event)
        self._enter(connection)

    def _instrument(self, event: InstrumentDefined) -> None:
        self.instruments[event.instrument.symbol] = rows.instrument_row(event.instrument)

    def _account(self, event: AccountOpened) -> None:
        self._currencies[event.account_id] = event.currency
        self.accounts[event.account_id] = rows.account_row(event)

    def _group(self, event: GroupAssigned) -> None:
        self.groups[event.account_id] = event.group.name

    def _money(self, event: MoneyMoved) -> None:
        self._book(event.posting, event.actor)

    def _movement(self, event: SwapCharged | NegativeBalanceForgiven) -> None:
        self._book(event.posting, None)

    def _status(self, event: MarginStatusChanged) -> None:
        self.statuses[event.account_id] = event.status.value

    def _seal(self, event: DaySealed) -> None:
        self.trial_balances += rows.trial_balance_rows(event)

    def _nothing(self, event: Event) -> None:
        """Terms, and what goes on between the desk and its venues, stay in the journal: what came of them is stored."""

    def _order(self, event: order_rows.OrderEvent) -> None:
        self.orders[event.order.order_id] = order_rows.order_row(event)

    def _fill(self, event: OrderFilled) -> None:
        self._order(event)
        self.fills.append(order_rows.fill_row(event.fill, self._currency(event.fill.account_id)))
        self._position(event.position)
        for posting in event.postings:
            self._book(posting, None)

    def _modification(self, event: PositionModified) -> None:
        self._position(event.position)

    def _position(self, position: Position) -> None:
        currency = self._currency(position.account_id)
        self.positions[position.position_id] = order_rows.position_row(position, currency)

    def _book(self, posting: Posting, actor: str | None) -> None:
        self._booked.append(posting)
        self.postings.append(rows.posting_row(posting, actor))

    def _currency(self, account_id: int) -> str:
        try:
            return self._currencies[account_id]
        except KeyError:
            raise DatabaseRefused(f"a position of account {account_id}, which was never opened") from None

    def _enter(self, connection: sqlalchemy.Connection) -> None:
        """Numbers the entries 1, 2, 3, … in the order of the events, and carries each account's balance forward."""
        entries = [(posting.posting_id, entry) for posting in self._booked for entry in posting.entries]
        if not entries:
            return
        keys = list(dict.fromkeys((entry.account, entry.currency) for _, entry in entries))
        found = connection.execute(_BALANCES, {"accounts": [a for a, _ in keys], "currencies": [c for _, c in keys]})
        balances = {(row.account, row.currency): rows.minor(row.balance, row.currency) for row in found}
        last_id = connection.scalar(select(func.max(ENTRIES.c.entry_id))) or 0
        for entry_id, (posting_id, entry) in enumerate(entries, last_id + 1):
            key = (entry.account, entry.currency)
            balances[key] = balances.get(key, 0) + entry.amount_minor
            self.entries.append(
                {
                    "entry_id": entry_id,
                    "posting_id": posting_id,
                    "account": entry.account,
                    "currency": entry.currency,
                    "amount": rows.numeric_minor(entry.amount_minor, entry.currency),
                    "balance": rows.numeric_minor(balances[key], entry.currency),
                }
            )


def _currencies(connection: sqlalchemy.Connection, events: Iterable[Event]) -> dict[int, str]:
    """The currencies of the accounts that positions are of, as stored."""
    wanted = {event.position.account_id for event in events if isinstance(event, OrderFilled | PositionModified)}
    if not wanted:
        return {}
    found = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.account_id.in_(sorted(wanted))))
    return {row.account_id: row.currency for row in found}
