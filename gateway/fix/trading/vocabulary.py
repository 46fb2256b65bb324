"""The words that FIX and the broker share: values of fields, our own fields, reasons. FIX 4.4 volume 6; docs/fix.md."""

from gateway.fix.dictionary import fix44
from gateway.fix.reasons import BusinessReason

SIDES = {b"1": "buy", b"2": "sell"}
"""Side (54)."""
ORDER_TYPES = {
    b"1": "market",
    b"2": "limit",
    b"3": "stop",
    b"4": "stop_limit",
    b"J": "market_if_touched",
    b"P": "trailing_stop",
}
"""OrdType (40). Pegged is taken with ExecInst (18) `a`, a trailing stop, alone."""
TIMES_IN_FORCE = {b"0": "day", b"1": "gtc", b"3": "ioc", b"4": "fok", b"6": "gtd"}
"""TimeInForce (59)."""
DAY = b"0"
"""What an order without TimeInForce has."""
TRAILING_STOP_PEG = b"a"

STOP_LOSS, TAKE_PROFIT, TRAILING_STOP = 7001, 7002, 7003
REDUCE_ONLY, OCO, PRICE_BOUND = 7004, 7005, 7006
POSITION_ID, PROFIT = 7007, 7008
MARGIN_USED, BALANCE, CREDIT, MAINTENANCE = 7009, 7010, 7011, 7012
POSITION_ID_OF_FIX_5 = 2618
"""PositionID of FIX 5.0 SP2: taken for POSITION_ID, and said instead to clients whose dictionaries have it."""
POSITION_IDS = POSITION_ID, POSITION_ID_OF_FIX_5
CLOSES, OPENS = b"C", b"O"
"""PositionEffect (77)."""

_FIELDS = {
    STOP_LOSS: "StopLossPx PRICE",
    TAKE_PROFIT: "TakeProfitPx PRICE",
    TRAILING_STOP: "TrailingStopDistance PRICEOFFSET",
    REDUCE_ONLY: "ReduceOnly BOOLEAN",
    OCO: "OneCancelsOther STRING",
    PRICE_BOUND: "PriceBound PRICE",
    POSITION_ID: "OwnPositionID STRING",
    POSITION_ID_OF_FIX_5: "PositionID STRING",
    PROFIT: "RealisedProfit AMT",
    MARGIN_USED: "MarginUsed AMT",
    BALANCE: "Balance AMT",
    CREDIT: "Credit AMT",
    MAINTENANCE: "MaintenanceMargin AMT",
}
_OF_AN_ORDER = f"{STOP_LOSS} {TAKE_PROFIT} {TRAILING_STOP} {REDUCE_ONLY} {OCO} {PRICE_BOUND}"
_POSITION = " ".join(map(str, POSITION_IDS))

DICTIONARY = fix44().with_custom(
    _FIELDS,
    {
        "D": f"{_OF_AN_ORDER} {_POSITION}",
        "G": _OF_AN_ORDER,
        "8": f"{_OF_AN_ORDER} {_POSITION} {PROFIT}",
        "AP": f"{STOP_LOSS} {TAKE_PROFIT} {TRAILING_STOP} {_POSITION} {PROFIT}",
        "BA": f"{MARGIN_USED} {BALANCE} {CREDIT} {MAINTENANCE}",
    },
)
"""FIX 4.4 with the broker's own fields."""

NOT_PERMITTED = "NOT_PERMITTED"
RATE_LIMITED = "RATE_LIMITED"
UNAVAILABLE = "UNAVAILABLE"
BAD_REQUEST = "BAD_REQUEST"

_ORDER_REASONS = {
    "UNKNOWN_SYMBOL": 1,
    "MARKET_CLOSED": 2,
    "HALTED": 2,
    "CLOSE_ONLY": 2,
    "INSUFFICIENT_MARGIN": 3,
    "LIMIT_EXCEEDED": 3,
    "EXPOSURE_LIMIT": 3,
    "TOO_MANY_ORDERS": 3,
    "TOO_MANY_POSITIONS": 3,
    RATE_LIMITED: 3,
    "EXPIRED_REQUEST": 4,
    "UNKNOWN_ORDER": 5,
    "DUPLICATE_CLIENT_ORDER_ID": 6,
    "BAD_TERMS": 11,
    "PRICE_STEP": 11,
    "QUANTITY_OUT_OF_RANGE": 13,
    "QUANTITY_STEP": 13,
    "UNKNOWN_ACCOUNT": 15,
    UNAVAILABLE: 0,
    "JOURNAL_FULL": 0,
    "NO_PRICE": 0,
    "STALE_PRICE": 0,
    "NO_CONVERSION": 0,
    "STALE_CONVERSION": 0,
    NOT_PERMITTED: 0,
}
_CANCEL_REASONS = {
    "UNKNOWN_ORDER": 1,
    "UNKNOWN_ACCOUNT": 1,
    "DUPLICATE_CLIENT_ORDER_ID": 6,
    "AT_VENUE": 3,
    "MARKET_CLOSED": 2,
    "HALTED": 2,
    "CLOSE_ONLY": 2,
    UNAVAILABLE: 2,
    "JOURNAL_FULL": 2,
    "EXPIRED_REQUEST": 2,
    NOT_PERMITTED: 2,
    RATE_LIMITED: 2,
}
_BUSINESS_REASONS = {
    UNAVAILABLE: BusinessReason.APPLICATION_NOT_AVAILABLE,
    "JOURNAL_FULL": BusinessReason.APPLICATION_NOT_AVAILABLE,
    NOT_PERMITTED: BusinessReason.NOT_AUTHORIZED,
    "UNKNOWN_SYMBOL": BusinessReason.UNKNOWN_SECURITY,
    "UNKNOWN_ACCOUNT": BusinessReason.UNKNOWN_ID,
    "UNKNOWN_ORDER": BusinessReason.UNKNOWN_ID,
    BAD_REQUEST: BusinessReason.CONDITIONALLY_REQUIRED_FIELD_MISSING,
}
TOO_LATE = 0
"""CxlRejReason of an order that is over."""
_OTHER = 99


def order_reason(code: str) -> int:
    """OrdRejReason (103) of one of the broker's codes."""
    return _ORDER_REASONS.get(code, _OTHER)


def cancel_reason(code: str) -> int:
    """CxlRejReason (102)."""
    return _CANCEL_REASONS.get(code, _OTHER)


def business_reason(code: str) -> BusinessReason:
    """BusinessRejectReason (380)."""
    return _BUSINESS_REASONS.get(code, BusinessReason.OTHER)
