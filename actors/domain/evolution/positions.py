"""Fills and positions."""

from actors.domain.account import Account
from actors.domain.dealing.covered import is_closing
from actors.domain.events.orders import OrderFilled, PositionModified
from actors.domain.evolution.table import Evolutions
from actors.domain.money import SCALE, ceil_div
from actors.domain.order import BUY, Position
from actors.domain.risk.band_index import Change
from actors.domain.risk.requirement import NOTHING
from actors.domain.risk.stop_out import MarginStatus
from actors.domain.state import State
from actors.domain.waiting import protect_again, watch_position

NORMAL = MarginStatus.NORMAL


def _fill(state: State, event: OrderFilled) -> None:
    order, position, fill, cover = event.order, event.position, event.fill, event.cover
    account, books, symbol = state.accounts[order.account_id], state.books, position.symbol
    quote = state.instruments[symbol].quote
    if order.order_id > state.last_order_id:
        state.last_order_id = order.order_id
    state.last_fill_id = fill.fill_id
    before = None
    if position.position_id > state.last_position_id:
        state.last_position_id = position.position_id
    else:
        before = account.positions[position.position_id]
    if account.account_id not in state.unwatched and not _absorbed(state, account, event, before, quote):
        state.unwatched[account.account_id] = None
    account.place(position, quote, before)
    account.require(symbol, event.requirement)
    if state.to_revise:
        state.to_revise.pop((account.account_id, symbol), None)
    closes_at_venues = not books.is_plain and any(map(is_closing, account.orders.values()))
    watch_position(state, position, before)
    account.take(order, fill)
    if closes_at_venues:
        # Venues may be closing less of any of them now, and protections may have been reached before.
        protect_again(state, account, symbol, position.side)
    for posting in event.postings:
        state.post(posting)
    desk = books.desks.get(symbol) or books.desk(symbol)
    closes = fill.side is not position.side
    if books.refusals:
        # Something of it is closed: the next refusal is the first again.
        books.refusals.pop(position.position_id, None)
    if cover is None:
        desk.b_book_clients.deal(fill.side, fill.quantity_e8, fill.price_e8, closes)
    else:
        desk.deal_a_book(
            fill.side, fill.quantity_e8, fill.price_e8, cover.price_e8, cover.markup_e8, cover.venue, closes
        )
        if cover.is_kept:
            desk.deal_unsent(fill.side.opposite, fill.quantity_e8, cover.price_e8, cover.venue)
    if not account.positions and state.balance_minor(account) < 0:
        # Bands say nothing about an account with nothing open: what it owes is looked at.
        state.unwatched[account.account_id] = None


def _modified(state: State, event: PositionModified) -> None:
    account = state.accounts[event.position.account_id]
    before = account.positions[event.position.position_id]
    account.place(event.position, state.instruments[event.position.symbol].quote, before)
    watch_position(state, event.position, before)


def _absorbed(state: State, account: Account, event: OrderFilled, before: Position | None, quote: str) -> bool:
    """Before the fill is taken in: whether the account's bands still hold after it; else it must be looked at."""
    if account.status is not NORMAL:
        return False
    position, fill = event.position, event.fill
    symbol = position.symbol
    change_e8, cost_e16 = position.quantity_e8, position.cost_e16
    if before is not None:
        change_e8 -= before.quantity_e8
        cost_e16 -= before.cost_e16
    if position.side is BUY:
        change = Change(symbol, quote, change_e8, cost_e16, 0, 0)
    else:
        change = Change(symbol, quote, 0, 0, change_e8, cost_e16)
    group = account.group
    rise_minor = event.requirement.maintenance_minor - account.requirements.get(symbol, NOTHING).maintenance_minor
    # The floor, rounded up, rises by no more than its rise, rounded up.
    floor_minor = ceil_div(rise_minor * group.levels.call_e8, SCALE)
    moved_minor = fill.profit_minor - fill.commission_minor
    bands = state.bands[group.name]
    return bands.absorbs(account.account_id, change, moved_minor, floor_minor, state.crosses, account.currency)


EVOLVE: Evolutions = {
    OrderFilled: _fill,
    PositionModified: _modified,
}
