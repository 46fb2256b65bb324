"""What stands before a deal. Prices are those of examples.py; the account holds 10,000 USD."""

import msgspec
import pytest

from actors.domain.broker import apply
from actors.domain.calendar import FOREX, roll_ns, trading_day
from actors.domain.commands import ClosePosition, DefineInstrument, ObserveStream, ObserveTicks, SubmitOrder
from actors.domain.money import parse_e8 as e8
from actors.domain.order import (
    OrderType,
    Side,
)
from actors.domain.refusal import Code
from actors.domain.state import State
from tests.actors.domain.deals import NOW_NS, filled, refusal, rejection
from tests.examples import ACCOUNT, EURUSD, SECOND_NS, START_NS, closing, order, terms, tick, trading_state

BUY, SELL = Side.BUY, Side.SELL
ONE = e8("1")


def protected(side: Side, protection: dict[str, str]) -> SubmitOrder:
    stop_loss, take_profit = protection.get("stop_loss", "0"), protection.get("take_profit", "0")
    return order("EURUSD", side, "1", stop_loss=stop_loss, take_profit=take_profit)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (order("EURUSD", BUY, "1", account_id=9), (Code.UNKNOWN_ACCOUNT, "there is no account 9", "account_id")),
        (order("XAUUSD", BUY, "1"), (Code.UNKNOWN_SYMBOL, "there is no symbol 'XAUUSD'", "symbol")),
        (
            order("EURUSD", BUY, "0"),
            (Code.QUANTITY_OUT_OF_RANGE, "quantity of EURUSD is from 1 to 10000000, not 0", "quantity"),
        ),
        (
            order("EURUSD", BUY, "-1"),
            (Code.QUANTITY_OUT_OF_RANGE, "quantity of EURUSD is from 1 to 10000000, not -1", "quantity"),
        ),
        (
            order("EURUSD", BUY, "10000001"),
            (Code.QUANTITY_OUT_OF_RANGE, "quantity of EURUSD is from 1 to 10000000, not 10000001", "quantity"),
        ),
        (order("EURUSD", BUY, "1.5"), (Code.QUANTITY_STEP, "quantity of EURUSD goes in steps of 1", "quantity")),
        (
            order("EURUSD", BUY, "1", stop_loss="1.099999"),
            (Code.PRICE_STEP, "stop_loss of EURUSD has at most 5 decimals", "stop_loss"),
        ),
        (
            order("EURUSD", BUY, "1", take_profit="-1"),
            (Code.PRICE_STEP, "take_profit of EURUSD has at most 5 decimals", "take_profit"),
        ),
        (
            order("EURUSD", BUY, "1", take_profit="10000000000"),
            (Code.PRICE_STEP, "take_profit of EURUSD has at most 5 decimals", "take_profit"),
        ),
        (
            order("EURUSD", BUY, "1", ""),
            (Code.BAD_CLIENT_ORDER_ID, "client_order_id has 1 to 64 printable characters", "client_order_id"),
        ),
        (
            order("EURUSD", BUY, "1", "x" * 65),
            (Code.BAD_CLIENT_ORDER_ID, "client_order_id has 1 to 64 printable characters", "client_order_id"),
        ),
        (
            order("EURUSD", BUY, "1", "a\nb"),
            (Code.BAD_CLIENT_ORDER_ID, "client_order_id has 1 to 64 printable characters", "client_order_id"),
        ),
        (closing(7), (Code.UNKNOWN_POSITION, "there is no open position 7", "position_id")),
        (closing(1, account_id=9), (Code.UNKNOWN_ACCOUNT, "there is no account 9", "account_id")),
        (
            closing(1, ""),
            (Code.BAD_CLIENT_ORDER_ID, "client_order_id has 1 to 64 printable characters", "client_order_id"),
        ),
    ],
)
def test_what_is_not_well_formed_is_refused(
    command: SubmitOrder | ClosePosition, expected: tuple[Code, str, str]
) -> None:
    assert refusal(trading_state(), command) == expected


@pytest.mark.parametrize(
    ("side", "protection", "expected"),
    [
        (BUY, {"stop_loss": "1.10000"}, "stop_loss 1.1 of a buy must be below 1.1"),
        (BUY, {"stop_loss": "1.10010"}, "stop_loss 1.1001 of a buy must be below 1.1"),
        (BUY, {"take_profit": "1.10000"}, "take_profit 1.1 of a buy must be above 1.1"),
        (BUY, {"take_profit": "1.09999"}, "take_profit 1.09999 of a buy must be above 1.1"),
        (SELL, {"stop_loss": "1.10020"}, "stop_loss 1.1002 of a sell must be above 1.1002"),
        (SELL, {"stop_loss": "1.10019"}, "stop_loss 1.10019 of a sell must be above 1.1002"),
        (SELL, {"take_profit": "1.10020"}, "take_profit 1.1002 of a sell must be below 1.1002"),
        (SELL, {"take_profit": "1.10021"}, "take_profit 1.10021 of a sell must be below 1.1002"),
    ],
)
def test_protection_on_the_wrong_side_is_rejected(side: Side, protection: dict[str, str], expected: str) -> None:
    assert rejection(trading_state(), protected(side, protection)) == ("WRONG_SIDE_OF_MARKET", expected)


