import contextlib

import msgspec
import pytest

from actors.domain.broker import apply
from actors.domain.commands import (
    DefineInstrument,
    Deposit,
    ObserveStream,
    ObserveTicks,
    OpenAccount,
)
from actors.domain.events.accounts import AccountOpened, MoneyMoved
from actors.domain.events.event import Event
from actors.domain.events.orders import OrderFilled
from actors.domain.events.terms import InstrumentDefined
from actors.domain.instrument import Instrument
from actors.domain.ledger import Entry, Posting, PostingKind
from actors.domain.money import parse_e8 as e8
from actors.domain.order import OrderReason, Side
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.state import State
from tests.actors.domain.deals import NOW_NS, refusal
from tests.examples import ACCOUNT, EURUSD, closing, opening, order, tick, trading_state

BUY, SELL = Side.BUY, Side.SELL


def observe(state: State, *ticks: Tick) -> list[tuple[int, OrderReason, int, int]]:
    """What the ticks closed: position, reason, price, profit."""
    closed = []
    for event in apply(state, ObserveTicks(ticks), NOW_NS):
        assert isinstance(event, OrderFilled)
        closed.append((event.fill.position_id, event.order.reason, event.fill.price_e8, event.fill.profit_minor))
    return closed


def test_an_instrument_is_defined_once_and_changed_when_it_changes() -> None:
    state = State()
    changed = msgspec.structs.replace(EURUSD, margin_rate_e8=e8("0.05"))
    events = [apply(state, DefineInstrument(it), NOW_NS) for it in (EURUSD, EURUSD, changed, changed)]
    assert events == [[InstrumentDefined(EURUSD)], [], [InstrumentDefined(changed)], []]
    assert (state.instruments, state.event_seq) == ({"EURUSD": changed}, 2)


@pytest.mark.parametrize(
    "terms",
    [
        {"quantity_min_e8": 0},
        {"quantity_min_e8": -1},
        {"quantity_max_e8": EURUSD.quantity_min_e8 - 1},
        {"quantity_max_e8": 10**18},
        {"quantity_max_e8": 10**17, "price_max_e8": 10**13},
        {"quantity_step_e8": 0},
        {"price_min_e8": 0},
        {"price_max_e8": EURUSD.price_min_e8},
        {"price_max_e8": 10**18},
        {"price_digits": -1},
        {"price_digits": 9},
        {"margin_rate_e8": 0},
        {"base": "USD"},
    ],
)
def test_terms_that_contradict_each_other_are_refused(terms: dict[str, int | str]) -> None:
    command = DefineInstrument(msgspec.structs.replace(EURUSD, **terms))
    assert refusal(State(), command)[::2] == (Code.BAD_INSTRUMENT, "instrument")


@pytest.mark.parametrize("terms", [{"base": "GBP"}, {"quote": "CHF"}])
def test_a_symbol_keeps_its_currencies(terms: dict[str, str]) -> None:
    """Open positions and their profit are in them."""
    changed: Instrument = msgspec.structs.replace(EURUSD, **terms)
    assert refusal(trading_state(), DefineInstrument(changed))[::2] == (Code.BAD_INSTRUMENT, "instrument")


