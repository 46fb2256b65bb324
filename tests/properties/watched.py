"""The engine under watch: whatever it is told, what must hold is looked at after it.

Beside it runs a copy that is told each input's prices and then its events alone, as recovery from the journal is. At
the end all inputs are told to a third.
"""

from collections import Counter

import msgspec

from actors.domain.broker import apply
from actors.domain.charges import Swap, SwapBasis
from actors.domain.commands import (
    AssignGroup,
    DefineGroup,
    DefineInstrument,
    HaltTrading,
    Input,
    Mode,
    ObserveStream,
    ObserveTicks,
)
from actors.domain.events.accounts import MarginRevised, MoneyMoved, NegativeBalanceForgiven, SwapCharged
from actors.domain.events.event import Event
from actors.domain.events.orders import OrderFilled
from actors.domain.events.terms import GroupAssigned
from actors.domain.evolution import evolve
from actors.domain.group import Group, Markup
from actors.domain.ledger import Posting
from actors.domain.money import Rounding
from actors.domain.order import Fill, Order, Position, Side
from actors.domain.refusal import Refused
from actors.domain.risk.exposure import Exposure
from actors.domain.risk.margin import closing_price_e8, conversion, profit_e16, to_minor
from actors.domain.risk.requirement import NOTHING, Requirement
from actors.domain.risk.stop_out import MarginStatus, status
from actors.domain.snapshot import Snapshot, restore
from actors.domain.state import State
from actors.domain.waiting import see
from tests.examples import EVERY_NIGHT, INSTRUMENTS, START_NS, encoded, opening, trading_inputs
from tests.properties.following import Lives, Trails, is_behind_its_protection, is_reached, trailed

PROS = "pros"
"""A group beside the standard one, which sees other prices."""
SWAPS = {
    "EURUSD": Swap(SwapBasis.POINTS, -1_500_000_000, 400_000_000),
    "USDJPY": Swap(SwapBasis.INTEREST, 3_000_000, -5_000_000),
    "BTCUSD": Swap(SwapBasis.INTEREST, -20_000_000, -20_000_000, 360, EVERY_NIGHT),
}


def sums(exposure: Exposure) -> tuple[int, ...]:
    return exposure.long_e8, exposure.long_cost_e16, exposure.short_e8, exposure.short_proceeds_e16


