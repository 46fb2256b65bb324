"""The checks that stand before a deal. Each returns, or raises Refused with the numbers that decided it."""

from actors.domain import margin
from actors.domain.account import Account
from actors.domain.commands import Mode
from actors.domain.instrument import Instrument
from actors.domain.money import LIMIT_E8, Rounding, format_e8, format_minor
from actors.domain.order import BUY, OrderTerms, OrderType, Position, Side, TimeInForce
from actors.domain.quote import Tick
from actors.domain.refusal import Code, Refused
from actors.domain.state import State

STREAM_SILENCE_LIMIT_NS = 3_000_000_000
"""A price stream that has said nothing for so long is taken for dead, and nobody is dealt with on its prices."""
CLIENT_ORDER_ID_LIMIT_CHARACTERS = 64
OCO_LIMIT_CHARACTERS = 32
TIME_LIMIT_NS = 2**62
MARKET, GTD, NETTING = OrderType.MARKET, TimeInForce.GTD, Mode.NETTING

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
    if instrument is None:
        raise Refused(Code.UNKNOWN_SYMBOL, f"there is no symbol {symbol[:20]!r}", "symbol")
    return instrument


def dealable_tick(state: State, symbol: str, now_ns: int) -> Tick:
    """The price to deal at, or Refused: there must be one, it must be live, and the stream must be alive."""
    tick = state.ticks.get(symbol)
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


def check_client_order_id(client_order_id: str) -> None:
    if not 0 < len(client_order_id) <= CLIENT_ORDER_ID_LIMIT_CHARACTERS or not client_order_id.isprintable():
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


def check_free_margin(
    state: State,
    account: Account,
    instrument: Instrument,
    terms: OrderTerms,
    tick: Tick,
    price_e8: int,
    closing: Position | None = None,
) -> None:
    """After the fill, with the spread already lost, free margin must not be below zero.

    `closing`: a position that is closed in the same step. What only reduces is always allowed.
    """
    opening_e8 = terms.quantity_e8
    closed = [(closing, closing.quantity_e8)] if closing is not None else []
    if account.mode is NETTING:
        for position in account.positions.values():
            if position.symbol == terms.symbol and position.side is not terms.side and position is not closing:
                part_e8 = min(opening_e8, position.quantity_e8)
                opening_e8 -= part_e8
                closed.append((position, part_e8))
    if opening_e8 <= 0:
        return
    currency = account.currency
    freed_minor = moved_e16 = 0
    for position, part_e8 in closed:
        # Profit that is realised is converted on its own, no longer as a part of the account's sum: it may get less.
        amount_e16 = margin.part_profit_e16(position, part_e8, price_e8)
        rate = margin.conversion(state.crosses, state.ticks, instrument.quote, currency, gain=amount_e16 > 0)
        freed_minor += margin.to_minor(amount_e16, rate, currency, Rounding.HALF_EVEN)
        freed_minor += position.margin_minor - margin.left_minor(position, position.quantity_e8 - part_e8)
        moved_e16 += amount_e16
    by = margin.conversion(state.crosses, state.ticks, instrument.quote, currency, gain=False)
    needed_minor = margin.required_minor(instrument, opening_e8, price_e8, by, currency)
    change_e16 = (tick.bid_e8 - tick.ask_e8) * opening_e8 - moved_e16
    profit_minor = margin.open_profit_minor(
        account.exposures, state.instruments, state.crosses, state.ticks, currency, (instrument, change_e16)
    )
    free_minor = state.balance_minor(account) + profit_minor - account.margin_minor + freed_minor
    if free_minor < needed_minor:
        raise Refused(
            Code.INSUFFICIENT_MARGIN,
            f"free margin {format_minor(free_minor, currency)} < "
            f"{format_minor(needed_minor, currency)} {currency} that the order needs",
            "quantity",
        )
