"""Messages of an LP, as the session gives them."""

from gateway.fix.codec import Field, Message


def message(msg_type: bytes, body: str, *more: Field) -> Message:
    """`body`: "55=EUR/USD 268=1 …"; SendingTime is 12:00:00 on 19 January 2026."""
    fields = [(int(tag), value.encode()) for tag, _, value in (pair.partition("=") for pair in body.split())]
    return Message(b"FIX.4.4", [(35, msg_type), (34, b"2"), (52, b"20260119-12:00:00.000"), *fields, *more])


SENT_NS = 1_768_824_000_000_000_000
