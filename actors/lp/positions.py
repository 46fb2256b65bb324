"""One question for an LP's positions (35=AN), and the reports that have come of it."""

from gateway.fix.codec import Message
from gateway.fix.lp import account
from gateway.venues.execution import Holdings


class Counting:
    """What has been heard holds at `cursor`, where the question was asked."""

    def __init__(self, request_id: str, cursor: str, asked_ns: int) -> None:
        self.request_id = request_id
        self.asked_ns = asked_ns
        self.detail = ""
        self._cursor = cursor
        self._awaited: int | None = None
        self._held_e8: dict[str, int] = {}
        self._reports = 0

    @property
    def holdings(self) -> Holdings | None:
        return None if self.detail else Holdings(self._cursor, self._held_e8)

    def hear(self, message: Message) -> bool:
        """Whether that was the last one."""
        if message.msg_type == b"AO":
            head = account.position_count(message)
            if head.request_id == self.request_id:
                self._awaited, self.detail = head.reports, head.detail
        else:
            report = account.position_report(message)
            if report.request_id == self.request_id:
                self._reports += 1
                if report.net_e8 is None:
                    self.detail = f"the position in {report.instrument} cannot be read"
                else:
                    self._held_e8[report.instrument] = self._held_e8.get(report.instrument, 0) + report.net_e8
        return bool(self.detail) or self._reports == self._awaited
