"""The simulated LP's prices: who watches which, and what they are told."""

from collections.abc import Callable

import simplefix

from actors.domain.money import parse_e8
from tools.venues.fix import reports
from tools.venues.fix.wire import Fields, text, texts

SIZE = "1000000"
REQUESTS_LIMIT = 200
Say = Callable[[str, str, Fields, int], None]
"""To a peer a message: its type, its fields, the time."""


class Price:
    def __init__(self, bid: str, ask: str) -> None:
        self.bid, self.ask = bid, ask
        self.point_e8 = 10 ** (8 - len(ask.partition(".")[2]))

    def dealt_e8(self, side: str) -> int:
        return parse_e8(self.ask if side == "1" else self.bid)


class Prices:
    def __init__(self, symbols: tuple[str, ...], say: Say) -> None:
        self.now: dict[str, Price] = {}
        self.symbols = symbols
        self._say = say
        self._watched: dict[tuple[str, str], tuple[tuple[str, ...], bool]] = {}
        """By peer and MDReqID: its symbols, and whether it wants increments."""

    def forget(self, peer: str) -> None:
        """The peer's connection is gone, and its subscriptions with it."""
        for key in [key for key in self._watched if key[0] == peer]:
            del self._watched[key]

    def show(self, symbol: str, bid: str, ask: str, now_ns: int) -> None:
        """A new price, to those who watch it."""
        before, self.now[symbol] = self.now.get(symbol), Price(bid, ask)
        for (peer, request_id), (symbols, increments) in list(self._watched.items()):
            if symbol not in symbols:
                continue
            if increments and before:
                changed = [("0", bid)] * (bid != before.bid) + [("1", ask)] * (ask != before.ask)
                if changed:
                    self._say(peer, "X", reports.refresh(request_id, symbol, changed, SIZE), now_ns)
            else:
                self._say(peer, "W", reports.snapshot(request_id, symbol, bid, ask, SIZE), now_ns)

    def ask(self, peer: str, message: simplefix.FixMessage, now_ns: int) -> None:
        """A 35=V."""
        request_id, symbols = text(message, 262), tuple(texts(message, 55))
        if text(message, 263) == "2":
            self._watched.pop((peer, request_id), None)
            return
        unknown = [symbol for symbol in symbols if symbol not in self.symbols]
        if unknown or not symbols:
            detail = f"there is no symbol {unknown[0]}" if unknown else "no symbol is asked for"
            self._say(peer, "Y", [(262, request_id), (281, "0"), (58, detail)], now_ns)
            return
        if (peer, request_id) in self._watched or len(self._watched) >= REQUESTS_LIMIT:
            self._say(peer, "Y", [(262, request_id), (281, "1"), (58, "the MDReqID is in use")], now_ns)
            return
        if text(message, 263) == "1":
            self._watched[peer, request_id] = symbols, text(message, 265) == "1"
        for symbol in symbols:
            if price := self.now.get(symbol):
                self._say(peer, "W", reports.snapshot(request_id, symbol, price.bid, price.ask, SIZE), now_ns)

    def is_touched(self, symbol: str, side: str, price_e8: int) -> bool:
        """Whether a limit order there can be filled now."""
        if (price := self.now.get(symbol)) is None:
            return False
        dealt_e8 = price.dealt_e8(side)
        return dealt_e8 <= price_e8 if side == "1" else dealt_e8 >= price_e8
