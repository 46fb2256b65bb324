"""The engine under whatever comes: what must hold after every step.

A machine of random accounts, ticks (late, repeated, with gaps, dead), orders, closes, repeats and restarts drives
`broker.apply`. Beside it runs a copy that is told the events and ticks alone, as recovery from the journal is.
"""

from collections import Counter

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from actors.domain.broker import apply
from actors.domain.commands import (
    ClosePosition,
    Deposit,
    Input,
    ObserveStream,
    ObserveTicks,
    OpenAccount,
    SubmitOrder,
)
from actors.domain.dealing import known_outcome
from actors.domain.events import Event, MoneyDeposited, OrderFilled
from actors.domain.margin import Exposure, closing_price_e8, conversion, to_minor
from actors.domain.money import Rounding
from actors.domain.money import parse_e8 as e8
from actors.domain.order import Fill, OrderType, Position, Side
from actors.domain.quote import Tick
from actors.domain.refusal import Refused
from actors.domain.state import Snapshot, State, restore
from tests.examples import INSTRUMENTS, SECOND_NS, START_NS, encoded, opening, price_near_e8, trading_inputs

SYMBOLS = st.sampled_from(sorted(INSTRUMENTS))
ACCOUNTS = st.integers(1, 4)
SIDES = st.sampled_from(Side)
DISTANCES = st.integers(1, 25)


def sums(exposure: Exposure) -> tuple[int, ...]:
    return exposure.long_e8, exposure.long_cost_e16, exposure.short_e8, exposure.short_proceeds_e16


