"""What one client of /ws follows: who may subscribe to what, and the fields that each channel takes."""

from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar

from actors.bus.asking import Away, Declined, NoAnswer
from web.auth import access
from web.auth.access import Rule
from web.auth.tokens import Caller
from web.handling.backend import Backend
from web.live.accounts import TooLongAgo
from web.live.fanout import EVERY_CHANGE, turns_for
from web.live.recent import DESK
from web.live.requests import RATE_LIMIT, BarPrice, Channel, Subscribe, Timeframe, Unsubscribe
from web.live.watcher import Watcher
from web.payloads import problem

RULES: Mapping[Channel, Rule] = access.complete(
    {
        Channel.QUOTES: access.ANYBODY,
        Channel.DEPTH: access.ANYBODY,
        Channel.BARS: access.ANYBODY,
        Channel.ACCOUNT: access.ACCOUNT,
        Channel.ALERTS: access.ACCOUNT,
        Channel.EXPOSURE: access.SEE_DESK,
        Channel.LPS: access.SEE_DESK,
    },
    Channel,
)
"""Whom each is for. A channel without a rule does not start."""
TAKES: Mapping[Channel, frozenset[str]] = {
    Channel.QUOTES: frozenset({"symbols", "max_rate"}),
    Channel.DEPTH: frozenset({"symbols", "max_rate", "tagged"}),
    Channel.BARS: frozenset({"symbols", "max_rate", "timeframe", "price"}),
    Channel.ACCOUNT: frozenset({"account_id", "since"}),
    Channel.ALERTS: frozenset({"account_id", "since"}),
    Channel.EXPOSURE: frozenset(),
    Channel.LPS: frozenset(),
}
ACCOUNTS_LIMIT = 1_000
"""How many accounts' news and alerts one socket may follow."""
_USUAL = {"symbols": None, "max_rate": RATE_LIMIT, "timeframe": None, "price": None, "tagged": None}
_USUAL |= {"account_id": None, "since": None}


Serve = Callable[["Subscriptions", Caller, Subscribe, Callable[[], None]], Awaitable[None]]


