"""The checks that stand before a deal. Each returns, or raises Refused with the numbers that decided it."""

from actors.domain.account import Account
from actors.domain.commands import Mode
from actors.domain.group import Group
from actors.domain.instrument import Instrument, InstrumentState
from actors.domain.money import LIMIT_E8, SCALE, Rounding, format_e8
from actors.domain.order import BUY, OrderTerms, OrderType, Side, TimeInForce
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.risk import margin
from actors.domain.state import UNDEALT, State

STREAM_SILENCE_LIMIT_NS = 3_000_000_000
"""A price stream that has said nothing for so long is taken for dead, and nobody is dealt with on its prices."""
CLIENT_ORDER_ID_LIMIT_CHARACTERS = 64
OCO_LIMIT_CHARACTERS = 32
TIME_LIMIT_NS = 2**62
CLOSE_ONLY = InstrumentState.CLOSE_ONLY
MARKET, GTD, NETTING, FLOOR = OrderType.MARKET, TimeInForce.GTD, Mode.NETTING, Rounding.FLOOR

NEEDED: dict[OrderType, tuple[str, ...]] = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("limit",),
    OrderType.STOP: ("stop",),
    OrderType.STOP_LIMIT: ("stop", "limit"),
    OrderType.MARKET_IF_TOUCHED: ("stop",),
    OrderType.TRAILING_STOP: ("trail",),
}
"""The prices that an order of each type must name."""
FORBIDDEN: dict[OrderType, tuple[str, ...]] = {
    kind: tuple(field for field in ("limit", "stop", "trail") if field not in needed) for kind, needed in NEEDED.items()
}


def account_of(state: State, account_id: int) -> Account:
    account = state.accounts.get(account_id)
    if account is None:
        raise Refused(Code.UNKNOWN_ACCOUNT, f"there is no account {account_id}", "account_id")
    return account


def instrument_of(state: State, symbol: str) -> Instrument:
    instrument = state.instruments.get(symbol)
    if instrument is None or not instrument.is_listed:
        raise Refused(Code.UNKNOWN_SYMBOL, f"there is no symbol {symbol[:20]!r}", "symbol")
    return instrument


def check_conversions(state: State, account: Account, group: Group, crosses: margin.Crosses) -> None:
    """Raises Refused NO_CONVERSION where a price is missing to close what the account has open, or at venues.

    Profit and the group's commission need one, and neither a protection nor a venue's fill can wait for it.
    """
    at_venues = (order.symbol for order in account.orders.values() if order.at_venue_e8)
    for symbol in dict.fromkeys([*account.exposures, *at_venues]):
        commission = group.commission_of(symbol)
        sold = [state.instruments[symbol].quote]
        if commission.rate_e8 or commission.minimum_e8:
            sold.append(commission.currency or account.currency)
        for currency in sold:
            margin.conversion(crosses, state.ticks, currency, account.currency, gain=False)


def dealable_tick(state: State, account: Account, symbol: str, now_ns: int) -> Tick:
    """The price to deal at, as the account's group sees it, or Refused.

    There must be one, it must be live, the stream must be alive, and the instrument open and not halted.
    """
    instrument = state.instruments[symbol]
    if instrument.state in UNDEALT or state.halts.stops(account.group.name, symbol):
        raise Refused(Code.HALTED, f"trading in {symbol} is halted", "symbol")
    if not state.is_open(instrument, now_ns):
        raise Refused(Code.MARKET_CLOSED, f"the market in {symbol} is closed", "symbol")
    tick = account.ticks.get(symbol)
    if tick is None or not tick.live:
        raise Refused(Code.NO_PRICE, f"no liquidity provider has a fresh price of {symbol}", "symbol")
    silence_ns = now_ns - state.stream_alive_ns
    if silence_ns > STREAM_SILENCE_LIMIT_NS:
        raise Refused(
            Code.STALE_PRICE,
            f"the price stream has been silent for {silence_ns // 1_000_000} ms, "
            f"more than {STREAM_SILENCE_LIMIT_NS // 1_000_000} ms",
            "symbol",
        )
    return tick


def is_name(text: str, limit_characters: int) -> bool:
    """Whether it may be kept: in a log, a URL and a database (PostgreSQL takes no zero byte)."""
    return 0 < len(text) <= limit_characters and text.isprintable()


def check_client_order_id(client_order_id: str) -> None:
    if not is_name(client_order_id, CLIENT_ORDER_ID_LIMIT_CHARACTERS):
        raise Refused(
            Code.BAD_CLIENT_ORDER_ID,
            f"client_order_id has 1 to {CLIENT_ORDER_ID_LIMIT_CHARACTERS} printable characters",
            "client_order_id",
        )


def check_quantity(instrument: Instrument, quantity_e8: int) -> None:
    if not instrument.quantity_min_e8 <= quantity_e8 <= instrument.quantity_max_e8:
        raise Refused(
            Code.QUANTITY_OUT_OF_RANGE,
            f"quantity of {instrument.symbol} is from {format_e8(instrument.quantity_min_e8)} "
            f"to {format_e8(instrument.quantity_max_e8)}, not {format_e8(quantity_e8)}",
            "quantity",
        )
    if quantity_e8 % instrument.quantity_step_e8:
        raise quantity_step_refusal(instrument)


