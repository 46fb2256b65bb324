"""QuickFIX for `fix_round_trip`, through its own Python binding: initiator and acceptor, each with its FileStore.

The FileStore writes files and never syncs them: after a power cut it has what the kernel happened to have written.
"""

import threading
import time
from pathlib import Path
from typing import Any

import quickfix

SETTINGS = """
[DEFAULT]
ConnectionType={role}
SocketAcceptPort={port}
SocketConnectHost=127.0.0.1
SocketConnectPort={port}
SocketReuseAddress=Y
SocketNodelay=Y
ReconnectInterval=1
HeartBtInt=30
NonStopSession=Y
UseDataDictionary=N
FileStorePath={folder}
[SESSION]
BeginString=FIX.4.4
SenderCompID={sender}
TargetCompID={target}
"""


class _Application(quickfix.Application):  # type: ignore[misc]
    def onCreate(self, session_id: quickfix.SessionID) -> None: ...  # noqa: N802

    def onLogon(self, session_id: quickfix.SessionID) -> None: ...  # noqa: N802

    def onLogout(self, session_id: quickfix.SessionID) -> None: ...  # noqa: N802

    def toAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None: ...  # noqa: N802

    def fromAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None: ...  # noqa: N802

    def toApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None: ...  # noqa: N802

    def fromApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None: ...  # noqa: N802


class _Acceptor(_Application):
    def fromApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:  # noqa: N802
        answer = quickfix.Message()
        answer.getHeader().setField(8, "FIX.4.4")
        answer.getHeader().setField(35, "8")
        order_id = message.getField(11)
        for tag, value in (
            (37, order_id), (11, order_id), (17, order_id), (150, "F"), (39, "2"), (55, message.getField(55)),
            (54, message.getField(54)), (38, message.getField(38)), (32, message.getField(38)), (31, "1.07123"),
            (151, "0"), (14, message.getField(38)), (6, "1.07123"), (60, message.getField(60)),
        ):  # fmt: skip
            answer.setField(tag, value)
        quickfix.Session.sendToTarget(answer, session_id)


class _Initiator(_Application):
    def __init__(self, orders: int, warm_up: int, in_flight: int):
        super().__init__()
        self._session_id = quickfix.SessionID("FIX.4.4", "CLIENT", "BROKER")
        self._orders = orders + warm_up
        self._warm_up = warm_up
        self._in_flight = in_flight
        self._sent_ns: list[int] = []
        self._took_ns: list[int] = []
        self._start_ns = self._end_ns = 0
        self.done = threading.Event()

    def onLogon(self, session_id: quickfix.SessionID) -> None:  # noqa: N802
        threading.Thread(target=self._begin, daemon=True).start()

    def _begin(self) -> None:
        time.sleep(0.2)
        for _ in range(self._in_flight):
            self._send()

    def _send(self) -> None:
        message = quickfix.Message()
        message.getHeader().setField(8, "FIX.4.4")
        message.getHeader().setField(35, "D")
        for tag, value in (
            (11, str(len(self._sent_ns))), (21, "1"), (55, "EUR/USD"), (54, "1"), (60, "20260119-12:00:00.000"),
            (38, "100000"), (40, "2"), (44, "1.07123"), (59, "3"),
        ):  # fmt: skip
            message.setField(tag, value)
        self._sent_ns.append(time.perf_counter_ns())
        quickfix.Session.sendToTarget(message, self._session_id)

    def fromApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:  # noqa: N802
        self._end_ns = time.perf_counter_ns()
        self._took_ns.append(self._end_ns - self._sent_ns[int(message.getField(11))])
        if len(self._took_ns) == self._warm_up:
            self._start_ns = self._end_ns
        if len(self._sent_ns) < self._orders:
            self._send()
        elif len(self._took_ns) == self._orders:
            self.done.set()

    @property
    def told(self) -> tuple[int, list[int]]:
        return self._end_ns - self._start_ns, self._took_ns[self._warm_up :]


def _configured(folder: Path, role: str, port: int, sender: str, target: str) -> Any:
    folder.mkdir(parents=True)
    path = folder / "settings.cfg"
    path.write_text(SETTINGS.format(role=role, port=port, folder=folder, sender=sender, target=target), "ascii")
    return quickfix.SessionSettings(str(path))


def accept(folder: Path, port: int) -> None:
    """The acceptor's process, until it is killed."""
    configured = _configured(folder, "acceptor", port, "BROKER", "CLIENT")
    application = _Acceptor()
    acceptor = quickfix.SocketAcceptor(application, quickfix.FileStoreFactory(configured), configured)
    acceptor.start()
    threading.Event().wait()


def deal(folder: Path, port: int, orders: int, warm_up: int, in_flight: int, timeout_s: float) -> tuple[int, list[int]]:
    """The initiator's process: the nanoseconds that all `orders` after `warm_up` ones took, and each.

    Fewer than `orders` if time ran out.
    """
    configured = _configured(folder, "initiator", port, "CLIENT", "BROKER")
    application = _Initiator(orders, warm_up, in_flight)
    initiator = quickfix.SocketInitiator(application, quickfix.FileStoreFactory(configured), configured)
    initiator.start()
    application.done.wait(timeout_s)
    initiator.stop(True)
    return application.told
