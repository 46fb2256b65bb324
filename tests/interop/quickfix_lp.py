"""An LP that is built on QuickFIX, with the dictionary that it comes with: it fills whole and at once.

    python -m tests.interop.quickfix_lp PORT FOLDER

Its book, in the folder, is a line an order, so that it may be killed. While there is a file `mute` it says nothing of
orders unless it is asked. `asked` has the MsgTypes that it got, and `rejects` each Reject that was said or heard.
"""

import contextlib
import itertools
import json
import sys
import threading
import time
from pathlib import Path

import quickfix as fix

from tests.interop.children import end_with_parent
from tests.interop.quickfix_application import QuickfixApplication

US, LP = "HEDGEROW", "QUICKLP"
BID, ASK = "1.10000", "1.10020"
QUOTE_PAUSE_S = 0.2
Fields = dict[int, str]
SETTINGS = """
[DEFAULT]
ConnectionType=acceptor
BeginString=FIX.4.4
SenderCompID={lp}
TargetCompID={us}
SocketAcceptPort={port}
SocketReuseAddress=Y
NonStopSession=Y
UseDataDictionary=Y
DataDictionary={dictionary}
FileStorePath={folder}/store
[SESSION]
"""


class QuickLp(QuickfixApplication):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._watched: dict[str, str] = {}
        self._numbers = itertools.count(time.time_ns())
        self._orders = read_orders(folder)
        self._lock = threading.Lock()

    def quote(self) -> None:
        """What stands, to all who watch it."""
        with self._lock:
            for request_id, symbol in self._watched.items():
                self._snapshot(request_id, symbol)

    def onLogon(self, session_id: fix.SessionID) -> None:
        with self._lock:
            self._watched = {}

    def toAdmin(self, message: fix.Message, session_id: fix.SessionID) -> None:
        self._note_reject(message)

    def fromAdmin(self, message: fix.Message, session_id: fix.SessionID) -> None:
        self._note_reject(message)

    def _note_reject(self, message: fix.Message) -> None:
        if message.getHeader().getField(35) == "3":
            self._note("rejects", message.toString().replace("\x01", "|"))

    def _note(self, name: str, line: str) -> None:
        with (self._folder / name).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def fromApp(self, message: fix.Message, session_id: fix.SessionID) -> None:
        pairs = [field.split("=", 1) for field in message.toString().split("\x01") if field]
        said = {int(tag): value for tag, value in pairs}
        with self._lock:
            self._note("asked", said[35])
            answer = getattr(self, f"_hear_{said[35]}", None)
            if answer is None:
                self._say("j", {45: said[34], 372: said[35], 380: "3", 58: "not here"})
            else:
                answer(said)

    def _hear_V(self, said: Fields) -> None:
        if said[263] == "2":
            self._watched.pop(said[262], None)
        elif said[55] != "EUR/USD":
            self._say("Y", {262: said[262], 281: "0"})
        else:
            self._watched[said[262]] = said[55]
            self._snapshot(said[262], said[55])

    def _hear_D(self, said: Fields) -> None:
        order = {**said, 37: f"O{next(self._numbers)}", 17: f"E{next(self._numbers)}"}
        self._note("orders", json.dumps(order))
        self._orders[said[11]] = order
        if not (self._folder / "mute").exists():
            self._report(said[11], "0", "0")
            self._report(said[11], "F", "2")

    def _hear_H(self, said: Fields) -> None:
        if said[11] in self._orders:
            self._report(said[11], "F", "2")
            self._report(said[11], "I", "2")
            return
        unknown = {37: "NONE", 11: said[11], 17: f"R{next(self._numbers)}", 150: "I", 39: "8", 103: "5", 55: said[55]}
        self._say("8", unknown | {54: said[54], 151: "0", 14: "0", 6: "0"})

    def _hear_AN(self, said: Fields) -> None:
        net = sum(quantity for _, _, quantity in fills_of(self._orders)) // 10**8
        head = {721: f"P{next(self._numbers)}", 710: said[710], 1: "A-1", 581: "1", 728: "0" if net else "2"}
        self._say("AO", head | {727: str(int(net != 0)), 729: "0"})
        if net:
            quantity = fix.Group(702, 703)
            quantity.setField(fix.StringField(703, "TQ"))
            quantity.setField(fix.StringField(704 if net > 0 else 705, str(abs(net))))
            amount = fix.Group(753, 707)
            for tag, value in ((707, "FMTM"), (708, "0")):
                amount.setField(fix.StringField(tag, value))
            report = head | {55: "EUR/USD", 715: said[715], 730: "0", 731: "1", 734: "0"}
            self._say("AP", report, quantity, amount)

    def _hear_x(self, said: Fields) -> None:
        listed = fix.Group(146, 55)
        for tag, value in ((55, "EUR/USD"), (561, "1000"), (562, "1000")):
            listed.setField(fix.StringField(tag, value))
        self._say("y", {320: said[320], 322: "L", 560: "0"}, listed)

    def _hear_BB(self, said: Fields) -> None:
        self._say("BA", {908: "C", 909: said[909], 910: "3", 15: "USD", 900: "1000000", 899: "900000"})

    def _snapshot(self, request_id: str, symbol: str) -> None:
        sides = []
        for kind, price in (("0", BID), ("1", ASK)):
            side = fix.Group(268, 269)
            for tag, value in ((269, kind), (270, price), (271, "5000000")):
                side.setField(fix.StringField(tag, value))
            sides.append(side)
        self._say("W", {262: request_id, 55: symbol}, *sides)

    def _report(self, name: str, exec_type: str, status: str) -> None:
        order = self._orders[name]
        quantity, price = order[38], ASK if order[54] == "1" else BID
        exec_id = order[17] if exec_type == "F" else f"R{next(self._numbers)}"
        body = {37: order[37], 11: name, 17: exec_id, 150: exec_type, 39: status, 55: order[55], 54: order[54]}
        dealt = {32: quantity, 31: price} if exec_type == "F" else {}
        filled = status == "2"
        sums = {38: quantity, 14: quantity if filled else "0", 151: "0" if filled else quantity}
        self._say("8", body | dealt | sums | {6: price if filled else "0"})

    def _say(self, msg_type: str, body: Fields, *groups: fix.Group) -> None:
        message = fix.Message()
        message.getHeader().setField(fix.StringField(35, msg_type))
        for tag, value in body.items():
            message.setField(fix.StringField(tag, value))
        if msg_type in ("8", "AN"):
            message.setField(fix.StringField(60, time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())))
        for group in groups:
            message.addGroup(group)
        with contextlib.suppress(fix.SessionNotFound):
            fix.Session.sendToTarget(message, fix.SessionID("FIX.4.4", LP, US))