def quantity_step_refusal(instrument: Instrument) -> Refused:
    step = format_e8(instrument.quantity_step_e8)
    return Refused(Code.QUANTITY_STEP, f"quantity of {instrument.symbol} goes in steps of {step}", "quantity")


def check_price(instrument: Instrument, price_e8: int, field: str) -> None:
    """A price that a client names; 0 is none."""
    if price_e8 and (not 0 < price_e8 < LIMIT_E8 or price_e8 % instrument.price_step_e8):
        raise Refused(
            Code.PRICE_STEP, f"{field} of {instrument.symbol} has at most {instrument.price_digits} decimals", field
        )


def check_terms(instrument: Instrument, terms: OrderTerms, now_ns: int) -> None:
    """Whether an order says what its type needs, and nothing else."""
    check_quantity(instrument, terms.quantity_e8)
    if _is_plain(terms):
        return
    needed = NEEDED[terms.type]
    prices = {
        "limit": terms.limit_e8,
        "stop": terms.stop_e8,
        "trail": terms.trail_e8,
        "bound": terms.bound_e8,
        "stop_loss": terms.stop_loss_e8,
        "take_profit": terms.take_profit_e8,
        "trailing_stop": terms.trailing_stop_e8,
    }
    for field, price_e8 in prices.items():
        check_price(instrument, price_e8, field)
        if field in needed and not price_e8:
            raise Refused(Code.BAD_TERMS, f"a {terms.type.value} order needs {field}", field)
        if price_e8 and field in FORBIDDEN[terms.type]:
            raise Refused(Code.BAD_TERMS, f"a {terms.type.value} order has no {field}", field)
    _check_time_in_force(terms, now_ns)
    if len(terms.oco) > OCO_LIMIT_CHARACTERS or not (terms.oco == "" or terms.oco.isprintable()):
        raise Refused(Code.BAD_TERMS, f"oco has at most {OCO_LIMIT_CHARACTERS} printable characters", "oco")


def _is_plain(terms: OrderTerms) -> bool:
    """Whether it is a market order that says nothing more: most are."""
    return terms.type is MARKET and not (
        terms.limit_e8
        or terms.stop_e8
        or terms.trail_e8
        or terms.bound_e8
        or terms.stop_loss_e8
        or terms.take_profit_e8
        or terms.trailing_stop_e8
        or terms.expires_ns
        or terms.oco
        or terms.time_in_force is GTD
    )


def _check_time_in_force(terms: OrderTerms, now_ns: int) -> None:
    if terms.time_in_force is GTD:
        if not now_ns < terms.expires_ns < TIME_LIMIT_NS:
            raise Refused(Code.BAD_TERMS, "a gtd order needs an end that lies ahead", "expires")
    elif terms.expires_ns:
        raise Refused(Code.BAD_TERMS, "only a gtd order names its end", "expires")


def check_protection(terms: OrderTerms, tick: Tick) -> None:
    """A stop loss lies on the losing side of where the position would close now, a take profit on the winning side."""
    if not (terms.stop_loss_e8 or terms.take_profit_e8):
        return
    price_e8 = margin.closing_price_e8(terms.side, tick)
    sign = 1 if terms.side is BUY else -1
    for limit_e8, direction, field in ((terms.stop_loss_e8, -1, "stop_loss"), (terms.take_profit_e8, 1, "take_profit")):
        if limit_e8 and (limit_e8 - price_e8) * sign * direction <= 0:
            raise Refused(
                Code.WRONG_SIDE_OF_MARKET,
                f"{field} {format_e8(limit_e8)} of a {terms.side.value} must be "
                f"{'above' if sign * direction > 0 else 'below'} {format_e8(price_e8)}",
                field,
            )


def is_within(side: Side, price_e8: int, bound_e8: int) -> bool:
    """Whether a price is no worse than the bound."""
    return price_e8 <= bound_e8 if side is BUY else price_e8 >= bound_e8


def check_limits(account: Account, instrument: Instrument) -> None:
    if instrument.state is CLOSE_ONLY:
        raise Refused(Code.CLOSE_ONLY, f"positions in {instrument.symbol} can be closed only", "symbol")
    limit = account.limits.positions
    if limit and len(account.positions) >= limit:
        raise Refused(Code.TOO_MANY_POSITIONS, f"the account has {limit} open positions: close one first")


def check_size(account: Account, instrument: Instrument, terms: OrderTerms) -> None:
    """An order that may open something is no larger than the largest that the account may send."""
    lots_e8 = account.limits.order_lots_e8
    if lots_e8 and not terms.reduce_only and terms.quantity_e8 * SCALE > lots_e8 * instrument.lot_e8:
        raise Refused(
            Code.LIMIT_EXCEEDED,
            f"quantity {format_e8(terms.quantity_e8)} > {format_e8(lots_e8)} lots of {format_e8(instrument.lot_e8)}, "
            "the largest order of the account",
            "quantity",
        )


def check_rate(account: Account, now_ns: int) -> None:
    """No more orders in a second than the limit."""
    limit = account.limits.orders_per_second
    if limit and account.second == now_ns // 1_000_000_000 and account.second_orders >= limit:
        raise Refused(Code.LIMIT_EXCEEDED, f"{account.second_orders} orders in this second, at most {limit}", "")
