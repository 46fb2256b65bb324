"""What the engine is told: commands (imperative, and checked before obeyed) and what it sees of the prices."""

import msgspec

from actors.domain.instrument import Instrument
from actors.domain.order import OrderType, Side
from actors.domain.quote import Tick


class Told(msgspec.Struct, frozen=True, array_like=True, tag=True, tag_field="kind", gc=False):
    """The base of everything that the engine is told: an array on the wire, the name of its class first."""


class DefineInstrument(Told, frozen=True):
    """Adds an instrument or changes its terms."""

    instrument: Instrument


class OpenAccount(Told, frozen=True):
    """Opens a trading account. Done again with the same terms it changes nothing."""

    account_id: int
    currency: str


class Deposit(Told, frozen=True):
    """Pays money in, once per `key`."""

    account_id: int
    amount_minor: int
    key: str
    actor: str
    """Who is answerable: a user name, or "config"."""


class SubmitOrder(Told, frozen=True):
    """A client's order. `client_order_id` is its identity: sent again unchanged, it gets the first answer again."""

    account_id: int
    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity_e8: int
    stop_loss_e8: int = 0
    take_profit_e8: int = 0


class ClosePosition(Told, frozen=True):
    """Closes a position, or `quantity_e8` of it (0: all) at the market."""

    account_id: int
    client_order_id: str
    position_id: int
    quantity_e8: int = 0


Command = DefineInstrument | OpenAccount | Deposit | SubmitOrder | ClosePosition


class ObserveTicks(Told, frozen=True):
    """Ticks in the order in which they came."""

    ticks: tuple[Tick, ...]


class ObserveStream(Told, frozen=True):
    """The price stream was alive at `alive_ns`; our price of the symbols `behind` is not its last: not to be used."""

    alive_ns: int
    behind: tuple[str, ...] = ()


Input = Command | ObserveTicks | ObserveStream