def read_orders(folder: Path) -> dict[str, Fields]:
    """By ClOrdID, with OrderID and ExecID."""
    path = folder / "orders"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    orders = [{int(tag): value for tag, value in json.loads(line).items()} for line in lines]
    return {order[11]: order for order in orders}


def fills_of(orders: dict[str, Fields]) -> list[tuple[str, str, int]]:
    """ClOrdID, ExecID and signed quantity on the 10^-8 scale."""
    signs = {"1": 1, "2": -1}
    return sorted((name, it[17], signs[it[54]] * int(it[38]) * 10**8) for name, it in orders.items())


def main() -> None:
    end_with_parent()
    port, folder = sys.argv[1], Path(sys.argv[2])
    path = folder / "acceptor.cfg"
    dictionary = Path(sys.prefix) / "share" / "quickfix" / "FIX44.xml"
    path.write_text(SETTINGS.format(lp=LP, us=US, port=port, dictionary=dictionary, folder=folder), encoding="utf-8")
    lp = QuickLp(folder)
    settings = fix.SessionSettings(str(path))
    acceptor = fix.SocketAcceptor(lp, fix.FileStoreFactory(settings), settings)
    acceptor.start()
    while True:
        time.sleep(QUOTE_PAUSE_S)
        lp.quote()


if __name__ == "__main__":
    main()