class Engine(RuleBasedStateMachine):
    sent = Bundle("sent")

    @initialize()
    def start(self) -> None:
        self.state, self.copy = State(), State()
        self.now_ns = START_NS
        self.fills: list[Fill] = []
        self.deposited: Counter[int] = Counter()
        self.sent_count = 0
        others = [*opening("3000000", "JPY", 2), *opening("20000", "EUR", 3), *opening("500", "GBP", 4)]
        for told in [*trading_inputs("20000"), *others]:
            self.tell(told)

    def tell(self, told: Input) -> list[Event]:
        """Applies; the copy takes what the journal would keep. A refusal must change nothing."""
        before = None if isinstance(told, ObserveTicks | ObserveStream) else encoded(self.state)
        try:
            events = apply(self.state, told, self.now_ns)
        except Refused:
            assert before == encoded(self.state)
            return []
        if isinstance(told, ObserveTicks):
            for tick in told.ticks:
                self.copy.observe(tick)
        elif isinstance(told, ObserveStream):
            self.copy.observe_stream(told.alive_ns, told.behind)
        for event in events:
            self.copy.evolve(event)
            if isinstance(event, OrderFilled):
                self.fills.append(event.fill)
            elif isinstance(event, MoneyDeposited):
                self.deposited[event.account_id] += event.posting.entries[0].amount_minor
        return events

    @rule(account_id=st.integers(1, 6), currency=st.sampled_from(["USD", "EUR", "JPY", "CHF"]))
    def open_account(self, account_id: int, currency: str) -> None:
        self.tell(OpenAccount(account_id, currency))

    @rule(account_id=st.integers(1, 6), amount_minor=st.integers(-1, 1_000_000), key=st.sampled_from("abcdefghij"))
    def deposit(self, account_id: int, amount_minor: int, key: str) -> None:
        self.tell(Deposit(account_id, amount_minor, key, "test"))

    @rule(symbol=SYMBOLS, shift=st.integers(-30, 30), spread=st.integers(0, 30), skip=st.integers(1, 3))
    def move(self, symbol: str, shift: int, spread: int, skip: int) -> None:
        self._tick(symbol, shift, spread, self.state.ticks[symbol].seq + skip, live=True)

    @rule(symbol=SYMBOLS, shift=st.integers(-30, 30))
    def lose_all_lps(self, symbol: str, shift: int) -> None:
        assert self._tick(symbol, shift, 1, self.state.ticks[symbol].seq + 1, live=False) == []

    @rule(symbol=SYMBOLS, shift=st.integers(-30, 30), back=st.integers(0, 3))
    def come_late(self, symbol: str, shift: int, back: int) -> None:
        """Behind a newer tick, or once more: no price. (Where the known one is dead, any number is news.)"""
        known = self.state.ticks[symbol]
        events = self._tick(symbol, shift, 1, known.seq - back, live=True)
        if known.live:
            assert events == []
            assert self.state.ticks[symbol] is known

    def _tick(self, symbol: str, shift: int, spread: int, seq: int, *, live: bool) -> list[Event]:
        bid_e8 = price_near_e8(symbol, shift)
        ask_e8 = bid_e8 + spread * INSTRUMENTS[symbol].price_step_e8
        return self.tell(ObserveTicks((Tick(symbol, seq, self.now_ns, bid_e8, ask_e8, "A", "B", live),)))

    @rule(which=st.integers(0, 50), at_stop=st.booleans(), beyond=st.integers(0, 5))
    def reach(self, which: int, at_stop: bool, beyond: int) -> None:
        """The market comes to some position's stop loss or take profit, or a few steps beyond it: it is closed."""
        protected = [position for position in self._positions() if position.stop_loss_e8 and position.take_profit_e8]
        if not protected:
            return
        position = protected[which % len(protected)]
        falls = at_stop is (position.side is Side.BUY)
        step_e8 = INSTRUMENTS[position.symbol].price_step_e8
        price = position.stop_loss_e8 if at_stop else position.take_profit_e8
        price += (-beyond if falls else beyond) * step_e8
        seq = self.state.ticks[position.symbol].seq + 1
        events = self.tell(ObserveTicks((Tick(position.symbol, seq, self.now_ns, price, price, "A", "B", True),)))
        closed = {event.position.position_id: event for event in events if isinstance(event, OrderFilled)}
        fill = closed[position.position_id].fill
        assert (fill.price_e8, fill.quantity_e8) == (price, position.quantity_e8)

    def _positions(self) -> list[Position]:
        return [position for account in self.state.accounts.values() for position in account.positions.values()]

    @rule(behind=st.lists(SYMBOLS, max_size=1))
    def miss_a_tick(self, behind: list[str]) -> None:
        self.tell(ObserveStream(self.now_ns, tuple(behind)))

    @rule(seconds=st.integers(1, 4), silent=st.booleans())
    def time_passes(self, seconds: int, silent: bool) -> None:
        self.now_ns += seconds * SECOND_NS
        if not silent:
            self.tell(ObserveStream(self.now_ns))

    @rule(target=sent, account_id=ACCOUNTS, symbol=SYMBOLS, side=SIDES, size=st.integers(1, 10))
    def submit(self, account_id: int, symbol: str, side: Side, size: int) -> SubmitOrder:
        return self._submit(account_id, symbol, side, size, 0, 0)

    @rule(target=sent, account_id=ACCOUNTS, symbol=SYMBOLS, side=SIDES, stop=DISTANCES, profit=DISTANCES)
    def submit_protected(self, account_id: int, symbol: str, side: Side, stop: int, profit: int) -> SubmitOrder:
        """Stop loss and take profit so many thousandths below and above the market, or above and below."""
        tick = self.state.ticks[symbol]
        step_e8 = INSTRUMENTS[symbol].price_step_e8
        sign = 1 if side is Side.BUY else -1
        stop_e8, profit_e8 = (
            tick.bid_e8 * (1_000 + sign * distance) // 1_000 // step_e8 * step_e8 for distance in (-stop, profit)
        )
        return self._submit(account_id, symbol, side, 1, stop_e8, profit_e8)

    @rule(target=sent, symbol=SYMBOLS, side=SIDES, size=st.integers(0, 1_000), price=st.integers(-25, 25))
    def submit_anything(self, symbol: str, side: Side, size: int, price: int) -> SubmitOrder:
        """Nothing, far too much, protection on the wrong side."""
        return self._submit(1, symbol, side, size, price_near_e8(symbol, price), 0)

    def _submit(self, account_id: int, symbol: str, side: Side, size: int, stop_e8: int, profit_e8: int) -> SubmitOrder:
        """`size`: in thousands of currency, or hundredths of a bitcoin."""
        quantity_e8 = size * e8("0.01" if symbol == "BTCUSD" else "1000")
        command = SubmitOrder(
            account_id, self._new_id(), symbol, side, OrderType.MARKET, quantity_e8, stop_e8, profit_e8
        )
        events = self.tell(command)
        if events and isinstance(events[0], OrderFilled):
            account = self.state.accounts[account_id]
            assert self.state.summary(account, self.now_ns).free_margin_minor >= 0
        return command

    @rule(target=sent, which=st.integers(0, 50), quarters=st.integers(0, 4))
    def close(self, which: int, quarters: int) -> ClosePosition:
        """Some position, or one that is not there; whole (0) or so many quarters of it."""
        positions = self._positions()
        if positions:
            position = positions[which % len(positions)]
            account_id, position_id = position.account_id, position.position_id
            quantity_e8 = position.quantity_e8 * quarters // 4
        else:
            account_id, position_id, quantity_e8 = 1, which, quarters
        command = ClosePosition(account_id, self._new_id(), position_id, quantity_e8)
        self.tell(command)
        return command

    def _new_id(self) -> str:
        self.sent_count += 1
        return f"order {self.sent_count}"

    @rule(target=sent, command=sent)
    def repeat(self, command: SubmitOrder | ClosePosition) -> object:
        """The same outcome and no event, whatever has happened in between."""
        before = known_outcome(self.state, command)
        events = self.tell(command)
        if before is not None:
            assert events == []
            assert known_outcome(self.state, command) == before
        return multiple()

    @rule(command=sent)
    def reuse_an_id(self, command: SubmitOrder | ClosePosition) -> None:
        known = known_outcome(self.state, command)
        other = ClosePosition(command.account_id, command.client_order_id, 10**9)
        if known is not None and command != other:
            assert self.tell(other) == []
            assert known_outcome(self.state, command) == known

    @rule()
    def restart_from_a_snapshot(self) -> None:
        self.state = restore(msgspec.msgpack.decode(encoded(self.state), type=Snapshot))

    @rule()
    def restart_from_the_journal(self) -> None:
        """Its events and ticks make the state; the one that lived is the copy from now on."""
        self.state, self.copy = self.copy, self.state

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
    def sums_of_an_account_are_those_of_its_positions(self) -> None:
        for account in self.state.accounts.values():
            assert account.margin_minor == sum(position.margin_minor for position in account.positions.values())
            anew: dict[str, Exposure] = {}
            for position in account.positions.values():
                exposure = anew.setdefault(position.symbol, Exposure())
                exposure.change(position.side, position.quantity_e8, position.open_price_e8)
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
                price = closing_price_e8(position.side, state.ticks[position.symbol])
                move_e8 = price - position.open_price_e8
                amounts_e16[INSTRUMENTS[position.symbol].quote] += position.quantity_e8 * (
                    move_e8 if position.side is Side.BUY else -move_e8
                )
            profit_minor = 0
            for quote, amount_e16 in amounts_e16.items():
                by = conversion(state.crosses, state.ticks, quote, account.currency, gain=amount_e16 > 0)
                profit_minor += to_minor(amount_e16, by, account.currency, Rounding.HALF_EVEN)
            summary = state.summary(account, self.now_ns)
            assert summary.open_profit_minor == profit_minor
            assert summary.equity_minor == state.balance_minor(account) + profit_minor
            assert summary.free_margin_minor == summary.equity_minor - account.margin_minor

    @invariant()
    def no_position_is_open_behind_its_stop_or_profit(self) -> None:
        for account in self.state.accounts.values():
            for position in account.positions.values():
                tick = self.state.ticks[position.symbol]
                if not tick.live:
                    continue
                price = closing_price_e8(position.side, tick)
                sign = 1 if position.side is Side.BUY else -1
                assert not position.stop_loss_e8 or (price - position.stop_loss_e8) * sign > 0
                assert not position.take_profit_e8 or (position.take_profit_e8 - price) * sign > 0


Engine.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestEngine = Engine.TestCase
