"""The accounts that are asked for or watched: their currency, what of their history must be seen, their live views."""

import asyncio
from collections.abc import Callable

import msgspec

from actors.bus.answers import AccountReport, Pong
from actors.bus.asking import Asker, Away
from actors.bus.desk_answers import AccountRows
from actors.bus.prices import Prices
from actors.bus.requests import GetAccount, GetAccounts, Ping
from actors.domain.events.accounts import AccountOpened, MarginStatusChanged
from actors.domain.events.event import Event
from actors.domain.events.terms import GroupAssigned, GroupDefined, InstrumentDefined
from actors.domain.events.venues import BreakFound
from actors.domain.group import Group
from actors.domain.quote import Tick
from web.live.alerts import Alerts
from web.live.frame import text_frame
from web.live.known import Known
from web.live.recent import DESK, Past, RecentEvents
from web.live.telling import ALERT_EVENTS, DESK_EVENTS, AccountEvent, account_of, alert, replay
from web.live.view import AccountView
from web.live.watcher import Watcher, tell
from web.payloads.messages import MarginAlert
from web.payloads.render import Renderer, margin_level
from web.payloads.times import format_ns

ACCOUNT_TIMEOUT_MS = 2_000
WAITING_EVENTS_LIMIT = 10_000
"""Events of an account that wait for the snapshot that they follow; with more, its watchers are told to try again."""
CATCH_UP_LIMIT_S = 2
CATCH_UP_PAUSE_S = 0.01


