"""The accounts that are asked for or watched: their currency, what of their history must be seen, their live views."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from actors.bus.answers import AccountReport
from actors.bus.requests import GetAccount
from actors.domain.events import (
    AccountOpened,
    ApprovalLimitsSet,
    BreakDismissed,
    BreakFound,
    ChildChanged,
    ChildSent,
    DaySealed,
    Event,
    GroupDefined,
    HedgeDefined,
    HedgeOrdered,
    HolidaysDefined,
    InquiryDue,
    InstrumentDefined,
    LimitsSet,
    MoneyRequested,
    RequestDecided,
    RulesDefined,
    TermsChanged,
    TradingHalted,
    TradingResumed,
)
from web.bus import Asker, Away
from web.prices import Prices
from web.render import Renderer
from web.view import AccountEvent, AccountView, account_of

ACCOUNT_TIMEOUT_MS = 2_000
REMEMBERED_ACCOUNTS_LIMIT = 100_000
"""Accounts whose currency and last event are remembered; the longest known are forgotten first, and asked for again."""
WAITING_EVENTS_LIMIT = 10_000
"""Events of an account that wait for the snapshot that they follow; with more, its watchers are told to try again."""


DESK_EVENTS = (
    DaySealed,
    LimitsSet,
    HolidaysDefined,
    RulesDefined,
    HedgeDefined,
    ChildSent,
    ChildChanged,
    BreakFound,
    BreakDismissed,
    HedgeOrdered,
    TermsChanged,
    TradingHalted,
    TradingResumed,
    ApprovalLimitsSet,
    MoneyRequested,
    RequestDecided,
    InquiryDue,
)
"""What happens at the dealing desk, and is no client's to see."""


class Watcher(Protocol):
    """Follows an account. It bounds what it holds back itself, and closes where that is too much."""

    @property
    def is_open(self) -> bool: ...

    def send(self, frames: bytes) -> None: ...

    def give_up(self) -> None:
        """Events can no longer be had: the watcher must begin anew."""


class Known:
    """What is remembered of accounts between one question and the next."""

    def __init__(self) -> None:
        self.last_seq = 0
        """The last event of all."""
        self._seqs: dict[int, int] = {}
        self._currencies: dict[int, str] = {}

    def seq(self, account_id: int) -> int:
        """The last event of the account that anybody was told of: history must have got so far."""
        return self._seqs.get(account_id, 0)

    def note(self, account_id: int, seq: int) -> None:
        self.last_seq = max(self.last_seq, seq)
        self._seqs[account_id] = max(seq, self._seqs.pop(account_id, 0))
        if len(self._seqs) > REMEMBERED_ACCOUNTS_LIMIT:
            del self._seqs[next(iter(self._seqs))]

    def currency(self, account_id: int) -> str:
        """Empty where it is not known."""
        return self._currencies.get(account_id, "")

    def note_currency(self, account_id: int, currency: str) -> None:
        self._currencies[account_id] = currency
        if len(self._currencies) > REMEMBERED_ACCOUNTS_LIMIT:
            del self._currencies[next(iter(self._currencies))]


class _Watch:
    def __init__(self) -> None:
        self.view: AccountView | None = None
        self.watchers: dict[Watcher, None] = {}
        self.waiting: list[tuple[int, int, AccountEvent]] = []
        self.overrun = False
        self.joining = 0
        self.loading = asyncio.Lock()


class Accounts:
    """Takes the engine's events in, and keeps a live view of each account that somebody watches."""

    def __init__(self, engine: Asker, prices: Prices, render: Renderer) -> None:
        self.known = Known()
        self._engine = engine
        self._prices = prices
        self._render = render
        self._watches: dict[int, _Watch] = {}

    async def report(self, account_id: int) -> AccountReport:
        """The account from the engine; raises as Asker.ask does."""
        report = await self._engine.ask(GetAccount(account_id), AccountReport, ACCOUNT_TIMEOUT_MS)
        self.known.note_currency(account_id, report.summary.currency)
        return report

    async def currency(self, account_id: int) -> str:
        """The account's currency, which never changes; asked for once."""
        return self.known.currency(account_id) or (await self.report(account_id)).summary.currency

    async def join(self, account_id: int, watcher: Watcher, acknowledge: Callable[[], None]) -> None:
        """From now on the watcher is told of the account: after `acknowledge()` all of it, then what changes.

        Raises as Asker.ask does, and then `acknowledge` was not called.
        """
        watch = self._watches.setdefault(account_id, _Watch())
        watch.joining += 1
        try:
            async with watch.loading:
                if watch.view is None:
                    watch.view = await self._load(account_id, watch)
            if self._watches.get(account_id) is not watch:
                raise Away("events of the account were missed")
            if watcher.is_open:
                watch.watchers[watcher] = None
                acknowledge()
                watcher.send(watch.view.snapshot())
        finally:
            watch.joining -= 1
            self._drop_unused(account_id)

    def leave(self, account_id: int, watcher: Watcher) -> None:
        watch = self._watches.get(account_id)
        if watch is not None:
            watch.watchers.pop(watcher, None)
            self._drop_unused(account_id)

    def deliver(self, seq: int, time_ns: int, event: Event) -> None:
        """An event of the engine's stream, in its order."""
        if isinstance(event, InstrumentDefined):
            self._prices.define(event.instrument)
            return
        if isinstance(event, GroupDefined):
            self.lost()
            return
        if isinstance(event, DESK_EVENTS):
            return
        account_id = account_of(event)
        self.known.note(account_id, seq)
        if isinstance(event, AccountOpened):
            self.known.note_currency(account_id, event.currency)
        watch = self._watches.get(account_id)
        if watch is None:
            return
        if watch.view is not None:
            _tell(watch.watchers, watch.view.take(seq, time_ns, event))
        elif len(watch.waiting) < WAITING_EVENTS_LIMIT:
            watch.waiting.append((seq, time_ns, event))
        else:
            watch.overrun = True

    def revalue(self, now_ns: int) -> None:
        """Tells the watchers what the last ticks have changed."""
        for watch in self._watches.values():
            if watch.view is not None:
                _tell(watch.watchers, watch.view.revalue(now_ns))

    def lost(self) -> None:
        """Events were missed that cannot be had: no view is to be trusted."""
        watches, self._watches = self._watches, {}
        for watch in watches.values():
            watch.overrun = True
            for watcher in list(watch.watchers):
                watcher.give_up()

    async def _load(self, account_id: int, watch: _Watch) -> AccountView:
        """A view of now. Events that come while the engine is asked wait, and are taken if they follow the answer."""
        watch.waiting, watch.overrun = [], False
        view = AccountView(await self.report(account_id), self._prices, self._render)
        if watch.overrun:
            raise Away("too much is happening on the account")
        for seq, time_ns, event in watch.waiting:
            view.take(seq, time_ns, event)
        watch.waiting = []
        return view

    def _drop_unused(self, account_id: int) -> None:
        watch = self._watches.get(account_id)
        if watch is not None and not (watch.watchers or watch.joining):
            del self._watches[account_id]


def _tell(watchers: Iterable[Watcher], frames: bytes) -> None:
    if frames:
        for watcher in list(watchers):
            watcher.send(frames)
