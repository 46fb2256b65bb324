"""QuickFIX as the acceptor that tools/fix_conformance.py is with our engine: the other side of the comparison.

python -m tests.interop.quickfix_echo FOLDER PORT
"""

import sys
import threading
from pathlib import Path

import quickfix

from tests.interop import quickfix_dictionary
from tests.interop.children import end_with_parent
from tests.interop.quickfix_application import QuickfixApplication

_ECHOED = ("D", "d")


class Echo(QuickfixApplication):
    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def onLogon(self, session_id: quickfix.SessionID) -> None:
        self._seen.clear()

    def fromApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        header = message.getHeader()
        kind = header.getField(35)
        if kind not in _ECHOED:
            raise quickfix.UnsupportedMessageType
        may_repeat = header.isSetField(97) and header.getField(97) == "Y"
        if kind == "D":
            order_id = message.getField(11)
            if may_repeat and order_id in self._seen:
                return
            self._seen.add(order_id)
        answer = quickfix.Message(message)
        for tag in (34, 43, 122, 115, 128, 116, 129, 144, 145):
            answer.getHeader().removeField(tag)
        quickfix.Session.sendToTarget(answer, session_id)


def settings(folder: Path, port: int) -> str:
    dictionary = folder / "FIX44.xml"
    quickfix_dictionary.write(dictionary)
    return f"""
[DEFAULT]
ConnectionType=acceptor
SocketAcceptPort={port}
SocketReuseAddress=Y
SocketNodelay=Y
StartTime=00:00:00
EndTime=00:00:00
ResetOnLogon=Y
DataDictionary={dictionary}
ValidateUserDefinedFields=Y
[SESSION]
BeginString=FIX.4.4
SenderCompID=ISLD
TargetCompID=TW44
"""


def main() -> None:
    end_with_parent()
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    path = folder / "settings.cfg"
    path.write_text(settings(folder, port), encoding="ascii")
    echo = Echo()
    configured = quickfix.SessionSettings(str(path))
    acceptor = quickfix.SocketAcceptor(echo, quickfix.MemoryStoreFactory(), configured)
    acceptor.start()
    print("listening", flush=True)  # noqa: T201
    threading.Event().wait()


if __name__ == "__main__":
    main()
