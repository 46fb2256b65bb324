"""What a group's terms do to its clients' deals. Prices are those of examples.py; the account holds 10,000 USD."""

import msgspec
import pytest

from actors.domain.broker import apply
from actors.domain.charges import Commission, CommissionBasis
from actors.domain.commands import (
    AssignGroup,
    DefineGroup,
    DefineInstrument,
    Mode,
    ObserveTicks,
    OpenAccount,
    SubmitOrder,
)
from actors.domain.events.event import Event
from actors.domain.events.orders import OrderAccepted, OrderFilled
from actors.domain.events.terms import GroupDefined
from actors.domain.group import STANDARD, Group, Markup
from actors.domain.instrument import InstrumentState, Tier
from actors.domain.ledger import Entry, PostingKind
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderReason, OrderType, Side
from actors.domain.refusal import Code
from actors.domain.risk.limits import Limits
from actors.domain.risk.stop_out import MarginLevels
from actors.domain.snapshot import restore, snapshot
from actors.domain.state import State
from tests.actors.domain.deals import NOW_NS, filled, refusal, rejection
from tests.examples import ACCOUNT, EURUSD, SECOND_NS, TICKS, closing, encoded, order, terms, tick, trading_state

BUY, SELL = Side.BUY, Side.SELL
PIP = e8("0.0001")
WIDER = Group(STANDARD, markup=Markup(PIP, 2 * PIP))
"""A pip below the bid and two above the ask: 1.10000/1.10020 is 1.09990/1.10040."""


def state_of(group: Group, deposit: str = "10000.00") -> State:
    state = trading_state(deposit)
    apply(state, DefineGroup(group), NOW_NS)
    return state


def see(state: State, bid: str, ask: str, seq: int) -> list[Event]:
    return apply(state, ObserveTicks((tick("EURUSD", bid, ask, seq),)), NOW_NS)


def fills(events: list[Event]) -> list[tuple[OrderReason, int]]:
    return [(event.order.reason, event.fill.price_e8) for event in events if isinstance(event, OrderFilled)]


def wait(state: State, kind: OrderType, side: Side, **prices: str) -> None:
    command = SubmitOrder(ACCOUNT, f"{kind.value} {side.value}", terms("EURUSD", side, "1000", kind, **prices))  # type: ignore[arg-type]
    (event,) = apply(state, command, NOW_NS)
    assert isinstance(event, OrderAccepted)


@pytest.mark.parametrize(
    ("side", "opened_at", "closed_at", "profit_minor"),
    [
        # (1.09990 - 1.10040) x 10,000 = -5.00 USD: spread and both markups.
        (BUY, "1.10040", "1.09990", -5_00),
        (SELL, "1.09990", "1.10040", -5_00),
    ],
)
def test_a_client_deals_and_is_valued_at_the_marked_up_price(
    side: Side, opened_at: str, closed_at: str, profit_minor: int
) -> None:
    state = state_of(WIDER)
    assert filled(state, order("EURUSD", side, "10000")).fill.price_e8 == e8(opened_at)
    assert state.summary(state.accounts[ACCOUNT], NOW_NS).open_profit_minor == profit_minor
    closed = filled(state, closing(1)).fill
    assert (closed.price_e8, closed.profit_minor) == (e8(closed_at), profit_minor)


def test_a_cross_is_converted_at_the_marked_up_price() -> None:
    """10,000 EURGBP at 0.88040, closed at 0.87990: -5.00 GBP, bought at GBPUSD's ask 1.25020 + 0.00020: -6.252 USD."""
    state = state_of(WIDER)
    filled(state, order("EURGBP", BUY, "10000"))
    closed = filled(state, closing(1)).fill
    assert (closed.conversion.multiplier_e8, closed.profit_minor) == (e8("1.2504"), -6_25)


