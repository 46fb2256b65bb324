"""What clients, the market and time do to the engine: each action a method, with small numbers for its choices."""

from typing import Any

import msgspec

from actors.domain.broker import apply
from actors.domain.calendar import trading_day
from actors.domain.charges import Commission, CommissionBasis
from actors.domain.commands import (
    Adjust,
    AssignGroup,
    CancelOrder,
    ClosePosition,
    ClosePositionBy,
    ClosePositions,
    DecideRequest,
    DefineGroup,
    DefineHolidays,
    DefineInstrument,
    Deposit,
    GrantCredit,
    HaltTrading,
    Mode,
    ModifyOrder,
    ModifyPosition,
    ObserveStream,
    ObserveTicks,
    OpenAccount,
    RequestMoney,
    ResumeTrading,
    ReversePosition,
    SetLimits,
    SubmitOrder,
    Which,
    Withdraw,
)
from actors.domain.events.event import Event
from actors.domain.group import STANDARD, Group, Markup
from actors.domain.halt import HaltScope
from actors.domain.instrument import InstrumentState
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderTerms, OrderType, Outcome, Side, TimeInForce
from actors.domain.quote import Tick
from actors.domain.risk.limits import AS_THE_GROUP, ExposureLimit, Limits
from actors.domain.risk.requirement import Hedging
from actors.domain.risk.stop_out import MarginLevels
from tests.examples import INSTRUMENTS, SECOND_NS, START_NS, price_near_e8
from tests.properties.watched import PROS, Watched

Named = SubmitOrder | ClosePosition | ClosePositionBy | ClosePositions | ReversePosition

OTHER = Group(
    "other",
    markup=Markup(20_000, 10_000),
    leverage=15,
    hedging=Hedging.NET,
    exposure=ExposureLimit("USD", 20_000_00, 30_000_00),
)
GROUPS = (
    Group(STANDARD),
    Group(STANDARD, markup=Markup(10_000, 20_000), markups={"USDJPY": Markup(1_000_000, 0)}),
    Group(STANDARD, commission=Commission(CommissionBasis.LOT, 350_000_000, 10_000_000, "USD")),
    Group(STANDARD, leverage=20, hedging=Hedging.LARGER_LEG),
    Group(STANDARD, hedging=Hedging.NET, levels=MarginLevels(120_000_000, 80_000_000, False)),
    Group(STANDARD, exposure=ExposureLimit("USD", 20_000_00, 30_000_00)),
    Group(STANDARD, swap_free=True, commission=Commission(CommissionBasis.MILLION, 2_000_000_000, 0, "")),
    Group(STANDARD, Markup(5_000, 5_000, 0, 40_000), {"USDJPY": Markup(0, 0, 30_000_000, 0, -5_000_000)}),
    Group(PROS, Markup(-3_000, 3_000, 60_000, 0, 7_001), {"BTCUSD": Markup(0, 0, 0, 100_000_001)}),
    Group(PROS, Markup(0, 0, 25_000, 25_000, -15_000)),
    Group(PROS),
)
"""Terms that the accounts may come to have."""


LIMITS = (
    AS_THE_GROUP,
    Limits(waiting_orders=2, positions=3),
    Limits(0, 0, 0, e8("0.05")),
    Limits(0, 0, 0, 0, ExposureLimit("USD", 6_000_00, 9_000_00)),
    Limits(0, 0, 0, 0, ExposureLimit("JPY", 0, 1_000_000)),
    Limits(0, 0, 3, 0, ExposureLimit("USD")),
)
"""Limits that an account may come to have of its own."""


def shifted_e8(symbol: str, price_e8: int, thousandths: int) -> int:
    step_e8 = INSTRUMENTS[symbol].price_step_e8
    return price_e8 * (1_000 + thousandths) // 1_000 // step_e8 * step_e8


