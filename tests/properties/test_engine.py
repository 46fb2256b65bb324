"""The engine under whatever comes: what must hold after every step.

A machine of random accounts of both modes, ticks (late, repeated, with gaps, dead), orders of all types, changes,
cancels, closes in all ways, repeats and restarts drives `broker.apply`. Beside it runs a copy that is told each input's
prices and then its events alone, as recovery from the journal is; at the end all inputs are told to a third.
"""

from collections import Counter
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from actors.domain.broker import apply
from actors.domain.commands import (
    CancelOrder,
    ClosePosition,
    ClosePositionBy,
    ClosePositions,
    Deposit,
    Input,
    Mode,
    ModifyOrder,
    ModifyPosition,
    ObserveStream,
    ObserveTicks,
    OpenAccount,
    ReversePosition,
    SubmitOrder,
    Which,
)
from actors.domain.events import Event, MoneyMoved, OrderFilled
from actors.domain.margin import Exposure, closing_price_e8, conversion, profit_e16, to_minor
from actors.domain.money import Rounding
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Fill, Order, OrderStatus, OrderTerms, OrderType, Outcome, Position, Side, TimeInForce
from actors.domain.quote import Tick
from actors.domain.refusal import Refused
from actors.domain.snapshot import Snapshot, restore
from actors.domain.state import State
from tests.examples import INSTRUMENTS, SECOND_NS, START_NS, encoded, opening, price_near_e8, trading_inputs
from tests.properties.following import Lives, Trails, is_behind_its_protection, is_reached, trailed

SYMBOLS = st.sampled_from(["EURUSD", "EURUSD", "EURUSD", "USDJPY", "EURGBP", "BTCUSD", "EURJPY", "GBPUSD"])
ACCOUNTS = st.integers(1, 4)
SIDES = st.sampled_from(Side)
SHIFTS = st.integers(-30, 30)
PICKS = st.integers(0, 50)
DISTANCES = st.integers(1, 25)
MAYBE = st.one_of(st.just(0), DISTANCES)
MARKS = st.sampled_from(["", "", "pair", "other"])
FORCES = st.sampled_from([TimeInForce.GTC] * 3 + list(TimeInForce))
Named = SubmitOrder | ClosePosition | ClosePositionBy | ClosePositions | ReversePosition


def sums(exposure: Exposure) -> tuple[int, ...]:
    return exposure.long_e8, exposure.long_cost_e16, exposure.short_e8, exposure.short_proceeds_e16


def shifted_e8(symbol: str, price_e8: int, thousandths: int) -> int:
    step_e8 = INSTRUMENTS[symbol].price_step_e8
    return price_e8 * (1_000 + thousandths) // 1_000 // step_e8 * step_e8


