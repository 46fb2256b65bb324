"""Margin status by the tick: margin calls, stop-outs, and what the broker forgives.

A tick looks at the accounts whose bands it breaks and at those that something else has changed, in order of their ids.
What is decided about an account is exact; the bands only say which accounts a tick cannot have changed.
"""

from itertools import count

from actors.domain import ledger
from actors.domain.account import Account
from actors.domain.dealing import abook, resting
from actors.domain.dealing.covered import closing_e8, closings_e8, is_closing
from actors.domain.dealing.executed import closing_order, cost_of
from actors.domain.dealing.fills import Deal
from actors.domain.events.accounts import MarginStatusChanged, NegativeBalanceForgiven
from actors.domain.events.event import Event
from actors.domain.evolution import evolve
from actors.domain.ledger import PostingKind
from actors.domain.order import Order, OrderReason
from actors.domain.quote import Tick
from actors.domain.risk import margin
from actors.domain.risk.bands import bands_of
from actors.domain.risk.exposure import Exposure
from actors.domain.risk.requirement import NOTHING, required
from actors.domain.risk.stop_out import MarginStatus, bounds, forgiven_minor, status, stop_out_order
from actors.domain.routing.child import child_id
from actors.domain.routing.execution import ANSWER_LIMIT_NS
from actors.domain.state import State

STOPPED_OUT = OrderReason.STOP_OUT
STOP_OUT, NORMAL = MarginStatus.STOP_OUT, MarginStatus.NORMAL


def look_at_margins(state: State, tick: Tick, now_ns: int, events: list[Event]) -> None:
    """After a tick: whose margin status has changed, and what follows from it.

    A price that is not live decides about nobody: those whose bands it breaks are looked at with the next live tick, of
    whichever symbol, as they are after a restart.
    """
    if not tick.live:
        return
    due, state.unwatched = state.unwatched, {}
    for account_id in sorted(due):
        _look(state, state.accounts[account_id], now_ns, events)


def _look(state: State, account: Account, now_ns: int, events: list[Event]) -> None:
    equity_minor = _decide(state, account, now_ns, events)
    if account.status is STOP_OUT:
        _stop_out(state, account, now_ns, events)
        equity_minor = _decide(state, account, now_ns, events)
    _forgive(state, account, now_ns, events)
    bands = state.bands[account.group.name]
    if not account.positions:
        bands.remove(account.account_id)
    elif account.status is STOP_OUT:
        # What could not be dealt now is tried again with the next tick.
        bands.remove(account.account_id)
        state.unwatched[account.account_id] = None
        return
    else:
        within = bounds(account.status, account.maintenance_minor, account.group.levels)
        laid = bands_of(
            account.exposures, equity_minor, within, state.instruments, state.crosses, account.ticks, account.currency
        )
        bands.place(account.account_id, laid)
    state.unwatched.pop(account.account_id, None)


def _decide(state: State, account: Account, now_ns: int, events: list[Event]) -> int:
    """Takes in the status that the account has at these prices; gives its equity."""
    equity_minor = state.summary(account, now_ns).equity_minor
    maintenance_minor = account.maintenance_minor
    found = status(equity_minor, maintenance_minor, account.group.levels) if account.positions else NORMAL
    if found is not account.status:
        _take(state, MarginStatusChanged(account.account_id, found, equity_minor, maintenance_minor), events)
    return equity_minor


def _stop_out(state: State, account: Account, now_ns: int, events: list[Event]) -> None:
    """Closes positions, the worst first, until the account is above its stop-out level or none can be dealt.

    First what rests at venues is to be cancelled there: it would be filled whatever margin there is.

    What a venue is to close counts as closed while its answer may be expected: closing more could be too much. A venue
    that is silent for longer holds nothing else up, nor one that refuses: the next position is closed then.
    """
    profits: list[tuple[int, int]] = []
    for asked in resting.endings_of(state, account, now_ns):
        _take(state, asked, events)
    if state.halts.stops_group(account.group.name):
        return
    for position in account.positions.values():
        instrument, tick = state.instruments[position.symbol], account.ticks[position.symbol]
        if tick.live and not state.is_halted(instrument) and state.is_open(instrument, now_ns):
            profit = margin.profit_minor(position, instrument, state.crosses, account.ticks, account.currency)
            profits.append((position.position_id, profit))
    for position_id in stop_out_order(profits):
        if _status_expected(state, account, now_ns) is not STOP_OUT:
            return
        position = account.positions[position_id]
        quantity_e8 = position.quantity_e8 - closing_e8(account, position)
        if quantity_e8 <= 0 or state.books.pauses(position_id, now_ns):
            continue
        tick = account.ticks[position.symbol]
        deal = Deal(state, account, tick, now_ns)
        number = state.last_order_id + 1
        order = closing_order(number, position, quantity_e8, "", "", STOPPED_OUT, now_ns)
        abook.close(state, account, deal, order, position, margin.closing_price_e8(position.side, tick), now_ns)
        for event in deal.events:
            _take(state, event, events)


def _status_expected(state: State, account: Account, now_ns: int) -> MarginStatus:
    """The margin status that the account has when the venues have closed what they are expected to."""
    open_after: dict[str, Exposure] = {}
    for position_id, quantity_e8 in closings_e8(account, _answered_soon(state, account, now_ns)).items():
        position = account.positions[position_id]
        exposure = open_after.setdefault(position.symbol, account.exposures[position.symbol].copy())
        exposure.change(position.side, -quantity_e8, -cost_of(position, quantity_e8))
    maintenance_minor = account.maintenance_minor
    for symbol, exposure in open_after.items():
        instrument = state.instruments[symbol]
        by = margin.conversion(state.crosses, account.ticks, instrument.quote, account.currency, gain=False)
        needed = required(exposure, state.margin_terms(account.group, instrument), by, account.currency)
        maintenance_minor += needed.maintenance_minor - account.requirements.get(symbol, NOTHING).maintenance_minor
    return status(state.summary(account, now_ns).equity_minor, maintenance_minor, account.group.levels)


def _answered_soon(state: State, account: Account, now_ns: int) -> list[Order]:
    """The closings at venues that were sent a short while ago, however long they have waited for their price."""
    closings = [it for it in account.orders.values() if is_closing(it)]
    return [it for it in closings if now_ns - _sent_ns(state, it) <= ANSWER_LIMIT_NS]


def _sent_ns(state: State, order: Order) -> int:
    """When the newest of its child orders was sent that are not over."""
    books, newest_ns = state.books, order.created_ns
    for attempt in count(1):
        name = child_id(order.order_id, attempt)
        if name not in books.known:
            break
        if name in books.open:
            newest_ns = books.open[name].child.sent_ns
    return newest_ns


def _forgive(state: State, account: Account, now_ns: int, events: list[Event]) -> None:
    """An account with nothing open that owes money owes it no longer, where its group says so."""
    owed_minor = 0 if account.positions else forgiven_minor(state.balance_minor(account), account.group.levels)
    if owed_minor:
        posting = ledger.transfer(
            state.last_posting_id + 1,
            PostingKind.PROTECTION,
            f"account:{account.account_id}",
            now_ns,
            ledger.PROTECTION,
            account.ledger_account,
            account.currency,
            owed_minor,
        )
        _take(state, NegativeBalanceForgiven(account.account_id, posting), events)


def _take(state: State, event: Event, events: list[Event]) -> None:
    evolve(state, event)
    events.append(event)