def test_an_account_is_opened_once() -> None:
    state = State()
    assert [apply(state, OpenAccount(1, "USD"), NOW_NS) for _ in range(2)] == [[AccountOpened(1, "USD")], []]
    assert refusal(state, OpenAccount(1, "EUR"))[::2] == (Code.BAD_CURRENCY, "currency")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (OpenAccount(0, "USD"), (Code.UNKNOWN_ACCOUNT, "account_id")),
        (OpenAccount(-1, "USD"), (Code.UNKNOWN_ACCOUNT, "account_id")),
        (OpenAccount(2**63, "USD"), (Code.UNKNOWN_ACCOUNT, "account_id")),
        (OpenAccount(2, ""), (Code.BAD_CURRENCY, "currency")),
        (OpenAccount(2, "usd"), (Code.BAD_CURRENCY, "currency")),
        (OpenAccount(2, "US1"), (Code.BAD_CURRENCY, "currency")),
        (OpenAccount(2, "ÜSD"), (Code.BAD_CURRENCY, "currency")),
        (OpenAccount(2, "USDUSDUSDUSD"), (Code.BAD_CURRENCY, "currency")),
        (Deposit(2, 100, "key", "test"), (Code.UNKNOWN_ACCOUNT, "account_id")),
        (Deposit(1, 0, "key", "test"), (Code.BAD_AMOUNT, "amount")),
        (Deposit(1, -1, "key", "test"), (Code.BAD_AMOUNT, "amount")),
        (Deposit(1, 10**15 + 1, "key", "test"), (Code.BAD_AMOUNT, "amount")),
        (Deposit(1, 100, "", "test"), (Code.BAD_KEY, "key")),
        (Deposit(1, 100, "x" * 65, "test"), (Code.BAD_KEY, "key")),
        (Deposit(1, 100, "key", "x" * 65), (Code.BAD_ACTOR, "actor")),
        (Deposit(1, 100, "opening-1", "test"), (Code.IDEMPOTENCY_KEY_REUSED, "key")),
    ],
)
def test_what_is_not_well_formed_is_refused(command: OpenAccount | Deposit, expected: tuple[Code, str]) -> None:
    assert refusal(trading_state(), command)[::2] == expected


def test_a_deposit_is_paid_in_once_per_key() -> None:
    state = trading_state()
    deposit = Deposit(ACCOUNT, 50_00, "key", "admin")
    entries = (Entry("client:1", "USD", 50_00), Entry("broker:cash", "USD", -50_00))
    posting = Posting(2, PostingKind.DEPOSIT, "deposit:key", NOW_NS, entries)
    assert apply(state, deposit, NOW_NS) == [MoneyMoved(ACCOUNT, "key", "admin", posting)]
    assert apply(state, deposit, NOW_NS + 1) == []
    assert state.ledger.balances() == (Entry("client:1", "USD", 10_050_00), Entry("broker:cash", "USD", -10_050_00))


def test_a_key_belongs_to_one_account() -> None:
    state = trading_state()
    apply(state, OpenAccount(2, "USD"), NOW_NS)
    assert refusal(state, Deposit(2, 10_000_00, "opening-1", "test"))[::2] == (Code.IDEMPOTENCY_KEY_REUSED, "key")


def test_a_long_is_stopped_at_the_first_bid_behind_its_stop() -> None:
    """Stop at 1.09500; the market gaps to 1.09000: closed at 1.09000, (1.09000 - 1.10020) x 10,000 = -102.00."""
    state = trading_state()
    apply(state, order("EURUSD", BUY, "10000", stop_loss="1.09500"), NOW_NS)
    assert observe(state, tick("EURUSD", "1.09501", "1.09520", 2)) == []
    assert observe(state, tick("EURUSD", "1.09000", "1.09020", 3)) == [(1, OrderReason.STOP_LOSS, e8("1.09"), -102_00)]
    assert state.balance_minor(state.accounts[ACCOUNT]) == 9_898_00


def test_a_short_takes_its_profit_at_the_ask() -> None:
    """Profit at 1.09000; the ask comes to 1.08990: closed there, (1.10000 - 1.08990) x 10,000 = +101.00."""
    state = trading_state()
    apply(state, order("EURUSD", SELL, "10000", take_profit="1.09000"), NOW_NS)
    assert observe(state, tick("EURUSD", "1.08990", "1.09010", 2)) == []
    assert observe(state, tick("EURUSD", "1.08970", "1.08990", 3)) == [
        (1, OrderReason.TAKE_PROFIT, e8("1.0899"), 101_00)
    ]


def test_a_position_is_closed_once() -> None:
    state = trading_state()
    apply(state, order("EURUSD", BUY, "10000", stop_loss="1.09", take_profit="1.11"), NOW_NS)
    assert [closed[0] for closed in observe(state, tick("EURUSD", "1.12", "1.1202", 2))] == [1]
    assert observe(state, tick("EURUSD", "1.08", "1.0802", 3)) == []


