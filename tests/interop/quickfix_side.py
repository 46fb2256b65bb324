"""One end of a flow that QuickFIX serves, with its FileStore: it sends numbered orders, and notes those that it gets.

    python -m tests.interop.quickfix_side ROLE PORT FOLDER COUNT NEXT_EXPECTED

QuickFIX notes its sequence numbers apart from what its application does, so a SIGKILL may repeat a message: it goes on
with the last number that it may not have sent.
"""

import sys
import threading
import time
from pathlib import Path

import quickfix

from tests.interop.children import end_with_parent
from tests.interop.flow import ORDERS_PAUSE_S, ORDERS_TOGETHER
from tests.interop.quickfix_application import QuickfixApplication

SETTINGS = """
[DEFAULT]
ConnectionType={role}
SocketAcceptPort={port}
SocketConnectHost=127.0.0.1
SocketConnectPort={port}
SocketReuseAddress=Y
SocketNodelay=Y
ReconnectInterval=1
HeartBtInt=5
NonStopSession=Y
UseDataDictionary=N
FileStorePath={folder}
SendNextExpectedMsgSeqNum={next_expected}
[SESSION]
BeginString=FIX.4.4
SenderCompID=QUICKFIX
TargetCompID=HEDGEROW
"""


class Side(QuickfixApplication):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._received = (folder / "received").open("a", encoding="ascii")

    def fromApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        self._received.write(f"{message.getField(11)}\n")
        self._received.flush()


def order(number: int) -> quickfix.Message:
    message = quickfix.Message()
    header = message.getHeader()
    for tag, value in ((8, "FIX.4.4"), (35, "D"), (49, "QUICKFIX"), (56, "HEDGEROW")):
        header.setField(tag, value)
    now = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
    for tag, value in ((11, str(number)), (55, "EUR/USD"), (54, "1"), (60, now), (38, "1000"), (40, "1")):
        message.setField(tag, value)
    return message


def main() -> None:
    end_with_parent()
    role, port, folder, count, next_expected = *sys.argv[1:3], Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
    path = folder / "settings.cfg"
    path.write_text(SETTINGS.format(role=role, port=port, folder=folder, next_expected=next_expected), encoding="ascii")
    side = Side(folder)
    configured = quickfix.SessionSettings(str(path))
    kinds = {"initiator": quickfix.SocketInitiator, "acceptor": quickfix.SocketAcceptor}
    engine = kinds[role](side, quickfix.FileStoreFactory(configured), configured)
    engine.start()
    with (folder / "sent").open("a+", encoding="ascii") as sent:
        sent.seek(0)
        numbers = sent.read().split()
        for number in range(int(numbers[-1]) if numbers else 0, count):
            sent.write(f"{number}\n")
            sent.flush()
            quickfix.Session.sendToTarget(order(number), quickfix.SessionID("FIX.4.4", "QUICKFIX", "HEDGEROW"))
            if number % ORDERS_TOGETHER == 0:
                time.sleep(ORDERS_PAUSE_S)
        threading.Event().wait()


if __name__ == "__main__":
    main()
