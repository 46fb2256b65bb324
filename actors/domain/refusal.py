"""Why something is refused: one closed list of codes for REST, WebSocket and FIX."""

from enum import Enum


class Code(Enum):
    UNKNOWN_ACCOUNT = "UNKNOWN_ACCOUNT"
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"
    UNKNOWN_POSITION = "UNKNOWN_POSITION"
    BAD_CLIENT_ORDER_ID = "BAD_CLIENT_ORDER_ID"
    DUPLICATE_CLIENT_ORDER_ID = "DUPLICATE_CLIENT_ORDER_ID"
    QUANTITY_OUT_OF_RANGE = "QUANTITY_OUT_OF_RANGE"
    QUANTITY_STEP = "QUANTITY_STEP"
    PRICE_STEP = "PRICE_STEP"
    WRONG_SIDE_OF_MARKET = "WRONG_SIDE_OF_MARKET"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    BAD_TERMS = "BAD_TERMS"
    PRICE_BOUND = "PRICE_BOUND"
    NOTHING_TO_CLOSE = "NOTHING_TO_CLOSE"
    NOT_OPPOSITE = "NOT_OPPOSITE"
    TOO_MANY_ORDERS = "TOO_MANY_ORDERS"
    UNKNOWN_GROUP = "UNKNOWN_GROUP"
    MARKET_CLOSED = "MARKET_CLOSED"
    CLOSE_ONLY = "CLOSE_ONLY"
    HALTED = "HALTED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    NOT_WITHDRAWABLE = "NOT_WITHDRAWABLE"
    AT_VENUE = "AT_VENUE"
    NO_PRICE = "NO_PRICE"
    STALE_PRICE = "STALE_PRICE"
    NO_CONVERSION = "NO_CONVERSION"
    INSUFFICIENT_MARGIN = "INSUFFICIENT_MARGIN"
    TOO_MANY_POSITIONS = "TOO_MANY_POSITIONS"
    BAD_AMOUNT = "BAD_AMOUNT"
    BAD_KEY = "BAD_KEY"
    BAD_ACTOR = "BAD_ACTOR"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    BAD_INSTRUMENT = "BAD_INSTRUMENT"
    BAD_CURRENCY = "BAD_CURRENCY"
    JOURNAL_FULL = "JOURNAL_FULL"
    UNKNOWN_LP = "UNKNOWN_LP"
    DUPLICATE_LP = "DUPLICATE_LP"
    BAD_LP = "BAD_LP"
    VERSION_MISMATCH = "VERSION_MISMATCH"


class Refused(Exception):
    """A command that the rules do not allow. `field` names the part of the command that is at fault, if one is."""

    def __init__(self, code: Code, detail: str, field: str = "") -> None:
        super().__init__(f"{code.value}: {detail}")
        self.code = code
        self.detail = detail
        self.field = field
