"""One client's session as the desk sees it: what it may do, and how it is told something."""

from collections.abc import Mapping, Sequence

from config.client_sessions import ClientSession
from gateway.fix.codec import Field, Message
from gateway.fix.session import Session
from gateway.fix.store import SentMessage
from gateway.fix.trading import inquiries, prices, reports, vocabulary
from gateway.fix.trading.requests import Unfit, text
from gateway.fix.trading.vocabulary import NOT_PERMITTED, RATE_LIMITED

SECOND_NS = 1_000_000_000
PERMISSIONS = {
    b"D": "trade",
    b"F": "trade",
    b"G": "trade",
    b"H": "read",
    b"AF": "read",
    b"AN": "read",
    b"BB": "read",
    b"V": "market_data",
}
"""What a message needs. Who may trade may read."""
_COPY: list[Field] = [(797, b"Y")]
"""CopyMsgIndicator."""
_REQUEST_ID = {b"x": 320, b"g": 335, b"AF": 584, b"BB": 909, b"H": 11}
_PRICES = frozenset((b"W", b"X"))


def may_be_sent_again(sent: SentMessage, _now_ns: int) -> bool:
    """Everything but prices, which are old by then."""
    return sent.msg_type not in _PRICES


class Client:
    def __init__(self, profile: ClientSession, sessions: Mapping[str, Session], told: dict[str, None]) -> None:
        """`told`: the sessions in which something was sent since the last commit."""
        self.profile = profile
        self.is_up = False
        self.logged_on_ns = 0
        """The last time since the process started."""
        self.refused = 0
        """Messages of its that were refused here, and never reached the engine."""
        self._sessions = sessions
        self._told = told
        self._second = self._requests = 0
        self._last_id = 0

    @property
    def account(self) -> int:
        return self.profile.account

    def tell(self, msg_type: bytes, body: Sequence[Field], now_ns: int) -> None:
        self._told[self.profile.id] = None
        position_id = self.profile.position_id_tag
        if position_id != vocabulary.POSITION_ID:
            body = [(position_id if tag == vocabulary.POSITION_ID else tag, value) for tag, value in body]
        self._sessions[self.profile.id].send(msg_type, body, now_ns)

    def report(self, body: list[Field], now_ns: int) -> None:
        """An ExecutionReport."""
        self.tell(b"8", body + _COPY if self.profile.purpose == "drop_copy" else body, now_ns)

    def new_id(self, now_ns: int) -> str:
        """An ExecID or report id of what is no event of the engine; unique in the session."""
        self._last_id += 1
        return f"{self.profile.id}-{now_ns}-{self._last_id}"

    def check(self, message: Message, now_ns: int) -> None:
        """Raises Unfit where it may not ask for that, or asks too often."""
        second = now_ns // SECOND_NS
        if second != self._second:
            self._second, self._requests = second, 0
        self._requests += 1
        limit = self.profile.requests_per_second
        if self._requests > limit:
            raise Unfit(RATE_LIMITED, f"at most {limit} requests in a second")
        needed = PERMISSIONS.get(message.msg_type)
        has = self.profile.permissions
        if needed is not None and needed not in has and not (needed == "read" and "trade" in has):
            raise Unfit(NOT_PERMITTED, f"this session may not do what needs {needed}")
        account = text(message, 1)
        if account and account != str(self.account):
            raise Unfit("UNKNOWN_ACCOUNT", f"this session is for account {self.account}", 1)

    def refuse(self, message: Message, fault: Unfit, order: reports.OrderView | None, now_ns: int) -> None:
        """Says no, with the message that FIX has for that. `order`: the one that is meant, if there is one."""
        self.refused += 1
        code, detail = fault.code, fault.detail
        match message.msg_type:
            case b"D":
                exec_id = self.new_id(now_ns).encode()
                self.tell(b"8", reports.no_order(message, reports.Exec.REJECTED, exec_id, code, detail, now_ns), now_ns)
            case b"F" | b"G":
                name, original, is_replace = text(message, 11), text(message, 41), message.msg_type == b"G"
                said = reports.cancel_reject(name, original, order, is_replace, code, detail, now_ns)
                self.tell(b"9", said, now_ns)
            case b"V":
                reason = {NOT_PERMITTED: prices.NO_PERMISSION, "UNKNOWN_SYMBOL": prices.UNKNOWN_SYMBOL}
                why = prices.DUPLICATE if fault.tag == 262 else reason.get(code, prices.OTHER)
                self.tell(b"Y", prices.refusal(message.get(262) or b"0", why, code, detail), now_ns)
            case b"AN":
                account = message.get(1) or b"%d" % self.account
                report_id = self.new_id(now_ns)
                said = inquiries.positions_refused(message.get(710) or b"0", account, report_id, code, detail)
                self.tell(b"AO", said, now_ns)
            case msg_type:
                ref_id = message.get(_REQUEST_ID[msg_type]) or b"" if msg_type in _REQUEST_ID else b""
                self._told[self.profile.id] = None
                session = self._sessions[self.profile.id]
                session.reject(message, vocabulary.business_reason(code), f"{code}: {detail}", now_ns, ref_id)