class Watched:
    """Call `start` first."""

    def start(self) -> None:
        self.state, self.copy = State(), State()
        self.now_ns = START_NS
        self.told: list[tuple[int, Input]] = []
        self.happened: list[Event] = []
        self.fills: list[Fill] = []
        self.moved: Counter[str] = Counter()
        self.requirements: dict[tuple[int, str], Requirement] = {}
        self.repriced: set[str] = set()
        """Symbols with another markup since their last tick."""
        self.trails, self.lives = Trails(), Lives()
        self.sent_count = 0
        others: list[Input] = [
            DefineGroup(Group(PROS, Markup(0, 0, 30_000, 50_000, 4_000))),
            *opening("3000000", "JPY", 2, Mode.NETTING, PROS),
            *opening("20000", "EUR", 3, Mode.NETTING),
            *opening("500", "GBP", 4, group=PROS),
        ]
        swaps: list[Input] = [
            DefineInstrument(msgspec.structs.replace(INSTRUMENTS[symbol], swap=swap)) for symbol, swap in SWAPS.items()
        ]
        for told in [*trading_inputs("20000"), *swaps, *others]:
            self.tell(told)

    def tell(self, told: Input) -> list[Event]:
        """Applies; the copy takes what the journal would keep. A refusal must change nothing."""
        before = None if isinstance(told, ObserveTicks | ObserveStream) else encoded(self.state)
        required = dict(self.requirements)
        self.told.append((self.now_ns, told))
        try:
            events = apply(self.state, told, self.now_ns)
        except Refused:
            assert before == encoded(self.state)
            self.check()
            return []
        self.happened += events
        reached = set()
        if isinstance(told, ObserveTicks):
            for tick in told.ticks:
                see(self.copy, tick)
                if self.state.ticks[tick.symbol] is tick and tick.live and not self._is_halted(tick.symbol):
                    reached = self.trails.see(tick)
                    held = {key for key in reached if self.state.halts.stops_group(self.trails.followed[key].group)}
                    self.trails.hold(held, tick)
                    reached -= held
        elif isinstance(told, ObserveStream):
            self.copy.observe_stream(told.alive_ns, told.behind)
        if isinstance(told, HaltTrading):
            self.repriced |= self.state.ticks.keys()
        gone = trailed(events) if isinstance(told, ObserveTicks) else set()
        for event in events:
            evolve(self.copy, event)
            self._take(event)
        self._check_trails(gone, reached)
        self._check_one_cancels_the_other(events)
        self._check_free_margin(events, required)
        if isinstance(told, DefineGroup | AssignGroup):
            self.repriced |= self.state.ticks.keys()
        if isinstance(told, ObserveTicks):
            if not list(self.state.halts):
                self.repriced -= {tick.symbol for tick in told.ticks if self.state.ticks[tick.symbol] is tick}
            if told.ticks[-1].live:
                self.a_margin_status_is_exact()
        self.check()
        return events

    def _is_halted(self, symbol: str) -> bool:
        return self.state.is_halted(self.state.instruments[symbol])

    def _take(self, event: Event) -> None:
        self.trails.take(event, self.state)
        if isinstance(event, MoneyMoved):
            self._post(event.posting)
        if isinstance(event, SwapCharged | NegativeBalanceForgiven):
            self._post(event.posting)
        if isinstance(order := getattr(event, "order", None), Order):
            self.lives.take(order)
        if isinstance(event, OrderFilled):
            self.fills.append(event.fill)
            self.requirements[event.fill.account_id, event.fill.symbol] = event.requirement
            assert not event.order.terms.reduce_only or event.fill.side is not event.position.side
        if isinstance(event, MarginRevised):
            self.requirements[event.account_id, event.symbol] = event.requirement
        if isinstance(event, GroupAssigned):
            self.requirements |= {(event.account_id, symbol): it for symbol, it in event.requirements.items()}

    def _post(self, posting: Posting) -> None:
        self.moved[posting.entries[0].account] += posting.entries[0].amount_minor

    def _check_trails(self, gone: set[tuple[str, int]], reached: set[tuple[str, int]]) -> None:
        assert gone <= reached, "a trailing stop went that was not reached"
        assert not reached & self.trails.followed.keys(), "a trailing stop was reached and stays"

    def _check_one_cancels_the_other(self, events: list[Event]) -> None:
        """Of those with a mark that stand at the same time no more than one is at venues, or filled in any part."""
        filled: dict[tuple[int, str], set[int]] = {}
        for event in events:
            if isinstance(event, OrderFilled) and event.order.terms.oco:
                order = event.order
                filled.setdefault((order.account_id, order.terms.oco), set()).add(order.order_id)
        assert all(len(numbers) == 1 for numbers in filled.values())
        marked: dict[tuple[int, str], list[Order]] = {}
        for order in self.orders():
            if order.terms.oco:
                marked.setdefault((order.account_id, order.terms.oco), []).append(order)
        for mark, orders in marked.items():
            assert sum(order.at_venue_e8 > 0 for order in orders) <= 1
            assert len(orders) == 1 or not any(order.filled_e8 for order in orders)
            assert mark not in filled or {order.order_id for order in orders} == filled[mark]

    def _check_free_margin(self, events: list[Event], before: dict[tuple[int, str], Requirement]) -> None:
        """Not below zero after a fill that asks for more margin, where it is the last thing that happened."""
        fills = [event for event in events if isinstance(event, OrderFilled)]
        if not fills or fills[-1].fill.side is not fills[-1].position.side:
            return
        last = fills[-1].fill
        if fills[-1].requirement.initial_minor > before.get((last.account_id, last.symbol), NOTHING).initial_minor:
            account = self.state.accounts[last.account_id]
            assert self.state.summary(account, self.now_ns).free_margin_minor >= 0

    def positions(self) -> list[Position]:
        return [position for account in self.state.accounts.values() for position in account.positions.values()]

    def orders(self) -> list[Order]:
        return [order for account in self.state.accounts.values() for order in account.orders.values()]

    def restart_from_a_snapshot(self) -> None:
        self.state = restore(msgspec.msgpack.decode(encoded(self.state), type=Snapshot))

    def restart_from_the_journal(self) -> None:
        """Its prices and events make the state; the one that lived is the copy from now on."""
        self.state, self.copy = self.copy, self.state

    def check_replay(self) -> None:
        """The same inputs give the same events and the same state, byte for byte."""
        again, events = State(), list[Event]()
        for now_ns, told in self.told:
            try:
                events += apply(again, told, now_ns)
            except Refused:
                continue
        assert msgspec.msgpack.encode(events) == msgspec.msgpack.encode(self.happened)
        assert encoded(again) == encoded(self.state)

    def check(self) -> None:
        self.what_the_journal_gives_is_the_state()
        self.the_ledger_sums_to_zero()
        self.no_execution_is_counted_twice()
        self.a_balance_is_what_was_paid_in_and_won()
        self.a_position_is_the_sum_of_its_fills()
        self.a_netting_account_has_one_position_of_a_symbol()
        self.a_groups_net_is_that_of_its_positions()
        self.sums_of_an_account_are_those_of_its_positions()
        self.equity_is_balance_and_open_profit()
        self.nothing_waits_that_the_market_has_reached()
        self.no_position_is_open_behind_its_stop_or_profit()

    def what_the_journal_gives_is_the_state(self) -> None:
        assert encoded(self.copy) == encoded(self.state)

    def the_ledger_sums_to_zero(self) -> None:
        totals: Counter[str] = Counter()
        for entry in self.state.ledger.balances():
            totals[entry.currency] += entry.amount_minor
        assert not any(totals.values())

    def no_execution_is_counted_twice(self) -> None:
        assert [fill.fill_id for fill in self.fills] == list(range(1, len(self.fills) + 1))
        assert self.state.last_fill_id == len(self.fills)

    def a_balance_is_what_was_paid_in_and_won(self) -> None:
        won = Counter(self.moved)
        for fill in self.fills:
            won[f"client:{fill.account_id}"] += fill.profit_minor - fill.commission_minor
        for account in self.state.accounts.values():
            assert self.state.balance_minor(account) == won[f"client:{account.account_id}"]
            assert self.state.credit_minor(account) == won[f"credit:{account.account_id}"] >= 0

    def a_position_is_the_sum_of_its_fills(self) -> None:
        held: Counter[int] = Counter()
        sides: dict[int, Side] = {}
        for fill in self.fills:
            opened = sides.setdefault(fill.position_id, fill.side)
            held[fill.position_id] += fill.quantity_e8 if fill.side is opened else -fill.quantity_e8
        positions = self.positions()
        assert {position.position_id: position.quantity_e8 for position in positions} == {
            position_id: quantity_e8 for position_id, quantity_e8 in held.items() if quantity_e8
        }
        assert all(position.side is sides[position.position_id] for position in positions)

    def a_netting_account_has_one_position_of_a_symbol(self) -> None:
        for account in self.state.accounts.values():
            if account.mode is Mode.NETTING:
                symbols = [position.symbol for position in account.positions.values()]
                assert len(symbols) == len(set(symbols))

    def a_groups_net_is_that_of_its_positions(self) -> None:
        """And so is an account's."""
        nets: dict[str, Counter[str]] = {name: Counter() for name in self.state.groups}
        for account in self.state.accounts.values():
            own: Counter[str] = Counter()
            for one in account.positions.values():
                own[one.symbol] += one.quantity_e8 if one.side is Side.BUY else -one.quantity_e8
            for order in account.orders.values():
                if order.at_venue_e8 and not order.terms.reduce_only:
                    own[order.symbol] += order.at_venue_e8 if order.side is Side.BUY else -order.at_venue_e8
            assert {symbol: net_e8 for symbol, net_e8 in account.nets().items() if net_e8} == {
                symbol: net_e8 for symbol, net_e8 in own.items() if net_e8
            }
            nets[account.group.name].update(own)
        for name, found in self.state.group_nets.items():
            assert {symbol: net_e8 for symbol, net_e8 in found.items() if net_e8} == {
                symbol: net_e8 for symbol, net_e8 in nets[name].items() if net_e8
            }

    def sums_of_an_account_are_those_of_its_positions(self) -> None:
        for account in self.state.accounts.values():
            required = {
                symbol: requirement
                for (account_id, symbol), requirement in self.requirements.items()
                if account_id == account.account_id and requirement.initial_minor
            }
            assert account.requirements == required
            assert account.margin_minor == sum(one.initial_minor for one in required.values())
            assert account.maintenance_minor == sum(one.maintenance_minor for one in required.values())
            anew: dict[str, Exposure] = {}
            for position in account.positions.values():
                exposure = anew.setdefault(position.symbol, Exposure(INSTRUMENTS[position.symbol].quote))
                exposure.change(position.side, position.quantity_e8, position.cost_e16)
            assert {symbol: sums(exposure) for symbol, exposure in account.exposures.items()} == {
                symbol: sums(exposure) for symbol, exposure in anew.items()
            }

    def equity_is_balance_and_open_profit(self) -> None:
        """Open profit: that of the positions, exact in each quote currency, converted and rounded once."""
        state = self.state
        for account in state.accounts.values():
            amounts_e16: Counter[str] = Counter()
            for position in account.positions.values():
                price_e8 = closing_price_e8(position.side, account.ticks[position.symbol])
                amounts_e16[INSTRUMENTS[position.symbol].quote] += profit_e16(position, price_e8)
            profit_minor = 0
            for quote, amount_e16 in amounts_e16.items():
                by = conversion(state.crosses, account.ticks, quote, account.currency, gain=amount_e16 > 0)
                profit_minor += to_minor(amount_e16, by, account.currency, Rounding.HALF_EVEN)
            summary = state.summary(account, self.now_ns)
            assert summary.open_profit_minor == profit_minor
            assert summary.equity_minor == state.balance_minor(account) + state.credit_minor(account) + profit_minor
            kept_minor = account.margin_minor + account.reserved_minor
            assert summary.free_margin_minor == summary.equity_minor - kept_minor

    def a_margin_status_is_exact(self) -> None:
        """After a live tick, with all prices live; and what is below its stop-out level is closed by then."""
        state = self.state
        if not all(tick.live for tick in state.ticks.values()):
            return
        for account in state.accounts.values():
            found = MarginStatus.NORMAL
            if account.positions:
                equity_minor = state.summary(account, self.now_ns).equity_minor
                found = status(equity_minor, account.maintenance_minor, account.group.levels)
            assert account.status is found
            assert found is not MarginStatus.STOP_OUT or list(state.halts)

    def nothing_waits_that_the_market_has_reached(self) -> None:
        for order in self.orders():
            tick = self.state.accounts[order.account_id].ticks[order.symbol]
            assert not tick.live or order.symbol in self.repriced or not is_reached(order, tick)
            assert self.lives.statuses[order.order_id] is order.status

    def no_position_is_open_behind_its_stop_or_profit(self) -> None:
        for position in self.positions():
            tick = self.state.accounts[position.account_id].ticks[position.symbol]
            assert not tick.live or position.symbol in self.repriced or not is_behind_its_protection(position, tick)
