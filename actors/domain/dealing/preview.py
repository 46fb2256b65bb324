"""What an order at the market would do to an account, and how large one may be for a risk: looked at, never done."""

import msgspec

from actors.domain.checks import account_of, check_size, check_terms, dealable_tick, instrument_of
from actors.domain.dealing.fills import Deal
from actors.domain.events.orders import OrderFilled
from actors.domain.money import CEILING, HALF_EVEN, minor_units
from actors.domain.order import BUY, Conversion, Order, OrderReason, OrderStatus, OrderTerms, OrderType, Side
from actors.domain.refusal import Code, Refused
from actors.domain.risk import margin
from actors.domain.risk.requirement import NOTHING
from actors.domain.state import State


class Preview(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """In minor units of the account's currency."""

    price_e8: int
    notional_minor: int
    commission_minor: int
    needed_minor: int
    """By how much the initial margin would rise."""
    balance_minor: int
    """After it, as all that follows; credit included."""
    open_profit_minor: int
    margin_minor: int
    maintenance_minor: int


class LotSize(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The largest quantity whose loss at a stop is within a risk; 0 where the least quantity already is not."""

    price_e8: int
    quantity_e8: int
    lot_e8: int
    loss_minor: int
    """From the price to the stop, without commission, rounded up."""
    is_capped: bool
    """The instrument's largest quantity is less than the risk would allow."""


def preview(state: State, account_id: int, symbol: str, side: Side, quantity_e8: int, now_ns: int) -> Preview:
    """Raises Refused where such an order would be, but for free margin and limits: those are for who asks to see."""
    account = account_of(state, account_id)
    instrument = instrument_of(state, symbol)
    terms = OrderTerms(symbol, side, OrderType.MARKET, quantity_e8)
    check_terms(instrument, terms, now_ns)
    check_size(account, instrument, terms)
    tick = dealable_tick(state, account, symbol, now_ns)
    price_e8 = margin.opening_price_e8(side, tick)
    deal = Deal(state, account, tick, now_ns)
    order = Order(0, account_id, "", terms, "", OrderReason.CLIENT, OrderStatus.WORKING, 0, 0, 0, now_ns)
    deal.execute(order, price_e8)
    crosses, ticks, currency = state.crosses, account.ticks, account.currency
    before = account.requirements.get(symbol, NOTHING)
    needed_minor = deal.requirement.initial_minor - before.initial_minor
    by = margin.conversion(crosses, ticks, instrument.quote, currency, gain=False)
    return Preview(
        price_e8,
        margin.to_minor(price_e8 * quantity_e8, by, currency, HALF_EVEN),
        sum(event.fill.commission_minor for event in deal.events if isinstance(event, OrderFilled)),
        needed_minor,
        state.balance_minor(account) + state.credit_minor(account) + deal.moved_minor,
        margin.open_profit_minor(
            account.exposures, crosses, ticks, currency, dict(account.converted), (symbol, deal.exposure)
        ),
        account.margin_minor + account.reserved_minor + needed_minor,
        account.maintenance_minor + deal.requirement.maintenance_minor - before.maintenance_minor,
    )


def lot_size(
    state: State, account_id: int, symbol: str, side: Side, stop_e8: int, risk_minor: int, now_ns: int
) -> LotSize:
    """Raises Refused WRONG_SIDE_OF_MARKET where a stop at that price would be reached at once.

    EURUSD bought at 1.1001, a stop at 1.0951 and 100 USD at risk: 100 / 0.0050 = 20,000 euros.
    """
    account = account_of(state, account_id)
    instrument = instrument_of(state, symbol)
    tick = dealable_tick(state, account, symbol, now_ns)
    price_e8 = margin.opening_price_e8(side, tick)
    closing_e8 = margin.closing_price_e8(side, tick)
    if stop_e8 >= closing_e8 if side is BUY else stop_e8 <= closing_e8:
        raise Refused(Code.WRONG_SIDE_OF_MARKET, "the stop would be reached at once", "stop_loss")
    by = margin.conversion(state.crosses, account.ticks, instrument.quote, account.currency, gain=False)
    distance_e8 = abs(price_e8 - stop_e8)
    allowed_e8 = _quantity_e8(distance_e8, risk_minor, by, account.currency)
    quantity_e8 = min(allowed_e8, instrument.quantity_max_e8)
    quantity_e8 -= quantity_e8 % instrument.quantity_step_e8
    if quantity_e8 < instrument.quantity_min_e8:
        quantity_e8 = 0
    loss_minor = margin.to_minor(distance_e8 * quantity_e8, by, account.currency, CEILING)
    is_capped = allowed_e8 > instrument.quantity_max_e8
    return LotSize(price_e8, quantity_e8, instrument.lot_e8, loss_minor, is_capped)


def _quantity_e8(distance_e8: int, risk_minor: int, by: Conversion, currency: str) -> int:
    """Rounded down: the loss of so many, rounded up to a minor unit, is no more than the risk."""
    return risk_minor * 10**16 * by.divisor_e8 // (distance_e8 * by.multiplier_e8 * minor_units(currency))
