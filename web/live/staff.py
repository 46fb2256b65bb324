"""What the staff follow: the broker's books, and how the LPs do. Both are told whole, once a second at most."""

import asyncio
from collections.abc import Callable

from actors.bus.asking import Asker, Away, Declined, NoAnswer
from actors.bus.desk_answers import ExposureReport
from actors.bus.prices import Prices
from actors.bus.requests import GetExposure
from actors.domain.money import format_e8
from web.live.frame import text_frame
from web.live.watcher import Watcher, tell
from web.payloads import messages, render_lp
from web.payloads.times import format_ns

INTERVAL_S = 1
TIMEOUT_MS = 2_000


class StaffNews:
    """Watchers come and go; `run` tells them."""

    def __init__(self, engine: Asker, prices: Prices, clock_ns: Callable[[], int]) -> None:
        self._engine = engine
        self._prices = prices
        self._clock_ns = clock_ns
        self._exposure: dict[Watcher, None] = {}
        self._lps: dict[Watcher, None] = {}
        self._told = b""
        """The exposure, as it was told last."""

    async def join_exposure(self, watcher: Watcher, acknowledge: Callable[[], None]) -> None:
        """All of it after `acknowledge()`, and then when it is another; raises as Asker.ask does, and then not."""
        frame = await self._exposure_frame()
        if watcher.is_open:
            acknowledge()
            watcher.send(frame)
            self._exposure[watcher] = None

    def join_lps(self, watcher: Watcher, acknowledge: Callable[[], None]) -> None:
        acknowledge()
        watcher.send(self._lps_frame())
        self._lps[watcher] = None

    def leave_exposure(self, watcher: Watcher) -> None:
        self._exposure.pop(watcher, None)

    def leave_lps(self, watcher: Watcher) -> None:
        self._lps.pop(watcher, None)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            if self._lps:
                tell(self._lps, self._lps_frame())
            if self._exposure:
                await self._tell_exposure()

    async def _tell_exposure(self) -> None:
        try:
            frame = await self._exposure_frame()
        except (Away, NoAnswer, Declined):
            return
        if frame != self._told:
            self._told = frame
            tell(self._exposure, frame)

    async def _exposure_frame(self) -> bytes:
        report = await self._engine.ask(GetExposure(), ExposureReport, TIMEOUT_MS)
        desks = [
            messages.DeskExposure(
                symbol=desk.symbol,
                exposure=format_e8(desk.exposure_e8),
                coverage=format_e8(desk.coverage_e8),
                hedging=format_e8(desk.hedging_e8),
                open=format_e8(desk.open_e8),
                at_venues={venue: format_e8(held_e8) for venue, held_e8 in desk.at_venues_e8.items()},
            )
            for desk in report.desks
        ]
        return text_frame(messages.ExposureMessage(desks=desks, seq=report.seq))

    def _lps_frame(self) -> bytes:
        now_ns = self._clock_ns()
        feeds = {feed.venue: feed for feed in self._prices.feeds}
        seen = {status.venue: status for status in self._prices.lps}
        lps = [
            messages.LpHealth(
                name=name,
                feed=render_lp.feed_body(feeds[name], now_ns) if name in feeds else None,
                status=render_lp.status(seen[name]) if name in seen else None,
            )
            for name in sorted({*feeds, *seen})
        ]
        return text_frame(messages.LpsMessage(lps=lps, time=format_ns(now_ns)))
