"""Orders on the broker's own book, as whole events. Prices are those of examples.py; the account holds 10,000 USD."""

import msgspec
import pytest

from actors.domain.broker import apply
from actors.domain.commands import ClosePosition, DefineInstrument, ObserveStream, ObserveTicks, SubmitOrder
from actors.domain.events.orders import OrderFilled
from actors.domain.ledger import Entry, Posting, PostingKind
from actors.domain.money import parse_e8 as e8
from actors.domain.order import (
    Conversion,
    Fill,
    Order,
    OrderReason,
    OrderStatus,
    OrderTerms,
    OrderType,
    Outcome,
    Position,
    Side,
)
from actors.domain.refusal import Code
from actors.domain.risk.margin import SAME_CURRENCY
from actors.domain.risk.requirement import NOTHING, Requirement
from tests.actors.domain.deals import NOW_NS, filled, outcome_of, refusal, rejection
from tests.examples import ACCOUNT, EURUSD, closing, opening, order, tick, trading_state

BUY, SELL = Side.BUY, Side.SELL
ONE = e8("1")


def test_a_buy_is_filled_whole_at_the_ask() -> None:
    """10,000 EUR x 1.10020 x 3.33 % = 366.3666 USD of margin, rounded up. No money moves yet."""
    state = trading_state()
    event = filled(state, order("EURUSD", BUY, "10000", "mine", stop_loss="1.09000", take_profit="1.12000"))
    price_e8, quantity_e8, stop_e8, profit_e8 = e8("1.10020"), e8("10000"), e8("1.09"), e8("1.12")
    assert event == OrderFilled(
        Order(
            1,
            ACCOUNT,
            "mine",
            OrderTerms("EURUSD", BUY, OrderType.MARKET, quantity_e8, stop_loss_e8=stop_e8, take_profit_e8=profit_e8),
            "",
            OrderReason.CLIENT,
            OrderStatus.FILLED,
            quantity_e8,
            price_e8,
            1,
            NOW_NS,
        ),
        Fill(1, 1, ACCOUNT, 1, "EURUSD", BUY, price_e8, quantity_e8, 0, SAME_CURRENCY, 1, NOW_NS),
        Position(1, ACCOUNT, "EURUSD", BUY, quantity_e8, price_e8, 366_37, stop_e8, profit_e8, NOW_NS),
        (),
        Requirement(366_37, 366_37),
    )
    account = state.accounts[ACCOUNT]
    assert account.positions == {1: event.position}
    assert account.outcomes["mine"] == Outcome(event.order.terms, event.order, (event.fill,))
    assert (account.margin_minor, state.balance_minor(account)) == (366_37, 10_000_00)


