"""The engine's state at rest: everything that cannot be built anew from the rest."""

from collections import OrderedDict

import msgspec

from actors.domain import waiting
from actors.domain.account import Account
from actors.domain.approval import MoneyRequest
from actors.domain.changes import Change
from actors.domain.commands import Mode
from actors.domain.group import Group
from actors.domain.halt import Halt
from actors.domain.instrument import Instrument
from actors.domain.ledger import Entry, Ledger
from actors.domain.order import Order, OrderType, Outcome, Position
from actors.domain.quote import Tick
from actors.domain.risk.limits import AS_THE_GROUP, Limits
from actors.domain.risk.margin import crosses_of
from actors.domain.risk.requirement import Requirement
from actors.domain.risk.stop_out import MarginStatus
from actors.domain.routing.books import SavedBooks
from actors.domain.state import State
from actors.domain.trigger import Followed


class AccountSnapshot(msgspec.Struct, frozen=True, array_like=True):
    account_id: int
    currency: str
    mode: Mode
    group: str
    positions: list[Position]
    orders: list[Order]
    outcomes: list[Outcome]
    requirements: dict[str, Requirement]
    status: MarginStatus
    second: int
    second_orders: int
    limits: Limits = AS_THE_GROUP
    """Of its own."""


class Trails(msgspec.Struct, frozen=True, array_like=True):
    """The trailing stops of one symbol, with the peaks that they have seen, nearest distance first of each peak.

    Peaks are by the market's price: what the client's price differs by at the last tick is left out.
    """

    symbol: str
    below_bid: list[Followed]
    above_ask: list[Followed]


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    event_seq: int
    stream_alive_ns: int
    last_order_id: int
    last_fill_id: int
    last_position_id: int
    last_posting_id: int
    instruments: list[Instrument]
    ticks: list[Tick]
    accounts: list[AccountSnapshot]
    moved: dict[str, tuple[int, str, int]]
    balances: tuple[Entry, ...]
    trails: list[Trails]
    groups: list[Group]
    next_roll_ns: int
    books: SavedBooks
    holidays: dict[str, tuple[int, ...]] = {}
    requests: list[MoneyRequest] = []
    approval_limits: dict[str, int] = {}
    versions: dict[str, int] = {}
    changed_by_staff: list[str] = []
    changes: list[Change] = []
    halts: list[Halt] = []
    forgetting: int = 0
    """`Remembered.turn`."""
    to_revise: list[tuple[int, str]] = []


def snapshot(state: State) -> Snapshot:
    return Snapshot(
        state.event_seq,
        state.stream_alive_ns,
        state.last_order_id,
        state.last_fill_id,
        state.last_position_id,
        state.last_posting_id,
        list(state.instruments.values()),
        list(state.ticks.values()),
        [_account(account) for account in state.accounts.values()],
        dict(state.moved),
        state.ledger.balances(),
        [trails for symbol in sorted(state.prices) if (trails := _trails(state, symbol)) is not None],
        list(state.groups.values()),
        state.next_roll_ns,
        state.books.saved(),
        dict(state.holidays),
        list(state.requests.by_key.values()),
        dict(state.approval_limits),
        dict(state.versions.current),
        list(state.versions.by_staff),
        list(state.versions.changes),
        list(state.halts),
        state.remembered.turn,
        list(state.to_revise),
    )