class Engine(RuleBasedStateMachine):
    sent = Bundle("sent")

    @initialize()
    def start(self) -> None:
        self.state, self.copy = State(), State()
        self.now_ns = START_NS
        self.told: list[tuple[int, Input]] = []
        self.happened: list[Event] = []
        self.fills: list[Fill] = []
        self.deposited: Counter[int] = Counter()
        self.trails, self.lives = Trails(), Lives()
        self.sent_count = 0
        others = [
            *opening("3000000", "JPY", 2, Mode.NETTING),
            *opening("20000", "EUR", 3, Mode.NETTING),
            *opening("500", "GBP", 4),
        ]
        for told in [*trading_inputs("20000"), *others]:
            self.tell(told)

    def tell(self, told: Input) -> list[Event]:
        """Applies; the copy takes what the journal would keep. A refusal must change nothing."""
        before = None if isinstance(told, ObserveTicks | ObserveStream) else encoded(self.state)
        self.told.append((self.now_ns, told))
        try:
            events = apply(self.state, told, self.now_ns)
        except Refused:
            assert before == encoded(self.state)
            return []
        self.happened += events
        reached = set()
        if isinstance(told, ObserveTicks):
            for tick in told.ticks:
                self.copy.observe(tick)
                if self.state.ticks[tick.symbol] is tick and tick.live:
                    reached = self.trails.see(tick)
        elif isinstance(told, ObserveStream):
            self.copy.observe_stream(told.alive_ns, told.behind)
        gone = trailed(events) if isinstance(told, ObserveTicks) else set()
        assert gone <= reached, "a trailing stop went that was not reached"
        for event in events:
            self.copy.evolve(event)
            self._take(event)
        assert not reached & self.trails.followed.keys(), "a trailing stop was reached and stays"
        self._check_one_cancels_the_other(events)
        self._check_free_margin(events)
        return events

    def _take(self, event: Event) -> None:
        self.trails.take(event, self.state)
        if isinstance(event, MoneyMoved):
            self.deposited[event.account_id] += event.posting.entries[0].amount_minor
        if isinstance(order := getattr(event, "order", None), Order):
            self.lives.take(order)
        if isinstance(event, OrderFilled):
            self.fills.append(event.fill)
            assert not event.order.terms.reduce_only or event.fill.side is not event.position.side

    def _check_one_cancels_the_other(self, events: list[Event]) -> None:
        marks = [
            (event.order.account_id, event.order.terms.oco)
            for event in events
            if isinstance(event, OrderFilled) and event.order.terms.oco and event.order.status is OrderStatus.FILLED
        ]
        assert len(marks) == len(set(marks))
        for account_id, mark in marks:
            orders = self.state.accounts[account_id].orders.values()
            assert mark not in [order.terms.oco for order in orders]

    def _check_free_margin(self, events: list[Event]) -> None:
        """Not below zero after a fill that opens, where it is the last thing that happened."""
        fills = [event for event in events if isinstance(event, OrderFilled)]
        if fills and fills[-1].fill.side is fills[-1].position.side:
            account = self.state.accounts[fills[-1].fill.account_id]
            assert self.state.summary(account, self.now_ns).free_margin_minor >= 0

    @rule(account_id=st.integers(1, 6), currency=st.sampled_from(["USD", "EUR", "CHF"]), mode=st.sampled_from(Mode))
    def open_account(self, account_id: int, currency: str, mode: Mode) -> None:
        self.tell(OpenAccount(account_id, currency, mode))

    @rule(account_id=st.integers(1, 6), amount_minor=st.integers(-1, 1_000_000), key=st.sampled_from("abcdefghij"))
    def deposit(self, account_id: int, amount_minor: int, key: str) -> None:
        self.tell(Deposit(account_id, amount_minor, key, "test"))

    @rule(symbol=SYMBOLS, shift=SHIFTS, spread=st.integers(0, 30), skip=st.integers(1, 3))
    def move(self, symbol: str, shift: int, spread: int, skip: int) -> None:
        self._tick(symbol, price_near_e8(symbol, shift), spread, self.state.ticks[symbol].seq + skip, live=True)

    @rule(symbol=SYMBOLS, shift=st.integers(-4, 4), spread=st.integers(0, 30))
    def step(self, symbol: str, shift: int, spread: int) -> None:
        """A little way from the last price."""
        known = self.state.ticks[symbol]
        self._tick(symbol, shifted_e8(symbol, known.bid_e8, shift), spread, known.seq + 1, live=True)

    @rule(symbol=SYMBOLS, shift=SHIFTS)
    def lose_all_lps(self, symbol: str, shift: int) -> None:
        self._tick(symbol, price_near_e8(symbol, shift), 1, self.state.ticks[symbol].seq + 1, live=False)

    @rule(symbol=SYMBOLS, shift=SHIFTS, back=st.integers(0, 3))
    def come_late(self, symbol: str, shift: int, back: int) -> None:
        """Behind a newer tick, or once more: no price. (Where the known one is dead, any number is news.)"""
        known = self.state.ticks[symbol]
        self._tick(symbol, price_near_e8(symbol, shift), 1, known.seq - back, live=True)
        if known.live:
            assert self.state.ticks[symbol] is known

    def _tick(self, symbol: str, bid_e8: int, spread: int, seq: int, *, live: bool) -> list[Event]:
        ask_e8 = bid_e8 + spread * INSTRUMENTS[symbol].price_step_e8
        return self.tell(ObserveTicks((Tick(symbol, seq, self.now_ns, bid_e8, ask_e8, "A", "B", live),)))

    @rule(which=PICKS, spread=st.integers(0, 3), beyond=st.integers(-3, 3))
    def reach(self, which: int, spread: int, beyond: int) -> None:
        """The market comes to a price that something waits for, or a few steps beyond it."""
        prices = [
            (order.symbol, price_e8)
            for order in self._orders()
            for price_e8 in (order.terms.limit_e8, order.terms.stop_e8)
        ]
        prices += [
            (one.symbol, price_e8) for one in self._positions() for price_e8 in (one.stop_loss_e8, one.take_profit_e8)
        ]
        prices = [(symbol, price_e8) for symbol, price_e8 in prices if price_e8]
        if prices:
            symbol, price_e8 = prices[which % len(prices)]
            bid_e8 = price_e8 + beyond * INSTRUMENTS[symbol].price_step_e8
            self._tick(symbol, bid_e8, spread, self.state.ticks[symbol].seq + 1, live=True)

    def _positions(self) -> list[Position]:
        return [position for account in self.state.accounts.values() for position in account.positions.values()]

    def _orders(self) -> list[Order]:
        return [order for account in self.state.accounts.values() for order in account.orders.values()]

    @rule(behind=st.lists(SYMBOLS, max_size=1))
    def miss_a_tick(self, behind: list[str]) -> None:
        self.tell(ObserveStream(self.now_ns, tuple(behind)))

    @rule(seconds=st.sampled_from([1, 2, 3, 4, 20_000]), silent=st.booleans())
    def time_passes(self, seconds: int, silent: bool) -> None:
        self.now_ns += seconds * SECOND_NS
        if not silent:
            self.tell(ObserveStream(self.now_ns))
            for order in self._orders():
                assert not 0 < order.terms.expires_ns <= self.now_ns

    @rule(
        target=sent,
        account_id=ACCOUNTS,
        symbol=SYMBOLS,
        side=SIDES,
        size=st.integers(1, 10),
        protections=st.tuples(MAYBE, MAYBE, MAYBE),
        reduce_only=st.sampled_from([False, False, True]),
    )
    def submit(
        self,
        account_id: int,
        symbol: str,
        side: Side,
        size: int,
        protections: tuple[int, int, int],
        reduce_only: bool,
    ) -> Named:
        """At the market; protections so many thousandths away, on their sides."""
        terms = self._terms(symbol, side, OrderType.MARKET, size, protections)
        return self._submit(account_id, msgspec.structs.replace(terms, reduce_only=reduce_only))

    @rule(
        target=sent,
        account_id=ACCOUNTS,
        symbol=SYMBOLS,
        side=SIDES,
        kind=st.sampled_from([kind for kind in OrderType if kind is not OrderType.MARKET]),
        prices=st.tuples(SHIFTS, SHIFTS, DISTANCES),
        protections=st.tuples(MAYBE, MAYBE, MAYBE),
        force=FORCES,
        reduce_only=st.sampled_from([False, False, True]),
        oco=MARKS,
    )
    def submit_waiting(
        self,
        account_id: int,
        symbol: str,
        side: Side,
        kind: OrderType,
        prices: tuple[int, int, int],
        protections: tuple[int, int, int],
        force: TimeInForce,
        reduce_only: bool,
        oco: str,
    ) -> Named:
        terms = self._priced(self._terms(symbol, side, kind, 1, protections), prices)
        expires_ns = self.now_ns + 5 * SECOND_NS if force is TimeInForce.GTD else 0
        terms = msgspec.structs.replace(
            terms, time_in_force=force, expires_ns=expires_ns, reduce_only=reduce_only, oco=oco
        )
        return self._submit(account_id, terms)

    @rule(target=sent, symbol=SYMBOLS, side=SIDES, size=st.integers(0, 1_000), price=st.integers(-25, 25))
    def submit_anything(self, symbol: str, side: Side, size: int, price: int) -> Named:
        """Nothing, far too much, protection on the wrong side, a bound."""
        terms = self._terms(symbol, side, OrderType.MARKET, size, (0, 0, 0))
        near_e8 = price_near_e8(symbol, price)
        return self._submit(1, msgspec.structs.replace(terms, stop_loss_e8=near_e8, bound_e8=near_e8))

    def _terms(
        self, symbol: str, side: Side, kind: OrderType, size: int, protections: tuple[int, int, int]
    ) -> OrderTerms:
        """`size`: in thousands of currency, or hundredths of a bitcoin."""
        bid_e8 = self.state.ticks[symbol].bid_e8
        sign = 1 if side is Side.BUY else -1
        stop, profit, trail = protections
        return OrderTerms(
            symbol,
            side,
            kind,
            size * e8("0.01" if symbol == "BTCUSD" else "1000"),
            stop_loss_e8=shifted_e8(symbol, bid_e8, -sign * stop) if stop else 0,
            take_profit_e8=shifted_e8(symbol, bid_e8, sign * profit) if profit else 0,
            trailing_stop_e8=shifted_e8(symbol, bid_e8, trail - 1_000) if trail else 0,
        )

    def _priced(self, terms: OrderTerms, prices: tuple[int, int, int]) -> OrderTerms:
        """With the prices that its type needs: limit and stop so many thousandths from the market, and a distance."""
        kind, symbol = terms.type, terms.symbol
        bid_e8 = self.state.ticks[symbol].bid_e8
        limit, stop, trail = prices
        has_limit = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT)
        has_stop = kind in (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.MARKET_IF_TOUCHED)
        return msgspec.structs.replace(
            terms,
            limit_e8=shifted_e8(symbol, bid_e8, limit) if has_limit else 0,
            stop_e8=shifted_e8(symbol, bid_e8, stop) if has_stop else 0,
            trail_e8=shifted_e8(symbol, bid_e8, trail - 1_000) if kind is OrderType.TRAILING_STOP else 0,
        )

    def _submit(self, account_id: int, terms: OrderTerms) -> SubmitOrder:
        command = SubmitOrder(account_id, self._new_id(), terms)
        self.tell(command)
        return command

    @rule(
        which=PICKS,
        change=st.sampled_from(["price", "quantity", "force", "oco", "back"]),
        prices=st.tuples(SHIFTS, SHIFTS, DISTANCES),
    )
    def modify_order(self, which: int, change: str, prices: tuple[int, int, int]) -> None:
        orders = self._orders()
        if not orders:
            return
        order = orders[which % len(orders)]
        terms = order.terms
        if terms.time_in_force is TimeInForce.DAY:
            terms = msgspec.structs.replace(terms, expires_ns=0)
        if change == "price":
            terms = self._priced(terms, prices)
        elif change == "quantity":
            terms = msgspec.structs.replace(terms, quantity_e8=terms.quantity_e8 * 2)
        elif change == "force":
            terms = msgspec.structs.replace(terms, time_in_force=TimeInForce.DAY, expires_ns=0)
        elif change == "oco":
            terms = msgspec.structs.replace(terms, oco="other")
        else:
            self.tell(ModifyOrder(order.account_id, order.order_id, self._priced(terms, prices)))
        self.tell(ModifyOrder(order.account_id, order.order_id, terms))

    @rule(which=PICKS)
    def cancel_order(self, which: int) -> None:
        orders = self._orders()
        order = orders[which % len(orders)] if orders else None
        self.tell(CancelOrder(order.account_id, order.order_id) if order else CancelOrder(1, which))

    @rule(which=PICKS, protections=st.tuples(MAYBE, MAYBE, MAYBE), trail_only=st.booleans())
    def modify_position(self, which: int, protections: tuple[int, int, int], trail_only: bool) -> None:
        positions = self._positions()
        if positions:
            one = positions[which % len(positions)]
            terms = self._terms(one.symbol, one.side, OrderType.MARKET, 1, protections)
            stop_e8, profit_e8 = terms.stop_loss_e8, terms.take_profit_e8
            if trail_only:
                stop_e8, profit_e8 = one.stop_loss_e8, one.take_profit_e8
            self.tell(ModifyPosition(one.account_id, one.position_id, stop_e8, profit_e8, terms.trailing_stop_e8))

    @rule(target=sent, which=PICKS, quarters=st.integers(0, 4))
    def close(self, which: int, quarters: int) -> Named:
        """Some position, or one that is not there; whole (0) or so many quarters of it."""
        account_id, position_id, quantity_e8 = 1, which, quarters
        if positions := self._positions():
            position = positions[which % len(positions)]
            account_id, position_id = position.account_id, position.position_id
            quantity_e8 = position.quantity_e8 * quarters // 4
        return self._ask(ClosePosition(account_id, self._new_id(), position_id, quantity_e8))

    @rule(target=sent, which=PICKS, other=PICKS)
    def close_by(self, which: int, other: int) -> Named:
        positions = self._positions()
        one, two = (positions[n % len(positions)].position_id if positions else n for n in (which, other))
        account_id = positions[which % len(positions)].account_id if positions else 1
        return self._ask(ClosePositionBy(account_id, self._new_id(), one, two))

    @rule(target=sent, account_id=ACCOUNTS, which=st.sampled_from(Which), symbol=st.one_of(st.just(""), SYMBOLS))
    def close_many(self, account_id: int, which: Which, symbol: str) -> Named:
        return self._ask(ClosePositions(account_id, self._new_id(), which, symbol))

    @rule(target=sent, which=PICKS)
    def reverse(self, which: int) -> Named:
        positions = self._positions()
        account_id, position_id = 1, which
        if positions:
            position = positions[which % len(positions)]
            account_id, position_id = position.account_id, position.position_id
        return self._ask(ReversePosition(account_id, self._new_id(), position_id))

    def _ask(self, command: Named) -> Named:
        self.tell(command)
        return command

    def _new_id(self) -> str:
        self.sent_count += 1
        return f"order {self.sent_count}"

    def _outcome(self, command: Named) -> Outcome | None:
        return self.state.accounts[command.account_id].outcomes.get(command.client_order_id)

    @rule(target=sent, command=sent)
    def repeat(self, command: Any) -> Any:
        """The same outcome and no event, whatever has happened in between."""
        before = self._outcome(command)
        if before is not None:
            assert apply(self.state, command, self.now_ns) == []
            assert self._outcome(command) == before
        else:
            self.tell(command)
        return multiple()

    @rule(command=sent)
    def reuse_an_id(self, command: Any) -> None:
        known = self._outcome(command)
        other = ClosePosition(command.account_id, command.client_order_id, 10**9)
        if known is not None and command != other:
            assert self.tell(other) == []
            assert self._outcome(command) == known

    @rule()
    def restart_from_a_snapshot(self) -> None:
        self.state = restore(msgspec.msgpack.decode(encoded(self.state), type=Snapshot))

    @rule()
    def restart_from_the_journal(self) -> None:
        """Its prices and events make the state; the one that lived is the copy from now on."""
        self.state, self.copy = self.copy, self.state

    def teardown(self) -> None:
        """The same inputs give the same events and the same state, byte for byte."""
        if not hasattr(self, "told"):
            return
        again, events = State(), list[Event]()
        for now_ns, told in self.told:
            try:
                events += apply(again, told, now_ns)
            except Refused:
                continue
        assert msgspec.msgpack.encode(events) == msgspec.msgpack.encode(self.happened)
        assert encoded(again) == encoded(self.state)

    @invariant()
    def what_the_journal_gives_is_the_state(self) -> None:
        assert encoded(self.copy) == encoded(self.state)

    @invariant()
    def the_ledger_sums_to_zero(self) -> None:
        totals: Counter[str] = Counter()
        for entry in self.state.ledger.balances():
            totals[entry.currency] += entry.amount_minor
        assert not any(totals.values())

    @invariant()
    def no_execution_is_counted_twice(self) -> None:
        assert [fill.fill_id for fill in self.fills] == list(range(1, len(self.fills) + 1))
        assert self.state.last_fill_id == len(self.fills)

    @invariant()
    def a_balance_is_what_was_paid_in_and_won(self) -> None:
        won: Counter[int] = Counter(self.deposited)
        for fill in self.fills:
            won[fill.account_id] += fill.profit_minor
        for account in self.state.accounts.values():
            assert self.state.balance_minor(account) == won[account.account_id]

    @invariant()
    def a_position_is_the_sum_of_its_fills(self) -> None:
        held: Counter[int] = Counter()
        sides: dict[int, Side] = {}
        for fill in self.fills:
            opened = sides.setdefault(fill.position_id, fill.side)
            held[fill.position_id] += fill.quantity_e8 if fill.side is opened else -fill.quantity_e8
        positions = self._positions()
        assert {position.position_id: position.quantity_e8 for position in positions} == {
            position_id: quantity_e8 for position_id, quantity_e8 in held.items() if quantity_e8
        }
        assert all(position.side is sides[position.position_id] for position in positions)

    @invariant()
    def a_netting_account_has_one_position_of_a_symbol(self) -> None:
        for account in self.state.accounts.values():
            if account.mode is Mode.NETTING:
                symbols = [position.symbol for position in account.positions.values()]
                assert len(symbols) == len(set(symbols))

    @invariant()
    def sums_of_an_account_are_those_of_its_positions(self) -> None:
        for account in self.state.accounts.values():
            assert account.margin_minor == sum(position.margin_minor for position in account.positions.values())
            anew: dict[str, Exposure] = {}
            for position in account.positions.values():
                exposure = anew.setdefault(position.symbol, Exposure())
                exposure.change(position.side, position.quantity_e8, position.cost_e16)
            assert {symbol: sums(exposure) for symbol, exposure in account.exposures.items()} == {
                symbol: sums(exposure) for symbol, exposure in anew.items()
            }

    @invariant()
    def equity_is_balance_and_open_profit(self) -> None:
        """Open profit: that of the positions, exact in each quote currency, converted and rounded once."""
        state = self.state
        for account in state.accounts.values():
            amounts_e16: Counter[str] = Counter()
            for position in account.positions.values():
                price_e8 = closing_price_e8(position.side, state.ticks[position.symbol])
                amounts_e16[INSTRUMENTS[position.symbol].quote] += profit_e16(position, price_e8)
            profit_minor = 0
            for quote, amount_e16 in amounts_e16.items():
                by = conversion(state.crosses, state.ticks, quote, account.currency, gain=amount_e16 > 0)
                profit_minor += to_minor(amount_e16, by, account.currency, Rounding.HALF_EVEN)
            summary = state.summary(account, self.now_ns)
            assert summary.open_profit_minor == profit_minor
            assert summary.free_margin_minor == state.balance_minor(account) + profit_minor - account.margin_minor

    @invariant()
    def nothing_waits_that_the_market_has_reached(self) -> None:
        for order in self._orders():
            tick = self.state.ticks[order.symbol]
            assert not tick.live or not is_reached(order, tick)
            assert self.lives.statuses[order.order_id] is order.status

    @invariant()
    def no_position_is_open_behind_its_stop_or_profit(self) -> None:
        for position in self._positions():
            tick = self.state.ticks[position.symbol]
            assert not tick.live or not is_behind_its_protection(position, tick)


Engine.TestCase.settings = settings(max_examples=1500, stateful_step_count=60, deadline=None)
TestEngine = Engine.TestCase