@pytest.mark.parametrize(
    ("symbol", "side", "quantity", "opened_at", "bid", "ask", "closed_at", "by", "profit_minor"),
    [
        # (1.10500 - 1.10020) x 10,000 = +48.00 USD.
        ("EURUSD", BUY, "10000", "1.10020", "1.10500", "1.10520", "1.10500", SAME_CURRENCY, 48_00),
        # (1.10000 - 1.10520) x 10,000 = -52.00 USD.
        ("EURUSD", SELL, "10000", "1.10000", "1.10500", "1.10520", "1.10520", SAME_CURRENCY, -52_00),
        # (151.000 - 150.020) x 10,000 = +9,800 JPY; dollars are bought at 151.020: 64.8921 USD.
        ("USDJPY", BUY, "10000", "150.020", "151", "151.020", "151", ("USDJPY", 2, ONE, e8("151.020")), 64_89),
        # (150.000 - 151.020) x 10,000 = -10,200 JPY; dollars are sold at 151.000: -67.5497 USD.
        ("USDJPY", SELL, "10000", "150.000", "151", "151.020", "151.020", ("USDJPY", 2, ONE, e8("151")), -67_55),
        # (0.88500 - 0.88020) x 10,000 = +48.00 GBP, sold at 1.25000: +60.00 USD.
        ("EURGBP", BUY, "10000", "0.88020", "0.885", "0.8852", "0.885", ("GBPUSD", 1, e8("1.25"), ONE), 60_00),
        # (0.88000 - 0.88520) x 10,000 = -52.00 GBP, bought at 1.25020: -65.0104 USD.
        ("EURGBP", SELL, "10000", "0.88000", "0.885", "0.8852", "0.8852", ("GBPUSD", 1, e8("1.2502"), ONE), -65_01),
        # (166.000 - 165.030) x 10,000 = +9,700 JPY; / 150.020 = 64.6580 USD.
        ("EURJPY", BUY, "10000", "165.030", "166", "166.030", "166", ("USDJPY", 1, ONE, e8("150.020")), 64_66),
        # (165.000 - 166.030) x 10,000 = -10,300 JPY; / 150.000 = -68.6667 USD.
        ("EURJPY", SELL, "10000", "165.000", "166", "166.030", "166.030", ("USDJPY", 1, ONE, e8("150")), -68_67),
        # (61,000.00 - 60,010.00) x 0.1 = +99.00 USD.
        ("BTCUSD", BUY, "0.1", "60010.00", "61000", "61010", "61000", SAME_CURRENCY, 99_00),
        # (60,000.00 - 61,010.00) x 0.1 = -101.00 USD.
        ("BTCUSD", SELL, "0.1", "60000.00", "61000", "61010", "61010", SAME_CURRENCY, -101_00),
    ],
)
def test_open_and_close(
    symbol: str,
    side: Side,
    quantity: str,
    opened_at: str,
    bid: str,
    ask: str,
    closed_at: str,
    by: Conversion | tuple[str, int, int, int],
    profit_minor: int,
) -> None:
    """OANDA's (closing price - opening price) x units x quote/home; the profit is the client's, from the broker."""
    state = trading_state()
    opened = filled(state, order(symbol, side, quantity))
    assert opened.fill.price_e8 == e8(opened_at)
    apply(state, ObserveTicks((tick(symbol, bid, ask, 2),)), NOW_NS)
    event = filled(state, closing(1))
    price_e8, quantity_e8 = e8(closed_at), e8(quantity)
    used = by if isinstance(by, Conversion) else Conversion(*by)
    assert event == OrderFilled(
        Order(
            2,
            ACCOUNT,
            "close",
            OrderTerms(symbol, side.opposite, OrderType.MARKET, quantity_e8, reduce_only=True),
            "close all of 1",
            OrderReason.CLOSE,
            OrderStatus.FILLED,
            quantity_e8,
            price_e8,
            1,
            NOW_NS,
        ),
        Fill(2, 2, ACCOUNT, 1, symbol, side.opposite, price_e8, quantity_e8, profit_minor, used, 2, NOW_NS),
        Position(1, ACCOUNT, symbol, side, 0, e8(opened_at), 0, 0, 0, NOW_NS),
        (
            Posting(
                2,
                PostingKind.TRADE,
                "fill:2",
                NOW_NS,
                (Entry("client:1", "USD", profit_minor), Entry("broker:trading", "USD", -profit_minor)),
            ),
        ),
        NOTHING,
    )
    account = state.accounts[ACCOUNT]
    assert (account.positions, account.exposures, account.margin_minor) == ({}, {}, 0)
    assert state.balance_minor(account) == 10_000_00 + profit_minor


@pytest.mark.parametrize(
    ("symbol", "side", "margin_minor"),
    [
        # 10,000 USD x 150.020 / 150.000 x 3.33 % = 333.0444, rounded up: yen are converted at the dearer side.
        ("USDJPY", BUY, 333_05),
        # 10,000 EUR x 0.88000 x 1.25020 x 3.33 % = 366.3586, rounded up: so are pounds.
        ("EURGBP", SELL, 366_36),
        # 10,000 EUR x 165.030 / 150.000 x 3.33 % = 366.3666, rounded up.
        ("EURJPY", BUY, 366_37),
    ],
)
def test_margin_of_a_cross(symbol: str, side: Side, margin_minor: int) -> None:
    assert filled(trading_state(), order(symbol, side, "10000")).position.margin_minor == margin_minor


def test_a_close_without_profit_moves_no_money() -> None:
    state = trading_state()
    filled(state, order("EURUSD", BUY, "1"))
    apply(state, ObserveTicks((tick("EURUSD", "1.10020", "1.10040", 2),)), NOW_NS)
    assert filled(state, closing(1)).postings == ()
    assert state.last_posting_id == 1


def test_a_partial_close_keeps_the_rest_and_the_margin_of_it() -> None:
    """10,000 bought at 1.10020 tie up 366.37. After 4,000 are closed at 1.10000: -0.80."""
    state = trading_state()
    filled(state, order("EURUSD", BUY, "10000", stop_loss="1.09"))
    event = filled(state, closing(1, "part", "4000"))
    assert (event.order.reason, event.fill.quantity_e8, event.fill.profit_minor) == (
        OrderReason.CLOSE,
        e8("4000"),
        -80,
    )
    rest = Position(1, ACCOUNT, "EURUSD", BUY, e8("6000"), e8("1.10020"), 219_82, e8("1.09"), 0, NOW_NS)
    assert event.position == rest
    assert state.accounts[ACCOUNT].positions == {1: rest}
    # Of the position, and of all that is open in the symbol: 6,000 x 1.10020 x 3.33 % = 219.81996, rounded up.
    assert state.accounts[ACCOUNT].margin_minor == 219_82
    (stopped,) = apply(state, ObserveTicks((tick("EURUSD", "1.08000", "1.08020", 2),)), NOW_NS)
    assert isinstance(stopped, OrderFilled)
    assert (stopped.fill.quantity_e8, stopped.order.reason) == (e8("6000"), OrderReason.STOP_LOSS)


