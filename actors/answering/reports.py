"""What the engine answers, apart from how it comes to it."""

from actors.bus import codec
from actors.bus.answers import AccountReport, Instruments, LotSizeReport, PositionReport, PreviewReport, Reply
from actors.bus.desk_answers import DeskReport, ExposureReport
from actors.bus.pump import Outbox
from actors.bus.requests import GetLotSize, GetPreview
from actors.domain import wide
from actors.domain.dealing import preview
from actors.domain.refusal import Code, Refused
from actors.domain.risk import margin
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
    return AccountReport(
        state.event_seq, summary, positions, orders, account.group, dict(account.requirements), account.limits
    )


def preview_report(state: State, query: GetPreview, now_ns: int) -> PreviewReport:
    seen = preview.preview(state, query.account_id, query.symbol, query.side, query.quantity_e8, now_ns)
    return PreviewReport(state.accounts[query.account_id].currency, seen)


def lot_size_report(state: State, query: GetLotSize, now_ns: int) -> LotSizeReport:
    size = preview.lot_size(state, query.account_id, query.symbol, query.side, query.stop_e8, query.risk_minor, now_ns)
    return LotSizeReport(state.accounts[query.account_id].currency, size)


def instruments(state: State, known_version: int = 0) -> Instruments:
    versions = state.versions.current
    version = max((versions.get(f"instrument {symbol}", 0) for symbol in state.instruments), default=0)
    return Instruments([] if version == known_version else list(state.instruments.values()), version)


def exposure_report(state: State) -> ExposureReport:
    desks = []
    for symbol, desk in sorted(state.books.desks.items()):
        tick = state.ticks[symbol]
        report = DeskReport(
            symbol,
            desk.exposure_e8,
            desk.coverage_e8,
            desk.hedging_e8,
            desk.open_e8,
            desk.at_venues_e8,
            wide.part(desk.b_book_profit_e16(tick)),
            wide.part(desk.a_book_profit_e16(tick)),
            wide.part(desk.markup_e16),
            wide.part(desk.hedge_profit_e16(tick)),
        )
        desks.append(report)
    return ExposureReport(state.event_seq, desks, list(state.books.open.values()))


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
