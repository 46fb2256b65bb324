"""The books of the symbols that somebody follows. The aggregator publishes those alone that are subscribed to."""

from collections.abc import Callable, Iterable

import msgspec

from actors.bus import topics
from actors.bus.streams import StreamDepth
from actors.domain.group import NO_MARKUP
from actors.domain.money import format_e8
from actors.domain.prices.book import Depth
from actors.domain.quote import Level
from web.live.fanout import Client, Fanout
from web.live.known import Known
from web.payloads import messages
from web.payloads.render import Renderer
from web.payloads.times import format_ns

View = tuple[str, bool]
"""A group, and whether levels are told by LP."""

_encode = msgspec.json.Encoder().encode


class Books:
    """Clients follow books; `observe` takes them in."""

    def __init__(self, known: Known, render: Renderer) -> None:
        self.latest: dict[str, StreamDepth] = {}
        self.fanout: Fanout[str, StreamDepth, View] = Fanout("depth", self.latest, self._render)
        self._known = known
        self._price = render.price
        self._followers: dict[str, int] = {}
        self._subscribe: Callable[[bytes], None]
        self._unsubscribe: Callable[[bytes], None]

    def connect(self, subscribe: Callable[[bytes], None], unsubscribe: Callable[[bytes], None]) -> None:
        """How topics of the public stream are subscribed to."""
        self._subscribe, self._unsubscribe = subscribe, unsubscribe

    def follow(self, client: Client, symbols: Iterable[str], view: View, turns: int) -> None:
        followed = self.fanout.wanted(client)
        for symbol in [symbol for symbol in symbols if symbol not in followed]:
            self._followers[symbol] = self._followers.get(symbol, 0) + 1
            if self._followers[symbol] == 1:
                self._subscribe(topics.depth(symbol))
        self.fanout.subscribe(client, symbols, view, turns)

    def unfollow(self, client: Client, symbols: Iterable[str]) -> None:
        followed = self.fanout.wanted(client)
        gone = [symbol for symbol in symbols if symbol in followed]
        self.fanout.unsubscribe(client, gone)
        for symbol in gone:
            self._followers[symbol] -= 1
            if not self._followers[symbol]:
                del self._followers[symbol]
                self.latest.pop(symbol, None)
                self._unsubscribe(topics.depth(symbol))

    def observe(self, depth: StreamDepth) -> None:
        """One that is older than what is known, or that nobody follows any more, changes nothing."""
        known = self.latest.get(depth.symbol)
        if depth.symbol in self._followers and (known is None or known.number <= depth.number):
            self.latest[depth.symbol] = depth
            self.fanout.observe([(depth.symbol, depth)])

    def hush(self, now_ns: int) -> None:
        """The price stream is silent: nothing is on offer."""
        for depth in list(self.latest.values()):
            if depth.depth.bids or depth.depth.asks:
                self.observe(msgspec.structs.replace(depth, time_ns=now_ns, depth=Depth([], [])))

    def _render(self, depth: StreamDepth, view: View) -> bytes:
        group, tagged = view
        markup = self._known.groups[group].markup_of(depth.symbol) if group else NO_MARKUP
        bids, asks = depth.depth.bids, depth.depth.asks
        bid_shift_e8, ask_shift_e8 = markup.shifts_e8(bids, asks)
        book = messages.Book(
            symbol=depth.symbol,
            seq=depth.number,
            time=format_ns(depth.time_ns),
            tick_seq=depth.tick_seq,
            bids=self._levels(depth.symbol, bids, bid_shift_e8, tagged),
            asks=self._levels(depth.symbol, asks, ask_shift_e8, tagged),
        )
        return _encode(book)

    def _levels(self, symbol: str, levels: list[Level], shift_e8: int, tagged: bool) -> list[messages.Level]:
        if tagged:
            offers = [(level.price_e8, level.size_e8, level.lp) for level in levels]
        else:
            sizes_e8: dict[int, int] = {}
            for level in levels:
                sizes_e8[level.price_e8] = sizes_e8.get(level.price_e8, 0) + level.size_e8
            offers = [(price_e8, size_e8, "") for price_e8, size_e8 in sizes_e8.items()]
        return [
            messages.Level(
                price=self._price(symbol, max(1, price_e8 + shift_e8)), quantity=format_e8(size_e8), lp=lp or None
            )
            for price_e8, size_e8, lp in offers
        ]
