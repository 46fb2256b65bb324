"""The engine's whole state, and how each event changes it. Nothing else changes it."""

import heapq
from collections.abc import Callable
from typing import Any

import msgspec

from actors.domain.account import Account, AccountSummary
from actors.domain.band_index import Bands, Change
from actors.domain.books import Books
from actors.domain.calendar import SessionState, roll_after, roll_ns, state_at
from actors.domain.commands import Mode
from actors.domain.events import (
    AccountOpened,
    BreakFound,
    ChildChanged,
    ChildSent,
    DaySealed,
    Event,
    GroupDefined,
    HedgeDefined,
    InquiryDue,
    InstrumentDefined,
    MarginStatusChanged,
    MoneyMoved,
    NegativeBalanceForgiven,
    OrderAccepted,
    OrderEnded,
    OrderFilled,
    OrderModified,
    OrderRejected,
    PositionModified,
    RulesDefined,
    SwapCharged,
)
from actors.domain.group import STANDARD, Group
from actors.domain.instrument import Instrument, InstrumentState
from actors.domain.ledger import Ledger, Posting
from actors.domain.margin import crosses_of, open_profit_minor
from actors.domain.money import CEILING, SCALE, mul_div
from actors.domain.order import BUY, Order, OrderStatus, OrderType, Position
from actors.domain.quote import Tick
from actors.domain.requirement import NOTHING, MarginTerms
from actors.domain.stop_out import MarginStatus
from actors.domain.trigger import SPARE_ENTRIES, Reached, Triggers, Waiting

LIMIT, STOP, STOP_LIMIT = OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT
TRAILING_STOP = OrderType.TRAILING_STOP
TRIGGERED = OrderStatus.TRIGGERED
HALTED = InstrumentState.HALTED
NORMAL = MarginStatus.NORMAL


def waits_for_e8(order: Order) -> int:
    """The price that a waiting order waits for; 0 for one that follows the price."""
    terms = order.terms
    if terms.type is LIMIT or order.status is TRIGGERED:
        return terms.limit_e8
    return terms.stop_e8


