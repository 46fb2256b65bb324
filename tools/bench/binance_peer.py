"""The peer of `binance_parse`: cryptofeed's own parser of Binance's frames, on its own types, without a connection."""

import importlib
import importlib.metadata
import time
from typing import Any

import msgspec

from tools.bench.result import Run, Spoiled


class NotInstalled(Exception):
    """There is no cryptofeed in this environment, or none that can be used."""


class Cryptofeed:
    """cryptofeed's `Binance.message_handler`, which parses a frame and awaits the callback."""

    def __init__(self, frames: list[bytes]):
        try:
            self.version = importlib.metadata.version("cryptofeed")
            symbols: Any = importlib.import_module("cryptofeed.symbols")
            defines: Any = importlib.import_module("cryptofeed.defines")
            exchanges: Any = importlib.import_module("cryptofeed.exchanges")
        except ImportError:
            raise NotInstalled from None
        names = {msgspec.json.decode(frame)["data"]["s"] for frame in frames[:1000]}
        known = {f"{name[:3]}-{name[3:]}": name for name in sorted(names)}
        symbols.Symbols.set("BINANCE", known, {"instrument_type": dict.fromkeys(known, "spot")})
        callbacks = {defines.TICKER: self._count}
        self._feed = exchanges.Binance(symbols=list(known), channels=[defines.TICKER], callbacks=callbacks)
        self._frames = [frame.decode() for frame in frames]
        self._seen = 0

    async def run(self) -> Run:
        """Raises Spoiled unless each frame came out as a ticker."""
        self._seen, handle = 0, self._feed.message_handler
        start = time.perf_counter()
        for frame in self._frames:
            await handle(frame, None, start)
        seconds = time.perf_counter() - start
        if self._seen != len(self._frames):
            raise Spoiled(f"cryptofeed made {self._seen} tickers of {len(self._frames)} frames")
        return Run(len(self._frames), seconds, {})

    async def _count(self, ticker: Any, receipt_timestamp: float) -> None:
        self._seen += 1
