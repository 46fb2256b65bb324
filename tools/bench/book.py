"""A large book: accounts with ten positions each in thirty symbols, dealt by the engine itself into its journal."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from actors.bus import codec, topics
from actors.bus.pump import Inbox
from actors.bus.requests import EngineRequest
from actors.bus.streams import StreamAlive
from actors.domain.commands import Command, DefineInstrument, Deposit, OpenAccount, SubmitOrder
from actors.domain.instrument import Instrument
from actors.domain.money import HALF_EVEN, SCALE
from actors.domain.order import OrderTerms, OrderType, Side
from actors.domain.quote import Tick
from actors.domain.risk import margin
from actors.domain.risk.stop_out import status
from actors.domain.state import State
from actors.engine import Engine
from actors.store.journal import Journal
from tools.bench import market
from tools.bench.result import Spoiled

POSITIONS_PER_ACCOUNT = 10
INSTRUMENTS: dict[str, Instrument] = market.thirty()
SYMBOLS = tuple(INSTRUMENTS)
CURRENCY = "USD"
DEPOSIT_MINOR = 1_000_000_00
QUANTITY_E8 = 1_000 * SCALE
METAL_QUANTITY_E8 = SCALE
PROTECTION_SHARE = 20
"""Stop loss and take profit lie a twentieth of the price away: they wait, and are not reached."""
ORDERS_PER_TURN = 500


def bid_e8(symbol: str) -> int:
    """At which the book begins; the spread is a 20,000th."""
    return market.price_e8(INSTRUMENTS[symbol])


def ask_e8(symbol: str) -> int:
    return spread_e8(bid_e8(symbol))


def spread_e8(bid_e8: int) -> int:
    """The ask to a bid."""
    return bid_e8 + bid_e8 // 20_000


def tick(symbol: str, seq: int, time_ns: int, bid_e8: int) -> Tick:
    return Tick(symbol, seq, time_ns, bid_e8, spread_e8(bid_e8), "BENCH", "BENCH", live=True)


def tick_frame(told: Tick) -> bytes:
    return codec.encode([told], topics.tick(told.symbol))


def alive_frame(now_ns: int, last_seq: dict[str, int]) -> bytes:
    return codec.encode(StreamAlive(now_ns, last_seq), topics.ALIVE)


def ordinary(account_id: int) -> Iterator[OrderTerms]:
    """Positions of an account that nothing happens to: ten symbols, long and short, with protections."""
    for place in range(POSITIONS_PER_ACCOUNT):
        symbol = SYMBOLS[(account_id + 3 * place) % len(SYMBOLS)]
        instrument = INSTRUMENTS[symbol]
        buys = (account_id + place) % 2 == 0
        step_e8, price_e8 = instrument.price_step_e8, bid_e8(symbol)
        away_e8 = price_e8 // PROTECTION_SHARE
        low_e8, high_e8 = ((price_e8 + sign * away_e8) // step_e8 * step_e8 for sign in (-1, 1))
        yield OrderTerms(
            symbol,
            Side.BUY if buys else Side.SELL,
            OrderType.MARKET,
            METAL_QUANTITY_E8 if instrument.base in market.METALS_E8 else QUANTITY_E8,
            stop_loss_e8=low_e8 if buys else high_e8,
            take_profit_e8=high_e8 if buys else low_e8,
        )


class Book(NamedTuple):
    """An engine that is driven without a thread or sockets of its own, and its state."""

    engine: Engine
    state: State


def opened(journal: Journal, accounts: dict[int, tuple[int, list[OrderTerms]]], now_ns: int) -> Book:
    """A book in which each account has paid in so much and dealt these orders; raises Spoiled."""
    definitions: list[Command] = [DefineInstrument(instrument) for instrument in INSTRUMENTS.values()]
    for account_id, (deposit_minor, _) in accounts.items():
        definitions.append(OpenAccount(account_id, CURRENCY))
        definitions.append(Deposit(account_id, deposit_minor, f"opening-{account_id}", "bench"))
    recovered = journal.recover()
    state = recovered.state
    engine = Engine(journal, recovered, definitions)
    ticks = [[tick_frame(tick(symbol, 1, now_ns, bid_e8(symbol)))] for symbol in SYMBOLS]
    engine.on_receive(Inbox(now_ns, {"ticks": [*ticks, [alive_frame(now_ns, dict.fromkeys(SYMBOLS, 1))]]}))
    requests = (
        [b"bench", codec.encode(EngineRequest(0, SubmitOrder(account_id, f"opening-{number}", terms)))]
        for account_id, (_, orders) in accounts.items()
        for number, terms in enumerate(orders)
    )
    while turn := list(islice(requests, ORDERS_PER_TURN)):
        engine.on_receive(Inbox(now_ns, {"requests": turn}))
    wanted = sum(len(orders) for _, orders in accounts.values())
    held = sum(len(account.positions) for account in state.accounts.values())
    if held != wanted:
        raise Spoiled(f"of {wanted} positions {held} are open")
    return Book(engine, state)


def check_statuses(state: State) -> None:
    """Raises Spoiled unless each account's margin status is what all its positions at the last prices make of it."""
    for account in state.accounts.values():
        equity_minor = state.balance_minor(account) + state.credit_minor(account)
        for quote in {exposure.quote for exposure in account.exposures.values()}:
            profit_e16 = sum(
                margin.profit_e16(held, margin.closing_price_e8(held.side, state.ticks[held.symbol]))
                for held in account.positions.values()
                if INSTRUMENTS[held.symbol].quote == quote
            )
            by = margin.conversion(state.crosses, state.ticks, quote, CURRENCY, gain=profit_e16 > 0)
            equity_minor += margin.to_minor(profit_e16, by, CURRENCY, HALF_EVEN)
        if account.status is not status(equity_minor, account.maintenance_minor, account.group.levels):
            raise Spoiled(f"account {account.account_id} is not {account.status.value} with {equity_minor} {CURRENCY}")


def journal_at(folder: Path) -> Journal:
    return Journal(folder / "engine.sqlite")


def ordinary_accounts(account_ids: Iterable[int]) -> dict[int, tuple[int, list[OrderTerms]]]:
    return {account_id: (DEPOSIT_MINOR, list(ordinary(account_id))) for account_id in account_ids}
