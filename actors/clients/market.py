"""Prices over FIX: subscriptions, each client at its group's prices, conflated to its interval."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from actors.bus.prices import Prices
from actors.clients.client import Client
from actors.clients.standing import Standing
from gateway.fix.codec import Message
from gateway.fix.trading import prices as wire
from gateway.fix.trading.prices import Top
from gateway.fix.trading.requests import MarketDataRequest, Unfit, market_data
from gateway.fix.trading.vocabulary import BAD_REQUEST, RATE_LIMITED

MS_NS = 1_000_000
SNAPSHOT, SUBSCRIBE, UNSUBSCRIBE = b"0", b"1", b"2"


@dataclass(slots=True)
class Following:
    """A client's subscriptions by MDReqID, and what each was told last, by symbol."""

    requests: dict[bytes, tuple[MarketDataRequest, dict[str, Top]]] = field(default_factory=dict)
    told_ns: int = 0


class Market:
    def __init__(self, prices: Prices, standing: Standing) -> None:
        self._prices = prices
        self._standing = standing
        self._following: dict[str, Following] = {}

    def ask(self, client: Client, message: Message, now_ns: int) -> None:
        """A MarketDataRequest. Raises Unfit."""
        wanted = market_data(message)
        following = self._following.setdefault(client.profile.id, Following())
        if wanted.kind == UNSUBSCRIBE:
            if following.requests.pop(wanted.request_id, None) is None:
                raise Unfit(BAD_REQUEST, "there is no such subscription")
            return
        if wanted.request_id in following.requests:
            raise Unfit(BAD_REQUEST, "there is a subscription with this MDReqID", 262)
        for symbol in wanted.symbols:
            if symbol not in self._prices.instruments:
                raise Unfit("UNKNOWN_SYMBOL", f"there is no symbol {symbol[:20]!r}", 55)
        followed = sum(len(one.symbols) for one, _ in following.requests.values())
        if wanted.kind == SUBSCRIBE and followed + len(wanted.symbols) > client.profile.subscriptions:
            raise Unfit(RATE_LIMITED, f"at most {client.profile.subscriptions} symbols can be followed")
        tops = {symbol: self._top(client, symbol) for symbol in wanted.symbols}
        for top in tops.values():
            client.tell(b"W", wire.snapshot(wanted.request_id, top, wanted.sides), now_ns)
        if wanted.kind == SUBSCRIBE:
            following.requests[wanted.request_id] = (wanted, tops)

    def leave(self, client: Client) -> None:
        """Subscriptions end with the connection."""
        self._following.pop(client.profile.id, None)

    def turn(self, clients: Iterable[Client], now_ns: int) -> None:
        """Tells what has changed since the last time, where a client's interval is over."""
        for client in clients:
            following = self._following.get(client.profile.id)
            if following is None or not following.requests:
                continue
            if now_ns - following.told_ns < client.profile.market_data_interval_ms * MS_NS:
                continue
            following.told_ns = now_ns
            for wanted, told in following.requests.values():
                self._update(client, wanted, told, now_ns)

    def _update(self, client: Client, wanted: MarketDataRequest, told: dict[str, Top], now_ns: int) -> None:
        changed: list[tuple[Top, Top]] = []
        for symbol, before in told.items():
            after = self._top(client, symbol)
            if (after.bid_e8, after.ask_e8) != (before.bid_e8, before.ask_e8):
                changed.append((before, after))
                told[symbol] = after
        if wanted.is_incremental:
            if body := wire.increments(wanted.request_id, changed, wanted.sides):
                client.tell(b"X", body, now_ns)
            return
        for _, top in changed:
            client.tell(b"W", wire.snapshot(wanted.request_id, top, wanted.sides), now_ns)

    def _top(self, client: Client, symbol: str) -> Top:
        """As the client's group sees it; without prices where nobody may deal."""
        tick = self._prices.ticks.get(symbol)
        if tick is None or not tick.live:
            return Top(symbol, 0, 0, tick.time_ns if tick is not None else 0)
        group = self._standing.groups.get(client.account)
        seen = group.tick(tick) if group is not None else tick
        return Top(symbol, seen.bid_e8, seen.ask_e8, seen.time_ns)
