"""One cancels the others: orders of an account with the same mark, of which no more than one may be filled.

Whatever is filled of one, a part too, cancels the others (FIX ContingencyType (1385) = 1; to reduce them by what was
filled would be 3 or 4). While a venue has one of them, the others are held: they stand, and are neither triggered nor
sent until its outcome is known. Where the venue has filled nothing of it, they wait for their prices again.
"""

import msgspec

from actors.domain.account import Account
from actors.domain.dealing.lifecycle import Step, after
from actors.domain.events.event import Event
from actors.domain.events.orders import OrderEnded, OrderFilled
from actors.domain.order import Order
from actors.domain.refusal import Code, Refused


def others(account: Account, order: Order) -> list[Order]:
    """All others that wait with its mark."""
    mark = order.terms.oco
    if not mark:
        return []
    return [one for one in account.orders.values() if one.terms.oco == mark and one.order_id != order.order_id]


def is_held(account: Account, order: Order) -> bool:
    return any(other.at_venue_e8 for other in others(account, order))


def check_free(account: Account, order: Order) -> None:
    """Raises Refused AT_VENUE for an order that comes under a mark, or is to be dealt, while a venue has another."""
    for other in others(account, order):
        if other.at_venue_e8:
            raise Refused(Code.AT_VENUE, f"order {other.order_id} of the same mark is with a venue", "oco")


def others_cancelled(account: Account, order: Order, dealt: list[Event]) -> list[Event]:
    """What a deal does to the others, where it has filled anything of the order."""
    if not order.terms.oco or not any(isinstance(event, OrderFilled) for event in dealt):
        return []
    detail = f"order {order.order_id} of the same mark was filled"
    return [
        OrderEnded(msgspec.structs.replace(other, status=after(other.status, Step.CANCEL)), "OCO", detail)
        for other in others(account, order)
    ]
