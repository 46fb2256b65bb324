"""What an LP says of orders: 35=8, 9 and j, as FIX 4.4 has them and as FIX 4.2 did, which is still met in the field."""

from typing import NamedTuple

import msgspec

from gateway.fix.codec import Message
from gateway.fix.lp.values import e8, text, transact_time_ns
from gateway.venues.execution import UNSAID, Said, SaidKind, printable

_BY_STATUS: dict[bytes, SaidKind] = {
    b"2": "complete", b"3": "expired", b"4": "cancelled", b"8": "rejected", b"C": "expired",
}  # fmt: skip
"""By OrdStatus; in any other the order works."""
_FILLS = (b"F", b"1", b"2")
"""Trade; until FIX 4.2 partial fill and fill."""
_BUSTS = (b"G", b"H")
_STATUS = b"I"
_BUST_TRANSACTIONS, _STATUS_TRANSACTION = (b"1", b"2"), b"3"
"""ExecTransType, until FIX 4.2: cancel, correct; status."""
_PENDING = (b"6", b"E")
"""Pending cancel, pending replace."""
_UNKNOWN_ORDER = b"5"
_NO_ORDER_ID = b"NONE"
_UNKNOWN_ID = b"1"


class Report(NamedTuple):
    """An ExecutionReport or OrderCancelReject.

    `is_answer`: it says how an order stands because it was asked for. `said` None: the LP knows no such order.
    """

    client_id: str
    is_answer: bool
    said: Said | None


def execution_report(message: Message) -> Report:
    """35=8. A fill that cannot be read has a quantity of 0, which is a break.

    Where it has an OrigClOrdID, that is the order, and ClOrdID the request that it has been replaced or cancelled by.
    """
    exec_type, transaction = message.get(150) or b"", message.get(20)
    status = message.get(39) or exec_type
    client_id = text(message, 41) or text(message, 11)
    is_answer = exec_type == _STATUS or transaction == _STATUS_TRANSACTION
    if status == b"8" and (message.get(103) == _UNKNOWN_ORDER or (is_answer and message.get(37) == _NO_ORDER_ID)):
        return Report(client_id, True, None)
    if is_answer:
        return Report(client_id, True, _said(message, client_id, _BY_STATUS.get(status, "accepted")))
    kind: SaidKind
    if exec_type in _BUSTS or transaction in _BUST_TRANSACTIONS:
        kind = "busted"
    elif exec_type in _FILLS:
        kind = "fill"
    else:
        # The order's status, not the event: the refusal of a ClOrdID that was used before carries that of its order.
        kind = _BY_STATUS.get(status, "accepted")
    return Report(client_id, False, _said(message, client_id, kind))


def cancel_reject(message: Message) -> Report:
    """35=9: what counts is the OrdStatus of the order that was to be cancelled or replaced. If it works, it is kept."""
    client_id, status = text(message, 41), message.get(39) or b""
    if message.get(102) == _UNKNOWN_ID and (message.get(37) in (None, _NO_ORDER_ID)):
        return Report(client_id, True, None)
    said = _said(message, client_id, _BY_STATUS.get(status, "kept"))
    return Report(client_id, False, said if said.kind == "kept" else msgspec.structs.replace(said, name=""))


class BusinessReject(NamedTuple):
    """35=j. `ref_id`: the ClOrdID or request id, where the LP says it; `ref_seq` the MsgSeqNum of our message."""

    ref_type: bytes
    ref_id: str
    ref_seq: int
    is_unknown_id: bool
    detail: str


def business_reject(message: Message) -> BusinessReject:
    seq = message.get(45) or b""
    return BusinessReject(
        message.get(372) or b"",
        text(message, 379),
        int(seq) if seq.isdigit() and len(seq) <= 18 else 0,
        message.get(380) == _UNKNOWN_ID,
        printable(f"BusinessRejectReason {text(message, 380)}: {text(message, 58)}"),
    )


def rejected(client_id: str, detail: str) -> Said:
    """Of an order whose message was refused before it was an order."""
    return Said(client_id, "rejected", "", cumulative_e8=0, leaves_e8=0, text=printable(detail))


def kept(name: str, detail: str) -> Said:
    """Of a change or cancel whose message was refused."""
    return Said(name, "kept", "", text=printable(detail), name=name)


def _said(message: Message, client_id: str, kind: SaidKind) -> Said:
    is_pending = message.get(39) in _PENDING or message.get(150) in _PENDING
    is_fill, is_over = kind == "fill", kind in _BY_STATUS.values()
    notes = (text(message, 58), _note(message, 103, "OrdRejReason"), _note(message, 19, "of execution"))
    words = " ".join(note for note in notes if note)
    return Said(
        client_id,
        kind,
        text(message, 17),
        (e8(message.get(32)) or 0) if is_fill else 0,
        (e8(message.get(31)) or 0) if is_fill else 0,
        _figure(e8(message.get(14))),
        0 if is_over else _figure(e8(message.get(151))),
        printable(words),
        transact_time_ns(message),
        "" if is_pending else text(message, 11),
        is_pending,
    )


def _figure(value_e8: int | None) -> int:
    return UNSAID if value_e8 is None or value_e8 < 0 else value_e8


def _note(message: Message, tag: int, name: str) -> str:
    return f"({name} {text(message, tag)})" if message.get(tag) not in (None, b"0") else ""
