"""Executions: what a fill at a price does to positions and money, decided on without changing the state."""

import msgspec

from actors.domain import ledger
from actors.domain.account import Account
from actors.domain.charges import commission_minor
from actors.domain.commands import Mode
from actors.domain.dealing.executed import cost_of, filled, without
from actors.domain.events.event import Event
from actors.domain.events.orders import Cover, OrderFilled
from actors.domain.instrument import Instrument
from actors.domain.ledger import Posting, PostingKind
from actors.domain.money import Rounding
from actors.domain.order import (
    BUY,
    Conversion,
    Fill,
    Order,
    OrderTerms,
    Position,
)
from actors.domain.quote import Tick
from actors.domain.risk import margin
from actors.domain.risk.band_index import Change
from actors.domain.risk.exposure import Exposure
from actors.domain.risk.requirement import NOTHING, required, required_of_leg
from actors.domain.state import State

HALF_EVEN = Rounding.HALF_EVEN
NETTING = Mode.NETTING


class Deal:
    """Executions of one step, collected: each is numbered after the one before, and the state is not touched."""

    def __init__(
        self,
        state: State,
        account: Account,
        tick: Tick,
        now_ns: int,
        following: "Deal | None" = None,
        cover: Cover | None = None,
    ) -> None:
        """`following`: another deal of the same step, whose numbers and exposure this one goes on from.

        `cover`: a venue has dealt this for the broker (A-book); None where the broker deals it itself. It may be
        another for the next execution.
        """
        self.symbol = symbol = tick.symbol
        self.cover = cover
        self.events: list[Event] = []
        self._state = state
        self._account = account
        self._tick = tick
        self._now_ns = now_ns
        self._instrument = instrument = state.instruments[symbol]
        numbers: State | Deal = state
        known = account.exposures.get(symbol)
        if following is not None:
            numbers = following
            if following.symbol == symbol:
                known = following.exposure
        self.exposure: Exposure = known.copy() if known is not None else Exposure(instrument.quote)
        """What the account has open in the symbol after the deal."""
        self.requirement = NOTHING
        self.opens = False
        self.moved_minor = 0
        """What the deal adds to the balance: profit, less commission."""
        self._loss: Conversion | None = None
        self._terms = state.margin_terms(account.group, instrument)
        self.last_fill_id: int = numbers.last_fill_id
        self.last_position_id: int = numbers.last_position_id
        self.last_posting_id: int = numbers.last_posting_id

    def execute(self, order: Order, price_e8: int, quantity_e8: int = 0) -> None:
        """Fills the order, or a quantity of it, at a price: as the account's mode and the order's terms say."""
        account, terms = self._account, order.terms
        left_e8 = quantity_e8 or terms.quantity_e8
        if account.mode is NETTING or terms.reduce_only:
            for position in self._opposite(terms):
                if left_e8:
                    part_e8 = min(left_e8, position.quantity_e8)
                    left_e8 -= part_e8
                    order = self.close(order, position, part_e8, price_e8)
        if not left_e8:
            return
        same = None
        if account.mode is NETTING:
            same = self._same(terms)
        elif order.filled_e8:
            same = self._begun(order)
        if same is None:
            self.open(order, left_e8, price_e8)
        else:
            self._add(order, same, left_e8, price_e8)

    def close(self, order: Order, position: Position, quantity_e8: int, price_e8: int) -> Order:
        """Closes a quantity of a position for an order; the profit is booked. Gives the order as it is then."""
        account = self._account
        cost_e16 = cost_of(position, quantity_e8)
        proceeds_e16 = price_e8 * quantity_e8
        amount_e16 = proceeds_e16 - cost_e16 if position.side is BUY else cost_e16 - proceeds_e16
        by = self._conversion(gain=amount_e16 > 0)
        profit_minor = margin.to_minor(amount_e16, by, account.currency, HALF_EVEN)
        order = filled(order, quantity_e8, price_e8, position.position_id, self.cover)
        fill = self._fill(order, quantity_e8, price_e8, profit_minor, by)
        self.exposure.change(position.side, -quantity_e8, -cost_e16)
        left = without(position, quantity_e8, self.cover)
        if left.quantity_e8:
            margin_minor = self._alone_minor(left.cost_e16, self._loss_conversion())
            left = msgspec.structs.replace(left, margin_minor=margin_minor)
        self._book(order, fill, left)
        return order

    def left(self, position: Position) -> Position:
        """What the deal has left of a position so far."""
        for event in reversed(self.events):
            if isinstance(event, OrderFilled) and event.position.position_id == position.position_id:
                return event.position
        return position

    def open(self, order: Order, quantity_e8: int, price_e8: int) -> None:
        terms, account, cover = order.terms, self._account, self.cover
        by, cost_e16 = self._loss_conversion(), price_e8 * quantity_e8
        self.last_position_id += 1
        position = Position(
            self.last_position_id,
            account.account_id,
            terms.symbol,
            terms.side,
            quantity_e8,
            price_e8,
            self._alone_minor(cost_e16, by),
            terms.stop_loss_e8,
            terms.take_profit_e8,
            self._now_ns,
            terms.trailing_stop_e8,
            0,
            self._state.event_seq + 1 if terms.trailing_stop_e8 else 0,
            quantity_e8 if cover else 0,
            cover.venue if cover else "",
        )
        self.opens = True
        self.exposure.change(terms.side, quantity_e8, cost_e16)
        order = filled(order, quantity_e8, price_e8, self.last_position_id, cover)
        self._book(order, self._fill(order, quantity_e8, price_e8, 0, by), position)

    def _add(self, order: Order, position: Position, quantity_e8: int, price_e8: int) -> None:
        """To the one position of a netting account: its price is the average, exact with what that leaves over."""
        by = self._loss_conversion()
        sum_e8 = position.quantity_e8 + quantity_e8
        cost_e16 = position.cost_e16 + price_e8 * quantity_e8
        average_e8, rest_e16 = divmod(cost_e16, sum_e8)
        terms, cover = order.terms, self.cover
        # Later fills of an order leave the protections as the first has made them, or the client since.
        is_first = not order.filled_e8
        grown = msgspec.structs.replace(
            position,
            quantity_e8=sum_e8,
            open_price_e8=average_e8,
            open_rest_e16=rest_e16,
            margin_minor=self._alone_minor(cost_e16, by),
            stop_loss_e8=(terms.stop_loss_e8 if is_first else 0) or position.stop_loss_e8,
            take_profit_e8=(terms.take_profit_e8 if is_first else 0) or position.take_profit_e8,
            trailing_stop_e8=(terms.trailing_stop_e8 if is_first else 0) or position.trailing_stop_e8,
            trail_seq=self._state.event_seq + 1 if terms.trailing_stop_e8 and is_first else position.trail_seq,
            a_book_e8=position.a_book_e8 + (quantity_e8 if cover else 0),
            venue=cover.venue if cover else position.venue,
        )
        self.opens = True
        self.exposure.change(position.side, quantity_e8, price_e8 * quantity_e8)
        order = filled(order, quantity_e8, price_e8, position.position_id, self.cover)
        self._book(order, self._fill(order, quantity_e8, price_e8, 0, by), grown)

    def change(self) -> Change:
        """What the deal changes of the account's exposure."""
        symbol, then = self.symbol, self.exposure
        now = self._account.exposures.get(symbol)
        if now is None:
            now = Exposure(then.quote)
        return Change(
            symbol,
            then.quote,
            then.long_e8 - now.long_e8,
            then.long_cost_e16 - now.long_cost_e16,
            then.short_e8 - now.short_e8,
            then.short_proceeds_e16 - now.short_proceeds_e16,
        )

    def _opposite(self, terms: OrderTerms) -> list[Position]:
        """What the order would close, oldest first."""
        return [
            position
            for position in self._account.positions.values()
            if position.symbol == terms.symbol and position.side is not terms.side
        ]

    def _same(self, terms: OrderTerms) -> Position | None:
        for position in self._account.positions.values():
            if position.symbol == terms.symbol and position.side is terms.side:
                return position
        return None

    def _alone_minor(self, cost_e16: int, by: Conversion) -> int:
        """Initial margin of a position, if it were all that the account has in the symbol: the same, long or short."""
        return required_of_leg(cost_e16, self._terms, by, self._account.currency).initial_minor

    def _loss_conversion(self) -> Conversion:
        """What margin is converted by: the same for all executions of a deal."""
        by = self._loss
        if by is None:
            by = self._loss = self._conversion(gain=False)
        return by

    def _begun(self, order: Order) -> Position | None:
        """What an earlier fill of the order has opened, if it is still open."""
        position = self._account.positions.get(order.position_id)
        return position if position is not None and position.side is order.terms.side else None

    def _conversion(self, *, gain: bool) -> Conversion:
        state = self._state
        return margin.conversion(
            state.crosses, self._account.ticks, self._instrument.quote, self._account.currency, gain=gain
        )

    def _fill(self, order: Order, quantity_e8: int, price_e8: int, profit_minor: int, by: Conversion) -> Fill:
        self.last_fill_id += 1
        return Fill(
            self.last_fill_id,
            order.order_id,
            order.account_id,
            order.position_id,
            order.terms.symbol,
            order.terms.side,
            price_e8,
            quantity_e8,
            profit_minor,
            by,
            self._tick.seq,
            self._now_ns,
            commission_of(self._state, self._account, self._instrument, quantity_e8, price_e8),
        )

    def _book(self, order: Order, fill: Fill, position: Position) -> None:
        """The event of an execution, with the money that it moves: profit, and commission."""
        postings: tuple[Posting, ...] = ()
        profit_minor, charge_minor = fill.profit_minor, fill.commission_minor
        if profit_minor:
            book = ledger.lp(self.cover.venue) if self.cover else ledger.TRADING
            postings = (self._posting(PostingKind.TRADE, book, fill, profit_minor),)
        if charge_minor:
            charge = self._posting(PostingKind.COMMISSION, ledger.FEES, fill, -charge_minor)
            postings = (*postings, charge)
        self.moved_minor += profit_minor - charge_minor
        self.requirement = required(self.exposure, self._terms, self._loss_conversion(), self._account.currency)
        self.events.append(OrderFilled(order, fill, position, postings, self.requirement, self.cover))

    def _posting(self, kind: PostingKind, counterpart: str, fill: Fill, amount_minor: int) -> Posting:
        """What the client gets, from the broker's account that bears it."""
        self.last_posting_id += 1
        account = self._account
        return ledger.transfer(
            self.last_posting_id,
            kind,
            f"fill:{fill.fill_id}",
            self._now_ns,
            counterpart,
            account.ledger_account,
            account.currency,
            amount_minor,
        )


def commission_of(state: State, account: Account, instrument: Instrument, quantity_e8: int, price_e8: int) -> int:
    """What a fill costs the account in commission."""
    terms = account.group.commission_of(instrument.symbol)
    if not (terms.rate_e8 or terms.minimum_e8):
        return 0
    crosses, ticks, currency = state.crosses, account.ticks, account.currency
    return commission_minor(
        terms,
        instrument.lot_e8,
        quantity_e8,
        price_e8,
        margin.conversion(crosses, ticks, instrument.quote, currency, gain=False),
        margin.conversion(crosses, ticks, terms.currency or currency, currency, gain=False),
        currency,
    )
