"""Executions as an LP's back office has them, held against what the session has said: asked for now and then.

One that we have not heard is told the engine as any other: of an order that lives it is a fill, else a break.
"""

from actors.store.dispatch import Dispatch
from gateway.fix.codec import Field, Message
from gateway.fix.lp import trades
from gateway.venues.execution import Said

ROUND_NS = 600_000_000_000
"""Between two rounds, of which one begins with each Logon."""
OVERLAP_NS = 300_000_000_000
"""Of two rounds: the LP's clock may be another, and its back office late."""
MEMORY_NS = 60_000_000_000
"""How much later than an order its executions are: those of one that is forgotten are not judged."""


class Trades:
    """The reports of one session. `request_id` is that of the round that is under way, else empty."""

    def __init__(self, dispatch: Dispatch, account: str) -> None:
        """`account`: reports that name another one are not ours."""
        self.request_id = ""
        self._dispatch = dispatch
        self._account = account
        self._asked_ns = 0
        self._awaited: int | None = None
        self._reports = 0

    def is_due(self, now_ns: int) -> bool:
        """Whether a round should begin, if there can be one."""
        return now_ns - self._asked_ns >= ROUND_NS

    def begin(self, request_id: str, now_ns: int) -> list[Field]:
        """The body of the request."""
        self.request_id, self._asked_ns = request_id, now_ns
        self._awaited, self._reports = None, 0
        from_ns = max(self._dispatch.made_ns, self._dispatch.trades_ns - OVERLAP_NS)
        return trades.trades_request(request_id, from_ns, now_ns)

    def count(self, message: Message) -> str:
        """Takes a 35=AQ in; why there are no reports, empty where they come."""
        head = trades.trade_count(message)
        if head.request_id != self.request_id or not self.request_id:
            return ""
        if head.refused:
            self.request_id = ""
            return head.refused
        self._awaited = head.reports
        self._look_whether_over(False)
        return ""

    def hear(self, message: Message) -> Said | None:
        """What a 35=AE says that is of our account and our time, and that the session has not said."""
        report = trades.trade_report(message)
        said = report.said
        if self.request_id and report.request_id == self.request_id:
            self._reports += 1
            self._look_whether_over(report.is_last)
        is_others = self._account and report.account and report.account != self._account
        if is_others or 0 < said.time_ns < self._dispatch.made_ns:
            return None
        return None if self._is_known(said) or self._is_forgotten(said) else said

    def _is_known(self, said: Said) -> bool:
        """As it is now: of another quantity or price it says something new."""
        order = self._dispatch.by_client_id(said.client_id)
        heard = self._dispatch.fill(order.sent.child.child_id, said.exec_id) if order else None
        return heard is not None and (heard.quantity_e8, heard.price_e8) == (said.quantity_e8, said.price_e8)

    def _is_forgotten(self, said: Said) -> bool:
        forgotten_ns = self._dispatch.forgotten_ns
        is_late = said.time_ns > forgotten_ns + MEMORY_NS
        return bool(forgotten_ns) and not is_late and self._dispatch.by_client_id(said.client_id) is None

    def _look_whether_over(self, is_last: bool) -> None:
        if is_last or self._reports == self._awaited:
            self._dispatch.trades_read(self._asked_ns)
            self.request_id = ""
