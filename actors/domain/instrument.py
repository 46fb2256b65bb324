"""What can be traded, and within which bounds."""

from enum import Enum

import msgspec

from actors.domain.calendar import ALWAYS, Sessions
from actors.domain.charges import SWAP_FREE, Swap


class InstrumentState(Enum):
    OPEN = "open"
    CLOSE_ONLY = "close_only"
    """What is open may be closed; nothing is opened."""
    HALTED = "halted"
    RETIRED = "retired"
    """It is not traded any more, and nothing of it is open. What has been in it stays readable."""


_RETIRED = InstrumentState.RETIRED


class AssetClass(Enum):
    """What an instrument's margin goes by. OTHER is what the annex does not name; it stands with the shares."""

    MAJOR_PAIR = "major_pair"
    """Of any two of USD, EUR, JPY, GBP, CAD and CHF (annex I, (a))."""
    MINOR_PAIR = "minor_pair"
    GOLD = "gold"
    MAJOR_INDEX = "major_index"
    COMMODITY = "commodity"
    MINOR_INDEX = "minor_index"
    SHARE = "share"
    OTHER = "other"
    CRYPTO = "crypto"


class Tier(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The rates of the notional above `from_minor` and up to the next tier; what is below keeps its own rates."""

    from_minor: int
    """In the account's currency."""
    initial_rate_e8: int
    maintenance_rate_e8: int


class Instrument(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One symbol of the broker's list: `base` is bought and sold, prices are in `quote` per unit of `base`."""

    symbol: str
    base: str
    quote: str
    description: str
    price_digits: int
    """Digits after the point of a price that a client may name."""
    quantity_min_e8: int
    quantity_max_e8: int
    quantity_step_e8: int
    margin_rate_e8: int
    """Initial margin as a share of the notional: 3.33 % is 3_330_000."""
    price_min_e8: int
    price_max_e8: int
    """A quote outside [price_min_e8, price_max_e8] is a fault of its LP, whatever the market does."""

    lot_e8: int = 100_000 * 10**8
    """What a commission per lot is counted by."""
    sessions: Sessions = ALWAYS
    state: InstrumentState = InstrumentState.OPEN
    swap: Swap = SWAP_FREE
    asset_class: AssetClass = AssetClass.OTHER
    tiers: tuple[Tier, ...] = ()
    """Margin rates by size; empty: margin_rate_e8 for all of it, and maintenance the same as initial."""

    @property
    def price_step_e8(self) -> int:
        return int(10 ** (8 - self.price_digits))

    @property
    def is_listed(self) -> bool:
        """Whether it can be quoted, shown and asked for."""
        return self.state is not _RETIRED


def keep(instruments: dict[str, Instrument], instrument: Instrument) -> None:
    """Adds it, or changes its terms.

    One that comes back is the last of them: of two that convert the same currencies the first does, and what has stayed
    has a price.
    """
    before = instruments.get(instrument.symbol)
    if before is not None and instrument.is_listed and not before.is_listed:
        del instruments[instrument.symbol]
    instruments[instrument.symbol] = instrument
