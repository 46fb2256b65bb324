"""The live view of an account is the engine's account, event by event and tick by tick."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from actors.bus.answers import AccountReport, PositionReport
from actors.bus.prices import Prices
from actors.domain import broker
from actors.domain.commands import (
    AssignGroup,
    CancelOrder,
    ClosePosition,
    DefineGroup,
    DefineInstrument,
    Deposit,
    Input,
    ModifyOrder,
    ModifyPosition,
    ObserveStream,
    ObserveTicks,
    OpenAccount,
    SubmitOrder,
)
from actors.domain.events.orders import OrderFilled
from actors.domain.events.terms import GroupDefined, TermsChanged
from actors.domain.group import STANDARD, Group, Markup
from actors.domain.order import OrderTerms, OrderType, Side, TimeInForce
from actors.domain.quote import Tick
from actors.domain.refusal import Refused
from actors.domain.risk import margin
from actors.domain.state import State
from tests.web.broker import INSTRUMENTS
from tests.web.live.test_fanout import unframed
from web.live.view import AccountView
from web.payloads.render import Renderer, account

EUR, JPY = INSTRUMENTS
BASE_E8 = {EUR: 110_000_000, JPY: 15_000_000_000}


class Desk:
    """An engine and a view of its account 1, which get the same ticks and the engine's events."""

    def __init__(self) -> None:
        self.now_ns = 1_000
        self.state = State()
        self.prices = Prices(lambda: 0, lambda ticks: None)
        self.prices.define(*INSTRUMENTS.values())
        self.render = Renderer(self.prices.instruments)
        self.view: AccountView | None = None
        for instrument in INSTRUMENTS.values():
            self.tell(DefineInstrument(instrument))
        self.tell(OpenAccount(1, "USD"))
        self.tell(Deposit(1, 10_000_000, "opening", "test"))
        self.tick(EUR, 0)
        self.tick(JPY, 0)
        self.view = AccountView(self.report(), self.prices, self.render)

    def tell(self, told: Input) -> list[dict[str, Any]]:
        """Gives what the view says of it."""
        self.now_ns += 1_000
        first_seq = self.state.event_seq + 1
        try:
            events = broker.apply(self.state, told, self.now_ns)
        except Refused:
            return []
        frames = b""
        for seq, event in enumerate(events, first_seq):
            if self.view is not None and not isinstance(event, GroupDefined | TermsChanged):
                frames += self.view.take(seq, self.now_ns, event)  # type: ignore[arg-type]
        return unframed(frames)

    def tick(self, symbol: str, points: int) -> list[dict[str, Any]]:
        last = self.state.ticks.get(symbol)
        bid_e8 = BASE_E8[symbol] + points * INSTRUMENTS[symbol].price_step_e8
        seq = last.seq + 1 if last else 1
        tick = Tick(symbol, seq, self.now_ns, bid_e8, bid_e8 + 10 * INSTRUMENTS[symbol].price_step_e8, "a", "b", True)
        self.prices.note(tick)
        self.tell(ObserveStream(self.now_ns, ()))
        return self.tell(ObserveTicks((tick,)))

    def report(self) -> AccountReport:
        state = self.state
        ours = state.accounts[1]
        return AccountReport(
            state.event_seq,
            state.summary(ours, self.now_ns),
            [
                PositionReport(
                    position,
                    margin.closing_price_e8(position.side, state.ticks[position.symbol]),
                    margin.profit_minor(
                        position, state.instruments[position.symbol], state.crosses, state.ticks, ours.currency
                    ),
                )
                for position in ours.positions.values()
            ],
            list(ours.orders.values()),
            ours.group,
            dict(ours.requirements),
        )

    def order(self, symbol: str, side: Side, units: int, stop_points: int = 0) -> list[dict[str, Any]]:
        stop_e8 = BASE_E8[symbol] + stop_points * INSTRUMENTS[symbol].price_step_e8 if stop_points else 0
        order_id = f"order-{self.now_ns}"
        terms = OrderTerms(symbol, side, OrderType.MARKET, units * 10**8, stop_loss_e8=stop_e8)
        return self.tell(SubmitOrder(1, order_id, terms))

    def waiting(self, kind: OrderType, units: int, points: int, **more: Any) -> list[dict[str, Any]]:
        """An order to buy EUR, for a price so many points from the bid at first."""
        price_e8 = BASE_E8[EUR] + points * INSTRUMENTS[EUR].price_step_e8
        price: dict[str, Any] = {"limit_e8" if kind is OrderType.LIMIT else "stop_e8": price_e8}
        terms = OrderTerms(EUR, Side.BUY, kind, units * 10**8, **price, **more)
        return self.tell(SubmitOrder(1, f"order-{self.now_ns}", terms))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), st.sampled_from([EUR, JPY]), st.integers(1, 100_000)),
        st.tuples(st.just("sell"), st.sampled_from([EUR, JPY]), st.integers(1, 100_000)),
        st.tuples(st.just("guarded"), st.just(EUR), st.integers(1, 100_000)),
        st.tuples(st.just("tick"), st.sampled_from([EUR, JPY]), st.integers(-2_000, 2_000)),
        st.tuples(st.just("close"), st.just(""), st.integers(0, 5)),
        st.tuples(st.just("reduce"), st.just(""), st.integers(0, 5)),
        st.tuples(st.sampled_from(["limit", "stop", "one of two"]), st.just(EUR), st.integers(-500, 500)),
        st.tuples(st.sampled_from(["move", "cancel"]), st.just(""), st.integers(0, 5)),
        st.tuples(st.just("protect"), st.just(""), st.integers(0, 5)),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_the_view_is_the_engine_s_account(steps: list[tuple[str, str, int]]) -> None:
    desk = Desk()
    assert desk.view is not None
    for step, symbol, number in steps:
        if step in ("buy", "sell"):
            desk.order(symbol, Side(step), number)
        elif step == "guarded":
            desk.order(symbol, Side.BUY, number, stop_points=-500)
        elif step == "tick":
            desk.tick(symbol, number)
        elif step in ("limit", "stop"):
            desk.waiting(OrderType(step), 1_000, number)
        elif step == "one of two":
            desk.waiting(OrderType.LIMIT, 1_000, number, oco="pair")
        elif step in ("move", "cancel"):
            orders = list(desk.state.accounts[1].orders.values())
            for order in orders[number : number + 1]:
                moved = structs.replace(order.terms, quantity_e8=order.quantity_e8 + 10**8)
                desk.tell(ModifyOrder(1, order.order_id, moved) if step == "move" else CancelOrder(1, order.order_id))
        else:
            positions = list(desk.state.accounts[1].positions.values())
            if number < len(positions):
                chosen = positions[number]
                if step == "protect":
                    desk.tell(ModifyPosition(1, chosen.position_id, 0, 0, 100 * INSTRUMENTS[EUR].price_step_e8))
                    continue
                part_e8 = chosen.quantity_e8 // 2 // 10**8 * 10**8 if step == "reduce" else 0
                desk.tell(ClosePosition(1, f"close-{desk.now_ns}", chosen.position_id, part_e8))
    desk.view.revalue(desk.now_ns)
    fresh = AccountView(desk.report(), desk.prices, desk.render)
    shown, expected = unframed(desk.view.snapshot()), unframed(fresh.snapshot())
    for message in (*shown, *expected):
        message.pop("time", None)
        message.pop("seq")
    assert shown == expected
    assert shown[0]["equity"] == account(desk.report().summary).equity