def test_a_position_that_the_client_closed_is_not_closed_again() -> None:
    state = trading_state()
    apply(state, order("EURUSD", BUY, "10000", stop_loss="1.09"), NOW_NS)
    apply(state, closing(1), NOW_NS)
    assert observe(state, tick("EURUSD", "1.08", "1.0802", 2)) == []


def test_a_price_that_nobody_may_deal_on_triggers_nothing() -> None:
    state = trading_state()
    apply(state, order("EURUSD", BUY, "10000", stop_loss="1.09"), NOW_NS)
    assert observe(state, tick("EURUSD", "1.08", "1.0802", 2, live=False)) == []
    assert [closed[0] for closed in observe(state, tick("EURUSD", "1.085", "1.0852", 3))] == [1]


def test_a_late_tick_is_no_price_and_triggers_nothing() -> None:
    state = trading_state()
    apply(state, order("EURUSD", BUY, "10000", stop_loss="1.09"), NOW_NS)
    newest = tick("EURUSD", "1.2", "1.2002", 10)
    assert observe(state, newest, tick("EURUSD", "1.08", "1.0802", 9), tick("EURUSD", "1.08", "1.0802", 10)) == []
    assert state.ticks["EURUSD"] == newest


def test_after_a_symbol_was_behind_any_number_is_its_price() -> None:
    """An aggregator whose clock was set back goes on at a lower number: its heartbeat has said that ours is not its."""
    state = trading_state()
    observe(state, tick("EURUSD", "1.2", "1.2002", 10))
    apply(state, ObserveStream(NOW_NS, ("EURUSD", "UNKNOWN")), NOW_NS)
    assert state.ticks["EURUSD"].live is False
    newest = tick("EURUSD", "1.3", "1.3002", 5)
    observe(state, newest)
    assert state.ticks["EURUSD"] == newest


def test_the_stream_is_alive_when_it_says_so() -> None:
    state = trading_state()
    assert apply(state, ObserveStream(NOW_NS), NOW_NS) == []
    assert state.stream_alive_ns == NOW_NS


def test_ticks_are_dealt_with_one_after_the_other() -> None:
    """The first tick stops one position, the second the other: each at its own price."""
    state = trading_state()
    apply(state, order("EURUSD", BUY, "10000", "one", stop_loss="1.09"), NOW_NS)
    apply(state, order("EURUSD", BUY, "10000", "two", stop_loss="1.08"), NOW_NS)
    ticks = tick("EURUSD", "1.085", "1.0852", 2), tick("EURUSD", "1.075", "1.0752", 3), tick("EURUSD", "2", "2", 4)
    assert observe(state, *ticks) == [
        (1, OrderReason.STOP_LOSS, e8("1.085"), -152_00),
        (2, OrderReason.STOP_LOSS, e8("1.075"), -252_00),
    ]


def test_numbers_rise_by_one() -> None:
    state = trading_state()
    events: list[Event] = []
    for told in (
        order("EURUSD", BUY, "10000", "a", stop_loss="1.09"),
        order("XAUUSD", BUY, "1", "refused"),
        order("EURUSD", BUY, "1", "rejected", stop_loss="1.2"),
        order("EURUSD", SELL, "10000", "b"),
        closing(2, "c", "5000"),
        ObserveTicks((tick("EURUSD", "1.08", "1.0802", 2),)),
        *opening(account_id=2),
    ):
        with contextlib.suppress(Refused):
            events += apply(state, told, NOW_NS)
    fills = [event for event in events if isinstance(event, OrderFilled)]
    assert [event.fill.fill_id for event in fills] == [1, 2, 3, 4]
    assert [event.order.order_id for event in fills] == [1, 3, 4, 5]
    assert [event.position.position_id for event in fills] == [1, 2, 2, 1]
    assert [posting.posting_id for event in fills for posting in event.postings] == [2, 3]
    assert state.last_posting_id == 4
