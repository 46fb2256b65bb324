"""All that can have happened."""

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

Event = (
    InstrumentDefined
    | GroupDefined
    | GroupAssigned
    | MarginRevised
    | LimitsSet
    | HolidaysDefined
    | RulesDefined
    | HedgeDefined
    | HedgeRemoved
    | ChildSent
    | ChildChanged
    | BreakFound
    | BreakDismissed
    | HedgeOrdered
    | TermsChanged
    | TradingHalted
    | TradingResumed
    | ApprovalLimitsSet
    | MoneyRequested
    | RequestDecided
    | InquiryDue
    | AccountOpened
    | MoneyMoved
    | OrderAccepted
    | OrderModified
    | OrderFilled
    | OrderEnded
    | OrderRejected
    | PositionModified
    | SwapCharged
    | MarginStatusChanged
    | NegativeBalanceForgiven
    | DaySealed
)