@pytest.mark.parametrize(
    ("side", "protection"),
    [
        (BUY, {"stop_loss": "1.09999", "take_profit": "1.10001"}),
        (SELL, {"stop_loss": "1.10021", "take_profit": "1.10019"}),
    ],
)
def test_protection_may_be_one_step_from_the_market(side: Side, protection: dict[str, str]) -> None:
    filled(trading_state(), protected(side, protection))


def alive(state: State, now_ns: int) -> State:
    """The stream is alive then."""
    apply(state, ObserveStream(now_ns), now_ns)
    return state


def test_while_its_session_is_closed_a_symbol_is_not_dealt_in() -> None:
    """EURUSD is traded until Friday 17:00 New York; START_NS is a Monday. The price is live, and the stream too."""
    state = trading_state()
    apply(state, DefineInstrument(msgspec.structs.replace(EURUSD, sessions=FOREX)), NOW_NS)
    filled(state, order("EURUSD", BUY, "1000", stop_loss="1.09"))
    friday_ns = roll_ns(trading_day(NOW_NS) + 4)
    sunday_ns = roll_ns(trading_day(NOW_NS) + 6)
    sentence = "the market in EURUSD is closed"
    filled(alive(state, friday_ns - 1), order("EURUSD", BUY, "1", "last"), friday_ns - 1)
    for closed_ns in (friday_ns, sunday_ns - 1):
        alive(state, closed_ns)
        assert rejection(state, order("EURUSD", BUY, "1", f"at {closed_ns}"), closed_ns) == ("MARKET_CLOSED", sentence)
        assert refusal(state, closing(1), closed_ns) == (Code.MARKET_CLOSED, sentence, "symbol")
        far = SubmitOrder(ACCOUNT, f"far {closed_ns}", terms("EURUSD", BUY, "1", OrderType.LIMIT, limit="1.01"))
        assert rejection(state, far, closed_ns) == ("MARKET_CLOSED", sentence)
        assert apply(state, ObserveTicks((tick("EURUSD", "1.0", "1.1", 2, time_ns=closed_ns),)), closed_ns) == []
    filled(alive(state, sunday_ns), order("EURUSD", BUY, "1", "again"), sunday_ns)


def test_without_a_price_an_order_is_rejected() -> None:
    state = trading_state()
    apply(state, ObserveTicks((tick("EURUSD", "1.1", "1.2", 2, live=False),)), NOW_NS)
    sentence = "no liquidity provider has a fresh price of EURUSD"
    assert rejection(state, order("EURUSD", BUY, "1")) == ("NO_PRICE", sentence)


def test_a_symbol_that_is_behind_is_not_dealt_on() -> None:
    state = trading_state()
    apply(state, ObserveStream(NOW_NS, ("EURUSD",)), NOW_NS)
    assert rejection(state, order("EURUSD", BUY, "1"))[0] == "NO_PRICE"
    filled(state, order("GBPUSD", BUY, "1", "other"))


def test_a_silent_stream_is_not_dealt_on() -> None:
    state = trading_state()
    filled(state, order("EURUSD", BUY, "1", "in time"), START_NS + 3 * SECOND_NS)
    late_ns = START_NS + 3 * SECOND_NS + 1_000_000
    sentence = "the price stream has been silent for 3001 ms, more than 3000 ms"
    assert rejection(state, order("EURUSD", BUY, "1"), late_ns) == ("STALE_PRICE", sentence)
    assert refusal(state, closing(1), late_ns) == (Code.STALE_PRICE, sentence, "symbol")


def test_an_account_in_a_currency_without_a_cross_cannot_trade() -> None:
    state = trading_state(currency="CHF")
    sentence = "no instrument converts USD to CHF"
    assert rejection(state, order("EURUSD", BUY, "1")) == ("NO_CONVERSION", sentence)


def test_margin_to_the_last_cent() -> None:
    """10,000 EURUSD need 366.37, and 2.00 of spread are lost at once: 368.37 are enough, 368.36 are not."""
    filled(trading_state("368.37"), order("EURUSD", BUY, "10000"))
    expected = ("INSUFFICIENT_MARGIN", "free margin 366.36 < 366.37 USD that the order needs")
    assert rejection(trading_state("368.36"), order("EURUSD", BUY, "10000")) == expected


def test_margin_counts_what_is_tied_up_and_what_is_lost() -> None:
    """After 10,000 EURUSD at 1.10020 (margin 366.37) the bid falls to 1.09000: -102.00.

    A balance of 1,000.00 leaves 1,000.00 - 102.00 - 366.37 = 531.63; another 14,000 at 1.09020 lose 2.80 and need
    14,000 x 1.09020 x 3.33 % = 508.2513: 528.83 are enough. 15,000 lose 3.00, need 544.5549, and have 528.63.
    All 24,000 together require (11,002.00 + 15,262.80) x 3.33 % = 874.6178, rounded up once.
    """
    state = trading_state("1000.00")
    filled(state, order("EURUSD", BUY, "10000"))
    apply(state, ObserveTicks((tick("EURUSD", "1.09000", "1.09020", 2),)), NOW_NS)
    expected = ("INSUFFICIENT_MARGIN", "free margin 528.63 < 544.56 USD that the order needs")
    assert rejection(state, order("EURUSD", BUY, "15000", "more")) == expected
    filled(state, order("EURUSD", BUY, "14000", "less"))
    summary = state.summary(state.accounts[ACCOUNT], NOW_NS)
    assert (summary.margin_minor, summary.open_profit_minor) == (874_62, -104_80)
    assert (summary.equity_minor, summary.free_margin_minor) == (895_20, 20_58)
