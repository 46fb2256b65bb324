"""Whether a deal may add to what is open: exposure limits, and the price of the cross that its money is converted with.

What makes a net position smaller, or leaves it as large, is always allowed: nobody is kept from closing.
"""

from collections.abc import Mapping

from actors.domain.account import Account
from actors.domain.dealing.fills import Deal
from actors.domain.money import CEILING, format_minor
from actors.domain.order import BUY, SELL
from actors.domain.refusal import Code, Refused
from actors.domain.risk import margin
from actors.domain.risk.limits import ExposureLimit
from actors.domain.state import State

CROSS_AGE_LIMIT_NS = 60 * 10**9
"""A cross that is not live converts for new exposure so long after its last tick..."""
CROSS_CLOSED_LIMIT_NS = 4 * 24 * 3600 * 10**9
"""...or so long while its own market is closed: over a weekend and a holiday the last price is the price."""


def check_headroom(state: State, account: Account, deal: Deal, now_ns: int) -> None:
    """Raises Refused STALE_CONVERSION or EXPOSURE_LIMIT, with the numbers that decided it."""
    if not deal.opens:
        return
    symbol = deal.symbol
    quote = state.instruments[symbol].quote
    if quote != account.currency:
        _check_cross(state, account, quote, now_ns)
    own, group = account.limits.exposure, account.group.exposure
    if not (own.currency or group.currency):
        return
    before = account.exposures.get(symbol)
    change_e8 = deal.exposure.net_e8 - (before.net_e8 if before is not None else 0)
    if own.currency:
        _check(state, account, f"account {account.account_id}", own, account.nets(), symbol, change_e8)
    if group.currency:
        nets = state.group_nets[account.group.name]
        _check(state, account, f"group {account.group.name}", group, nets, symbol, change_e8)


def _check_cross(state: State, account: Account, quote: str, now_ns: int) -> None:
    """The cross has a live price, or one that is not too old."""
    symbol, _ = state.crosses.get((quote, account.currency), ("", False))
    tick = account.ticks.get(symbol)
    if tick is None or tick.live:
        return
    limit_ns = CROSS_AGE_LIMIT_NS
    if not state.is_open(state.instruments[symbol], now_ns):
        limit_ns = CROSS_CLOSED_LIMIT_NS
    age_ns = now_ns - tick.time_ns
    if age_ns > limit_ns:
        raise Refused(
            Code.STALE_CONVERSION,
            f"the last price of {symbol}, which converts {quote} to {account.currency}, is "
            f"{age_ns // 1_000_000} ms old, more than {limit_ns // 1_000_000} ms",
            "symbol",
        )


def _check(
    state: State,
    account: Account,
    who: str,
    limit: ExposureLimit,
    nets: Mapping[str, int],
    symbol: str,
    change_e8: int,
) -> None:
    before_e8 = nets.get(symbol, 0)
    after_e8 = before_e8 + change_e8
    if abs(after_e8) <= abs(before_e8):
        return
    value_minor = _worth_minor(state, account, symbol, after_e8, limit.currency)
    if limit.symbol_minor and value_minor > limit.symbol_minor:
        raise _refusal(who, f"in {symbol}", value_minor, limit.symbol_minor, limit.currency)
    if limit.total_minor:
        total_minor = value_minor + sum(
            _worth_minor(state, account, other, net_e8, limit.currency)
            for other, net_e8 in sorted(nets.items())
            if other != symbol and net_e8
        )
        if total_minor > limit.total_minor:
            raise _refusal(who, "in all", total_minor, limit.total_minor, limit.currency)


def _worth_minor(state: State, account: Account, symbol: str, net_e8: int, currency: str) -> int:
    """What it would cost to open it now, rounded up."""
    price_e8 = margin.opening_price_e8(BUY if net_e8 > 0 else SELL, account.ticks[symbol])
    quote = state.instruments[symbol].quote
    by = margin.conversion(state.crosses, account.ticks, quote, currency, gain=False)
    return margin.to_minor(abs(net_e8) * price_e8, by, currency, CEILING)


def _refusal(who: str, where: str, value_minor: int, limit_minor: int, currency: str) -> Refused:
    return Refused(
        Code.EXPOSURE_LIMIT,
        f"net exposure of {who} {where} would be {format_minor(value_minor, currency)} > "
        f"{format_minor(limit_minor, currency)} {currency}",
        "quantity",
    )
