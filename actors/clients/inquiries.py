"""What clients ask about instruments, trading hours, positions and margin."""

import asyncio
from collections.abc import Callable

from actors.bus.answers import AccountReport
from actors.bus.asking import Asker, Away, Declined, NoAnswer
from actors.bus.prices import Prices
from actors.bus.requests import GetAccount
from actors.clients import words
from actors.clients.client import Client
from gateway.fix.codec import Message
from gateway.fix.trading import inquiries as wire
from gateway.fix.trading.requests import Unfit, text
from gateway.fix.trading.vocabulary import BAD_REQUEST, UNAVAILABLE

TIMEOUT_MS = 2_000
POSITIONS = b"0"
"""PosReqType (724)."""
ONCE = b"0"
"""SubscriptionRequestType (263): a snapshot."""
SYMBOL, EVERYTHING = b"0", b"4"
"""SecurityListRequestType (559)."""


class Inquiries:
    """`is_dealing` tells whether the engine and the prices are there; `settle` commits what was told."""

    def __init__(
        self,
        engine: Asker,
        prices: Prices,
        clock_ns: Callable[[], int],
        session_status: Callable[[], bytes],
        settle: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._prices = prices
        self._clock_ns = clock_ns
        self._session_status = session_status
        self._settle = settle
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._sessions_asked: dict[str, tuple[bytes, bytes]] = {}
        """By session, the TradSesReqID of its subscription, and what it was told last."""

    def security_list(self, client: Client, message: Message, now_ns: int) -> None:
        _check_once(message)
        kind = message.get(559)
        if kind not in (SYMBOL, EVERYTHING):
            raise Unfit(BAD_REQUEST, "SecurityListRequestType (559) is 4, all, or 0, one symbol", 559)
        known = {symbol: it for symbol, it in self._prices.instruments.items() if it.is_listed}
        if not known:
            raise Unfit(UNAVAILABLE, "the instruments are not known yet")
        symbols = (
            sorted(known) if kind == EVERYTHING else [symbol for symbol in (text(message, 55),) if symbol in known]
        )
        for body in wire.security_list(message.get(320) or b"0", [words.security(known[symbol]) for symbol in symbols]):
            client.tell(b"y", body, now_ns)

    def trading_session(self, client: Client, message: Message, now_ns: int) -> None:
        request_id, kind = message.get(335) or b"0", message.get(263)
        self._sessions_asked.pop(client.profile.id, None)
        if kind == b"2":
            return
        status = self._session_status()
        if kind == b"1":
            self._sessions_asked[client.profile.id] = (request_id, status)
        client.tell(b"h", wire.trading_session(request_id, status), now_ns)

    def turn(self, clients: dict[str, Client], now_ns: int) -> None:
        """Tells those who asked for it when trading begins or ends."""
        status = self._session_status()
        for session_id, (request_id, told) in self._sessions_asked.items():
            if told != status:
                self._sessions_asked[session_id] = (request_id, status)
                clients[session_id].tell(b"h", wire.trading_session(request_id, status), now_ns)

    def leave(self, client: Client) -> None:
        self._sessions_asked.pop(client.profile.id, None)

    def positions(self, client: Client, message: Message, now_ns: int) -> None:
        _check_once(message)
        if message.get(724) != POSITIONS:
            raise Unfit(BAD_REQUEST, "PosReqType (724) is 0, positions", 724)
        request_id = message.get(710) or b"0"

        def tell(report: AccountReport, answered_ns: int) -> None:
            symbol = text(message, 55)
            held = [one for one in words.holdings(report) if not symbol or one.symbol == symbol]
            day, report_id = words.business_date(answered_ns), client.new_id(answered_ns)
            for msg_type, body in wire.positions(request_id, client.account, held, day, report_id):
                client.tell(msg_type, body, answered_ns)

        self._ask(client, message, tell)

    def collateral(self, client: Client, message: Message, now_ns: int) -> None:
        _check_once(message)

        def tell(report: AccountReport, answered_ns: int) -> None:
            inquiry_id, report_id = message.get(909) or b"0", client.new_id(answered_ns)
            margin = words.margin(report)
            client.tell(b"BA", wire.collateral(inquiry_id, client.account, margin, report_id), answered_ns)

        self._ask(client, message, tell)

    def _ask(self, client: Client, message: Message, tell: Callable[[AccountReport, int], None]) -> None:
        """The account as the engine has it; what it cannot say is refused."""

        async def ask() -> None:
            try:
                report = await self._engine.ask(GetAccount(client.account), AccountReport, TIMEOUT_MS)
                tell(report, self._clock_ns())
            except Declined as error:
                fault = Unfit(error.refusal.code, error.refusal.detail)
                client.refuse(message, fault, None, self._clock_ns())
            except (Away, NoAnswer) as error:
                client.refuse(message, Unfit(UNAVAILABLE, str(error)), None, self._clock_ns())
            self._settle()

        task = asyncio.get_running_loop().create_task(ask())
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))


def _check_once(message: Message) -> None:
    """Raises Unfit where more than one answer is asked for."""
    if message.get(263) not in (None, ONCE):
        raise Unfit(BAD_REQUEST, "this is told when it is asked for: SubscriptionRequestType (263) is 0", 263)
