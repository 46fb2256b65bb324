"""Whether an account can bear a deal: margin, spread and commission."""

from actors.domain.account import Account
from actors.domain.dealing.fills import Deal
from actors.domain.money import SCALE, ceil_div, format_minor
from actors.domain.refusal import Code, Refused
from actors.domain.risk import margin
from actors.domain.risk.requirement import NOTHING
from actors.domain.state import State


def check_free_margin(state: State, account: Account, deal: Deal) -> int:
    """After the deal, with spread and commission already lost, free margin must not be below zero.

    What only closes is always allowed. Gives how much more margin the account needs after it than before.
    """
    if not deal.opens:
        return 0
    symbol, currency = deal.symbol, account.currency
    needed_minor = deal.requirement.initial_minor - account.requirements.get(symbol, NOTHING).initial_minor
    if _is_surely_free(state, account, deal, needed_minor):
        return max(0, needed_minor)
    profit_minor = margin.open_profit_minor(
        account.exposures,
        state.crosses,
        account.ticks,
        currency,
        account.converted,
        (symbol, deal.exposure),
    )
    balance_minor = state.balance_minor(account) + state.credit_minor(account) + deal.moved_minor
    free_minor = balance_minor + profit_minor - account.margin_minor - account.reserved_minor
    if free_minor < needed_minor:
        raise Refused(
            Code.INSUFFICIENT_MARGIN,
            f"free margin {format_minor(free_minor, currency)} < "
            f"{format_minor(needed_minor, currency)} {currency} that the order needs",
            "quantity",
        )
    return max(0, needed_minor)


def _is_surely_free(state: State, account: Account, deal: Deal, needed_minor: int) -> bool:
    """Whether the account's bands show that free margin suffices, without a look at its other positions.

    What they do not show may be so nevertheless. Within its bands equity is at least the margin call level and the
    reserve (bands.py): most orders are far from their limit, and open profit is a quarter of what they cost.
    """
    if account.account_id in state.unwatched:
        return False
    bands = state.bands[account.group.name]
    reserve_minor = bands.reserve_minor(account.account_id, deal.change(), state.crosses, account.currency)
    if reserve_minor is None:
        return False
    floor_minor = ceil_div(account.maintenance_minor * account.group.levels.call_e8, SCALE)
    least_minor = floor_minor + reserve_minor + deal.moved_minor
    return least_minor >= account.margin_minor + account.reserved_minor + needed_minor
