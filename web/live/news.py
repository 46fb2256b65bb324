"""All that may be subscribed to on /ws but accounts and alerts (accounts.py)."""

from collections.abc import Callable

import msgspec

from actors.bus.asking import Asker
from actors.bus.prices import Prices
from actors.domain.quote import Tick
from web.live.accounts import Accounts
from web.live.bars import LiveBars
from web.live.books import Books
from web.live.fanout import Client, Fanout
from web.live.staff import StaffNews
from web.payloads.render import Renderer

_encode = msgspec.json.Encoder().encode


class News:
    def __init__(
        self,
        prices: Prices,
        accounts: Accounts,
        render: Renderer,
        askers: tuple[Asker, Asker, Asker],
        clock_ns: Callable[[], int],
    ) -> None:
        """`askers`: of the engine, of history and of the aggregator."""
        engine, history, aggregator = askers
        self.quotes: Fanout[str, Tick, str] = Fanout("quotes", prices.ticks, self._render)
        """The view: a group's name, or empty for the market's prices."""
        self.books = Books(accounts.known, render)
        self.bars = LiveBars(history, aggregator, render)
        self.staff = StaffNews(engine, prices, clock_ns)
        self._accounts = accounts
        self._quote = render.quote

    def observe(self, ticks: list[Tick]) -> None:
        """Takes note of new ticks. Who wants every one of them gets them now."""
        self.quotes.observe([(tick.symbol, tick) for tick in ticks])
        self.bars.observe(ticks)

    def refresh(self) -> None:
        """A group has other terms."""
        self.quotes.refresh()
        self.books.fanout.refresh()

    def turn(self) -> None:
        """A tenth of a second has passed."""
        self.quotes.turn()
        self.books.fanout.turn()
        self.bars.fanout.turn()

    def leave(self, client: Client) -> None:
        self.quotes.leave(client)
        self.books.unfollow(client, self.books.fanout.wanted(client))
        self.bars.unfollow(client, self.bars.fanout.wanted(client))

    def _render(self, tick: Tick, group: str) -> bytes:
        return _encode(self._quote(self._accounts.seen(tick, group)))