def test_a_symbol_may_have_a_markup_of_its_own_and_other_groups_none() -> None:
    state = state_of(msgspec.structs.replace(WIDER, markups={"GBPUSD": Markup()}))
    apply(state, DefineGroup(Group("pros")), NOW_NS)
    apply(state, OpenAccount(2, "USD", group="pros"), NOW_NS)
    seen = {
        (account_id, symbol): (ticks[symbol].bid_e8, ticks[symbol].ask_e8)
        for account_id, ticks in ((n, state.accounts[n].ticks) for n in (1, 2))
        for symbol in ("EURUSD", "GBPUSD")
    }
    assert seen == {
        (1, "EURUSD"): (e8("1.0999"), e8("1.1004")),
        (1, "GBPUSD"): (e8("1.25"), e8("1.2502")),
        (2, "EURUSD"): (e8("1.1"), e8("1.1002")),
        (2, "GBPUSD"): (e8("1.25"), e8("1.2502")),
    }


@pytest.mark.parametrize(
    ("kind", "side", "prices", "before", "at", "filled_at"),
    [
        # A buy waits for the client's ask, two pips above the market's.
        (OrderType.LIMIT, BUY, {"limit": "1.08900"}, ("1.08800", "1.08881"), ("1.08800", "1.08880"), "1.08900"),
        (OrderType.LIMIT, SELL, {"limit": "1.10100"}, ("1.10109", "1.10200"), ("1.10110", "1.10200"), "1.10100"),
        (OrderType.STOP, BUY, {"stop": "1.10100"}, ("1.10000", "1.10079"), ("1.10000", "1.10080"), "1.10100"),
        (OrderType.STOP, SELL, {"stop": "1.09900"}, ("1.09911", "1.09920"), ("1.09910", "1.09920"), "1.09900"),
        (OrderType.MARKET_IF_TOUCHED, BUY, {"stop": "1.09900"}, ("1.098", "1.09881"), ("1.098", "1.0988"), "1.09900"),
    ],
)
def test_an_order_waits_for_the_clients_price(
    kind: OrderType, side: Side, prices: dict[str, str], before: tuple[str, str], at: tuple[str, str], filled_at: str
) -> None:
    state = state_of(WIDER)
    wait(state, kind, side, **prices)
    assert fills(see(state, *before, 2)) == []
    assert fills(see(state, *at, 3)) == [(OrderReason.CLIENT, e8(filled_at))]


@pytest.mark.parametrize(
    ("side", "protection", "before", "at", "expected"),
    [
        (BUY, {"stop_loss": "1.095"}, ("1.09511", "1.0952"), ("1.0951", "1.0952"), (OrderReason.STOP_LOSS, "1.095")),
        (BUY, {"take_profit": "1.105"}, ("1.10509", "1.106"), ("1.1051", "1.106"), (OrderReason.TAKE_PROFIT, "1.105")),
        (SELL, {"stop_loss": "1.105"}, ("1.1040", "1.10479"), ("1.104", "1.1048"), (OrderReason.STOP_LOSS, "1.105")),
        (SELL, {"take_profit": "1.095"}, ("1.094", "1.09481"), ("1.094", "1.0948"), (OrderReason.TAKE_PROFIT, "1.095")),
    ],
)
def test_a_protection_waits_for_the_clients_price(
    side: Side,
    protection: dict[str, str],
    before: tuple[str, str],
    at: tuple[str, str],
    expected: tuple[OrderReason, str],
) -> None:
    state = state_of(WIDER)
    stop_loss, take_profit = protection.get("stop_loss", "0"), protection.get("take_profit", "0")
    filled(state, order("EURUSD", side, "1000", stop_loss=stop_loss, take_profit=take_profit))
    assert fills(see(state, *before, 2)) == []
    assert fills(see(state, *at, 3)) == [(expected[0], e8(expected[1]))]


