"""What clients ask beside orders and prices: instruments, positions, margin, trading hours. FIX 4.4 volumes 3 to 5.

ClearingBusinessDate (715) is the broker's trading day, SettlPrice (730) what a position would close at now.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.fix.codec import Field
from gateway.fix.trading import vocabulary
from gateway.fix.trading.reports import e8, sentence

SECURITIES_PER_MESSAGE = 50
SESSION_ID = b"DEALING"
"""TradingSessionID (336): the one that there is."""
TEXT_ATTRIBUTE = b"99"
"""InstrAttribType (871)."""
UNKNOWN, HALTED, OPEN = b"0", b"1", b"2"
"""TradSesStatus (340)."""


class Security(NamedTuple):
    """`attributes`: what FIX 4.4 has no fields for, as name and value."""

    symbol: str
    quote: str
    description: str
    quantity_min_e8: int
    quantity_step_e8: int
    attributes: Sequence[tuple[str, str]]


class Holding(NamedTuple):
    """One open position."""

    position_id: int
    symbol: str
    is_long: bool
    quantity_e8: int
    open_price_e8: int
    close_price_e8: int
    profit: str
    stop_loss_e8: int
    take_profit_e8: int
    trailing_stop_e8: int


class Margin(NamedTuple):
    """Amounts in the account's currency."""

    currency: str
    balance: str
    credit: str
    equity: str
    used: str
    maintenance: str
    free: str


def security_list(request_id: bytes, securities: Sequence[Security]) -> list[list[Field]]:
    """The list in as many messages as it takes; of none at all, one that says so."""
    head = [(320, request_id), (322, request_id)]
    if not securities:
        return [[*head, (560, b"2")]]
    messages = []
    for start in range(0, len(securities), SECURITIES_PER_MESSAGE):
        page = securities[start : start + SECURITIES_PER_MESSAGE]
        is_last = b"Y" if start + len(page) == len(securities) else b"N"
        fields = [*head, (560, b"0"), (393, b"%d" % len(securities)), (893, is_last), (146, b"%d" % len(page))]
        for one in page:
            fields += [(55, one.symbol.encode()), (107, one.description.encode("ascii", "replace"))]
            fields.append((870, b"%d" % len(one.attributes)))
            for name, value in one.attributes:
                fields += [(871, TEXT_ATTRIBUTE), (872, f"{name}={value}".encode())]
            fields += [(15, one.quote.encode()), (561, e8(one.quantity_step_e8)), (562, e8(one.quantity_min_e8))]
        messages.append(fields)
    return messages


def positions(
    request_id: bytes, account: int, holdings: Sequence[Holding], day: bytes, report_id: str
) -> list[tuple[bytes, list[Field]]]:
    """MsgType and body of the acknowledgement (AO), which says how many reports (AP) follow, and of those."""
    party: list[Field] = [(1, b"%d" % account), (581, b"1")]
    acknowledged: list[Field] = [(721, report_id.encode()), (710, request_id), (727, b"%d" % len(holdings))]
    acknowledged += [(728, b"0" if holdings else b"2"), (729, b"0"), *party]
    messages = [(b"AO", acknowledged)]
    for one in holdings:
        quantity = (704 if one.is_long else 705, e8(one.quantity_e8))
        body: list[Field] = [(721, f"{report_id}-{one.position_id}".encode()), (710, request_id), (724, b"0")]
        body += [(727, b"%d" % len(holdings)), (728, b"0"), (715, day), *party, (55, one.symbol.encode())]
        body += [(730, e8(one.close_price_e8)), (731, b"2"), (734, e8(one.open_price_e8))]
        body += [(702, b"1"), (703, b"TOT"), quantity, (706, b"0")]
        body += [(753, b"1"), (707, b"FMTM"), (708, one.profit.encode())]
        body.append((vocabulary.POSITION_ID, b"%d" % one.position_id))
        protections = (
            (vocabulary.STOP_LOSS, one.stop_loss_e8),
            (vocabulary.TAKE_PROFIT, one.take_profit_e8),
            (vocabulary.TRAILING_STOP, one.trailing_stop_e8),
        )
        body += [(tag, e8(price_e8)) for tag, price_e8 in protections if price_e8]
        messages.append((b"AP", body))
    return messages


def positions_refused(request_id: bytes, account: bytes, report_id: str, code: str, detail: str) -> list[Field]:
    """AO that says no (PosReqResult 99, PosReqStatus 2)."""
    head = [(721, report_id.encode()), (710, request_id), (728, b"99"), (729, b"2"), (1, account), (581, b"1")]
    return [*head, *sentence(code, detail)]


def collateral(inquiry_id: bytes, account: int, margin: Margin, report_id: str) -> list[Field]:
    """CollateralReport: equity in TotalNetValue (900), free margin in MarginExcess (899)."""
    fields = [(908, report_id.encode()), (909, inquiry_id), (910, b"3"), (1, b"%d" % account)]
    fields += [(15, margin.currency.encode()), (899, margin.free.encode()), (900, margin.equity.encode())]
    fields.append((901, margin.balance.encode()))
    fields += [(vocabulary.MARGIN_USED, margin.used.encode()), (vocabulary.BALANCE, margin.balance.encode())]
    fields += [(vocabulary.CREDIT, margin.credit.encode()), (vocabulary.MAINTENANCE, margin.maintenance.encode())]
    return fields


def trading_session(request_id: bytes, status: bytes) -> list[Field]:
    head = [(335, request_id)] if request_id else []
    return [*head, (336, SESSION_ID), (340, status)]
