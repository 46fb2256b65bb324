"""The life of an order as one table: what may happen in which status, and what it is then.

An absent key is an error: a fault in our own code, and the engine stops rather than guess.
"""

from enum import Enum

from actors.domain.order import OrderStatus


class Step(Enum):
    """What happens to an order that has been accepted."""

    TRIGGER = "trigger"
    MODIFY = "modify"
    FILL = "fill"
    """The last fill: all of it is filled now."""
    PART = "part"
    """A fill that leaves a rest."""
    CANCEL = "cancel"
    EXPIRE = "expire"

    __hash__ = object.__hash__
    """By identity, in C: Enum's own is a function in Python, and this one is looked up with each fill."""


_W, _T = OrderStatus.WORKING, OrderStatus.TRIGGERED

TABLE: dict[tuple[OrderStatus, Step], OrderStatus] = {
    (_W, Step.TRIGGER): _T,
    (_W, Step.MODIFY): _W,
    (_W, Step.FILL): OrderStatus.FILLED,
    (_W, Step.PART): _W,
    (_W, Step.CANCEL): OrderStatus.CANCELLED,
    (_W, Step.EXPIRE): OrderStatus.EXPIRED,
    (_T, Step.MODIFY): _T,
    (_T, Step.FILL): OrderStatus.FILLED,
    (_T, Step.PART): _T,
    (_T, Step.CANCEL): OrderStatus.CANCELLED,
    (_T, Step.EXPIRE): OrderStatus.EXPIRED,
}


def after(status: OrderStatus, step: Step) -> OrderStatus:
    """The status after a step; raises KeyError where the step cannot happen."""
    return TABLE[status, step]