class Trading(Watched):
    """Actions; `which` picks one of what there is."""

    def open_account(self, account_id: int, currency: str, mode: Mode) -> None:
        self.tell(OpenAccount(account_id, currency, mode))

    def deposit(self, account_id: int, amount_minor: int, key: str) -> None:
        self.tell(Deposit(account_id, amount_minor, key, "test"))

    def withdraw(self, account_id: int, left_minor: int) -> None:
        """All that can be but so much; now and then (left below zero) a little more, which is refused."""
        account = self.state.accounts[account_id]
        summary = self.state.summary(account, self.now_ns)
        free_minor = min(summary.balance_minor, summary.free_margin_minor - summary.credit_minor)
        self.tell(Withdraw(account_id, free_minor - left_minor, self._new_id(), "test"))

    def grant_credit(self, account_id: int, amount_minor: int) -> None:
        self.tell(GrantCredit(account_id, amount_minor, self._new_id(), "test"))

    def adjust(self, account_id: int, amount_minor: int) -> None:
        self.tell(Adjust(account_id, amount_minor, self._new_id(), "test"))

    def define_group(self, which: int) -> None:
        self.tell(DefineGroup(GROUPS[which % len(GROUPS)]))

    def assign_group(self, account_id: int, which: int) -> None:
        """To the standard group, or to one of wider prices and more margin."""
        if OTHER.name not in self.state.groups:
            self.tell(DefineGroup(OTHER))
        self.tell(AssignGroup(account_id, (OTHER.name, STANDARD)[which % 2], "olga", "asked for"))

    def set_limits(self, account_id: int, which: int) -> None:
        self.tell(SetLimits(account_id, LIMITS[which % len(LIMITS)], "test"))

    def halt(self, scope: HaltScope, symbol: str) -> None:
        name = {HaltScope.ALL: "", HaltScope.GROUP: STANDARD, HaltScope.SYMBOL: symbol}[scope]
        self.tell(HaltTrading(scope, name, "test", "halted"))

    def resume(self, which: int) -> None:
        halts = list(self.state.halts)
        if halts:
            halt = halts[which % len(halts)]
            self.tell(ResumeTrading(halt.scope, halt.name, "test", "over"))

    def change_instrument(self, symbol: str, which: int) -> None:
        changes: tuple[dict[str, Any], ...] = (
            {"state": InstrumentState.CLOSE_ONLY},
            {"state": InstrumentState.OPEN},
            {"state": InstrumentState.RETIRED},
            {"margin_rate_e8": self.state.instruments[symbol].margin_rate_e8 + 1_000_000},
        )
        changed = msgspec.structs.replace(self.state.instruments[symbol], **changes[which % len(changes)])
        self.tell(DefineInstrument(changed, "test", "changed"))

    def request_money(self, account_id: int, amount_minor: int) -> None:
        self.tell(RequestMoney(Adjust(account_id, amount_minor, self._new_id(), "test"), "asked"))

    def decide_request(self, which: int, approves: bool) -> None:
        pending = self.state.requests.pending
        number = pending[which % len(pending)].request_id if pending else which
        self.tell(DecideRequest(number, approves, "other", "decided"))

    def define_holidays(self, currency: str, ahead: list[int]) -> None:
        """So many days from the one on which it all begins."""
        today = trading_day(START_NS)
        self.tell(DefineHolidays(currency, tuple(sorted({today + days for days in ahead}))))

    def move(self, symbol: str, shift: int, spread: int, skip: int) -> None:
        self._tick(symbol, price_near_e8(symbol, shift), spread, self.state.ticks[symbol].seq + skip, live=True)

    def step(self, symbol: str, shift: int, spread: int) -> None:
        """A little way from the last price."""
        known = self.state.ticks[symbol]
        self._tick(symbol, shifted_e8(symbol, known.bid_e8, shift), spread, known.seq + 1, live=True)

    def lose_all_lps(self, symbol: str, shift: int) -> None:
        self._tick(symbol, price_near_e8(symbol, shift), 1, self.state.ticks[symbol].seq + 1, live=False)

    def come_late(self, symbol: str, shift: int, back: int) -> None:
        """Behind a newer tick, or once more: no price. (Where the known one is dead, any number is news.)"""
        known = self.state.ticks[symbol]
        self._tick(symbol, price_near_e8(symbol, shift), 1, known.seq - back, live=True)
        if known.live:
            assert self.state.ticks[symbol] is known

    def _tick(self, symbol: str, bid_e8: int, spread: int, seq: int, *, live: bool) -> list[Event]:
        ask_e8 = bid_e8 + spread * INSTRUMENTS[symbol].price_step_e8
        return self.tell(ObserveTicks((Tick(symbol, seq, self.now_ns, bid_e8, ask_e8, "A", "B", live),)))

    def reach(self, which: int, spread: int, beyond: int) -> None:
        """The market comes to a price that something waits for, or a few steps beyond it."""
        prices = [
            (order.symbol, price_e8)
            for order in self.orders()
            for price_e8 in (order.terms.limit_e8, order.terms.stop_e8)
        ]
        prices += [
            (one.symbol, price_e8) for one in self.positions() for price_e8 in (one.stop_loss_e8, one.take_profit_e8)
        ]
        prices = [(symbol, price_e8) for symbol, price_e8 in prices if price_e8]
        if prices:
            symbol, price_e8 = prices[which % len(prices)]
            bid_e8 = price_e8 + beyond * INSTRUMENTS[symbol].price_step_e8
            self._tick(symbol, bid_e8, spread, self.state.ticks[symbol].seq + 1, live=True)

    def miss_a_tick(self, behind: list[str]) -> None:
        self.tell(ObserveStream(self.now_ns, tuple(behind)))

    def time_passes(self, seconds: int, silent: bool) -> None:
        self.now_ns += seconds * SECOND_NS
        if not silent:
            self.tell(ObserveStream(self.now_ns))
            for order in self.orders():
                assert order.at_venue_e8 or not 0 < order.terms.expires_ns <= self.now_ns

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

    def modify_order(self, which: int, change: str, prices: tuple[int, int, int]) -> None:
        orders = self.orders()
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

    def cancel_order(self, which: int) -> None:
        orders = self.orders()
        order = orders[which % len(orders)] if orders else None
        self.tell(CancelOrder(order.account_id, order.order_id) if order else CancelOrder(1, which))

    def modify_position(self, which: int, protections: tuple[int, int, int], trail_only: bool) -> None:
        positions = self.positions()
        if positions:
            one = positions[which % len(positions)]
            terms = self._terms(one.symbol, one.side, OrderType.MARKET, 1, protections)
            stop_e8, profit_e8 = terms.stop_loss_e8, terms.take_profit_e8
            if trail_only:
                stop_e8, profit_e8 = one.stop_loss_e8, one.take_profit_e8
            self.tell(ModifyPosition(one.account_id, one.position_id, stop_e8, profit_e8, terms.trailing_stop_e8))

    def close(self, which: int, quarters: int) -> Named:
        """Some position, or one that is not there; whole (0) or so many quarters of it."""
        account_id, position_id, quantity_e8 = 1, which, quarters
        if positions := self.positions():
            position = positions[which % len(positions)]
            account_id, position_id = position.account_id, position.position_id
            quantity_e8 = position.quantity_e8 * quarters // 4
        return self._ask(ClosePosition(account_id, self._new_id(), position_id, quantity_e8))

    def close_by(self, which: int, other: int) -> Named:
        positions = self.positions()
        one, two = (positions[n % len(positions)].position_id if positions else n for n in (which, other))
        account_id = positions[which % len(positions)].account_id if positions else 1
        return self._ask(ClosePositionBy(account_id, self._new_id(), one, two))

    def close_many(self, account_id: int, which: Which, symbol: str) -> Named:
        return self._ask(ClosePositions(account_id, self._new_id(), which, symbol))

    def reverse(self, which: int) -> Named:
        positions = self.positions()
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

    def repeat(self, command: Named) -> None:
        """The same outcome and no event, whatever has happened in between."""
        before = self._outcome(command)
        if before is not None:
            assert apply(self.state, command, self.now_ns) == []
            assert self._outcome(command) == before
        else:
            self.tell(command)

    def reuse_an_id(self, command: Named) -> None:
        known = self._outcome(command)
        other = ClosePosition(command.account_id, command.client_order_id, 10**9)
        if known is not None and command != other:
            assert self.tell(other) == []
            assert self._outcome(command) == known
