"""A client on QuickFIX's own engine, which holds what it hears against its own dictionary."""

import queue
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.actors.clients.floor import PASSWORD, PATIENCE_S, Floor
from tests.actors.test_fix_clients import ready

fix: Any = pytest.importorskip("quickfix", reason="not here: pip install quickfix")

SETTINGS = """
[DEFAULT]
ConnectionType=initiator
BeginString=FIX.4.4
SenderCompID=QUICK
TargetCompID=HEDGEROW
SocketConnectHost=127.0.0.1
SocketConnectPort={port}
StartTime=00:00:00
EndTime=00:00:00
HeartBtInt=30
ReconnectInterval=1
UseDataDictionary=Y
DataDictionary={dictionary}
ValidateUserDefinedFields=N
FileStorePath={folder}/store
[SESSION]
"""


class Client:
    """An initiator with a file store; made anew in the same folder it goes on with its numbers."""

    def __init__(self, floor: Floor) -> None:
        self.heard: queue.Queue[dict[int, str]] = queue.Queue()
        dictionary = Path(sys.prefix) / "share" / "quickfix" / "FIX44.xml"
        path = floor.folder / "quickfix.cfg"
        path.write_text(SETTINGS.format(port=floor.port, dictionary=dictionary, folder=floor.folder))
        self._settings = fix.SessionSettings(str(path))
        self._application = _application(self.heard)
        self._store = fix.FileStoreFactory(self._settings)
        self._initiator = fix.SocketInitiator(self._application, self._store, self._settings)
        self._initiator.start()

    def log_on(self) -> None:
        end = time.monotonic() + PATIENCE_S
        while not self._application.is_up:
            assert time.monotonic() < end
            time.sleep(0.02)

    def stop(self) -> None:
        if self._initiator is not None:
            self._initiator.stop(True)
            self._initiator = None

    def send(self, msg_type: str, *fields: tuple[int, str]) -> None:
        message = fix.Message()
        message.getHeader().setField(fix.StringField(35, msg_type))
        for tag, value in fields:
            message.setField(fix.StringField(tag, value))
        if msg_type != "g":
            message.setField(fix.StringField(60, time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())))
        assert fix.Session.sendToTarget(message, fix.SessionID("FIX.4.4", "QUICK", "HEDGEROW"))

    def until_open(self) -> None:
        """Until the desk takes orders: after a restart it first tells what has happened."""
        status = ""
        while status != "2":
            self.send("g", (335, "open"), (263, "0"))
            while (heard := self.heard.get(timeout=PATIENCE_S))[35] != "h":
                pass
            status = heard[340]

    def report(self, name: str) -> tuple[str, str]:
        """ExecType and OrdStatus of the next report on a ClOrdID."""
        while True:
            heard = self.heard.get(timeout=PATIENCE_S)
            assert heard[35] == "8", heard
            if heard.get(11) == name:
                return heard[150], heard[39]


def _application(heard: "queue.Queue[dict[int, str]]") -> Any:
    class Application(fix.Application):  # type: ignore[misc]
        is_up = False

        def onCreate(self, session_id: Any) -> None:  # noqa: N802
            pass

        def onLogon(self, session_id: Any) -> None:  # noqa: N802
            self.is_up = True

        def onLogout(self, session_id: Any) -> None:  # noqa: N802
            self.is_up = False

        def toAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
            if message.getHeader().getField(35) == "A":
                message.setField(fix.StringField(553, "quick"))
                message.setField(fix.StringField(554, PASSWORD))

        def fromAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
            if message.getHeader().getField(35) == "3":
                heard.put(_fields(message))

        def toApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
            pass

        def fromApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
            heard.put(_fields(message))

    return Application()


def _fields(message: Any) -> dict[int, str]:
    pairs = [field.split("=", 1) for field in message.toString().split("\x01") if field]
    return {int(tag): value for tag, value in pairs}


@pytest.fixture
def floor(private_folder: Path, tmp_path: Path) -> Iterator[Floor]:
    folder = private_folder / tmp_path.name
    folder.mkdir()
    with Floor(folder) as floor:
        ready(floor)
        yield floor


@pytest.fixture
def started(floor: Floor) -> Iterator[Callable[[], Client]]:
    """Begins a client; each is stopped in the end, for QuickFIX does not survive that one is forgotten."""
    made: list[Client] = []

    def start() -> Client:
        made.append(Client(floor))
        made[-1].log_on()
        return made[-1]

    yield start
    for client in made:
        client.stop()


def test_quickfix_trades_and_goes_on_after_restarts_of_both_sides(floor: Floor, started: Callable[[], Client]) -> None:
    order = ((21, "1"), (55, "EURUSD"), (54, "1"), (38, "1000"))
    client = started()
    client.send("D", (11, "q-1"), *order, (40, "1"))
    assert [client.report("q-1"), client.report("q-1")] == [("0", "0"), ("F", "2")]
    client.send("D", (11, "q-2"), *order, (40, "2"), (44, "1.05"), (59, "1"))
    assert client.report("q-2") == ("0", "0")
    client.send("G", (11, "q-3"), (41, "q-2"), *order, (40, "2"), (44, "1.06"), (59, "1"))
    assert client.report("q-3") == ("5", "0")
    floor.kill("fix_clients")
    floor.start("fix_clients")
    client.stop()
    floor.bid, floor.ask = "1.05000", "1.05020"
    client = started()
    assert client.report("q-3") == ("F", "2"), "dealt while it was away"
    client.until_open()
    client.send("D", (11, "q-1"), *order, (40, "1"))
    assert client.report("q-1") == ("I", "2")
    client.send("F", (11, "q-4"), (41, "q-3"), *order[1:])
    rejected = client.heard.get(timeout=PATIENCE_S)
    assert (rejected[35], rejected[11], rejected[102]) == ("9", "q-4", "0")


def test_quickfix_closes_a_position_by_its_id(floor: Floor, started: Callable[[], Client]) -> None:
    """With the dictionary that it comes with, which has no PositionID."""
    client = started()
    order = ((21, "1"), (55, "EURUSD"), (38, "1000"), (40, "1"))
    client.send("D", (11, "q-1"), (54, "1"), *order)
    while (heard := client.heard.get(timeout=PATIENCE_S)).get(150) != "F" or heard[11] != "q-1":
        assert heard[35] == "8", heard
    client.send("D", (11, "q-2"), (54, "2"), *order, (77, "C"), (2618, heard[7007]))
    assert [client.report("q-2"), client.report("q-2")] == [("0", "0"), ("F", "2")]
    client.send("D", (11, "q-3"), (54, "2"), *order, (77, "C"), (2618, heard[7007]))
    assert client.report("q-3") == ("8", "8")
