"""One account as its owner sees it live: a snapshot from the engine, the events after it, and prices of the moment."""

from actors.bus.answers import AccountReport
from actors.bus.prices import Prices
from actors.domain.account import WAITING, Account, AccountSummary
from actors.domain.commands import Mode
from actors.domain.events.accounts import MarginRevised
from actors.domain.events.orders import OrderFilled, PositionModified
from actors.domain.events.terms import GroupAssigned
from actors.domain.group import Group
from actors.domain.ledger import Posting
from actors.domain.order import Order, Position
from actors.domain.refusal import Refused
from actors.domain.risk.limits import AS_THE_GROUP
from actors.domain.risk.margin import closing_price_e8, open_profit_minor, profit_minor
from web.live.frame import text_frame
from web.live.telling import AccountEvent, MoneyEvent, OrderEvent, told_by
from web.payloads.render import Renderer, account_message


class AccountView:
    """The account after event `seq`. Every method that changes it returns the frames that tell of it, perhaps none."""

    def __init__(self, report: AccountReport, prices: Prices, render: Renderer) -> None:
        summary = report.summary
        self.seq = report.seq
        self._prices = prices
        self._render = render
        # How fills change positions is in the events, so the mode makes no difference here.
        self._account = Account(summary.account_id, summary.currency, Mode.HEDGING, report.group, {})
        for symbol, requirement in report.requirements.items():
            self._account.require(symbol, requirement)
        self._balance_minor = summary.balance_minor
        self._credit_minor = summary.credit_minor
        self._open_profit_minor = summary.open_profit_minor
        self._time_ns = summary.time_ns
        self._valued: dict[int, tuple[int, int]] = {}
        """By position, the price that it would close at and its profit; the last known where there is no price."""
        self._orders: dict[int, Order] = {order.order_id: order for order in report.orders}
        """Those that wait."""
        for reported in report.positions:
            self._place(reported.position)
            self._valued[reported.position.position_id] = (reported.price_e8, reported.profit_minor)

    @property
    def currency(self) -> str:
        return self._account.currency

    def snapshot(self) -> bytes:
        """The account, all its open positions and all its waiting orders."""
        positions = [self._position_frame(position) for position in self._account.positions.values()]
        orders = [text_frame(self._render.order_message(order, self.seq)) for order in self._orders.values()]
        return b"".join([self._account_frame(), *positions, *orders])

    def take(self, seq: int, time_ns: int, event: AccountEvent) -> bytes:
        """An event of this account; one that the snapshot knew already changes nothing."""
        if seq <= self.seq:
            return b""
        self.seq = seq
        self._time_ns = max(self._time_ns, time_ns)
        told = b"".join(text_frame(each) for each in told_by(event, seq, self._render, self._account.currency))
        if isinstance(event, OrderEvent):
            self._keep(event.order)
            return told
        if isinstance(event, PositionModified):
            self._place(event.position)
            return self._position_frame(event.position)
        if isinstance(event, GroupAssigned):
            return self._assign(event)
        if isinstance(event, MarginRevised):
            self._account.require(event.symbol, event.requirement)
        elif isinstance(event, MoneyEvent):
            self._book(event.posting)
        elif isinstance(event, OrderFilled):
            told += self._fill(event)
        self._revalue_account()
        return told + self._account_frame()

    def regroup(self, group: Group, now_ns: int) -> bytes:
        """The account's group has other terms; positions and account are worth what they are by those."""
        account = self._account
        if group.name != account.group.name:
            return b""
        account.agree(group, AS_THE_GROUP)
        account.converted.clear()
        return self.revalue(now_ns)

    def _assign(self, event: GroupAssigned) -> bytes:
        """Another group: other prices, and margin as its terms ask."""
        account = self._account
        account.agree(event.group, AS_THE_GROUP)
        account.converted.clear()
        for symbol, requirement in event.requirements.items():
            account.require(symbol, requirement)
        for position in account.positions.values():
            self._revalue(position)
        self._revalue_account()
        positions = [self._position_frame(position) for position in account.positions.values()]
        return b"".join([*positions, self._account_frame()])

    def revalue(self, now_ns: int) -> bytes:
        """At the last ticks: the positions that are worth something else now, and the account if it is."""
        moved = [position for position in self._account.positions.values() if self._revalue(position)]
        if not (self._revalue_account() or moved):
            return b""
        self._time_ns = max(self._time_ns, now_ns)
        return b"".join([*(self._position_frame(position) for position in moved), self._account_frame()])

    def _keep(self, order: Order) -> None:
        if order.status in WAITING:
            self._orders[order.order_id] = order
        else:
            self._orders.pop(order.order_id, None)

    def _fill(self, event: OrderFilled) -> bytes:
        """The position after the fill."""
        account, position = self._account, event.position
        for posting in event.postings:
            self._book(posting)
        self._keep(event.order)
        if position.quantity_e8 or position.position_id in account.positions:
            self._place(position)
            account.require(position.symbol, event.requirement)
        position_id = position.position_id
        if position.quantity_e8:
            self._valued.setdefault(position_id, (event.fill.price_e8, 0))
            self._revalue(position)
        else:
            self._valued[position_id] = (event.fill.price_e8, event.fill.profit_minor)
        frame = self._position_frame(position)
        if not position.quantity_e8:
            del self._valued[position_id]
        return frame

    def _book(self, posting: Posting) -> None:
        for entry in posting.entries:
            if entry.account == self._account.ledger_account:
                self._balance_minor += entry.amount_minor
            elif entry.account == self._account.credit_account:
                self._credit_minor += entry.amount_minor

    def _revalue(self, position: Position) -> bool:
        prices, symbol = self._prices, position.symbol
        if symbol not in prices.ticks or symbol not in prices.instruments:
            return False
        seen = prices.seen(self._account.group)
        try:
            profit = profit_minor(position, prices.instruments[symbol], prices.crosses, seen, self._account.currency)
        except Refused:
            return False
        value = (closing_price_e8(position.side, seen[symbol]), profit)
        changed = self._valued.get(position.position_id) != value
        self._valued[position.position_id] = value
        return changed

    def _revalue_account(self) -> bool:
        prices, exposures = self._prices, self._account.exposures
        if any(symbol not in prices.ticks or symbol not in prices.instruments for symbol in exposures):
            return False
        before_minor, seen = self._open_profit_minor, prices.seen(self._account.group)
        try:
            self._open_profit_minor = open_profit_minor(
                exposures, prices.crosses, seen, self._account.currency, self._account.converted
            )
        except Refused:
            return False
        return self._open_profit_minor != before_minor

    def _place(self, position: Position) -> None:
        instrument = self._prices.instruments.get(position.symbol)
        before = self._account.positions.get(position.position_id)
        self._account.place(position, instrument.quote if instrument is not None else "", before)

    def _position_frame(self, position: Position) -> bytes:
        price_e8, profit = self._valued[position.position_id]
        return text_frame(self._render.position_message(position, price_e8, profit, self._account.currency, self.seq))

    def _account_frame(self) -> bytes:
        account = self._account
        summary = AccountSummary(
            account.account_id,
            account.currency,
            self._balance_minor,
            self._open_profit_minor,
            account.margin_minor,
            self._time_ns,
            self._credit_minor,
            account.maintenance_minor,
        )
        return text_frame(account_message(summary, self.seq))
