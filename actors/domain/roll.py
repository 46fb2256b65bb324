"""The end of a trading day, 17:00 New York: swap on what is kept over it, and the sealed trial balance."""

from actors.domain import ledger
from actors.domain.account import Account
from actors.domain.calendar import settlement, trading_day
from actors.domain.charges import charged_nights, swap_minor, swap_rate_e8
from actors.domain.events.accounts import DaySealed, SwapCharged
from actors.domain.events.event import Event
from actors.domain.evolution import evolve
from actors.domain.ledger import PostingKind
from actors.domain.order import Position
from actors.domain.risk import margin
from actors.domain.state import State


def roll(state: State, now_ns: int, events: list[Event]) -> None:
    """Ends the trading day that `next_roll_ns` ends, one event after the other."""
    day = trading_day(state.next_roll_ns - 1)
    nights = {
        it.symbol: charged_nights(it.swap, settlement(it.base, it.quote), day, state.holidays)
        for it in state.instruments.values()
    }
    for account in state.accounts.values():
        for position in account.positions.values():
            event = _swap(state, account, position, nights[position.symbol], day, now_ns)
            if event is not None:
                evolve(state, event)
                events.append(event)
    sealed = DaySealed(day, state.ledger.balances())
    evolve(state, sealed)
    events.append(sealed)


def _swap(state: State, account: Account, position: Position, nights: int, day: int, now_ns: int) -> SwapCharged | None:
    """What keeping the position costs or brings, at its closing price; None where that is nothing."""
    instrument = state.instruments[position.symbol]
    terms = account.group.swap_of(instrument.swap)
    rate_e8 = swap_rate_e8(terms, position.side)
    if not (rate_e8 and nights):
        return None
    amount_minor = swap_minor(
        terms,
        position.side,
        position.quantity_e8,
        margin.closing_price_e8(position.side, account.ticks[position.symbol]),
        instrument.price_step_e8,
        nights,
        margin.conversion(state.crosses, account.ticks, instrument.quote, account.currency, gain=rate_e8 > 0),
        account.currency,
    )
    if not amount_minor:
        return None
    posting = ledger.transfer(
        state.last_posting_id + 1,
        PostingKind.SWAP,
        f"position:{position.position_id}:day:{day}",
        now_ns,
        ledger.SWAPS,
        account.ledger_account,
        account.currency,
        amount_minor,
    )
    return SwapCharged(position, nights, posting)