def test_a_skewed_group_sees_both_sides_moved_and_never_crossed() -> None:
    skewed = Group(STANDARD, markup=Markup(-PIP, 2 * PIP))
    seen = skewed.tick(TICKS[0])
    assert (seen.bid_e8, seen.ask_e8) == (TICKS[0].bid_e8 + PIP, TICKS[0].ask_e8 + 2 * PIP)
    low = tick("EURUSD", "0.00000001", "0.00000003")
    down = Group(STANDARD, markup=Markup(9, -9)).tick(low)
    assert (down.bid_e8, down.ask_e8) == (1, 1)


def test_a_trailing_stop_keeps_its_distance_whatever_the_markup() -> None:
    """Bought; the market's bid peaks at 1.10500, so a stop 50 pips behind goes at 1.10000, dealt at 1.09990."""
    state = state_of(WIDER)
    command = SubmitOrder(ACCOUNT, "trail", terms("EURUSD", BUY, "1000", trailing_stop="0.005"))
    filled(state, command)
    assert fills(see(state, "1.10500", "1.10520", 2)) == []
    assert fills(see(state, "1.10001", "1.10021", 3)) == []
    assert fills(see(state, "1.10000", "1.10020", 4)) == [(OrderReason.TRAILING_STOP, e8("1.0999"))]


def test_a_changed_markup_moves_what_waits() -> None:
    """A stop loss at 1.09500 and a buy limit at 1.09000; then the bid is a pip lower and the ask two higher."""
    state = state_of(Group(STANDARD))
    filled(state, order("EURUSD", BUY, "1000", stop_loss="1.09500"))
    wait(state, OrderType.LIMIT, BUY, limit="1.09000")
    apply(state, DefineGroup(WIDER), NOW_NS)
    assert fills(see(state, "1.09511", "1.09520", 2)) == []
    assert fills(see(state, "1.09510", "1.09520", 3)) == [(OrderReason.STOP_LOSS, e8("1.095"))]
    assert fills(see(state, "1.08960", "1.08981", 4)) == []
    assert fills(see(state, "1.08960", "1.08980", 5)) == [(OrderReason.CLIENT, e8("1.09"))]


def test_a_markup_that_is_taken_away_moves_what_waits_back() -> None:
    state = state_of(WIDER)
    filled(state, order("EURUSD", BUY, "1000", stop_loss="1.09500"))
    apply(state, DefineGroup(Group(STANDARD)), NOW_NS)
    assert fills(see(state, "1.09501", "1.09520", 2)) == []
    assert fills(see(state, "1.09500", "1.09520", 3)) == [(OrderReason.STOP_LOSS, e8("1.095"))]


def test_a_restored_state_waits_for_the_same_prices() -> None:
    state = state_of(WIDER)
    filled(state, order("EURUSD", BUY, "1000", stop_loss="1.09500"))
    wait(state, OrderType.STOP, BUY, stop="1.10100")
    copy = restore(snapshot(state))
    for told in (("1.09511", "1.10079"), ("1.09510", "1.09600"), ("1.10000", "1.10080")):
        seq = state.ticks["EURUSD"].seq + 1
        assert see(copy, *told, seq) == see(state, *told, seq)
    assert encoded(copy) == encoded(state)
    assert not state.accounts[ACCOUNT].orders


LOT = Commission(CommissionBasis.LOT, e8("3.5"), 0, "USD")


def test_commission_is_charged_when_a_position_opens_and_when_it_closes() -> None:
    """10,000 EURUSD are 0.1 lot: 0.35 USD for each fill, to the broker's fees, besides -2.00 of spread."""
    state = state_of(Group(STANDARD, commission=LOT))
    opened = filled(state, order("EURUSD", BUY, "10000"))
    assert opened.fill.commission_minor == 35
    (posting,) = opened.postings
    assert (posting.kind, posting.reference) == (PostingKind.COMMISSION, "fill:1")
    assert posting.entries == (Entry("client:1", "USD", -35), Entry("broker:fees", "USD", 35))
    closed = filled(state, closing(1))
    assert closed.fill.commission_minor == 35
    assert [posting.kind for posting in closed.postings] == [PostingKind.TRADE, PostingKind.COMMISSION]
    assert [posting.posting_id for posting in closed.postings] == [3, 4]
    assert state.balance_minor(state.accounts[ACCOUNT]) == 10_000_00 - 2_00 - 70
    assert state.ledger.balance("broker:fees", "USD") == 70


