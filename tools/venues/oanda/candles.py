"""The simulated OANDA's candles, from M1 to H1. `smooth` and alignments are not looked at: up to H1 none matters."""

import time
from typing import Any

from tornado.web import HTTPError

from actors.domain.money import SCALE
from gateway.venues.timestamp import BadTime, parse_time_ns
from tools.venues import model
from tools.venues.oanda.handler import Handler
from tools.venues.oanda.history import MINUTE_NS, Minute, joined, minutes
from tools.venues.oanda.instruments import INSTRUMENTS
from tools.venues.oanda.wire import date_time

COUNT_LIMIT = 5_000
DEFAULT_COUNT = 500
GRANULARITY_MINUTES = {"M1": 1, "M2": 2, "M4": 4, "M5": 5, "M10": 10, "M15": 15, "M30": 30, "H1": 60}
LOOK_BACK_MINUTES = 5 * 24 * 60
"""How much further than `count` candles it looks, for weekends and holidays."""


class CandlesHandler(Handler):
    def get(self, instrument: str) -> None:
        if instrument not in INSTRUMENTS:
            raise HTTPError(400, reason="Invalid value specified for 'instrument'")
        granularity = self.get_query_argument("granularity", "S5")
        if granularity not in GRANULARITY_MINUTES:
            raise HTTPError(400, reason="Invalid value specified for 'granularity'")
        sides = self.get_query_argument("price", "M")
        if not sides or not set(sides).issubset("MBA"):
            raise HTTPError(400, reason="Invalid value specified for 'price'")
        span_ns = GRANULARITY_MINUTES[granularity] * MINUTE_NS
        now_ns = time.time_ns()
        candles = [
            _candle(minute, sides, instrument.replace("_", ""), date_time(minute.start_ns, self.unix))
            | {"complete": minute.start_ns + span_ns <= now_ns}
            for minute in self._asked(instrument.replace("_", ""), span_ns, now_ns)
        ]
        self.write({"instrument": instrument, "granularity": granularity, "candles": candles})

    def _asked(self, symbol: str, span_ns: int, now_ns: int) -> list[Minute]:
        """By `from`, `to`, `count` and `includeFirst`, as the document tells them apart."""
        start_ns, end_ns, count = self._time("from"), self._time("to"), self._count()
        venue = self.venue
        if start_ns is not None and end_ns is not None:
            if count is not None:
                raise HTTPError(400, reason="'count' cannot be specified when 'to' and 'from' parameters are set")
            if end_ns < start_ns:
                raise HTTPError(400, reason="Invalid value specified for 'to'. Time is before 'from'")
            first_ns, last_ns, count = start_ns, end_ns, COUNT_LIMIT
            if (end_ns - start_ns) // span_ns > COUNT_LIMIT:
                raise HTTPError(400, reason="Maximum value for 'count' exceeded")
        else:
            count = DEFAULT_COUNT if count is None else count
            reach_ns = count * span_ns + LOOK_BACK_MINUTES * MINUTE_NS
            first_ns = start_ns if start_ns is not None else (end_ns or now_ns) - reach_ns
            last_ns = first_ns + reach_ns + span_ns
            if start_ns is None:
                last_ns = end_ns or now_ns
        first_ns = max(first_ns - first_ns % span_ns, 0)
        if start_ns is not None and self.get_query_argument("includeFirst", "true").lower() == "false":
            first_ns += span_ns
        made = _grouped(minutes(venue.shown, symbol, first_ns, last_ns, now_ns, venue.seed), span_ns)
        return made[:count] if start_ns is not None else made[-count:]

    def _time(self, name: str) -> int | None:
        text = self.get_query_argument(name, None)
        try:
            return None if text is None else parse_time_ns(text)
        except BadTime:
            raise HTTPError(400, reason=f"Invalid value specified for '{name}'") from None

    def _count(self) -> int | None:
        text = self.get_query_argument("count", None)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and int(text[:10]) > 0):
            raise HTTPError(400, reason="Invalid value specified for 'count'")
        if int(text[:10]) > COUNT_LIMIT:
            raise HTTPError(400, reason="Maximum value for 'count' exceeded")
        return int(text)


class AccountCandlesHandler(CandlesHandler):
    def get(self, account: str, instrument: str) -> None:  # type: ignore[override]
        self.check_account(account)
        super().get(instrument)


def _grouped(made: Any, span_ns: int) -> list[Minute]:
    candles: list[Minute] = []
    for minute in made:
        start_ns = minute.start_ns - minute.start_ns % span_ns
        if candles and candles[-1].start_ns == start_ns:
            candles[-1] = joined(candles[-1], minute)
        else:
            candles.append(minute._replace(start_ns=start_ns))
    return candles


def _candle(minute: Minute, sides: str, symbol: str, start: str) -> dict[str, Any]:
    digits = model.PAIRS[symbol].digits
    middle = tuple((bid + ask) // 2 for bid, ask in zip(minute.bid, minute.ask, strict=True))
    prices = {"B": ("bid", minute.bid), "A": ("ask", minute.ask), "M": ("mid", middle)}
    candle: dict[str, Any] = {"time": start, "volume": minute.volume}
    for side in sides:
        name, points = prices[side]
        candle[name] = {letter: _price(price, digits) for letter, price in zip("ohlc", points, strict=True)}
    return candle


def _price(price_e8: int, digits: int) -> str:
    points = price_e8 * 10**digits // SCALE
    whole, part = divmod(points, 10**digits)
    return f"{whole}.{part:0{digits}}"
