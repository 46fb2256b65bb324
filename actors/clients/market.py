"""Prices over FIX: subscriptions, each client at its group's prices, conflated to its interval."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from actors.bus.prices import Prices
from actors.clients.client import Client
from actors.clients.depths import Depths
from actors.clients.standing import Standing
from actors.domain.quote import Level
from gateway.fix.codec import Message
from gateway.fix.trading import prices as wire
from gateway.fix.trading.prices import Book, Levels
from gateway.fix.trading.requests import MarketDataRequest, Unfit, market_data
from gateway.fix.trading.vocabulary import BAD_REQUEST, RATE_LIMITED

MS_NS = 1_000_000
SNAPSHOT, SUBSCRIBE, UNSUBSCRIBE = b"0", b"1", b"2"
DEPTH_LIMIT_LEVELS = 20
"""Of each side, whatever MarketDepth says."""
DEPTH_PATIENCE_NS = 1_000_000_000
"""So long a first snapshot waits for the book; then it is told without a price."""


@dataclass(slots=True)
class Followed:
    """One request, and what was told last by symbol; None: nothing yet."""

    wanted: MarketDataRequest
    told: dict[str, Book | None]
    since_ns: int

    @property
    def is_deep(self) -> bool:
        return self.wanted.depth != 1

    @property
    def is_over(self) -> bool:
        return self.wanted.kind == SNAPSHOT and None not in self.told.values()


@dataclass(slots=True)
class Following:
    """A client's requests by MDReqID."""

    requests: dict[bytes, Followed] = field(default_factory=dict)
    told_ns: int = 0


class Market:
    def __init__(self, prices: Prices, standing: Standing, depths: Depths) -> None:
        self._prices = prices
        self._standing = standing
        self._depths = depths
        self._following: dict[str, Following] = {}

    def ask(self, client: Client, message: Message, now_ns: int) -> None:
        """A MarketDataRequest. Raises Unfit. Prices in depth come with one of the next turns."""
        wanted = market_data(message)
        following = self._following.setdefault(client.profile.id, Following())
        if wanted.kind == UNSUBSCRIBE:
            if wanted.request_id not in following.requests:
                raise Unfit(BAD_REQUEST, "there is no such subscription")
            self._drop(following.requests.pop(wanted.request_id))
            return
        if wanted.request_id in following.requests:
            raise Unfit(BAD_REQUEST, "there is a subscription with this MDReqID", 262)
        for symbol in wanted.symbols:
            if symbol not in self._prices.instruments:
                raise Unfit("UNKNOWN_SYMBOL", f"there is no symbol {symbol[:20]!r}", 55)
        followed = Followed(wanted, dict.fromkeys(wanted.symbols), now_ns)
        lasts = wanted.kind == SUBSCRIBE or followed.is_deep
        count = sum(len(one.told) for one in following.requests.values())
        if lasts and count + len(wanted.symbols) > client.profile.subscriptions:
            raise Unfit(RATE_LIMITED, f"at most {client.profile.subscriptions} symbols can be followed")
        if lasts:
            following.requests[wanted.request_id] = followed
        if followed.is_deep:
            for symbol in wanted.symbols:
                self._depths.follow(symbol)
        else:
            self._update(client, followed, now_ns)

    def leave(self, client: Client) -> None:
        """Subscriptions end with the connection."""
        if following := self._following.pop(client.profile.id, None):
            for followed in following.requests.values():
                self._drop(followed)

    def turn(self, clients: Iterable[Client], now_ns: int) -> None:
        """Tells what has changed since the last time, where a client's interval is over."""
        for client in clients:
            following = self._following.get(client.profile.id)
            if following is None or not following.requests:
                continue
            if now_ns - following.told_ns < client.profile.market_data_interval_ms * MS_NS:
                continue
            following.told_ns = now_ns
            for request_id, followed in [*following.requests.items()]:
                self._update(client, followed, now_ns)
                if followed.is_over:
                    self._drop(following.requests.pop(request_id))

    def _drop(self, followed: Followed) -> None:
        if followed.is_deep:
            for symbol in followed.told:
                self._depths.leave(symbol)

    def _update(self, client: Client, followed: Followed, now_ns: int) -> None:
        wanted = followed.wanted
        changed: list[tuple[Book, Book]] = []
        for symbol, before in followed.told.items():
            if before is None and self._must_wait(followed, symbol, now_ns):
                continue
            after = self._book(client, symbol, wanted)
            if before is not None and (after.bids, after.asks) == (before.bids, before.asks):
                continue
            followed.told[symbol] = after
            if before is None or not wanted.is_incremental:
                client.tell(b"W", wire.snapshot(wanted.request_id, after, wanted.sides), now_ns)
            else:
                changed.append((before, after))
        if body := wire.increments(wanted.request_id, changed, wanted.sides, followed.is_deep):
            client.tell(b"X", body, now_ns)

    def _must_wait(self, followed: Followed, symbol: str, now_ns: int) -> bool:
        is_here = not followed.is_deep or symbol in self._depths.books
        return not is_here and now_ns - followed.since_ns < DEPTH_PATIENCE_NS

    def _book(self, client: Client, symbol: str, wanted: MarketDataRequest) -> Book:
        """As the client's group sees it; without prices where nobody may deal, and while the group is not known."""
        tick, group = self._prices.ticks.get(symbol), self._standing.groups.get(client.account)
        if tick is None or not tick.live or group is None:
            return Book(symbol, tick.time_ns if tick is not None else 0, (), ())
        if wanted.depth == 1:
            seen = group.tick(tick)
            return Book(symbol, seen.time_ns, ((seen.bid_e8, 0),), ((seen.ask_e8, 0),))
        depth = self._depths.books.get(symbol)
        if depth is None:
            return Book(symbol, tick.time_ns, (), ())
        bid_shift_e8, ask_shift_e8 = group.markup_of(symbol).shifts_e8(depth.bids, depth.asks)
        limit = min(wanted.depth or DEPTH_LIMIT_LEVELS, DEPTH_LIMIT_LEVELS)
        bids, asks = _levels(depth.bids, bid_shift_e8, limit), _levels(depth.asks, ask_shift_e8, limit)
        return Book(symbol, tick.time_ns, bids, asks)


def _levels(levels: list[Level], shift_e8: int, limit: int) -> Levels:
    """All LPs' sizes at a price together: clients are not told whose they are."""
    sizes_e8: dict[int, int] = {}
    for level in levels:
        price_e8 = max(1, level.price_e8 + shift_e8)
        sizes_e8[price_e8] = sizes_e8.get(price_e8, 0) + level.size_e8
    return tuple(sizes_e8.items())[:limit]
