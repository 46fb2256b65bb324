"""What has happened: the only way in which the engine's state changes, and what history is made of.

Events carry the state after them (the order, the position), so whoever follows can keep a copy without the rules.
"""

import msgspec

from actors.domain.instrument import Instrument
from actors.domain.ledger import Posting
from actors.domain.order import Fill, Order, Position


class Happened(msgspec.Struct, frozen=True, array_like=True, tag=True, tag_field="kind", gc=False):
    """The base of all events: an array on the wire, the name of its class first."""


class InstrumentDefined(Happened, frozen=True):
    instrument: Instrument


class AccountOpened(Happened, frozen=True):
    account_id: int
    currency: str


class MoneyDeposited(Happened, frozen=True):
    account_id: int
    key: str
    actor: str
    posting: Posting


class OrderFilled(Happened, frozen=True):
    """An order was executed: the order and the position as they are now, and the money that moved, if any did."""

    order: Order
    fill: Fill
    position: Position
    posting: Posting | None


class OrderRejected(Happened, frozen=True):
    """A well-formed order that the rules refused. It is remembered: sent again, it gets this answer again."""

    order: Order
    code: str
    detail: str


Event = InstrumentDefined | AccountOpened | MoneyDeposited | OrderFilled | OrderRejected
