"""What an account has open in one symbol."""

from actors.domain.order import BUY, Side
from actors.domain.quote import Tick


class Exposure:
    """The positions of one account in one symbol, summed: enough for their open profit in one step, exactly."""

    __slots__ = ("known_e16", "long_cost_e16", "long_e8", "quote", "short_e8", "short_proceeds_e16", "valued_at")

    def __init__(self, quote: str) -> None:
        """`quote`: the currency that the symbol's profit is in."""
        self.quote = quote
        self.valued_at: Tick | None = None
        self.known_e16 = 0
        self.long_e8 = 0
        self.long_cost_e16 = 0
        self.short_e8 = 0
        self.short_proceeds_e16 = 0

    def change(self, side: Side, quantity_e8: int, cost_e16: int) -> None:
        """Adds a quantity and what it cost; negative ones take it out again."""
        self.valued_at = None
        if side is BUY:
            self.long_e8 += quantity_e8
            self.long_cost_e16 += cost_e16
        else:
            self.short_e8 += quantity_e8
            self.short_proceeds_e16 += cost_e16

    def copy(self) -> "Exposure":
        other = Exposure.__new__(Exposure)
        other.quote, other.valued_at, other.known_e16 = self.quote, None, 0
        other.long_e8 = self.long_e8
        other.long_cost_e16 = self.long_cost_e16
        other.short_e8 = self.short_e8
        other.short_proceeds_e16 = self.short_proceeds_e16
        return other

    @property
    def net_e8(self) -> int:
        return self.long_e8 - self.short_e8

    @property
    def is_flat(self) -> bool:
        return not (self.long_e8 or self.short_e8)

    def profit_e16(self, tick: Tick) -> int:
        """In the quote currency: longs valued at the bid, shorts at the ask. Known until tick or positions change."""
        if tick is not self.valued_at:
            longs_e16 = self.long_e8 * tick.bid_e8 - self.long_cost_e16
            self.known_e16 = longs_e16 + self.short_proceeds_e16 - self.short_e8 * tick.ask_e8
            self.valued_at = tick
        return self.known_e16
