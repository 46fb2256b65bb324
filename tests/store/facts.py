"""A small broker's day in events and ticks, for tests of the history."""

import random

from actors.domain import ledger
from actors.domain.events import AccountOpened, Event, InstrumentDefined, MoneyMoved, OrderFilled, OrderRejected
from actors.domain.instrument import Instrument
from actors.domain.ledger import Posting, PostingKind
from actors.domain.order import Conversion, Fill, Order, OrderReason, OrderStatus, OrderType, Position, Side
from actors.domain.quote import Tick

START_NS = 1_767_225_600_000_000_123
"""2026-01-01 00:00 UTC, and a little: what timestamptz cannot hold."""
E8 = 100_000_000

EURUSD = Instrument("EURUSD", "EUR", "USD", "Euro", 5, 1_000 * E8, 10_000_000 * E8, E8, 3_330_000, E8 // 2, 2 * E8)


def order(number: int, status: OrderStatus = OrderStatus.FILLED, account_id: int = 1) -> Order:
    filled = status is OrderStatus.FILLED
    return Order(
        order_id=number,
        account_id=account_id,
        client_order_id=f"client-{number}",
        symbol="EURUSD",
        side=Side.BUY if number % 2 else Side.SELL,
        type=OrderType.MARKET,
        reason=OrderReason.CLIENT,
        quantity_e8=10_000 * E8 + number,
        stop_loss_e8=108_000_000 if number % 3 else 0,
        take_profit_e8=0,
        status=status,
        filled_e8=10_000 * E8 + number if filled else 0,
        average_price_e8=110_000_001 + number if filled else 0,
        position_id=number if filled else 0,
        created_ns=START_NS + number,
    )


def filled(number: int, profit_minor: int = 0, account_id: int = 1) -> OrderFilled:
    """Order, fill, position and posting of the same number; the posting only where there is a profit."""
    made = order(number, account_id=account_id)
    fill = Fill(
        fill_id=number,
        order_id=number,
        account_id=account_id,
        position_id=number,
        symbol="EURUSD",
        side=made.side,
        price_e8=made.average_price_e8,
        quantity_e8=made.filled_e8,
        profit_minor=profit_minor,
        conversion=Conversion("", 0, E8, E8),
        tick_seq=number + 7,
        time_ns=made.created_ns,
    )
    position = Position(
        number,
        account_id,
        "EURUSD",
        made.side,
        made.filled_e8,
        made.average_price_e8,
        33_300,
        108_000_000,
        0,
        made.created_ns,
    )
    posting = trade(number, profit_minor, account_id) if profit_minor else None
    return OrderFilled(made, fill, position, posting)


def trade(number: int, profit_minor: int, account_id: int = 1) -> Posting:
    to, time_ns = ledger.client(account_id), START_NS + number
    return ledger.transfer(
        number, PostingKind.TRADE, f"fill:{number}", time_ns, ledger.TRADING, to, "USD", profit_minor
    )


def deposited(number: int, amount_minor: int, account_id: int = 1, currency: str = "USD") -> MoneyMoved:
    to = ledger.client(account_id)
    posting = ledger.transfer(
        number, PostingKind.DEPOSIT, f"deposit:{number}", START_NS, ledger.CASH, to, currency, amount_minor
    )
    return MoneyMoved(account_id, str(number), "config", posting)


def rejected(number: int) -> OrderRejected:
    return OrderRejected(order(number, OrderStatus.REJECTED), "INSUFFICIENT_MARGIN", "not enough")


def opening() -> list[Event]:
    """The three events that come before all others."""
    return [InstrumentDefined(EURUSD), AccountOpened(1, "USD"), deposited(1, 10_000_000)]


def day(count: int, seed: int = 1) -> list[Event]:
    """`count` events: the opening, then fills with and without profit, and rejections."""
    chance = random.Random(seed)
    events = opening()
    for number in range(2, count):
        kind = chance.random()
        if kind < 0.2:
            events.append(rejected(number))
        else:
            events.append(filled(number, chance.randint(-5_000, 5_000) if kind < 0.7 else 0))
    return events[:count]


def ticks(symbol: str, first_seq: int, count: int, step_ns: int = 1_000_000_000, seed: int = 1) -> list[Tick]:
    """A random walk; one tick in fifty is not live."""
    chance = random.Random(seed)
    made, bid_e8 = [], 110_000_000
    for number in range(first_seq, first_seq + count):
        bid_e8 += chance.randint(-3, 3) * 1_000
        time_ns = START_NS + number % 10**9 * step_ns
        ask_e8 = bid_e8 + chance.randint(0, 20) * 100
        made.append(Tick(symbol, number, time_ns, bid_e8, ask_e8, "oanda", "binance", chance.random() > 0.02))
    return made
