"""A small broker's day in events and ticks, for tests of the history."""

import random
from collections.abc import Iterable

import msgspec

from actors.domain import ledger
from actors.domain.events.accounts import (
    AccountOpened,
    DaySealed,
    MarginStatusChanged,
    MoneyMoved,
    NegativeBalanceForgiven,
    SwapCharged,
)
from actors.domain.events.event import Event
from actors.domain.events.orders import (
    OrderAccepted,
    OrderEnded,
    OrderFilled,
    OrderModified,
    OrderRejected,
    PositionModified,
)
from actors.domain.events.terms import GroupDefined, InstrumentDefined
from actors.domain.group import Group
from actors.domain.instrument import Instrument
from actors.domain.ledger import Entry, Ledger, Posting, PostingKind
from actors.domain.order import (
    Conversion,
    Fill,
    Order,
    OrderReason,
    OrderStatus,
    OrderTerms,
    OrderType,
    Position,
    Side,
    TimeInForce,
)
from actors.domain.quote import Tick
from actors.domain.risk.requirement import Requirement
from actors.domain.risk.stop_out import MarginStatus

START_NS = 1_767_225_600_000_000_123
"""2026-01-01 00:00 UTC, and a little: what timestamptz cannot hold."""
E8 = 100_000_000

EURUSD = Instrument("EURUSD", "EUR", "USD", "Euro", 5, 1_000 * E8, 10_000_000 * E8, E8, 3_330_000, E8 // 2, 2 * E8)


def order(number: int, status: OrderStatus = OrderStatus.FILLED, account_id: int = 1) -> Order:
    """A market order where it was dealt with at once, otherwise one that waits, or waited."""
    filled, waited = status is OrderStatus.FILLED, status not in (OrderStatus.FILLED, OrderStatus.REJECTED)
    terms = OrderTerms(
        "EURUSD",
        Side.BUY if number % 2 else Side.SELL,
        OrderType.STOP_LIMIT if waited else OrderType.MARKET,
        10_000 * E8 + number,
        TimeInForce.GTD if waited else TimeInForce.IOC,
        limit_e8=111_000_000 if waited else 0,
        stop_e8=111_500_000 + number if waited else 0,
        bound_e8=0 if waited else 112_000_000,
        stop_loss_e8=108_000_000 if number % 3 else 0,
        expires_ns=START_NS + 10**15 + number if waited else 0,
        oco=f"pair-{number // 2}" if waited else "",
    )
    return Order(
        number,
        account_id,
        f"client-{number}",
        terms,
        request="" if number % 5 else "reverse 7",
        reason=OrderReason.CLIENT if number % 5 else OrderReason.CLOSE,
        status=status,
        filled_e8=terms.quantity_e8 if filled else 0,
        average_price_e8=110_000_001 + number if filled else 0,
        position_id=number if filled else 0,
        created_ns=START_NS + number,
    )


def filled(number: int, profit_minor: int = 0, account_id: int = 1, order_id: int = 0) -> OrderFilled:
    """Order (where it is no other one), fill, position and posting of a number; the posting where there is a profit."""
    made = order(order_id or number, account_id=account_id)
    fill = Fill(
        fill_id=number,
        order_id=made.order_id,
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
        commission_minor=number % 3 * 25,
    )
    postings = (trade(number, profit_minor, account_id),) if profit_minor else ()
    return OrderFilled(made, fill, position(number, account_id), postings, Requirement(33_300 + number, 33_300))


def position(number: int, account_id: int = 1, stop_loss_e8: int = 108_000_000) -> Position:
    made = order(number)
    return Position(
        number,
        account_id,
        "EURUSD",
        made.side,
        made.filled_e8,
        made.average_price_e8,
        33_300,
        stop_loss_e8,
        0,
        made.created_ns,
        trailing_stop_e8=0 if number % 4 else 500_000,
        open_rest_e16=number,
    )


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


def status_changed(status: MarginStatus, account_id: int = 1) -> MarginStatusChanged:
    return MarginStatusChanged(account_id, status, 49_99, 100_00)


def moved(kind: PostingKind, number: int, amount_minor: int, account_id: int = 1) -> Posting:
    """Between a client and the broker, with no staff in it."""
    broker = {PostingKind.SWAP: ledger.SWAPS, PostingKind.PROTECTION: ledger.PROTECTION}[kind]
    to, time_ns = ledger.client(account_id), START_NS + number
    return ledger.transfer(number, kind, f"{kind.value}:{number}", time_ns, broker, to, "USD", amount_minor)


def swap(number: int, amount_minor: int, account_id: int = 1) -> SwapCharged:
    return SwapCharged(position(number, account_id), 3, moved(PostingKind.SWAP, number, amount_minor, account_id))


def forgiven(number: int, amount_minor: int, account_id: int = 1) -> NegativeBalanceForgiven:
    return NegativeBalanceForgiven(account_id, moved(PostingKind.PROTECTION, number, amount_minor, account_id))


def sealed(trading_day: int, events: Iterable[Event]) -> DaySealed:
    """The trial balance of what the events posted."""
    book = Ledger()
    for posting in postings(events):
        book.post(posting)
    return DaySealed(trading_day, book.balances())


def postings(events: Iterable[Event]) -> list[Posting]:
    """Oldest first."""
    found: list[Posting] = []
    for event in events:
        if isinstance(event, OrderFilled):
            found += event.postings
        elif isinstance(event, MoneyMoved | SwapCharged | NegativeBalanceForgiven):
            found.append(event.posting)
    return found


def balances(events: Iterable[Event]) -> tuple[Entry, ...]:
    return sealed(0, events).balances


def rejected(number: int) -> OrderRejected:
    return OrderRejected(order(number, OrderStatus.REJECTED), "INSUFFICIENT_MARGIN", "not enough")


def opening() -> list[Event]:
    """The three events that come before all others."""
    return [InstrumentDefined(EURUSD), AccountOpened(1, "USD"), deposited(1, 10_000_000)]


def day(count: int, seed: int = 1) -> list[Event]:
    """`count` events: the opening, then orders dealt with at once, rejected, or waiting for what becomes of them."""
    chance = random.Random(seed)
    events, waiting, positions = opening(), [0], [0]
    for number in range(2, count):
        kind = chance.random()
        if kind < 0.1:
            events.append(rejected(number))
        elif kind < 0.25:
            events.append(OrderAccepted(order(number, OrderStatus.WORKING)))
            waiting.append(number)
        elif kind < 0.4 and (order_id := waiting.pop(chance.randrange(len(waiting)))):
            events.append(later(number, order_id, chance.random()))
            if isinstance(events[-1], OrderModified):
                waiting.append(order_id)
        elif kind < 0.45:
            events.append(rarer(number, events, chance))
        elif kind < 0.55 and (position_id := chance.choice(positions)):
            events.append(PositionModified(position(position_id, stop_loss_e8=107_000_000 + number)))
        else:
            events.append(filled(number, chance.randint(-5_000, 5_000) if kind < 0.8 else 0))
            positions.append(number)
        waiting = waiting or [0]
    return events[:count]


def rarer(number: int, events: list[Event], chance: random.Random) -> Event:
    """What comes of groups, margins and the end of a day."""
    return chance.choice(
        (
            GroupDefined(Group(f"group-{number}")),
            status_changed(chance.choice(list(MarginStatus))),
            swap(number, chance.randint(-500, 500)),
            forgiven(number, chance.randint(1, 500)),
            sealed(20_000 + number, events),
        )
    )


def later(number: int, order_id: int, chance: float) -> Event:
    """What becomes of an order that waits."""
    if chance < 0.3:
        return filled(number, order_id=order_id)
    if chance < 0.5:
        return OrderEnded(order(order_id, OrderStatus.CANCELLED), "OCO", "the other one was filled")
    if chance < 0.6:
        return OrderEnded(order(order_id, OrderStatus.EXPIRED), "EXPIRED", "its time in force is over")
    triggered = order(order_id, OrderStatus.TRIGGERED)
    return OrderModified(msgspec.structs.replace(triggered, trail_seq=number))


def orders(events: Iterable[Event]) -> list[Order]:
    """The orders as the events leave them, newest first."""
    last = {event.order.order_id: event.order for event in events if hasattr(event, "order")}
    return [last[order_id] for order_id in sorted(last, reverse=True)]


def fills(events: Iterable[Event]) -> list[Fill]:
    """Newest first."""
    return [event.fill for event in events if isinstance(event, OrderFilled)][::-1]


def positions(events: Iterable[Event]) -> list[Position]:
    """The positions as the events leave them, oldest first."""
    last = {e.position.position_id: e.position for e in events if isinstance(e, OrderFilled | PositionModified)}
    return [last[position_id] for position_id in sorted(last)]


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
