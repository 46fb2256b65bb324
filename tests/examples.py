"""Instruments, prices and accounts that tests begin with."""

import msgspec

from actors.domain.broker import apply
from actors.domain.commands import (
    ClosePosition,
    DefineInstrument,
    Deposit,
    Input,
    Mode,
    ObserveStream,
    ObserveTicks,
    OpenAccount,
    SubmitOrder,
)
from actors.domain.group import STANDARD
from actors.domain.instrument import Instrument
from actors.domain.money import parse_e8 as e8
from actors.domain.money import parse_minor
from actors.domain.order import OrderTerms, OrderType, Side, TimeInForce
from actors.domain.quote import Quote, Tick
from actors.domain.snapshot import snapshot
from actors.domain.state import State

START_NS = 1_768_830_563_000_000_000
SECOND_NS = 1_000_000_000
ACCOUNT = 1
EVERY_NIGHT = (1, 1, 1, 1, 1, 1, 1)
"""Of a swap: crypto."""


def instrument(
    symbol: str,
    price_digits: int,
    margin_rate: str,
    lowest: str,
    highest: str,
    step: str = "1",
    largest: str = "10000000",
) -> Instrument:
    """`symbol`: three letters of the base and three of the quote."""
    return Instrument(
        symbol,
        symbol[:3],
        symbol[3:],
        f"{symbol[:3]} in {symbol[3:]}",
        price_digits,
        e8(step),
        e8(largest),
        e8(step),
        e8(margin_rate),
        e8(lowest),
        e8(highest),
    )


EURUSD = instrument("EURUSD", 5, "0.0333", "0.5", "3")
GBPUSD = instrument("GBPUSD", 5, "0.0333", "0.5", "4")
USDJPY = instrument("USDJPY", 3, "0.0333", "50", "400")
EURGBP = instrument("EURGBP", 5, "0.0333", "0.3", "2")
EURJPY = instrument("EURJPY", 3, "0.0333", "50", "500")
BTCUSD = instrument("BTCUSD", 2, "0.5", "1000", "1000000", "0.0001", "100")
INSTRUMENTS = {it.symbol: it for it in (EURUSD, GBPUSD, USDJPY, EURGBP, EURJPY, BTCUSD)}
"""Margin rates of the EU's retail limits: 3.33 % for major pairs, 50 % for crypto (ESMA decision (EU) 2018/796)."""


def tick(symbol: str, bid: str, ask: str, seq: int = 1, *, live: bool = True, time_ns: int = START_NS) -> Tick:
    return Tick(symbol, seq, time_ns, e8(bid), e8(ask), "OANDA", "OANDA", live)


def quote(
    symbol: str,
    bid: str,
    ask: str,
    *,
    venue_time_ns: int = START_NS,
    received_ns: int = START_NS,
    size: str = "1000000",
) -> Quote:
    return Quote(symbol, e8(bid), e8(ask), e8(size), e8(size), venue_time_ns, received_ns)


TICKS = (
    tick("EURUSD", "1.10000", "1.10020"),
    tick("GBPUSD", "1.25000", "1.25020"),
    tick("USDJPY", "150.000", "150.020"),
    tick("EURGBP", "0.88000", "0.88020"),
    tick("EURJPY", "165.000", "165.030"),
    tick("BTCUSD", "60000.00", "60010.00"),
)


def opening(
    deposit: str = "10000.00",
    currency: str = "USD",
    account_id: int = ACCOUNT,
    mode: Mode = Mode.HEDGING,
    group: str = STANDARD,
) -> list[Input]:
    """An account, and its first deposit under a key of its own."""
    money = Deposit(account_id, parse_minor(deposit, currency), f"opening-{account_id}", "test")
    return [OpenAccount(account_id, currency, mode, group), money]


def trading_inputs(deposit: str = "10000.00", currency: str = "USD", mode: Mode = Mode.HEDGING) -> list[Input]:
    """What makes a fresh state one in which account 1 can trade."""
    return [
        *(DefineInstrument(it) for it in INSTRUMENTS.values()),
        *opening(deposit, currency, mode=mode),
        ObserveTicks(TICKS),
        ObserveStream(START_NS),
    ]


def trading_state(deposit: str = "10000.00", currency: str = "USD", mode: Mode = Mode.HEDGING) -> State:
    state = State()
    for told in trading_inputs(deposit, currency, mode):
        apply(state, told, START_NS)
    return state


def terms(
    symbol: str,
    side: Side,
    quantity: str,
    kind: OrderType = OrderType.MARKET,
    *,
    limit: str = "0",
    stop: str = "0",
    trail: str = "0",
    bound: str = "0",
    stop_loss: str = "0",
    take_profit: str = "0",
    trailing_stop: str = "0",
    time_in_force: TimeInForce = TimeInForce.GTC,
    expires_ns: int = 0,
    reduce_only: bool = False,
    oco: str = "",
) -> OrderTerms:
    return OrderTerms(
        symbol,
        side,
        kind,
        e8(quantity),
        time_in_force,
        e8(limit),
        e8(stop),
        e8(trail),
        e8(bound),
        e8(stop_loss),
        e8(take_profit),
        e8(trailing_stop),
        expires_ns,
        reduce_only,
        oco,
    )


def order(
    symbol: str,
    side: Side,
    quantity: str,
    client_order_id: str = "first",
    *,
    stop_loss: str = "0",
    take_profit: str = "0",
    account_id: int = ACCOUNT,
) -> SubmitOrder:
    """A market order."""
    asked = terms(symbol, side, quantity, stop_loss=stop_loss, take_profit=take_profit)
    return SubmitOrder(account_id, client_order_id, asked)


def closing(
    position_id: int, client_order_id: str = "close", quantity: str = "0", account_id: int = ACCOUNT
) -> ClosePosition:
    return ClosePosition(account_id, client_order_id, position_id, e8(quantity))


def encoded(state: State) -> bytes:
    """Everything that a state is: two are the same where these bytes are."""
    return msgspec.msgpack.encode(snapshot(state))


def price_near_e8(symbol: str, thousandths: int) -> int:
    """A price so many thousandths above where the symbol begins (TICKS), on its step."""
    start_e8 = next(given.bid_e8 for given in TICKS if given.symbol == symbol)
    step_e8 = INSTRUMENTS[symbol].price_step_e8
    return start_e8 * (1_000 + thousandths) // 1_000 // step_e8 * step_e8
