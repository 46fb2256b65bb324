"""When a session must speak, ask, or give up: FIX 4.4 volume 2, "Heartbeat" and "Test Request"."""

from enum import Enum, auto

from gateway.fix.settings import SessionSettings
from gateway.fix.states import State
from gateway.fix.times import MS_NS, SECOND_NS


class Due(Enum):
    LOGON_TIMEOUT = auto()
    LOGOUT_TIMEOUT = auto()
    END_OF_HOURS = auto()
    SILENCE = auto()
    TEST_REQUEST = auto()
    HEARTBEAT = auto()
    GAP_TIMEOUT = auto()


class Timers:
    def __init__(self, settings: SessionSettings):
        self._settings = settings
        self.heartbeat_ns = settings.heartbeat_s * SECOND_NS
        self.entered_ns = 0
        """When the connection opened, or our Logout was sent."""
        self.last_received_ns = 0
        self.test_requested_ns: int | None = None
        self.hours_end_ns: int | None = None

    def received(self, now_ns: int) -> None:
        self.last_received_ns = now_ns
        self.test_requested_ns = None

    def deadlines(self, state: State, last_written_ns: int, gap_since_ns: int | None) -> dict[Due, int]:
        """What falls due in this state, and when."""
        if state in (State.AWAITING_LOGON, State.LOGON_SENT):
            return {Due.LOGON_TIMEOUT: self.entered_ns + self._settings.logon_timeout_ms * MS_NS}
        if state is State.LOGOUT_SENT:
            return {Due.LOGOUT_TIMEOUT: self.entered_ns + self._settings.logout_timeout_ms * MS_NS}
        if state is not State.ACTIVE:
            return {}
        due: dict[Due, int] = {}
        if self.hours_end_ns is not None:
            due[Due.END_OF_HOURS] = self.hours_end_ns
        if self.heartbeat_ns:
            patience_ns = self.heartbeat_ns * 12 // 10
            if self.test_requested_ns is None:
                due[Due.TEST_REQUEST] = self.last_received_ns + patience_ns
            else:
                due[Due.SILENCE] = self.test_requested_ns + patience_ns
            due[Due.HEARTBEAT] = last_written_ns + self.heartbeat_ns
        if gap_since_ns is not None:
            due[Due.GAP_TIMEOUT] = gap_since_ns + self._settings.gap_timeout_ms * MS_NS
        return due
