"""Every code of the broker's closed list, and what FIX calls it."""

import pytest

from actors.domain.refusal import Code
from gateway.fix.codec import Field, Framer, encode, join
from gateway.fix.trading import reports
from gateway.fix.trading.reports import Exec, OrderView
from gateway.fix.trading.requests import Terms
from gateway.fix.trading.vocabulary import DICTIONARY, business_reason, cancel_reason, order_reason
from gateway.fix.validation import Level, check

HEAD: list[Field] = [(34, b"2"), (49, b"US"), (52, b"20260119-12:00:00.000"), (56, b"THEM")]
TERMS = Terms("EURUSD", "buy", "limit", 10**11, "gtc", 10**8, 0, 0, 0, 0, 0, 0, 0, False, "")
ORDER = OrderView(7, 1, "a", TERMS, "rejected", 0, 0, 0)

REASONS = {
    "UNKNOWN_ACCOUNT": (15, 1, 1),
    "UNKNOWN_SYMBOL": (1, 99, 2),
    "DUPLICATE_CLIENT_ORDER_ID": (6, 6, 0),
    "QUANTITY_OUT_OF_RANGE": (13, 99, 0),
    "QUANTITY_STEP": (13, 99, 0),
    "PRICE_STEP": (11, 99, 0),
    "UNKNOWN_ORDER": (5, 1, 1),
    "BAD_TERMS": (11, 99, 0),
    "TOO_MANY_ORDERS": (3, 99, 0),
    "MARKET_CLOSED": (2, 2, 0),
    "CLOSE_ONLY": (2, 2, 0),
    "HALTED": (2, 2, 0),
    "LIMIT_EXCEEDED": (3, 99, 0),
    "EXPOSURE_LIMIT": (3, 99, 0),
    "AT_VENUE": (99, 3, 0),
    "NO_PRICE": (0, 99, 0),
    "STALE_PRICE": (0, 99, 0),
    "NO_CONVERSION": (0, 99, 0),
    "STALE_CONVERSION": (0, 99, 0),
    "INSUFFICIENT_MARGIN": (3, 99, 0),
    "TOO_MANY_POSITIONS": (3, 99, 0),
    "EXPIRED_REQUEST": (4, 2, 0),
    "JOURNAL_FULL": (0, 2, 4),
}
"""OrdRejReason (103), CxlRejReason (102), BusinessRejectReason (380), where there is a better one than `other`."""
OTHER = (99, 99, 0)
OF_FIX_ALONE = {
    "NOT_PERMITTED": (0, 2, 6),
    "RATE_LIMITED": (3, 2, 0),
    "UNAVAILABLE": (0, 2, 4),
    "BAD_REQUEST": (99, 99, 5),
}


WHOLE_LIST = {code.value: REASONS.get(code.value, OTHER) for code in Code} | OF_FIX_ALONE


@pytest.mark.parametrize(("code", "reasons"), WHOLE_LIST.items())
def test_each_code_is_told_in_58_with_its_reasons(code: str, reasons: tuple[int, int, int]) -> None:
    assert (order_reason(code), cancel_reason(code), int(business_reason(code))) == reasons
    rejected = reports.execution_report(ORDER, Exec.REJECTED, b"E1", 0, code=code, detail="why")
    refused = reports.cancel_reject("b", "a", None, False, code, "why", 0)
    for kind, body, tag, reason in ((b"8", rejected, 103, reasons[0]), (b"9", refused, 102, reasons[1])):
        (message,) = Framer().receive_data(encode(b"FIX.4.4", join([(35, kind), *HEAD, *body])))
        assert check(message, DICTIONARY, Level.STRICT) is None
        assert (message.get(58), message.get(tag)) == (f"{code}: why".encode(), b"%d" % reason)