def test_a_fill_says_order_fill_position_and_account_under_one_number() -> None:
    desk = Desk()
    messages = desk.order(EUR, Side.BUY, 10_000)
    assert [message["type"] for message in messages] == ["order", "fill", "position", "account"]
    assert {message["seq"] for message in messages} == {desk.state.event_seq}
    assert (messages[2]["status"], messages[2]["profit"], messages[3]["equity"]) == ("open", "-1.00", "99999.00")


def test_a_stop_that_is_reached_closes_by_itself() -> None:
    desk = Desk()
    desk.order(EUR, Side.BUY, 10_000, stop_points=-100)
    order, fill, position, closing = desk.tick(EUR, -100)
    assert (order["reason"], order["client_order_id"], fill["profit"]) == ("stop_loss", "", "-11.00")
    assert (position["status"], position["profit"], closing["balance"]) == ("closed", "-11.00", "99989.00")


def test_a_waiting_order_is_in_the_snapshot_until_it_is_filled() -> None:
    desk = Desk()
    assert desk.view is not None
    (accepted,) = desk.waiting(OrderType.LIMIT, 10_000, -100, time_in_force=TimeInForce.DAY)
    assert (accepted["status"], accepted["order_type"], accepted["limit_price"]) == ("working", "limit", "1.09900")
    assert (accepted["code"], accepted["time_in_force"], bool(accepted["expires"])) == (None, "day", True)
    order = desk.state.accounts[1].orders[1]
    (moved,) = desk.tell(ModifyOrder(1, 1, structs.replace(order.terms, limit_e8=109_800_000, expires_ns=0)))
    assert (moved["status"], moved["limit_price"], moved["seq"]) == ("working", "1.09800", desk.state.event_seq)
    assert unframed(desk.view.snapshot())[1:] == [moved]
    told = desk.tick(EUR, -220)
    assert [message["type"] for message in told] == ["order", "fill", "position", "account"]
    assert (told[0]["status"], told[0]["average_price"]) == ("filled", "1.09790")
    assert [message["type"] for message in unframed(desk.view.snapshot())] == ["account", "position"]


