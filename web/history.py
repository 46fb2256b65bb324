"""What has been: fills, ledger entries, bars and ticks, from persistence."""

from actors.bus.answers import Ticks
from actors.bus.history_answers import Bars, Entries, Fills
from actors.bus.requests import GetBars, GetEntries, GetFills, GetTickHistory
from actors.domain import ledger
from web import answers, problem, render, schema
from web.access import BROKERS_BOOK
from web.contract import QUESTION, contract
from web.paging import PagingHandler
from web.times import parse_ns

TIMEFRAME_MINUTES = {"M1": 1, "M5": 5, "M15": 15, "M30": 30, "H1": 60, "H4": 240, "D1": 1_440}


class _HistoryHandler(PagingHandler):
    def known_symbol(self, symbol: str) -> str:
        known = self.backend.prices.instruments
        if not known:
            raise problem.starting()
        if symbol not in known:
            raise problem.Problem(404, "UNKNOWN_SYMBOL", f"There is no symbol {symbol!r}.", field="symbol")
        return symbol


class TradesHandler(_HistoryHandler):
    """GET /trades."""

    @contract("Fills, newest first.", {200: answers.TradesPage}, parameters=schema.WhichPage, problems=QUESTION)
    async def get(self) -> None:
        page = self.parameters(schema.WhichPage)
        account_id = self.account(page.account_id)
        currency = await self.currency(account_id)
        seq = self.backend.accounts.known.seq(account_id)
        got = await self.history(GetFills(account_id, page.limit + 1, int(page.before or 0), seq), Fills)
        fill = self.backend.render.fill
        fills, cursor = self.page(got.fills, page.limit, lambda f: f.fill_id)
        self.answer(answers.TradesPage(trades=[fill(f, currency) for f in fills], next=cursor))


class LedgerHandler(_HistoryHandler):
    """GET /ledger: a trader's own entries; for most of the staff any ledger account's, by default the broker's book."""

    @contract(
        "Entries of the ledger, newest first.",
        {200: answers.EntriesPage},
        parameters=schema.WhichEntries,
        problems=QUESTION,
    )
    async def get(self) -> None:
        page = self.parameters(schema.WhichEntries)
        account, seq = self._ledger_account(page)
        got = await self.history(GetEntries(account, page.limit + 1, int(page.before or 0), seq), Entries)
        lines, cursor = self.page(got.lines, page.limit, lambda line: line.entry_id)
        self.answer(answers.EntriesPage(entries=[render.entry(line) for line in lines], next=cursor))

    def _ledger_account(self, page: schema.WhichEntries) -> tuple[str, int]:
        known = self.backend.accounts.known
        if page.account is not None and self.caller.role not in BROKERS_BOOK:
            raise problem.forbidden("Your role may not name a ledger account.", "account")
        if page.account is not None and page.account_id is not None:
            raise problem.invalid("account", "Name a ledger account or an account_id, not both.")
        if self.caller.role in BROKERS_BOOK and page.account_id is None:
            return page.account or ledger.TRADING, known.last_seq
        account_id = self.account(page.account_id)
        return ledger.client(account_id), known.seq(account_id)


class BarsHandler(_HistoryHandler):
    """GET /ohlc: oldest first."""

    @contract("Bars, oldest first.", {200: answers.Bars}, parameters=schema.WhichBars, problems=QUESTION)
    async def get(self) -> None:
        wanted = self.parameters(schema.WhichBars)
        minutes = TIMEFRAME_MINUTES[wanted.timeframe]
        try:
            before_ns = 0 if wanted.before is None else parse_ns(wanted.before)
        except ValueError as error:
            raise problem.invalid("before", f"{error}.") from None
        symbol = self.known_symbol(wanted.symbol)
        got = await self.history(GetBars(symbol, minutes, wanted.limit, before_ns), Bars)
        bar = self.backend.render.bar
        bars = [bar(each, ask=wanted.price == "ask") for each in got.bars]
        self.answer(answers.Bars(symbol=symbol, timeframe=wanted.timeframe, bars=bars))


class TicksHandler(_HistoryHandler):
    """GET /ticks: oldest first."""

    @contract("Ticks, oldest first.", {200: answers.Ticks}, parameters=schema.WhichTicks, problems=QUESTION)
    async def get(self) -> None:
        wanted = self.parameters(schema.WhichTicks)
        symbol = self.known_symbol(wanted.symbol)
        got = await self.history(GetTickHistory(symbol, wanted.limit, int(wanted.before or 0)), Ticks)
        self.answer(answers.Ticks(symbol=symbol, ticks=[self.backend.render.tick(tick) for tick in got.ticks]))


class SymbolsHandler(_HistoryHandler):
    """GET /symbols: what can be traded, with the last prices."""

    @contract("What can be traded, with the last prices.", {200: answers.Symbols}, problems=QUESTION, tagged=True)
    def get(self) -> None:
        self.parameters(schema.NoParameters)
        prices = self.backend.prices
        if not prices.instruments:
            raise problem.starting()
        symbol = self.backend.render.symbol
        listed = [it for it in prices.instruments.values() if it.is_listed]
        self.answer_tagged(answers.Symbols(symbols=[symbol(it, prices.ticks.get(it.symbol)) for it in listed]))