def test_a_close_of_the_quantity_that_is_there_is_a_whole_one() -> None:
    state = trading_state()
    filled(state, order("EURUSD", BUY, "10000"))
    assert filled(state, closing(1, "part", "10000")).position.quantity_e8 == 0
    assert state.accounts[ACCOUNT].positions == {}


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("10001", (Code.QUANTITY_OUT_OF_RANGE, "the position holds 10000, not 10001", "quantity")),
        ("-1", (Code.QUANTITY_OUT_OF_RANGE, "the position holds 10000, not -1", "quantity")),
        ("0.5", (Code.QUANTITY_STEP, "quantity of EURUSD goes in steps of 1", "quantity")),
    ],
)
def test_a_close_of_what_is_not_there_is_refused(quantity: str, expected: tuple[Code, str, str]) -> None:
    state = trading_state()
    filled(state, order("EURUSD", BUY, "10000"))
    assert refusal(state, closing(1, quantity=quantity)) == expected


def test_another_accounts_position_is_unknown() -> None:
    state = trading_state()
    filled(state, order("EURUSD", BUY, "10000"))
    for told in opening(account_id=2):
        apply(state, told, NOW_NS)
    expected = (Code.UNKNOWN_POSITION, "there is no open position 1", "position_id")
    assert refusal(state, closing(1, account_id=2)) == expected


def test_a_repeat_gets_the_first_outcome_and_no_event() -> None:
    state = trading_state()
    command = order("EURUSD", BUY, "10000")
    first = filled(state, command)
    apply(state, ObserveTicks((tick("EURUSD", "1.2", "1.3", 2),)), NOW_NS)
    assert apply(state, command, NOW_NS + 5) == []
    assert outcome_of(state, command) == Outcome(command.terms, first.order, (first.fill,))


def test_a_rejected_order_stays_rejected() -> None:
    state = trading_state("1.00")
    command = order("EURUSD", BUY, "10000")
    rejection(state, command)
    apply(state, ObserveTicks((tick("EURUSD", "0.6", "0.6", 2),)), NOW_NS)
    assert apply(state, command, NOW_NS) == []
    outcome = outcome_of(state, command)
    assert outcome is not None
    assert outcome.code == "INSUFFICIENT_MARGIN"


def test_a_repeat_is_known_after_the_terms_have_changed() -> None:
    state = trading_state()
    command = order("EURUSD", BUY, "10000")
    filled(state, command)
    apply(state, DefineInstrument(msgspec.structs.replace(EURUSD, quantity_max_e8=e8("5000"))), NOW_NS)
    assert apply(state, command, NOW_NS) == []


def test_a_repeated_close_is_known_when_the_position_is_gone() -> None:
    state = trading_state()
    filled(state, order("EURUSD", BUY, "10000"))
    first = filled(state, closing(1, "out"))
    assert apply(state, closing(1, "out"), NOW_NS) == []
    assert outcome_of(state, closing(1, "out")) == Outcome("close all of 1", first.order, (first.fill,))


@pytest.mark.parametrize(
    "other",
    [
        order("EURUSD", SELL, "10000"),
        order("EURUSD", BUY, "10001"),
        order("GBPUSD", BUY, "10000"),
        order("EURUSD", BUY, "10000", stop_loss="1.09"),
        order("EURUSD", BUY, "10000", take_profit="1.2"),
        closing(1, "first"),
        closing(1, "first", "10000"),
    ],
)
def test_a_client_order_id_has_one_body(other: SubmitOrder | ClosePosition) -> None:
    state = trading_state()
    filled(state, order("EURUSD", BUY, "10000"))
    sentence = "client_order_id 'first' belongs to another request of this account"
    assert refusal(state, other) == (Code.DUPLICATE_CLIENT_ORDER_ID, sentence, "client_order_id")


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (closing(1, "out"), closing(1, "out", "10000")),
        (closing(1, "out", "4000"), closing(1, "out")),
        (closing(1, "out", "4000"), closing(1, "out", "4001")),
        (closing(1, "out"), closing(2, "out")),
        (closing(1, "out"), order("EURUSD", SELL, "10000", "out")),
    ],
)
def test_a_closes_client_order_id_has_one_body(first: ClosePosition, other: SubmitOrder | ClosePosition) -> None:
    state = trading_state()
    filled(state, order("EURUSD", BUY, "10000"))
    filled(state, order("EURUSD", BUY, "10000", "second"))
    filled(state, first)
    assert refusal(state, other)[0] is Code.DUPLICATE_CLIENT_ORDER_ID


def test_a_close_that_was_refused_may_be_sent_again() -> None:
    """A close is not an order of its own: the client gets out when there is a price, under the same id."""
    state = trading_state()
    filled(state, order("EURUSD", BUY, "10000"))
    apply(state, ObserveStream(NOW_NS, ("EURUSD",)), NOW_NS)
    assert refusal(state, closing(1))[0] is Code.NO_PRICE
    apply(state, ObserveTicks((tick("EURUSD", "1.1", "1.1002", 2),)), NOW_NS)
    filled(state, closing(1))