def test_an_order_that_ends_says_why_and_leaves_the_snapshot() -> None:
    desk = Desk()
    assert desk.view is not None
    desk.waiting(OrderType.LIMIT, 10_000, -100, oco="pair")
    desk.waiting(OrderType.STOP, 10_000, 100, oco="pair")
    (cancelled,) = desk.tell(CancelOrder(1, 1))
    assert (cancelled["status"], cancelled["code"]) == ("cancelled", "CANCELLED")
    desk.waiting(OrderType.LIMIT, 10_000, -100, oco="pair")
    told = desk.tick(EUR, 200)
    assert [message["type"] for message in told] == ["order", "fill", "position", "account", "order"]
    assert (told[4]["id"], told[4]["status"], told[4]["code"]) == ("3", "cancelled", "OCO")
    assert "order 2" in told[4]["detail"]
    assert [message["type"] for message in unframed(desk.view.snapshot())] == ["account", "position"]
    (rejected, *_) = desk.order(EUR, Side.BUY, 9_000_000)
    assert (rejected["status"], rejected["code"]) == ("rejected", "INSUFFICIENT_MARGIN")


def test_other_protections_are_told_as_the_position() -> None:
    desk = Desk()
    assert desk.view is not None
    desk.order(EUR, Side.BUY, 10_000)
    (position,) = desk.tell(ModifyPosition(1, 1, 109_000_000, 0, 500_000))
    assert (position["type"], position["status"], position["profit"]) == ("position", "open", "-1.00")
    assert (position["stop_loss"], position["take_profit"]) == ("1.09000", None)
    assert position["trailing_stop"] == "0.00500"
    assert unframed(desk.view.snapshot())[1] == position


def test_what_did_not_move_is_not_told_again() -> None:
    desk = Desk()
    desk.order(EUR, Side.BUY, 10_000)
    desk.order(JPY, Side.BUY, 10_000)
    assert desk.view is not None
    assert desk.view.revalue(desk.now_ns) == b""
    desk.tick(EUR, 50)
    told = unframed(desk.view.revalue(desk.now_ns))
    assert [(message["type"], message.get("symbol")) for message in told] == [("position", EUR), ("account", None)]
    assert desk.view.revalue(desk.now_ns) == b""


def test_events_that_the_snapshot_knows_change_nothing() -> None:
    desk = Desk()
    assert desk.view is not None
    before = desk.view.snapshot()
    filled = broker.apply(
        desk.state, SubmitOrder(1, "x", OrderTerms(EUR, Side.BUY, OrderType.MARKET, 10**12)), desk.now_ns
    )[0]
    assert isinstance(filled, OrderFilled)
    late = AccountView(desk.report(), desk.prices, desk.render)
    snapshot = late.snapshot()
    assert late.take(desk.state.event_seq, desk.now_ns, filled) == b""
    assert late.snapshot() == snapshot != before


def test_without_a_price_the_last_known_value_stands() -> None:
    desk = Desk()
    desk.order(EUR, Side.BUY, 10_000)
    report = desk.report()
    blind = Prices(lambda: 0, lambda ticks: None)
    view = AccountView(report, blind, Renderer(INSTRUMENTS))
    assert view.revalue(desk.now_ns) == b""
    messages = unframed(view.snapshot())
    assert (messages[0]["equity"], messages[1]["profit"]) == ("99999.00", "-1.00")
    desk.order(EUR, Side.SELL, 10_000)
    outcome = list(desk.state.accounts[1].outcomes.values())[-1]
    event = OrderFilled(
        outcome.order,
        outcome.fills[0],
        desk.state.accounts[1].positions[2],
        (),
        desk.state.accounts[1].requirements[EUR],
    )
    opened = unframed(view.take(desk.state.event_seq, desk.now_ns, event))
    assert (opened[2]["current_price"], opened[2]["profit"]) == ("1.10000", "0.00")


def test_margin_level_is_rounded_down_to_two_places() -> None:
    desk = Desk()
    desk.order(EUR, Side.BUY, 10_000)
    messages = unframed(desk.view.snapshot()) if desk.view else []
    assert messages[0]["margin_level"] == "27296.77"  # 99999.00 / 366.34 = 272.96773…


def test_an_account_in_another_group_is_valued_by_its_terms() -> None:
    """Two points below the bid: 10,000 lose 0.20 more; 10 % of 1.10010 are 1,100.10."""
    desk = Desk()
    desk.order(EUR, Side.BUY, 10_000)
    point = INSTRUMENTS[EUR].price_step_e8
    desk.tell(DefineGroup(Group("pros", markup=Markup(2 * point, 0), leverage=10)))
    position, account_told = desk.tell(AssignGroup(1, "pros", "olga"))
    assert (position["current_price"], position["profit"]) == ("1.09998", "-1.20")
    assert (account_told["margin"], account_told["equity"]) == ("1100.10", "99998.80")
    (told,) = unframed(desk.view.snapshot())[:1] if desk.view else [{}]
    assert told["margin"] == "1100.10"


def test_margin_by_other_terms_of_the_group_is_told() -> None:
    """10 % of 1.10010 are 1,100.10."""
    desk = Desk()
    desk.order(EUR, Side.BUY, 10_000)
    desk.tell(DefineGroup(Group(STANDARD, leverage=10)))
    (told,) = desk.tell(ObserveStream(desk.now_ns))
    assert (told["type"], told["margin"]) == ("account", "1100.10")
    assert unframed(desk.view.snapshot())[0] == told if desk.view else False