class TooLongAgo(Exception):
    """Events after the one that was named are not kept any more."""


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

    def __init__(
        self,
        engine: Asker,
        prices: Prices,
        render: Renderer,
        regrouped: Callable[[], None] = lambda: None,
        assigned: Callable[[int], None] = lambda account_id: None,
    ) -> None:
        """`regrouped` is called when a group has other terms than before, `assigned` when an account is in another."""
        self.known = Known()
        self.alerts = Alerts()
        self.recent = RecentEvents()
        self._regrouped = regrouped
        self._assigned = assigned
        self._engine = engine
        self._prices = prices
        self._render = render
        self._watches: dict[int, _Watch] = {}

    async def report(self, account_id: int) -> AccountReport:
        """The account from the engine; raises as Asker.ask does."""
        report = await self._engine.ask(GetAccount(account_id), AccountReport, ACCOUNT_TIMEOUT_MS)
        self.known.note_terms(account_id, report.summary.currency, report.group.name)
        group = self.known.groups.setdefault(report.group.name, report.group)
        if group != report.group:
            self.known.groups[group.name] = report.group
            return report
        # One group for all its accounts, so that its prices are worked out once.
        return msgspec.structs.replace(report, group=group)

    async def currency(self, account_id: int) -> str:
        """The account's currency, which never changes; asked for once."""
        return self.known.currency(account_id) or (await self.report(account_id)).summary.currency

    async def group(self, account_id: int) -> str:
        """The name of the account's group, of which the terms are known from now on; as `currency`."""
        name = self.known.group(account_id)
        return name if name in self.known.groups else (await self.report(account_id)).group.name

    def seen(self, tick: Tick, group: str) -> Tick:
        """The tick as clients of that group see it, which `group` has named; empty: as the market does."""
        return self.known.groups[group].tick(tick) if group else tick

    async def join(
        self, account_id: int, watcher: Watcher, acknowledge: Callable[[], None], since: int | None = None
    ) -> None:
        """From now on the watcher is told of the account: after `acknowledge()` all of it, then what changes.

        With `since` it is first told what happened after that event. Raises as Asker.ask does, and TooLongAgo, and then
        `acknowledge` was not called.
        """
        watch = self._watches.setdefault(account_id, _Watch())
        watch.joining += 1
        try:
            async with watch.loading:
                if watch.view is None:
                    watch.view = await self._load(account_id, watch)
            if since is not None:
                await self._catch_up(max(watch.view.seq, since), since)
            if self._watches.get(account_id) is not watch:
                raise Away("events of the account were missed")
            if watcher.is_open:
                missed = [] if since is None else self.recent.after(account_id, since)
                watch.watchers[watcher] = None
                acknowledge()
                watcher.send(replay(missed, self._render, watch.view.currency) + watch.view.snapshot())
        finally:
            watch.joining -= 1
            self._drop_unused(account_id)

    def leave(self, account_id: int, watcher: Watcher) -> None:
        watch = self._watches.get(account_id)
        if watch is not None:
            watch.watchers.pop(watcher, None)
            self._drop_unused(account_id)

    async def join_alerts(
        self, owner: int, watcher: Watcher, acknowledge: Callable[[], None], since: int | None = None
    ) -> None:
        """As `join`, of the alerts of an account, beginning with how it stands; for DESK of all and the desk's own."""
        standing = None if owner == DESK or since is not None else await self._standing(owner)
        if standing is not None:
            since = standing.seq
            await self._hear_of(standing.seq)
        elif since is not None:
            await self._catch_up(since, since)
        if watcher.is_open:
            missed = [] if since is None else self.recent.after(owner, since)
            self.alerts.join(owner, watcher)
            acknowledge()
            if standing is not None:
                watcher.send(text_frame(standing))
            for past in missed:
                if isinstance(past.event, ALERT_EVENTS):
                    watcher.send(text_frame(alert(past)))

    def deliver(self, seq: int, time_ns: int, event: Event) -> None:
        """An event of the engine's stream, in its order."""
        self.recent.pass_by(seq)
        if isinstance(event, InstrumentDefined):
            self._prices.define(event.instrument)
        elif isinstance(event, GroupDefined):
            self._regroup(event.group, time_ns)
        elif isinstance(event, BreakFound):
            self.recent.keep(DESK, Past(seq, time_ns, event))
            self.alerts.deliver(DESK, Past(seq, time_ns, event))
        elif not isinstance(event, DESK_EVENTS):
            self._deliver(account_of(event), Past(seq, time_ns, event), event)

    def _deliver(self, account_id: int, past: Past, event: AccountEvent) -> None:
        seq, time_ns, _ = past
        self.known.note(account_id, seq)
        self.recent.keep(account_id, past)
        if isinstance(event, AccountOpened):
            self.known.note_terms(account_id, event.currency, event.group)
        elif isinstance(event, GroupAssigned):
            self._assign(event)
        elif isinstance(event, MarginStatusChanged):
            self.recent.keep(DESK, past)
            self.alerts.deliver(account_id, past)
        watch = self._watches.get(account_id)
        if watch is None:
            return
        if watch.view is not None:
            tell(watch.watchers, watch.view.take(seq, time_ns, event))
        elif len(watch.waiting) < WAITING_EVENTS_LIMIT:
            watch.waiting.append((seq, time_ns, event))
        else:
            watch.overrun = True

    def revalue(self, now_ns: int) -> None:
        """Tells the watchers what the last ticks have changed."""
        for watch in self._watches.values():
            if watch.view is not None:
                tell(watch.watchers, watch.view.revalue(now_ns))

    def lost(self) -> None:
        """Events were missed that cannot be had: no view is to be trusted."""
        self.recent.forget()
        self.alerts.lost()
        watches, self._watches = self._watches, {}
        for watch in watches.values():
            watch.overrun = True
            for watcher in list(watch.watchers):
                watcher.give_up()

    def _regroup(self, group: Group, now_ns: int) -> None:
        """Other terms; who is asking for an account just now may have been told the ones before."""
        self.known.groups[group.name] = group
        for watch in self._watches.values():
            if watch.view is None:
                watch.overrun = True
            else:
                tell(watch.watchers, watch.view.regroup(group, now_ns))
        self._regrouped()

    def _assign(self, event: GroupAssigned) -> None:
        group = event.group
        self.known.groups.setdefault(group.name, group)
        if currency := self.known.currency(event.account_id):
            self.known.note_terms(event.account_id, currency, group.name)
        self._assigned(event.account_id)

    async def _catch_up(self, seq: int, since: int) -> None:
        """Until event `seq` has been heard of; raises TooLongAgo where some after `since` are not kept any more.

        So it does where the engine has no event `since` at all: its journal is an older one, put back.
        """
        try:
            await self._hear_of(seq)
        except Away:
            if (await self._engine.ask(Ping(), Pong, ACCOUNT_TIMEOUT_MS)).seq < since:
                raise TooLongAgo from None
            raise
        if not self.recent.has_all_after(since):
            raise TooLongAgo

    async def _hear_of(self, seq: int) -> None:
        try:
            async with asyncio.timeout(CATCH_UP_LIMIT_S):
                while self.recent.last_seq < seq:
                    await asyncio.sleep(CATCH_UP_PAUSE_S)
        except TimeoutError:
            raise Away("the events are behind") from None

    async def _standing(self, account_id: int) -> MarginAlert:
        """Its margin status; raises as Asker.ask does."""
        summary = (await self.report(account_id)).summary
        asked = GetAccounts(1, account_id - 1)
        listed = await self._engine.ask(asked, AccountRows, ACCOUNT_TIMEOUT_MS)
        return MarginAlert(
            account_id=str(account_id),
            status=listed.accounts[0].status.value,
            margin_level=margin_level(summary),
            time=format_ns(summary.time_ns),
            seq=listed.seq,
        )

    async def _load(self, account_id: int, watch: _Watch) -> AccountView:
        """A view of now. Events that come while the engine is asked wait, and are taken if they follow the answer."""
        watch.waiting, watch.overrun = [], False
        report = await self.report(account_id)
        if any(held.position.symbol not in self._prices.instruments for held in report.positions):
            raise Away("the instruments are not known yet")
        view = AccountView(report, self._prices, self._render)
        if watch.overrun:
            raise Away("too much is happening to the account")
        for seq, time_ns, event in watch.waiting:
            view.take(seq, time_ns, event)
        watch.waiting = []
        return view

    def _drop_unused(self, account_id: int) -> None:
        watch = self._watches.get(account_id)
        if watch is not None and not (watch.watchers or watch.joining):
            del self._watches[account_id]
