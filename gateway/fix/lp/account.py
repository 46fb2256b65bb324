"""What our account at an LP holds: positions (35=AN, AO, AP) and collateral (35=BB, BG, BA)."""

from typing import NamedTuple

from gateway.fix.codec import Field, Message
from gateway.fix.lp.values import e8, entries, text
from gateway.fix.times import utc_timestamp

_DATE_CHARS = 8
_TOTAL = b"TQ"
_POSITIONS = b"0"
_FOUND, _NONE_FOUND = b"0", b"2"
_ACCOUNT_TYPE = b"1"
_PARTY_ROLE_ACCOUNT = b"24"
_REJECTED = b"4"


class PositionCount(NamedTuple):
    """The head of an answer to 35=AN: how many reports come. None: refused, or it does not say."""

    request_id: str
    reports: int | None
    detail: str


class PositionReport(NamedTuple):
    """`net_e8`: longs less shorts; None where it cannot be read."""

    request_id: str
    instrument: str
    net_e8: int | None


def positions_request(request_id: str, account: str, now_ns: int) -> list[Field]:
    """35=AN for all that the account holds now."""
    now = utc_timestamp(now_ns)
    name = account.encode() or b"ALL"
    return [
        (710, request_id.encode()),
        (724, _POSITIONS),
        *((453, b"1"), (448, name), (447, b"D"), (452, _PARTY_ROLE_ACCOUNT)),
        *((1, name), (581, _ACCOUNT_TYPE), (715, now[:_DATE_CHARS]), (60, now)),
    ]


def position_count(message: Message) -> PositionCount:
    """Of a 35=AO."""
    result, total = message.get(728), message.get(727) or b""
    request_id = text(message, 710)
    if result == _NONE_FOUND:
        return PositionCount(request_id, 0, "")
    if result not in (None, _FOUND):
        return PositionCount(request_id, None, f"PosReqResult {text(message, 728)}: {text(message, 58)}")
    is_number = total.isdigit() and len(total) < 6
    return PositionCount(request_id, int(total), "") if is_number else PositionCount(request_id, None, "no number")


def position_report(message: Message) -> PositionReport:
    """Of a 35=AP: the total quantity, or where an LP has no such type, the sum of all."""
    quantities = [entry for entry in entries(message, 702, (753,)) if 704 in entry or 705 in entry]
    chosen = [entry for entry in quantities if entry.get(703) == _TOTAL] or quantities
    net_e8: int | None = 0
    for entry in chosen:
        long_e8, short_e8 = e8(entry.get(704, b"0")), e8(entry.get(705, b"0"))
        net_e8 = None if long_e8 is None or short_e8 is None or net_e8 is None else net_e8 + long_e8 - short_e8
    return PositionReport(text(message, 710), text(message, 55), net_e8)


def collateral_inquiry(request_id: str, account: str) -> list[Field]:
    """35=BB."""
    return [(909, request_id.encode()), *([(1, account.encode())] if account else [])]


class Collateral(NamedTuple):
    """Of a 35=BA, in the currency of the account; None where the LP does not say, or not within our scale."""

    request_id: str
    currency: str
    total_net_e8: int | None
    cash_e8: int | None
    excess_e8: int | None


def collateral(message: Message) -> Collateral:
    figures = (e8(message.get(tag)) for tag in (900, 901, 899))
    return Collateral(text(message, 909), text(message, 15), *figures)


def collateral_refusal(message: Message) -> tuple[str, str]:
    """Of a 35=BG: the request, and why it is refused; empty where it is not."""
    is_refused = message.get(945) == _REJECTED or message.get(946) not in (None, _FOUND)
    detail = f"CollInquiryResult {text(message, 946)}: {text(message, 58)}"
    return text(message, 909), detail if is_refused else ""
