"""What the engine answers, apart from how it comes to it."""

from actors.bus import codec
from actors.bus.answers import AccountReport, PositionReport, Reply
from actors.bus.pump import Outbox
from actors.domain import margin
from actors.domain.refusal import Code, Refused
from actors.domain.state import State

REPLIES_PER_MESSAGE = 64
"""Replies of one turn to the same asker go together: a message costs more than a frame of one."""

Answered = tuple[bytes, Reply]
"""Who asked, by identity, and the reply."""


def account_report(state: State, account_id: int, now_ns: int) -> AccountReport:
    """Raises Refused UNKNOWN_ACCOUNT."""
    account = state.accounts.get(account_id)
    if account is None:
        raise Refused(Code.UNKNOWN_ACCOUNT, f"there is no account {account_id}", "account_id")
    positions = [
        PositionReport(
            position,
            margin.closing_price_e8(position.side, account.ticks[position.symbol]),
            margin.profit_minor(
                position, state.instruments[position.symbol], state.crosses, account.ticks, account.currency
            ),
        )
        for position in account.positions.values()
    ]
    summary, orders = state.summary(account, now_ns), list(account.orders.values())
    return AccountReport(state.event_seq, summary, positions, orders, account.group, dict(account.requirements))


def messages_of(replies: list[Answered]) -> Outbox:
    """In the order given to each who asked."""
    frames: dict[bytes, list[bytes]] = {}
    for asker, reply in replies:
        frames.setdefault(asker, []).append(codec.encode(reply))
    return [
        ("requests", [asker, *told[start : start + REPLIES_PER_MESSAGE]])
        for asker, told in frames.items()
        for start in range(0, len(told), REPLIES_PER_MESSAGE)
    ]
