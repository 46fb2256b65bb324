"""Positions that venues have opened: how much of a closing goes back to them, and closing without them."""

from actors.domain.account import Account
from actors.domain.dealing.fills import Deal
from actors.domain.events.orders import Cover
from actors.domain.order import Order, OrderReason, OrderTerms, Position

CLIENT = OrderReason.CLIENT


def covered_e8(account: Account, position: Position, quantity_e8: int) -> int:
    """How much of a quantity that is to be closed venues have opened, and are not closing yet. That goes first."""
    if not position.a_book_e8:
        return 0
    return max(0, min(quantity_e8, position.a_book_e8 - closing_e8(account, position)))


def close_here(
    deal: Deal, order: Order, position: Position, price_e8: int, for_venues_e8: int, matched_e8: int = 0
) -> None:
    """Closes at a price without asking a venue, though venues have opened `for_venues_e8` of it.

    `matched_e8` of that has its opposite at the same venue, closed with it: the broker has nothing there afterwards.
    The rest stays open at the venue and is the broker's own position from now on, hedged as its terms say.
    """
    parts = (
        (Cover(position.venue, price_e8, 0), matched_e8),
        (Cover(position.venue, price_e8, 0, is_kept=True), for_venues_e8 - matched_e8),
        (None, order.quantity_e8 - for_venues_e8),
    )
    for cover, quantity_e8 in parts:
        if quantity_e8:
            deal.cover = cover
            order = deal.close(order, position, quantity_e8, price_e8)
            position = deal.left(position)


def close_oldest(deal: Deal, account: Account, order: Order, quantity_e8: int, price_e8: int) -> None:
    """For a client's order: closes the oldest of what no other order at a venue is to close, and only then of that."""
    others = [it for it in account.orders.values() if is_closing(it) and it.reason is not CLIENT]
    held_e8 = closings_e8(account, others)
    for held in (held_e8, {}):
        for position in opposites(account, order.terms):
            left = deal.left(position)
            part_e8 = min(quantity_e8, left.quantity_e8 - held.get(position.position_id, 0))
            if part_e8 > 0:
                order = deal.close(order, left, part_e8, price_e8)
                quantity_e8 -= part_e8


def closing_e8(account: Account, position: Position) -> int:
    """How much of a position venues are closing already."""
    if not position.a_book_e8:
        return 0
    orders = [
        order
        for order in account.orders.values()
        if order.symbol == position.symbol and order.side is not position.side and is_closing(order)
    ]
    return closings_e8(account, orders).get(position.position_id, 0) if orders else 0


def is_closing(order: Order) -> bool:
    return bool(order.at_venue_e8) and order.terms.reduce_only


def closings_e8(account: Account, orders: list[Order]) -> dict[int, int]:
    """By position, how much these orders at venues are to close of it.

    A client's order takes the oldest, as its fills do, of what the orders to close one position leave.
    """
    taken_e8: dict[int, int] = {}
    for order in sorted(orders, key=lambda order: order.reason is CLIENT):
        left_e8 = order.at_venue_e8
        for position in opposites(account, order.terms):
            number = position.position_id
            if left_e8 and (order.reason is CLIENT or order.position_id == number):
                part_e8 = min(left_e8, position.quantity_e8 - taken_e8.get(number, 0))
                if part_e8 > 0:
                    taken_e8[number] = taken_e8.get(number, 0) + part_e8
                    left_e8 -= part_e8
    return taken_e8


def opposites(account: Account, terms: OrderTerms) -> list[Position]:
    """What an order would close, oldest first."""
    return [it for it in account.positions.values() if it.symbol == terms.symbol and it.side is not terms.side]