def test_commission_counts_before_free_margin() -> None:
    """10,000 EURUSD need 366.37; 2.00 of spread and 0.35 of commission are lost: 368.72 are enough, 368.71 are not."""
    group = Group(STANDARD, commission=LOT)
    filled(state_of(group, "368.72"), order("EURUSD", BUY, "10000"))
    expected = ("INSUFFICIENT_MARGIN", "free margin 366.36 < 366.37 USD that the order needs")
    assert rejection(state_of(group, "368.71"), order("EURUSD", BUY, "10000")) == expected


def test_a_symbol_may_have_a_commission_of_its_own() -> None:
    """20 USD per million: 0.1 BTC at 60,010.00 is 6,001 USD: 0.12002, so 0.13 USD."""
    million = Commission(CommissionBasis.MILLION, e8("20"), 0, "USD")
    state = state_of(Group(STANDARD, commission=LOT, commissions={"BTCUSD": million}))
    assert filled(state, order("BTCUSD", BUY, "0.1")).fill.commission_minor == 13
    assert filled(state, order("EURUSD", BUY, "100000", "other")).fill.commission_minor == 3_50


def limited(limits: Limits) -> State:
    return state_of(Group(STANDARD, limits=limits))


def test_no_more_positions_than_the_limit() -> None:
    state = limited(Limits(positions=1))
    filled(state, order("EURUSD", BUY, "1000"))
    expected = ("TOO_MANY_POSITIONS", "the account has 1 open positions: close one first")
    assert rejection(state, order("EURUSD", BUY, "1000", "second")) == expected
    filled(state, closing(1))
    filled(state, order("EURUSD", BUY, "1000", "third"))


def test_no_more_waiting_orders_than_the_limit() -> None:
    state = limited(Limits(waiting_orders=1))
    wait(state, OrderType.LIMIT, BUY, limit="1.09000")
    second = SubmitOrder(ACCOUNT, "second", terms("EURUSD", BUY, "1000", OrderType.LIMIT, limit="1.09"))
    assert rejection(state, second) == ("TOO_MANY_ORDERS", "1 orders wait already, at most 1 may")


def test_no_more_orders_in_a_second_than_the_limit() -> None:
    """NOW_NS is at the beginning of its second."""
    state = limited(Limits(orders_per_second=2))
    for number in range(2):
        filled(state, order("EURUSD", BUY, "1", f"id-{number}"))
    expected = ("LIMIT_EXCEEDED", "2 orders in this second, at most 2")
    assert rejection(state, order("EURUSD", BUY, "1", "third")) == expected
    filled(state, order("EURUSD", BUY, "1", "fourth"), NOW_NS + SECOND_NS)


def test_a_groups_leverage_is_the_highest_there_is() -> None:
    """10:1: 11,002.00 USD of notional require 1,100.20, where the instrument alone would ask for 366.37."""
    state = state_of(Group(STANDARD, leverage=10))
    event = filled(state, order("EURUSD", BUY, "10000"))
    assert event.requirement.initial_minor == 1_100_20
    assert state.accounts[ACCOUNT].margin_minor == 1_100_20


def test_a_positions_margin_is_that_of_its_group_and_its_tiers() -> None:
    """20:1 up to 10,000.00 USD and 10 % above: 20,000 EUR at 1.10020 are 22,004.00, so 500.00 + 1,200.40.

    10,000 of it are left: 11,002.00 USD, so 500.00 + 100.20. Another 10,000 alone ask for the same, and both together
    for 1,700.40, as the account's requirement says.
    """
    tiers = (Tier(0, e8("0.0333"), e8("0.0333")), Tier(10_000_00, e8("0.1"), e8("0.1")))
    state = state_of(Group(STANDARD, leverage=20), "50000.00")
    apply(state, DefineInstrument(msgspec.structs.replace(EURUSD, tiers=tiers)), NOW_NS)
    assert filled(state, order("EURUSD", BUY, "20000")).position.margin_minor == 1_700_40
    assert filled(state, closing(1, quantity="10000")).position.margin_minor == 600_20
    event = filled(state, order("EURUSD", BUY, "10000", "second"))
    assert (event.position.margin_minor, event.requirement.initial_minor) == (600_20, 1_700_40)
    assert filled(state, closing(1, "all of it")).position.margin_minor == 0


