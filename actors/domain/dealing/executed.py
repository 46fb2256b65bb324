"""What an execution leaves of an order and of the position that it closes."""

import msgspec

from actors.domain.dealing.lifecycle import Step, after
from actors.domain.events.orders import Cover
from actors.domain.money import Rounding, div, mul_div
from actors.domain.order import Order, OrderReason, OrderStatus, OrderTerms, OrderType, Position

CEILING, FLOOR, HALF_EVEN = Rounding.CEILING, Rounding.FLOOR, Rounding.HALF_EVEN
FILL, PART = Step.FILL, Step.PART


def closing_order(
    order_id: int,
    position: Position,
    quantity_e8: int,
    client_order_id: str,
    request: str,
    reason: OrderReason,
    now_ns: int,
) -> Order:
    """The order that closes a quantity of a position, before its execution."""
    terms = OrderTerms(position.symbol, position.side.opposite, OrderType.MARKET, quantity_e8, reduce_only=True)
    return Order(
        order_id,
        position.account_id,
        client_order_id,
        terms,
        request,
        reason,
        OrderStatus.WORKING,
        0,
        0,
        position.position_id,
        now_ns,
    )


def filled(order: Order, quantity_e8: int, price_e8: int, position_id: int, cover: Cover | None) -> Order:
    """The order after an execution. Built by hand: this is the hot path, and `replace` is slow."""
    before_e8 = order.filled_e8
    average_e8 = price_e8
    if before_e8:
        cost_e16 = order.average_price_e8 * before_e8 + price_e8 * quantity_e8
        average_e8 = div(cost_e16, before_e8 + quantity_e8, HALF_EVEN)
    at_venue_e8, reserved_minor = order.at_venue_e8, order.reserved_minor
    if cover is not None and at_venue_e8:
        at_venue_e8 -= quantity_e8
        reserved_minor = mul_div(reserved_minor, at_venue_e8, order.at_venue_e8, CEILING)
    return Order(
        order.order_id,
        order.account_id,
        order.client_order_id,
        order.terms,
        order.request,
        order.reason,
        after(order.status, FILL if before_e8 + quantity_e8 == order.terms.quantity_e8 else PART),
        before_e8 + quantity_e8,
        average_e8,
        position_id,
        order.created_ns,
        order.trail_seq,
        order.asked_e8,
        at_venue_e8,
        reserved_minor,
        order.routed_by,
    )


def cost_of(position: Position, quantity_e8: int) -> int:
    """What a quantity of the position cost, in the quote currency; parts are rounded down, the last gets the rest."""
    if quantity_e8 == position.quantity_e8:
        return position.cost_e16
    return position.open_price_e8 * quantity_e8 + mul_div(
        position.open_rest_e16, quantity_e8, position.quantity_e8, FLOOR
    )


def without(position: Position, quantity_e8: int, cover: Cover | None) -> Position:
    """The position after a quantity of it was closed, and with no margin if that is all of it.

    A venue closes what venues have opened, as far as that goes.
    """
    left_e8 = position.quantity_e8 - quantity_e8
    a_book_e8 = max(0, position.a_book_e8 - quantity_e8) if cover else position.a_book_e8
    rest_e16 = position.open_rest_e16
    return msgspec.structs.replace(
        position,
        quantity_e8=left_e8,
        margin_minor=position.margin_minor if left_e8 else 0,
        open_rest_e16=rest_e16 - mul_div(rest_e16, quantity_e8, position.quantity_e8, FLOOR),
        a_book_e8=min(a_book_e8, left_e8),
    )
