"""What has been: orders, fills, ledger entries, bars and ticks, from persistence."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from actors.bus.messages import (
    Answer,
    Bars,
    Entries,
    Fills,
    GetBars,
    GetEntries,
    GetFills,
    GetOrders,
    GetTickHistory,
    Orders,
    Ticks,
)
from actors.domain import ledger
from web import problem, render, schema
from web.bus import Away, Declined, NoAnswer
from web.handler import Handler
from web.times import parse_ns

HISTORY_TIMEOUT_MS = 5_000
TIMEFRAME_MINUTES = {"M1": 1, "M5": 5, "M15": 15, "M30": 30, "H1": 60, "H4": 240, "D1": 1_440}

A = TypeVar("A", bound=Answer)
I = TypeVar("I")  # noqa: E741


class _HistoryHandler(Handler):
    async def ask(self, question: Any, answer: type[A]) -> A:
        try:
            return await self.backend.history.ask(question, answer, HISTORY_TIMEOUT_MS)
        except (Away, NoAnswer, Declined) as error:
            raise problem.of_bus(error) from None

    async def currency(self, account_id: int) -> str:
        try:
            return await self.backend.accounts.currency(account_id)
        except (Away, NoAnswer, Declined) as error:
            raise problem.of_bus(error) from None

    def answer_page(
        self, name: str, items: Sequence[I], limit: int, shape: Callable[[I], Any], id_of: Callable[[I], int]
    ) -> None:
        """One page, newest first, and where the next one begins. `items` has one more than `limit` if there is more."""
        page = items[:limit]
        cursor = str(id_of(page[-1])) if len(items) > limit else None
        self.answer({name: [shape(item) for item in page], "next": cursor})

    def known_symbol(self, symbol: str) -> str:
        known = self.backend.prices.instruments
        if not known:
            raise problem.starting()
        if symbol not in known:
            raise problem.Problem(404, "UNKNOWN_SYMBOL", f"There is no symbol {symbol!r}.", field="symbol")
        return symbol


class OrdersHandler(_HistoryHandler):
    """GET /orders."""

    async def get(self) -> None:
        page = self.parameters(schema.WhichPage)
        account_id = self.readable_account(page.account_id)
        seq = self.backend.accounts.known.seq(account_id)
        got = await self.ask(GetOrders(account_id, page.limit + 1, int(page.before or 0), seq), Orders)
        self.answer_page("orders", got.orders, page.limit, self.backend.render.order, lambda order: order.order_id)


class TradesHandler(_HistoryHandler):
    """GET /trades."""

    async def get(self) -> None:
        page = self.parameters(schema.WhichPage)
        account_id = self.readable_account(page.account_id)
        currency = await self.currency(account_id)
        seq = self.backend.accounts.known.seq(account_id)
        got = await self.ask(GetFills(account_id, page.limit + 1, int(page.before or 0), seq), Fills)
        fill = self.backend.render.fill
        self.answer_page("trades", got.fills, page.limit, lambda f: fill(f, currency), lambda f: f.fill_id)


class LedgerHandler(_HistoryHandler):
    """GET /ledger: a trader's own entries; for an administrator any ledger account's, by default the broker's book."""

    async def get(self) -> None:
        page = self.parameters(schema.WhichEntries)
        account, seq = self._ledger_account(page)
        got = await self.ask(GetEntries(account, page.limit + 1, int(page.before or 0), seq), Entries)
        self.answer_page("entries", got.lines, page.limit, render.entry, lambda line: line.entry_id)

    def _ledger_account(self, page: schema.WhichEntries) -> tuple[str, int]:
        known = self.backend.accounts.known
        if page.account is not None and not self.caller.is_admin:
            raise problem.forbidden("Only an administrator may name a ledger account.", "account")
        if page.account is not None and page.account_id is not None:
            raise problem.invalid("account", "Name a ledger account or an account_id, not both.")
        if self.caller.is_admin and page.account_id is None:
            return page.account or ledger.TRADING, known.last_seq
        account_id = self.readable_account(page.account_id)
        return ledger.client(account_id), known.seq(account_id)


class BarsHandler(_HistoryHandler):
    """GET /ohlc: oldest first."""

    async def get(self) -> None:
        wanted = self.parameters(schema.WhichBars)
        minutes = TIMEFRAME_MINUTES.get(wanted.timeframe)
        if minutes is None:
            raise problem.invalid("timeframe", f"timeframe is one of {', '.join(TIMEFRAME_MINUTES)}.")
        if wanted.price not in ("bid", "ask"):
            raise problem.invalid("price", "price is bid or ask.")
        try:
            before_ns = 0 if wanted.before is None else parse_ns(wanted.before)
        except ValueError as error:
            raise problem.invalid("before", f"{error}.") from None
        symbol = self.known_symbol(wanted.symbol)
        got = await self.ask(GetBars(symbol, minutes, wanted.limit, before_ns), Bars)
        bar = self.backend.render.bar
        bars = [bar(each, ask=wanted.price == "ask") for each in got.bars]
        self.answer({"symbol": symbol, "timeframe": wanted.timeframe, "bars": bars})


class TicksHandler(_HistoryHandler):
    """GET /ticks: oldest first."""

    async def get(self) -> None:
        wanted = self.parameters(schema.WhichTicks)
        symbol = self.known_symbol(wanted.symbol)
        got = await self.ask(GetTickHistory(symbol, wanted.limit, int(wanted.before or 0)), Ticks)
        self.answer({"symbol": symbol, "ticks": [self.backend.render.tick(tick) for tick in got.ticks]})


class SymbolsHandler(_HistoryHandler):
    """GET /symbols: what can be traded, with the last prices."""

    def get(self) -> None:
        self.parameters(schema.NoParameters)
        prices = self.backend.prices
        if not prices.instruments:
            raise problem.starting()
        symbol = self.backend.render.symbol
        self.answer({"symbols": [symbol(i, prices.ticks.get(i.symbol)) for i in prices.instruments.values()]})
