"""Fills and positions."""

from actors.domain.account import Account
from actors.domain.band_index import Change
from actors.domain.events import OrderFilled, PositionModified
from actors.domain.evolution.table import Evolutions
from actors.domain.money import SCALE, ceil_div
from actors.domain.order import BUY
from actors.domain.requirement import NOTHING
from actors.domain.state import State
from actors.domain.stop_out import MarginStatus
from actors.domain.waiting import watch_position

NORMAL = MarginStatus.NORMAL


def _fill(state: State, event: OrderFilled) -> None:
    order, position = event.order, event.position
    account = state.accounts[order.account_id]
    if order.order_id > state.last_order_id:
        state.last_order_id = order.order_id
    state.last_fill_id = event.fill.fill_id
    before = account.positions.get(position.position_id)
    if before is None:
        state.last_position_id = position.position_id
    _watch_margin(state, account, event)
    account.place(position, state.instruments[position.symbol].quote)
    account.require(position.symbol, event.requirement)
    if not state.books.is_plain and any(it.at_venue_e8 for it in account.orders.values()):
        # A protection may have been reached while a venue was closing what was open then.
        before = None
    watch_position(state, position, before)
    account.take(order, event.fill)
    for posting in event.postings:
        state.post(posting)
    desk = state.books.desks.get(position.symbol) or state.books.desk(position.symbol)
    fill, cover = event.fill, event.cover
    closes = fill.side is not position.side
    if state.books.refusals:
        # Something of it is closed: the next refusal is the first again.
        state.books.refusals.pop(position.position_id, None)
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
    account.place(event.position, state.instruments[event.position.symbol].quote)
    watch_position(state, event.position, before)


def _watch_margin(state: State, account: Account, event: OrderFilled) -> None:
    """Before the fill is taken in: whether the account's bands still hold after it, or it must be looked at."""
    account_id, position = account.account_id, event.position
    if account_id in state.unwatched:
        return
    if account.status is NORMAL:
        before = account.positions.get(position.position_id)
        change_e8 = position.quantity_e8 - (before.quantity_e8 if before else 0)
        cost_e16 = position.cost_e16 - (before.cost_e16 if before else 0)
        longs = position.side is BUY
        change = Change(
            position.symbol,
            state.instruments[position.symbol].quote,
            change_e8 if longs else 0,
            cost_e16 if longs else 0,
            0 if longs else change_e8,
            0 if longs else cost_e16,
        )
        fill, levels = event.fill, account.group.levels
        known = account.requirements.get(position.symbol, NOTHING).maintenance_minor
        after_minor = account.maintenance_minor + event.requirement.maintenance_minor - known
        rise_minor = ceil_div(after_minor * levels.call_e8, SCALE) - ceil_div(
            account.maintenance_minor * levels.call_e8, SCALE
        )
        moved_minor = fill.profit_minor - fill.commission_minor
        bands = state.bands[account.group.name]
        if bands.absorbs(account_id, change, moved_minor, rise_minor, state.crosses, account.currency):
            return
    state.unwatched[account_id] = None


EVOLVE: Evolutions = {
    OrderFilled: _fill,
    PositionModified: _modified,
}
