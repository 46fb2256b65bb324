"""The weak accounts of `stop_out_latency`: each has a price of its own at which it must be stopped out."""

from pathlib import Path
from typing import NamedTuple

from actors import process
from actors.bus import codec
from actors.bus.pump import Inbox, Stop
from actors.bus.requests import EngineRequest
from actors.domain.commands import Adjust
from actors.domain.money import CEILING, HALF_EVEN, SCALE, div
from actors.domain.order import OrderTerms, OrderType, Side
from tools.bench import book

FALLING = ("EURUSD", "GBPUSD", "AUDUSD", "NZDUSD")
"""Their prices fall, by FALL_SHARE in all; a tenth of the accounts hold nothing but one of them, long."""
FALL_SHARE = 300
"""A 300th."""
WEAK_EVERY = 10
WEAK_QUANTITY_E8 = 10_000 * SCALE


class Weak(NamedTuple):
    """An account that is to be stopped out by its symbol's bid."""

    symbol: str
    first_below_e8: int
    """The highest bid that stops it out."""


def weak_symbol(account_id: int) -> str | None:
    return FALLING[account_id // WEAK_EVERY % len(FALLING)] if account_id % WEAK_EVERY == 0 else None


def laid(folder: Path, positions: int) -> dict[int, Weak]:
    """Writes the journal of a book with weak accounts, at prices not far above those that stop them out."""
    now_ns = process.clock_ns()
    accounts = book.ordinary_accounts(range(1, positions // book.POSITIONS_PER_ACCOUNT + 1))
    weak_ids = [account_id for account_id in accounts if weak_symbol(account_id)]
    for account_id in weak_ids:
        terms = OrderTerms(weak_symbol(account_id) or "", Side.BUY, OrderType.MARKET, WEAK_QUANTITY_E8)
        accounts[account_id] = (book.DEPOSIT_MINOR, [terms] * book.POSITIONS_PER_ACCOUNT)
    journal = book.journal_at(folder)
    opened = book.opened(journal, accounts, now_ns)
    weak, adjusting = {}, []
    for number, account_id in enumerate(weak_ids):
        symbol = weak_symbol(account_id) or ""
        # The first of them right below the first price, the last at one and a half times the fall: it never gets there.
        bid_e8 = book.bid_e8(symbol)
        target_e8 = bid_e8 - bid_e8 * 3 * (number + 1) // (2 * FALL_SHARE * len(weak_ids))
        balance_minor = margin_minor(symbol) // 2 - profit_minor(symbol, target_e8)
        adjusting.append(Adjust(account_id, balance_minor - book.DEPOSIT_MINOR, f"weaken-{account_id}", "bench"))
        weak[account_id] = Weak(symbol, highest_stopped_e8(symbol, balance_minor, target_e8))
    requests = [[b"bench", codec.encode(EngineRequest(0, command))] for command in adjusting]
    opened.engine.on_receive(Inbox(now_ns, {"requests": requests}))
    opened.engine.on_receive(Stop(now_ns))
    return weak


def margin_minor(symbol: str) -> int:
    """Of a weak account: its ten positions at the first ask, at the instrument's rate. Written out, for the check."""
    notional_e16 = book.POSITIONS_PER_ACCOUNT * WEAK_QUANTITY_E8 * book.ask_e8(symbol)
    return div(notional_e16 * book.INSTRUMENTS[symbol].margin_rate_e8 * 100, 10**24, CEILING)


def profit_minor(symbol: str, bid_e8: int) -> int:
    amount_e16 = book.POSITIONS_PER_ACCOUNT * WEAK_QUANTITY_E8 * (bid_e8 - book.ask_e8(symbol))
    return div(amount_e16 * 100, 10**16, HALF_EVEN)


def highest_stopped_e8(symbol: str, balance_minor: int, near_e8: int) -> int:
    """The highest bid at which equity is less than half of the margin."""

    def is_stopped(bid_e8: int) -> bool:
        return 2 * (balance_minor + profit_minor(symbol, bid_e8)) < margin_minor(symbol)

    low_e8, high_e8 = near_e8 - near_e8 // 10_000, near_e8 + near_e8 // 10_000
    while high_e8 - low_e8 > 1:
        middle_e8 = (low_e8 + high_e8) // 2
        if is_stopped(middle_e8):
            low_e8 = middle_e8
        else:
            high_e8 = middle_e8
    return low_e8


def bid_at(symbol: str, turn: int, turns: int) -> int:
    """The bid of a symbol's tick number so and so, of `turns`; numbers go up from 0, before which nothing moved."""
    first_e8 = book.bid_e8(symbol)
    if symbol in FALLING:
        return first_e8 - first_e8 * turn // (FALL_SHARE * turns)
    return first_e8 + first_e8 * (turn % 7) // 1_000_000


def expected(weak: dict[int, Weak], ticks: int) -> dict[int, tuple[str, int]]:
    """Who has to be stopped out, and with which tick first."""
    turns = ticks // len(book.SYMBOLS)
    bids_e8 = {symbol: [bid_at(symbol, turn, turns) for turn in range(1, turns + 1)] for symbol in FALLING}
    found = {}
    for account_id, (symbol, first_below_e8) in weak.items():
        reached = [turn for turn, bid_e8 in enumerate(bids_e8[symbol]) if bid_e8 <= first_below_e8]
        if reached:
            found[account_id] = (symbol, reached[0] + 3)
    return found
