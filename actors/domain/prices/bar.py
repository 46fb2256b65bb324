"""Bars: open, high, low and close of the ticks of one span of time, on the bid and on the ask."""

import msgspec

from actors.domain.quote import Tick

MINUTE_NS = 60_000_000_000


class Bar(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Ticks of `symbol` from `start_ns` on, up to but without the next bar's start."""

    symbol: str
    start_ns: int
    bid_open_e8: int
    bid_high_e8: int
    bid_low_e8: int
    bid_close_e8: int
    ask_open_e8: int
    ask_high_e8: int
    ask_low_e8: int
    ask_close_e8: int
    ticks: int


def bar_of(tick: Tick, span_ns: int = MINUTE_NS) -> Bar:
    """The bar that one tick alone makes. Spans are counted from the epoch: M5 starts at :00, :05, …"""
    bid, ask = tick.bid_e8, tick.ask_e8
    return Bar(tick.symbol, tick.time_ns - tick.time_ns % span_ns, bid, bid, bid, bid, ask, ask, ask, ask, 1)


def join(earlier: Bar, later: Bar) -> Bar:
    """One bar of two that follow each other, at the start of the earlier one."""
    return Bar(
        earlier.symbol,
        earlier.start_ns,
        earlier.bid_open_e8,
        max(earlier.bid_high_e8, later.bid_high_e8),
        min(earlier.bid_low_e8, later.bid_low_e8),
        later.bid_close_e8,
        earlier.ask_open_e8,
        max(earlier.ask_high_e8, later.ask_high_e8),
        min(earlier.ask_low_e8, later.ask_low_e8),
        later.ask_close_e8,
        earlier.ticks + later.ticks,
    )
