"""The aggregator's process as the drill wants it: GBPUSD by priority, and the clock where DRILL_CLOCK_AHEAD_MS says."""

import os
import time
from functools import partial

from actors import aggregator, process
from actors.domain.prices.pricing import Mode, Pricing
from config import catalogue

HOLD_MS = 2_000

if __name__ == "__main__":
    ahead_ns = int(os.environ["DRILL_CLOCK_AHEAD_MS"]) * 1_000_000
    clock = process.Clock(wall_ns=lambda: time.time_ns() + ahead_ns)
    process.clock_ns, process.Running = clock, partial(process.Running, clock=clock)  # type: ignore[misc,assignment]
    catalogue.pricings = lambda: {"GBPUSD": Pricing(mode=Mode.PRIORITY, hold_ms=HOLD_MS)}
    process.run("aggregator", aggregator.build)