def _waits_as(order: Order) -> tuple[OrderStatus, int, int]:
    return order.status, waits_for_e8(order), order.trail_seq


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
        self.groups: dict[str, Group] = {STANDARD: Group(STANDARD)}
        self.group_ticks: dict[str, dict[str, Tick]] = {STANDARD: {}}
        """The last ticks as each group sees them."""
        self.moved: dict[str, tuple[int, str, int]] = {}
        """What each idempotency key moved: account, kind of posting, amount."""
        self.next_roll_ns = 0
        """When the trading day ends; 0 before the first sign of life of the price stream."""
        self.bands: dict[str, Bands] = {STANDARD: Bands()}
        """By group: the accounts whose margin status a tick may change."""
        self.unwatched: dict[int, None] = {}
        """Accounts that are looked at with the next tick, because something else than a price has changed."""
        self._margin_terms: dict[tuple[str, str], MarginTerms] = {}
        self._sessions: dict[str, SessionState] = {}
        self.books = Books()
        self.ledger = Ledger()
        self.triggers: dict[str, Triggers] = {}
        self.expiries: list[tuple[int, int, int]] = []
        """A heap of (time, order, account); an order that is gone, or has another time by now, is passed over."""

    def evolve(self, event: Event) -> None:
        """Takes an event in; the same for one just decided and one from the journal."""
        _EVOLVE[type(event)](self, event)
        self.event_seq += 1

    def observe(self, tick: Tick) -> list[Reached]:
        """A tick is the price of its symbol from now on, unless it comes late: again, or behind a newer one.

        Gives what waited for this price, in order of dealing; it waits no longer. While the market is closed or halted
        nothing is reached.
        """
        known = self.ticks.get(tick.symbol)
        if known is not None and tick.seq <= known.seq and known.live:
            return []
        self._set_tick(tick)
        triggers = self.triggers.get(tick.symbol)
        if triggers is None or not tick.live:
            return []
        instrument = self.instruments[tick.symbol]
        if instrument.state is HALTED or not self.is_open(instrument, tick.time_ns):
            return []
        return triggers.reached(tick)

    def observe_stream(self, alive_ns: int, behind: tuple[str, ...]) -> None:
        """The stream is alive; our price of the symbols `behind` is not its last, and must not be dealt on."""
        self.stream_alive_ns = alive_ns
        if alive_ns and not self.next_roll_ns:
            self.next_roll_ns = roll_after(alive_ns)
        for symbol in behind:
            if symbol in self.ticks:
                self._set_tick(msgspec.structs.replace(self.ticks[symbol], live=False))

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

    def watch_order(self, order: Order, before: Order | None = None) -> None:
        """The order waits for its price from now on, if it did not before, and for its end if it has one.

        One at a venue waits for nothing but the venue.
        """
        self.watch_expiry(order)
        if before is None or _waits_as(order) != _waits_as(before):
            self.watch_price(order)

    def watch_price(self, order: Order) -> None:
        if order.at_venue_e8:
            return
        terms = order.terms
        triggers = self._triggers(terms.symbol)
        markup = self.accounts[order.account_id].group.markup_of(terms.symbol)
        buys = terms.side is BUY
        if terms.type is TRAILING_STOP:
            waiting = Reached(Waiting.ORDER, order.order_id, order.account_id, order.trail_seq)
            self._follow(triggers, terms.symbol, terms.trail_e8, waiting, below_bid=not buys)
            return
        price_e8 = waits_for_e8(order)
        waiting = Reached(Waiting.ORDER, order.order_id, order.account_id, price_e8)
        market_e8 = price_e8 - markup.ask_e8 if buys else price_e8 + markup.bid_e8
        if terms.type is STOP or (terms.type is STOP_LIMIT and order.status is not TRIGGERED):
            (triggers.when_ask_rises if buys else triggers.when_bid_falls)(market_e8, waiting)
        else:
            (triggers.when_ask_falls if buys else triggers.when_bid_rises)(market_e8, waiting)

    def watch_expiry(self, order: Order) -> None:
        if order.terms.expires_ns and not order.at_venue_e8:
            heapq.heappush(self.expiries, (order.terms.expires_ns, order.order_id, order.account_id))

    def watch_position(self, position: Position, before: Position | None) -> None:
        """Takes up the protections that are not those it had before."""
        stop_e8, profit_e8, trail_e8 = position.stop_loss_e8, position.take_profit_e8, position.trailing_stop_e8
        if not (stop_e8 or profit_e8 or trail_e8) or not position.quantity_e8:
            return
        triggers = self._triggers(position.symbol)
        buys = position.side is BUY
        markup = self.accounts[position.account_id].group.markup_of(position.symbol)
        added_e8 = markup.bid_e8 if buys else -markup.ask_e8
        ids = (position.position_id, position.account_id)
        if stop_e8 and (before is None or before.stop_loss_e8 != stop_e8):
            reached = Reached(Waiting.STOP_LOSS, *ids, stop_e8)
            (triggers.when_bid_falls if buys else triggers.when_ask_rises)(stop_e8 + added_e8, reached)
        if profit_e8 and (before is None or before.take_profit_e8 != profit_e8):
            reached = Reached(Waiting.TAKE_PROFIT, *ids, profit_e8)
            (triggers.when_bid_rises if buys else triggers.when_ask_falls)(profit_e8 + added_e8, reached)
        if trail_e8 and (before is None or before.trail_seq != position.trail_seq):
            reached = Reached(Waiting.TRAILING_STOP, *ids, position.trail_seq)
            self._follow(triggers, position.symbol, trail_e8, reached, below_bid=buys)

    def _follow(self, triggers: Triggers, symbol: str, distance_e8: int, waiting: Reached, *, below_bid: bool) -> None:
        tick = self.ticks[symbol]
        # A venue may fill an order while the trails are told of no prices: they follow from the last they know.
        if below_bid:
            triggers.below_bid.add(triggers.below_bid.known_e8(tick.bid_e8), distance_e8, waiting)
        else:
            triggers.above_ask.add(triggers.above_ask.known_e8(-tick.ask_e8), distance_e8, waiting)

    def rewatch(self, symbol: str) -> None:
        """Builds a symbol's triggers anew, but for the trails, which follow the market whatever the markup."""
        old, renewed = self.triggers[symbol], Triggers()
        renewed.below_bid, renewed.above_ask = old.below_bid, old.above_ask
        renewed.room = len(old) + SPARE_ENTRIES
        self.triggers[symbol] = renewed
        for account in self.accounts.values():
            for position in account.positions.values():
                if position.symbol == symbol:
                    self.watch_position(msgspec.structs.replace(position, trailing_stop_e8=0), None)
            for order in account.orders.values():
                if order.terms.symbol == symbol and order.terms.type is not TRAILING_STOP:
                    self.watch_price(order)
        renewed.room = 2 * len(renewed) + SPARE_ENTRIES

    def _set_tick(self, tick: Tick) -> None:
        self.ticks[tick.symbol] = tick
        for name, ticks in self.group_ticks.items():
            ticks[tick.symbol] = self.groups[name].tick(tick)

    def _triggers(self, symbol: str) -> Triggers:
        found = self.triggers.get(symbol)
        if found is None:
            found = self.triggers[symbol] = Triggers()
        if len(found) > found.room:
            self.rewatch(symbol)
            found = self.triggers[symbol]
        return found

    def _post(self, posting: Posting) -> None:
        self.ledger.post(posting)
        self.last_posting_id = posting.posting_id

    def _on_instrument(self, event: InstrumentDefined) -> None:
        self.instruments[event.instrument.symbol] = event.instrument
        self._sessions.pop(event.instrument.symbol, None)
        self._margin_terms.clear()
        self.books.forget_router()
        self.crosses = crosses_of(self.instruments)

    def _on_account(self, event: AccountOpened) -> None:
        self.open_account(event.account_id, event.currency, event.mode, event.group)

    def open_account(self, account_id: int, currency: str, mode: Mode, group: str) -> Account:
        account = Account(account_id, currency, mode, self.groups[group], self.group_ticks[group])
        self.accounts[account_id] = account
        return account

    def define_group(self, group: Group) -> None:
        self.groups[group.name] = group
        self.bands.setdefault(group.name, Bands())
        self._margin_terms.clear()
        ticks = self.group_ticks.setdefault(group.name, {})
        for symbol, tick in self.ticks.items():
            ticks[symbol] = group.tick(tick)

    def _on_group(self, event: GroupDefined) -> None:
        self.define_group(event.group)
        for account in self.accounts.values():
            if account.group.name == event.group.name:
                account.group = event.group
                self.unwatched[account.account_id] = None
        for symbol in list(self.triggers):
            self.rewatch(symbol)

    def _on_money(self, event: MoneyMoved) -> None:
        self._post(event.posting)
        posting = event.posting
        self.unwatched[event.account_id] = None
        self.moved[event.key] = (event.account_id, posting.kind.value, posting.entries[0].amount_minor)

    def _on_swap(self, event: SwapCharged) -> None:
        self._post(event.posting)
        self.unwatched[event.position.account_id] = None

    def _on_status(self, event: MarginStatusChanged) -> None:
        self.accounts[event.account_id].status = event.status

    def _on_forgiven(self, event: NegativeBalanceForgiven) -> None:
        self._post(event.posting)

    def _on_seal(self, event: DaySealed) -> None:
        self.next_roll_ns = roll_ns(event.trading_day + 1)

    def _on_rules(self, event: RulesDefined) -> None:
        self.books.define_rules(event.rules, event.venues)

    def _on_hedge(self, event: HedgeDefined) -> None:
        self.books.hedges[event.terms.symbol] = event.terms

    def _on_child(self, event: ChildSent) -> None:
        self.last_order_id = max(self.last_order_id, event.sent.child.parent_id)
        self.books.send(event.sent)

    def _on_child_change(self, event: ChildChanged) -> None:
        self.books.change(event.child, event.fill, event.unsent_e8)

    def _on_break(self, event: BreakFound) -> None:
        self.books.break_found(event.found)

    def _on_inquiry(self, event: InquiryDue) -> None:
        """For the venue's adapter; the child order has changed before."""

    def _on_accepted(self, event: OrderAccepted) -> None:
        order = event.order
        self.last_order_id = order.order_id
        self.accounts[order.account_id].take(order)
        self.watch_order(order)

    def _on_modified(self, event: OrderModified) -> None:
        account = self.accounts[event.order.account_id]
        before = account.orders[event.order.order_id]
        account.take(event.order)
        self.watch_order(event.order, before)

    def _on_fill(self, event: OrderFilled) -> None:
        order, position = event.order, event.position
        account = self.accounts[order.account_id]
        if order.order_id > self.last_order_id:
            self.last_order_id = order.order_id
        self.last_fill_id = event.fill.fill_id
        before = account.positions.get(position.position_id)
        if before is None:
            self.last_position_id = position.position_id
        self._watch_margin(account, event)
        account.place(position, self.instruments[position.symbol].quote)
        account.require(position.symbol, event.requirement)
        if not self.books.is_plain and any(it.at_venue_e8 for it in account.orders.values()):
            # A protection may have been reached while a venue was closing what was open then.
            before = None
        self.watch_position(position, before)
        account.take(order, event.fill)
        for posting in event.postings:
            self._post(posting)
        desk = self.books.desks.get(position.symbol) or self.books.desk(position.symbol)
        fill, cover = event.fill, event.cover
        closes = fill.side is not position.side
        if cover is None:
            desk.b_book_clients.deal(fill.side, fill.quantity_e8, fill.price_e8, closes)
        else:
            desk.deal_a_book(
                fill.side, fill.quantity_e8, fill.price_e8, cover.price_e8, cover.markup_e8, cover.venue, closes
            )
        if not account.positions and self.balance_minor(account) < 0:
            # Bands say nothing about an account with nothing open: what it owes is looked at.
            self.unwatched[account.account_id] = None

    def _watch_margin(self, account: Account, event: OrderFilled) -> None:
        """Before the fill is taken in: whether the account's bands still hold after it, or it must be looked at."""
        account_id, position = account.account_id, event.position
        if account_id in self.unwatched:
            return
        if account.status is NORMAL:
            before = account.positions.get(position.position_id)
            change_e8 = position.quantity_e8 - (before.quantity_e8 if before else 0)
            cost_e16 = position.cost_e16 - (before.cost_e16 if before else 0)
            longs = position.side is BUY
            change = Change(
                position.symbol,
                self.instruments[position.symbol].quote,
                change_e8 if longs else 0,
                cost_e16 if longs else 0,
                0 if longs else change_e8,
                0 if longs else cost_e16,
            )
            fill, levels = event.fill, account.group.levels
            known = account.requirements.get(position.symbol, NOTHING).maintenance_minor
            after_minor = account.maintenance_minor + event.requirement.maintenance_minor - known
            rise_minor = mul_div(after_minor, levels.call_e8, SCALE, CEILING) - mul_div(
                account.maintenance_minor, levels.call_e8, SCALE, CEILING
            )
            moved_minor = fill.profit_minor - fill.commission_minor
            bands = self.bands[account.group.name]
            if bands.absorbs(account_id, change, moved_minor, rise_minor, self.crosses, account.currency):
                return
        self.unwatched[account_id] = None

    def _on_end(self, event: OrderEnded) -> None:
        order = event.order
        if order.order_id > self.last_order_id:
            self.last_order_id = order.order_id
        account = self.accounts[order.account_id]
        was_sent = order.order_id in account.orders and not self.books.is_plain
        account.take(order, None, event.code, event.detail)
        if was_sent:
            # No venue closed them: protections that were reached, or may have been meanwhile, wait again.
            for position in account.positions.values():
                if position.symbol == order.symbol and position.side is not order.side:
                    self.watch_position(position, None)

    def _on_position(self, event: PositionModified) -> None:
        account = self.accounts[event.position.account_id]
        before = account.positions[event.position.position_id]
        account.place(event.position, self.instruments[event.position.symbol].quote)
        self.watch_position(event.position, before)


_EVOLVE: dict[type, Callable[[State, Any], None]] = {
    InstrumentDefined: State._on_instrument,
    AccountOpened: State._on_account,
    GroupDefined: State._on_group,
    RulesDefined: State._on_rules,
    HedgeDefined: State._on_hedge,
    ChildSent: State._on_child,
    ChildChanged: State._on_child_change,
    BreakFound: State._on_break,
    InquiryDue: State._on_inquiry,
    MoneyMoved: State._on_money,
    SwapCharged: State._on_swap,
    DaySealed: State._on_seal,
    MarginStatusChanged: State._on_status,
    NegativeBalanceForgiven: State._on_forgiven,
    OrderAccepted: State._on_accepted,
    OrderModified: State._on_modified,
    OrderFilled: State._on_fill,
    OrderEnded: State._on_end,
    OrderRejected: State._on_end,
    PositionModified: State._on_position,
}
