"""Executions as an LP's back office has them: 35=AD, AQ and AE, FIX 4.4 volume 5."""

from typing import NamedTuple

from gateway.fix.codec import Field, Message
from gateway.fix.lp.values import e8, text, transact_time_ns
from gateway.fix.times import utc_timestamp
from gateway.venues.execution import Said, SaidKind, printable

_ALL_TRADES, _BY_CRITERIA = b"0", b"1"
_SNAPSHOT = b"0"
_DATE_CHARS = 8
_CANCEL, _REPLACE = b"1", b"2"
_CORRECTED, _BUSTED = b"G", b"H"


class TradeCount(NamedTuple):
    """A 35=AQ. `reports`: how many come, None where it does not say. `refused`: why none; empty: they come."""

    request_id: str
    reports: int | None
    refused: str


class TradeReport(NamedTuple):
    """A 35=AE. `request_id` is empty where nobody asked for it."""

    request_id: str
    account: str
    is_last: bool
    said: Said


def order_trades_request(request_id: str, client_id: str) -> list[Field]:
    """35=AD for the executions of one order."""
    return [(568, request_id.encode()), (569, _BY_CRITERIA), (263, _SNAPSHOT), (11, client_id.encode())]


def trades_request(request_id: str, from_ns: int, to_ns: int) -> list[Field]:
    """35=AD for all executions of a time."""
    times = [utc_timestamp(from_ns), utc_timestamp(to_ns)]
    dates = [field for time in times for field in ((75, time[:_DATE_CHARS]), (60, time))]
    return [(568, request_id.encode()), (569, _ALL_TRADES), (263, _SNAPSHOT), (580, b"2"), *dates]


def trade_count(message: Message) -> TradeCount:
    """Of a 35=AQ."""
    total, result = message.get(748) or b"", message.get(749)
    refused = "" if result in (None, b"0") else f"TradeRequestResult {text(message, 749)}: {text(message, 58)}"
    reports = int(total) if total.isdigit() and len(total) < 10 else None
    return TradeCount(text(message, 568), reports, refused)


def trade_report(message: Message) -> TradeReport:
    """Of a 35=AE: one execution, with the ExecID that its 35=8 has, or that it was cancelled or corrected.

    Whichever of several fields says so, and with the ExecID of the cancel or correction where the LP gives one.
    """
    is_bust = message.get(487) in (_CANCEL, _REPLACE) or message.get(150) in (_CORRECTED, _BUSTED)
    kind: SaidKind = "busted" if is_bust else "fill"
    ref = f"(of report {text(message, 572)})" if message.get(572) else ""
    said = Said(
        text(message, 11),
        kind,
        text(message, 17) or text(message, 571),
        0 if is_bust else e8(message.get(32)) or 0,
        0 if is_bust else e8(message.get(31)) or 0,
        text=printable(" ".join(part for part in (text(message, 58), ref) if part)),
        time_ns=transact_time_ns(message),
    )
    return TradeReport(text(message, 568), text(message, 1), message.get(912) == b"Y", said)
