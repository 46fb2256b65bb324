"""What an event alone says to the owner of the account, whatever the account is by now."""

from actors.domain import ledger
from actors.domain.events.accounts import (
    AccountOpened,
    DaySealed,
    MarginRevised,
    MarginStatusChanged,
    MoneyMoved,
    NegativeBalanceForgiven,
    SwapCharged,
)
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
    HolidaysDefined,
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
from actors.domain.money import format_minor
from web.live.frame import text_frame
from web.live.recent import Past
from web.payloads.messages import AccountChannelMessage, BreakAlert, MarginAlert, MoneyMessage
from web.payloads.render import Renderer, level
from web.payloads.times import format_ns

OrderEvent = OrderAccepted | OrderModified | OrderEnded | OrderRejected
MoneyEvent = MoneyMoved | SwapCharged | NegativeBalanceForgiven
TermsEvent = MarginStatusChanged | AccountOpened | GroupAssigned | MarginRevised
AccountEvent = OrderEvent | OrderFilled | PositionModified | MoneyEvent | TermsEvent

ALERT_EVENTS = (BreakFound, MarginStatusChanged)
DESK_EVENTS = (
    DaySealed,
    LimitsSet,
    HolidaysDefined,
    RulesDefined,
    HedgeDefined,
    HedgeRemoved,
    ChildSent,
    ChildChanged,
    BreakDismissed,
    HedgeOrdered,
    TermsChanged,
    TradingHalted,
    TradingResumed,
    ApprovalLimitsSet,
    MoneyRequested,
    RequestDecided,
    InquiryDue,
)
"""What happens at the dealing desk, and is no client's to see."""


def account_of(event: AccountEvent) -> int:
    """Whose event it is."""
    if isinstance(event, OrderEvent | OrderFilled):
        return event.order.account_id
    return event.position.account_id if isinstance(event, PositionModified | SwapCharged) else event.account_id


def told_by(event: AccountEvent, seq: int, render: Renderer, currency: str) -> list[AccountChannelMessage]:
    """Its order, its fill, or the money that it moved; `currency` is the account's."""
    if isinstance(event, OrderEnded | OrderRejected):
        return [render.order_message(event.order, seq, event.code, event.detail)]
    if isinstance(event, OrderAccepted | OrderModified):
        return [render.order_message(event.order, seq)]
    if isinstance(event, OrderFilled):
        return [render.order_message(event.order, seq), render.fill_message(event.fill, currency, seq)]
    if isinstance(event, MoneyEvent):
        return _money(account_of(event), event.posting, seq)
    return []


def replay(past: list[Past], render: Renderer, currency: str) -> bytes:
    """What a client of the channel account has missed, before a snapshot: orders, fills, money, positions closed."""
    frames = []
    for seq, _, event in past:
        assert isinstance(event, AccountEvent)
        messages = told_by(event, seq, render, currency)
        if isinstance(event, OrderFilled) and not event.position.quantity_e8:
            fill = event.fill
            messages.append(render.position_message(event.position, fill.price_e8, fill.profit_minor, currency, seq))
        frames += [text_frame(message) for message in messages]
    return b"".join(frames)


def alert(past: Past) -> MarginAlert | BreakAlert:
    """Of a MarginStatusChanged or a BreakFound."""
    seq, time_ns, event = past
    if isinstance(event, BreakFound):
        found = event.found
        return BreakAlert(
            child_id=found.child_id, reason=found.reason.value, detail=found.detail, time=format_ns(time_ns), seq=seq
        )
    assert isinstance(event, MarginStatusChanged)
    return MarginAlert(
        account_id=str(event.account_id),
        status=event.status.value,
        margin_level=level(event.equity_minor, event.maintenance_minor),
        time=format_ns(time_ns),
        seq=seq,
    )


def _money(account_id: int, posting: Posting, seq: int) -> list[AccountChannelMessage]:
    """A message for each entry that is the client's."""
    mine = (ledger.client(account_id), ledger.credit(account_id))
    return [
        MoneyMessage(
            account_id=str(account_id),
            posting_id=str(posting.posting_id),
            kind=posting.kind.value,
            amount=format_minor(entry.amount_minor, entry.currency),
            currency=entry.currency,
            reference=posting.reference,
            time=format_ns(posting.time_ns),
            seq=seq,
        )
        for entry in posting.entries
        if entry.account in mine
    ]