class Subscriptions:
    """Those of one socket. What is refused raises a Problem, and then nothing has changed."""

    def __init__(self, backend: Backend, watcher: Watcher) -> None:
        self._backend = backend
        self._watcher = watcher
        self._accounts: dict[int, None] = {}
        self._alerts: dict[int, None] = {}
        self._staff: dict[Channel, None] = {}

    @property
    def any(self) -> bool:
        news, watcher = self._backend.news, self._watcher
        return bool(
            self._accounts
            or self._alerts
            or self._staff
            or news.quotes.wanted(watcher)
            or news.books.fanout.wanted(watcher)
            or news.bars.fanout.wanted(watcher)
        )

    async def subscribe(self, caller: Caller, request: Subscribe, acknowledge: Callable[[], None]) -> None:
        """Calls `acknowledge` before the snapshot."""
        channel = request.channel
        RULES[channel].check(caller)
        _check_fields(request)
        try:
            await self._serve[channel](self, caller, request, acknowledge)
        except TooLongAgo:
            detail = "The events after `since` are not kept any more: subscribe without it, for a snapshot."
            raise problem.Problem(410, "EVENTS_GONE", detail, field="since") from None
        except (Away, NoAnswer, Declined) as error:
            raise problem.of_bus(error) from None

    def unsubscribe(self, caller: Caller, request: Unsubscribe) -> None:
        news, watcher, channel = self._backend.news, self._watcher, request.channel
        RULES[channel].check(caller)
        _check_fields(request)
        if channel is Channel.QUOTES:
            symbols = news.quotes.wanted(watcher) if request.symbols is None else request.symbols
            news.quotes.unsubscribe(watcher, symbols)
        elif channel is Channel.DEPTH:
            news.books.unfollow(
                watcher, news.books.fanout.wanted(watcher) if request.symbols is None else request.symbols
            )
        elif channel is Channel.BARS:
            followed = news.bars.fanout.wanted(watcher)
            gone = [
                (symbol, timeframe)
                for symbol, timeframe in followed
                if (request.symbols is None or symbol in request.symbols)
                and (request.timeframe is None or timeframe is request.timeframe)
            ]
            news.bars.unfollow(watcher, gone)
        elif channel in (Channel.ACCOUNT, Channel.ALERTS):
            owner = self._owner(caller, channel, request.account_id)
            self._leave_account(owner) if channel is Channel.ACCOUNT else self._leave_alerts(owner)
        else:
            self._leave_staff(channel)

    def leave(self) -> None:
        """All of them."""
        for account_id in list(self._accounts):
            self._leave_account(account_id)
        for owner in list(self._alerts):
            self._leave_alerts(owner)
        for channel in list(self._staff):
            self._leave_staff(channel)
        self._backend.news.leave(self._watcher)

    async def _quotes(self, caller: Caller, request: Subscribe, acknowledge: Callable[[], None]) -> None:
        symbols, turns, group = self._symbols(request), _turns(request), await self._group(caller)
        if self._watcher.is_open:
            acknowledge()
            self._backend.news.quotes.subscribe(self._watcher, symbols, group, turns)

    async def _depth(self, caller: Caller, request: Subscribe, acknowledge: Callable[[], None]) -> None:
        symbols, turns, group = self._symbols(request), _turns(request), await self._group(caller)
        if self._watcher.is_open:
            acknowledge()
            self._backend.news.books.follow(self._watcher, symbols, (group, bool(request.tagged)), turns)

    async def _bars(self, caller: Caller, request: Subscribe, acknowledge: Callable[[], None]) -> None:
        timeframe = request.timeframe
        if timeframe is None:
            raise problem.invalid("timeframe", f"timeframe is one of {', '.join(Timeframe)}.")
        keys = [(symbol, timeframe) for symbol in self._symbols(request)]
        is_ask = request.price is BarPrice.ASK
        await self._backend.news.bars.join(self._watcher, keys, is_ask, _turns(request), acknowledge)

    async def _account(self, caller: Caller, request: Subscribe, acknowledge: Callable[[], None]) -> None:
        account_id = self._owner(caller, Channel.ACCOUNT, request.account_id)
        self._check_room(self._accounts, account_id)
        await self._backend.accounts.join(account_id, self._watcher, acknowledge, request.since)
        self._accounts[account_id] = None

    async def _alerting(self, caller: Caller, request: Subscribe, acknowledge: Callable[[], None]) -> None:
        owner = self._owner(caller, Channel.ALERTS, request.account_id)
        self._check_room(self._alerts, owner)
        await self._backend.accounts.join_alerts(owner, self._watcher, acknowledge, request.since)
        self._alerts[owner] = None

    async def _exposure(self, _: Caller, __: Subscribe, acknowledge: Callable[[], None]) -> None:
        await self._backend.news.staff.join_exposure(self._watcher, acknowledge)
        self._staff[Channel.EXPOSURE] = None

    async def _lps(self, _: Caller, __: Subscribe, acknowledge: Callable[[], None]) -> None:
        self._backend.news.staff.join_lps(self._watcher, acknowledge)
        self._staff[Channel.LPS] = None

    def _owner(self, caller: Caller, channel: Channel, account_id: str | None) -> int:
        """The account that is meant; of alerts all of them, where the staff name none."""
        if channel is Channel.ALERTS and account_id is None and access.SEE_RISK.admits(caller):
            return DESK
        return RULES[channel].account(caller, account_id)

    def _check_room(self, followed: Mapping[int, None], owner: int) -> None:
        if owner not in followed and len(self._accounts) + len(self._alerts) >= ACCOUNTS_LIMIT:
            detail = f"A socket follows {ACCOUNTS_LIMIT:,} accounts and alerts at most: open another, or unsubscribe."
            raise problem.Problem(422, "TOO_MANY_SUBSCRIPTIONS", detail, field="account_id")

    async def _group(self, caller: Caller) -> str:
        """Of which the caller sees the prices; who has no account sees the market's."""
        return await self._backend.accounts.group(caller.account_id) if caller.account_id else ""

    def _symbols(self, request: Subscribe) -> list[str]:
        if not request.symbols:
            raise problem.invalid("symbols", "symbols must name one symbol or more.")
        known = self._backend.prices.instruments
        if not known:
            raise problem.starting()
        for symbol in request.symbols:
            if symbol not in known:
                raise problem.of_code("UNKNOWN_SYMBOL", f"There is no symbol {symbol!r}.", "symbols")
        return list(dict.fromkeys(request.symbols))

    def _leave_account(self, account_id: int) -> None:
        self._accounts.pop(account_id, None)
        self._backend.accounts.leave(account_id, self._watcher)

    def _leave_alerts(self, owner: int) -> None:
        self._alerts.pop(owner, None)
        self._backend.accounts.alerts.leave(owner, self._watcher)

    def _leave_staff(self, channel: Channel) -> None:
        self._staff.pop(channel, None)
        staff = self._backend.news.staff
        (staff.leave_exposure if channel is Channel.EXPOSURE else staff.leave_lps)(self._watcher)

    _serve: ClassVar[dict[Channel, Serve]] = {
        Channel.QUOTES: _quotes,
        Channel.DEPTH: _depth,
        Channel.BARS: _bars,
        Channel.ACCOUNT: _account,
        Channel.ALERTS: _alerting,
        Channel.EXPOSURE: _exposure,
        Channel.LPS: _lps,
    }


def _check_fields(request: Subscribe | Unsubscribe) -> None:
    """A field that the channel does not take is a problem that names it."""
    for field, usual in _USUAL.items():
        said = getattr(request, field, usual)
        if said != usual and field not in TAKES[request.channel]:
            raise problem.invalid(field, f"The channel {request.channel} takes no {field}.")


def _turns(request: Subscribe) -> int:
    return EVERY_CHANGE if request.max_rate is None else turns_for(request.max_rate)