def restore(saved: Snapshot) -> State:
    """The state that `snapshot` was taken of; indexes (crosses, exposures, triggers, expiries) are built anew."""
    state = State()
    state.event_seq = saved.event_seq
    state.stream_alive_ns = saved.stream_alive_ns
    state.last_order_id = saved.last_order_id
    state.last_fill_id = saved.last_fill_id
    state.last_position_id = saved.last_position_id
    state.last_posting_id = saved.last_posting_id
    state.instruments = {instrument.symbol: instrument for instrument in saved.instruments}
    state.crosses = crosses_of(state.instruments)
    state.ticks = {tick.symbol: tick for tick in saved.ticks}
    state.moved = OrderedDict(saved.moved)
    state.remembered.turn = saved.forgetting
    state.to_revise = dict.fromkeys(saved.to_revise)
    state.next_roll_ns = saved.next_roll_ns
    state.holidays = dict(saved.holidays)
    for request in saved.requests:
        state.requests.take(request)
    state.approval_limits = dict(saved.approval_limits)
    state.versions.current = dict(saved.versions)
    state.versions.by_staff = dict.fromkeys(saved.changed_by_staff)
    state.versions.changes = list(saved.changes)
    for halt in saved.halts:
        state.halts.begin(halt)
    for group in saved.groups:
        state.define_group(group)
    state.books.restore(saved.books)
    state.ledger = Ledger(saved.balances)
    for part in saved.accounts:
        _restore_account(state, part)
    for trails in saved.trails:
        _restore_trails(state, trails)
    return state


def _account(account: Account) -> AccountSnapshot:
    return AccountSnapshot(
        account.account_id,
        account.currency,
        account.mode,
        account.group.name,
        list(account.positions.values()),
        list(account.orders.values()),
        list(account.outcomes.values()),
        dict(account.requirements),
        account.status,
        account.second,
        account.second_orders,
        account.own_limits,
    )


def _restore_account(state: State, part: AccountSnapshot) -> None:
    account = state.open_account(part.account_id, part.currency, part.mode, part.group)
    account.agree(account.group, part.limits)
    for position in part.positions:
        account.place(position, state.instruments[position.symbol].quote)
        # The trails have it already, with the peak that it has seen.
        waiting.watch_position(state, msgspec.structs.replace(position, trailing_stop_e8=0), None)
    for order in part.orders:
        account.wait(order)
        if order.terms.type is OrderType.TRAILING_STOP:
            waiting.watch_expiry(state, order)
        else:
            waiting.watch_order(state, order)
    for symbol, requirement in part.requirements.items():
        account.require(symbol, requirement)
    account.status, account.second, account.second_orders = part.status, part.second, part.second_orders
    if part.positions or part.status is not MarginStatus.NORMAL or state.balance_minor(account) < 0:
        state.unwatched[part.account_id] = None
    for outcome in part.outcomes:
        account.outcomes[outcome.order.client_order_id] = outcome
    state.remembered.restored(account)


def _trails(state: State, symbol: str) -> Trails | None:
    market = state.ticks.get(symbol)
    if market is None:
        return None
    trails = Trails(symbol, [], [])
    for one in state.prices[symbol].by_markup.values():
        seen = one.markup.tick(market)
        for kept, trail, moved_e8 in (
            (trails.below_bid, one.triggers.below_bid, market.bid_e8 - seen.bid_e8),
            (trails.above_ask, one.triggers.above_ask, seen.ask_e8 - market.ask_e8),
        ):
            kept += [
                stop._replace(peak_e8=stop.peak_e8 + moved_e8)
                for stop in trail.followed()
                if waiting.still_follows(state, stop.waiting)
            ]
    for kept in (trails.below_bid, trails.above_ask):
        kept.sort(key=lambda stop: (-stop.peak_e8, stop.distance_e8, stop.waiting))
    return trails if trails.below_bid or trails.above_ask else None


def _restore_trails(state: State, trails: Trails) -> None:
    market, classes = state.ticks[trails.symbol], state.price_classes(trails.symbol)
    for stop in trails.below_bid:
        group = state.accounts[stop.waiting.account_id].group
        classes.triggers(group).below_bid.restore([stop], group.tick(market).bid_e8 - market.bid_e8)
    for stop in trails.above_ask:
        group = state.accounts[stop.waiting.account_id].group
        classes.triggers(group).above_ask.restore([stop], market.ask_e8 - group.tick(market).ask_e8)
