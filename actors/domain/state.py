"""The engine's whole state: what it is. How events change it is in `evolution`."""

from collections import OrderedDict

import msgspec

from actors.domain.account import Account, AccountSummary
from actors.domain.approval import Requests
from actors.domain.calendar import SessionState, roll_after, state_at
from actors.domain.changes import Versions
from actors.domain.commands import Mode
from actors.domain.group import STANDARD, Group
from actors.domain.halt import Halts
from actors.domain.instrument import Instrument, InstrumentState, keep
from actors.domain.ledger import Ledger, Posting
from actors.domain.price_class import PriceClasses
from actors.domain.quote import Tick
from actors.domain.remembered import Remembered
from actors.domain.risk.band_index import Bands
from actors.domain.risk.margin import crosses_of, open_profit_minor
from actors.domain.risk.requirement import MarginTerms
from actors.domain.routing.books import Books
from actors.domain.trigger import SPARE_ENTRIES, Reached

UNDEALT = (InstrumentState.HALTED, InstrumentState.RETIRED)


class State:
    """Everything that the next event depends on. Dicts and lists only: their order is the same on every machine."""

    def __init__(self) -> None:
        self.event_seq = 0
        """Number of the last event."""
        self.stream_alive_ns = 0
        """When the price stream was last seen alive."""
        self.last_order_id = 0
        self.last_fill_id = 0
        self.last_position_id = 0
        self.last_posting_id = 0
        self.instruments: dict[str, Instrument] = {}
        self.crosses: dict[tuple[str, str], tuple[str, bool]] = {}
        self.ticks: dict[str, Tick] = {}
        self.accounts: dict[int, Account] = {}
        self.remembered = Remembered()
        self.groups: dict[str, Group] = {STANDARD: Group(STANDARD)}
        self.group_ticks: dict[str, dict[str, Tick]] = {STANDARD: {}}
        """The last ticks as each group sees them."""
        self.group_nets: dict[str, dict[str, int]] = {STANDARD: {}}
        """By group and symbol: longs less shorts of all its accounts, with what orders at venues would add to them."""
        self.holidays: dict[str, tuple[int, ...]] = {}
        """By currency, the days on which nothing is settled in it."""
        self.moved: OrderedDict[str, tuple[int, str, int]] = OrderedDict()
        """What each of the last idempotency keys moved: account, kind of posting, amount."""
        self.requests = Requests()
        """Money that staff have asked for."""
        self.approval_limits: dict[str, int] = {}
        """By currency, how much one person may have moved on an account within a day."""
        self.versions = Versions()
        """Of the terms that staff may change."""
        self.halts = Halts()
        self.next_roll_ns = 0
        """When the trading day ends; 0 before the first sign of life of the price stream."""
        self.bands: dict[str, Bands] = {STANDARD: Bands()}
        """By group: the accounts whose margin status a tick may change."""
        self.unwatched: dict[int, None] = {}
        """Accounts that are looked at with the next live tick: a price has left their bands, or something else changed.

        Of all others, prices are within their bands.
        """
        self.to_revise: dict[tuple[int, str], None] = {}
        """Accounts and symbols in which they have something open, whose margin is to be worked out by other terms."""
        self._margin_terms: dict[tuple[str, str], MarginTerms] = {}
        self._sessions: dict[str, SessionState] = {}
        self.books = Books()
        self.ledger = Ledger()
        self.prices: dict[str, PriceClasses] = {}
        """By symbol: which groups see it alike, and what waits for a price. Ask `price_classes`."""
        self.expiries: list[tuple[int, int, int]] = []
        """A heap of (time, order, account); an order that is gone, or has another time by now, is passed over."""
        self.expiries_room = SPARE_ENTRIES
        """With more entries it is time to clear those away that are passed over."""

    def observe(self, tick: Tick) -> list[Reached]:
        """A tick is the price of its symbol from now on, unless it comes late: again, or behind a newer one.

        Gives what waited for this price, in order of dealing; it waits no longer. While the market is closed or halted
        nothing is reached.
        """
        known = self.ticks.get(tick.symbol)
        if known is not None and tick.seq <= known.seq and known.live:
            return []
        self._set_tick(tick)
        if not tick.live:
            return []
        instrument = self.instruments[tick.symbol]
        if self.is_halted(instrument) or not self.is_open(instrument, tick.time_ns):
            return []
        return self.prices[tick.symbol].reached(tick, self._group_of)

    def observe_stream(self, alive_ns: int, behind: tuple[str, ...]) -> None:
        """The stream is alive; our price of the symbols `behind` is not its last, and must not be dealt on."""
        self.stream_alive_ns = alive_ns
        if alive_ns and not self.next_roll_ns:
            self.next_roll_ns = roll_after(alive_ns)
        for symbol in behind:
            if symbol in self.ticks:
                self._set_tick(msgspec.structs.replace(self.ticks[symbol], live=False))

    def price_classes(self, symbol: str) -> PriceClasses:
        found = self.prices.get(symbol)
        if found is None:
            found = self.prices[symbol] = PriceClasses(symbol, self.groups)
        return found

    def is_halted(self, instrument: Instrument) -> bool:
        """Whether nobody deals the instrument, whatever the group."""
        return instrument.state in UNDEALT or self.halts.stops_symbol(instrument.symbol)

    def is_open(self, instrument: Instrument, now_ns: int) -> bool:
        """Whether the instrument's session is open; worked out anew only when it may have changed."""
        known = self._sessions.get(instrument.symbol)
        if known is None or now_ns >= known.until_ns:
            known = self._sessions[instrument.symbol] = state_at(instrument.sessions, now_ns)
        return known.open

    def margin_terms(self, group: Group, instrument: Instrument) -> MarginTerms:
        key = (group.name, instrument.symbol)
        found = self._margin_terms.get(key)
        if found is None:
            found = self._margin_terms[key] = group.margin_terms(instrument)
        return found

    def _group_of(self, account_id: int) -> str:
        return self.accounts[account_id].group.name

    def credit_minor(self, account: Account) -> int:
        return self.ledger.balance(account.credit_account, account.currency)

    def balance_minor(self, account: Account) -> int:
        return self.ledger.balance(account.ledger_account, account.currency)

    def summary(self, account: Account, now_ns: int) -> AccountSummary:
        """The account's figures at the last ticks."""
        profit_minor = open_profit_minor(
            account.exposures,
            self.crosses,
            account.ticks,
            account.currency,
            account.converted,
        )
        return AccountSummary(
            account.account_id,
            account.currency,
            self.balance_minor(account),
            profit_minor,
            account.margin_minor + account.reserved_minor,
            now_ns,
            self.credit_minor(account),
            account.maintenance_minor,
        )

    def _set_tick(self, tick: Tick) -> None:
        self.ticks[tick.symbol] = tick
        symbol, group_ticks, bands = tick.symbol, self.group_ticks, self.bands
        for one in self.price_classes(symbol).by_markup.values():
            seen = one.markup.tick(tick)
            for name in one.groups:
                group_ticks[name][symbol] = seen
                for account_id in bands[name].reached(seen):
                    self.unwatched[account_id] = None

    def post(self, posting: Posting) -> None:
        self.ledger.post(posting)
        self.last_posting_id = posting.posting_id

    def define_instrument(self, instrument: Instrument) -> None:
        keep(self.instruments, instrument)
        self._sessions.pop(instrument.symbol, None)
        self._margin_terms.clear()
        self.books.forget_router()
        self.crosses = crosses_of(self.instruments)
        for account in self.accounts.values():
            account.converted.clear()

    def open_account(self, account_id: int, currency: str, mode: Mode, group: str) -> Account:
        account = Account(
            account_id,
            currency,
            mode,
            self.groups[group],
            self.group_ticks[group],
            self.group_nets[group],
            self.remembered,
        )
        self.accounts[account_id] = account
        return account

    def join_group(self, account: Account, name: str) -> None:
        """The account is one of another group from now on; who calls it watches its orders and margin anew."""
        self.bands[account.group.name].remove(account.account_id)
        account.agree(self.groups[name], account.own_limits)
        account.ticks = self.group_ticks[name]
        account.converted.clear()
        self.unwatched[account.account_id] = None
        nets = account.nets()
        before, after = account.group_nets, self.group_nets[name]
        for symbol, net_e8 in nets.items():
            before[symbol] = before.get(symbol, 0) - net_e8
            after[symbol] = after.get(symbol, 0) + net_e8
        account.group_nets = after

    def define_group(self, group: Group) -> None:
        """What waits for the prices that the group saw until now does not move: see repricing.define_group."""
        before = self.groups.get(group.name)
        for symbol, classes in self.prices.items():
            if before is None:
                classes.add(group)
            elif before.markup_of(symbol) != group.markup_of(symbol):
                classes.remove(before)
                classes.add(group)
        self.groups[group.name] = group
        for account in self.accounts.values():
            if account.group.name == group.name:
                account.agree(group, account.own_limits)
                self.unwatched[account.account_id] = None
        self.bands.setdefault(group.name, Bands())
        self.group_nets.setdefault(group.name, {})
        self._margin_terms.clear()
        ticks = self.group_ticks.setdefault(group.name, {})
        for symbol, tick in self.ticks.items():
            ticks[symbol] = group.tick(tick)
