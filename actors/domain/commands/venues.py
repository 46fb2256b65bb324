"""What venues say, and what persons settle of it."""

from actors.domain.commands.told import Told
from actors.domain.routing.child import VenueReport


class ReportExecution(Told, frozen=True):
    """What an execution venue says of an order that was sent to it."""

    report: VenueReport


class ReportHolding(Told, frozen=True):
    """What an execution venue's account holds of a symbol, longs less shorts, while nothing was on its way there."""

    venue: str
    symbol: str
    quantity_e8: int


class SettleBreak(Told, frozen=True):
    """A person has learnt what became of a child order.

    Of what is left of it, so much was filled (0: nothing), and the rest not. Where nothing is left of it, the fill is
    one that no client gets: it is the broker's own.
    """

    child_id: str
    exec_id: str
    filled_e8: int
    price_e8: int
    actor: str
    reason: str = ""


class DismissBreak(Told, frozen=True):
    """A person has dealt with a break that leaves no order to settle, outside of these books."""

    child_id: str
    actor: str
    reason: str
