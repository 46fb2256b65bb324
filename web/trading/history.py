"""What has been: fills, ledger entries, bars and ticks, from persistence."""

from actors.bus.answers import Ticks
from actors.bus.history_answers import Bars, Entries, Fills
from actors.bus.requests import GetBars, GetEntries, GetFills, GetTickHistory
from actors.domain import ledger
from web.auth.access import BROKERS_BOOK
from web.handling import dealing
from web.handling.contract import QUESTION, contract
from web.handling.paging import PagingHandler
from web.payloads import answers, problem, render, schema
from web.payloads.times import format_ns, parse_ns

TIMEFRAME_MINUTES = {"M1": 1, "M5": 5, "M15": 15, "M30": 30, "H1": 60, "H4": 240, "D1": 1_440}


class _HistoryHandler(PagingHandler):
    def known_symbol(self, symbol: str) -> str:
        known = self.backend.prices.instruments
        if not known:
            raise problem.starting()
        if symbol not in known:
            raise problem.Problem(404, "UNKNOWN_SYMBOL", f"There is no symbol {symbol!r}.", field="symbol")
        return symbol

    async def group(self) -> str:
        """Of which the caller sees the prices, as on /ws; who has no account sees the market's."""
        account_id = self.caller.account_id
        return await dealing.group(self.backend, account_id) if account_id else ""


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
        got = await self.history(GetBars(symbol, minutes, wanted.limit + 1, before_ns), Bars)
        newest, cursor = self.page(got.bars[::-1], wanted.limit, lambda bar: format_ns(bar.start_ns))
        bar = self.backend.render.bar
        bars = [bar(each, ask=wanted.price == "ask") for each in reversed(newest)]
        self.answer(answers.Bars(symbol=symbol, timeframe=wanted.timeframe, bars=bars, next=cursor))


class TicksHandler(_HistoryHandler):
    """GET /ticks: oldest first, as the terms of the caller's group are."""

    @contract("Ticks, oldest first.", {200: answers.Ticks}, parameters=schema.WhichTicks, problems=QUESTION)
    async def get(self) -> None:
        wanted = self.parameters(schema.WhichTicks)
        symbol = self.known_symbol(wanted.symbol)
        got = await self.history(GetTickHistory(symbol, wanted.limit + 1, int(wanted.before or 0)), Ticks)
        newest, cursor = self.page(got.ticks[::-1], wanted.limit, lambda tick: tick.seq)
        tick, seen, group = self.backend.render.tick, self.backend.accounts.seen, await self.group()
        ticks = [tick(seen(each, group)) for each in reversed(newest)]
        self.answer(answers.Ticks(symbol=symbol, ticks=ticks, next=cursor))


class SymbolsHandler(_HistoryHandler):
    """GET /symbols: what can be traded, with the last prices as the caller's group sees them."""

    @contract("What can be traded, with the last prices.", {200: answers.Symbols}, problems=QUESTION, tagged=True)
    async def get(self) -> None:
        self.parameters(schema.NoParameters)
        prices, group = self.backend.prices, await self.group()
        if not prices.instruments:
            raise problem.starting()
        symbol, seen = self.backend.render.symbol, self.backend.accounts.seen
        listed = [
            symbol(each, seen(prices.ticks[each.symbol], group) if each.symbol in prices.ticks else None)
            for each in prices.instruments.values()
            if each.is_listed
        ]
        self.answer_tagged(answers.Symbols(symbols=listed))