def test_the_margin_of_a_netted_position_is_that_of_all_of_it() -> None:
    state = trading_state("50000.00", mode=Mode.NETTING)
    apply(state, DefineGroup(Group(STANDARD, leverage=20)), NOW_NS)
    filled(state, order("EURUSD", BUY, "10000"))
    event = filled(state, order("EURUSD", BUY, "10001", "second"))
    # 20,001 x 1.10020 / 20 = 1,100.2550, rounded up once.
    assert event.position.margin_minor == event.requirement.initial_minor == 1_100_26


@pytest.mark.parametrize(
    "group",
    [
        Group(""),
        Group("x" * 65),
        Group("line\nbreak"),
        Group("bad", markup=Markup(-1, 0)),
        Group("bad", markups={"EURUSD": Markup(0, 10**12 + 1)}),
        Group("bad", levels=MarginLevels(e8("0.5"), e8("0.6"), True)),
        Group("bad", leverage=-1),
        Group("bad", hedged_share_e8=1),
    ],
)
def test_terms_that_contradict_each_other_are_refused(group: Group) -> None:
    assert refusal(trading_state(), DefineGroup(group))[0] in (Code.BAD_TERMS, Code.BAD_INSTRUMENT)


def test_a_group_is_defined_once() -> None:
    state = trading_state()
    assert [apply(state, DefineGroup(WIDER), NOW_NS) for _ in range(2)] == [[GroupDefined(WIDER)], []]


@pytest.mark.parametrize(
    ("state_word", "opens", "closes"),
    [
        (InstrumentState.HALTED, ("HALTED", "trading in EURUSD is halted"), Code.HALTED),
        (InstrumentState.CLOSE_ONLY, ("CLOSE_ONLY", "positions in EURUSD can be closed only"), None),
    ],
)
def test_an_instrument_that_is_not_open(
    state_word: InstrumentState, opens: tuple[str, str], closes: Code | None
) -> None:
    state = trading_state()
    filled(state, order("EURUSD", BUY, "1000"))
    apply(state, DefineInstrument(msgspec.structs.replace(EURUSD, state=state_word)), NOW_NS)
    assert rejection(state, order("EURUSD", BUY, "1000", "more")) == opens
    if closes is None:
        filled(state, closing(1))
    else:
        assert refusal(state, closing(1))[0] is closes
        assert fills(see(state, "0.9", "0.9002", 2)) == []


def test_terms_by_which_what_is_open_could_not_be_closed_are_refused() -> None:
    """A commission in a currency that nothing converts: without anything open it only means that nothing is opened."""
    state = trading_state()
    unpayable = Group(STANDARD, commission=Commission(CommissionBasis.LOT, 350_000_000, 0, "XYZ"))
    filled(state, order("EURUSD", BUY, "10000", stop_loss="1.095"))
    assert refusal(state, DefineGroup(unpayable))[:2] == (
        Code.NO_CONVERSION,
        "no instrument converts XYZ to USD",
    )
    apply(state, DefineGroup(msgspec.structs.replace(unpayable, name="other")), NOW_NS)
    assert refusal(state, AssignGroup(ACCOUNT, "other", "olga"))[0] is Code.NO_CONVERSION
    assert fills(see(state, "1.09500", "1.09520", 2)) == [(OrderReason.STOP_LOSS, e8("1.095"))]
    assert [type(event) for event in apply(state, DefineGroup(unpayable), NOW_NS)] == [GroupDefined]
