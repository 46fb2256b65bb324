"""Our acceptor as a process, held against the specification's behaviours, in whatever pieces the bytes come."""

import itertools
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from gateway.fix.codec import Framer
from tests.conftest import ROOT
from tests.interop.side_by_side import LOGON, order, said, told
from tests.tools.fix_behaviour import ECHO, ON, SCRIPTS, Script

PATIENCE_S = 90.0
ATTEMPTS = 100


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    command = [sys.executable, "-m", "tools.fix_conformance", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as acceptor:
        assert acceptor.stdout
        yield int(acceptor.stdout.readline().rpartition(":")[2])
        acceptor.terminate()


class Peer:
    def __init__(self, port: int):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._framer = Framer()
        self.heard: list[str] = []
        self.is_closed = False

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def say(self, data: bytes, sizes: Iterator[int]) -> None:
        at = 0
        while at < len(data) and not self.is_closed:
            piece = data[at : at + next(sizes)]
            at += len(piece)
            try:
                self._socket.sendall(piece)
            except OSError:
                self.is_closed = True

    def hear(self, count: int) -> None:
        """Until that many messages have come, or the end."""
        while not self.is_closed and len(self.heard) < count:
            try:
                data = self._socket.recv(65_536)
            except ConnectionError:
                data = b""
            self.is_closed = not data
            self.heard += [told(message) for message in self._framer.receive_data(data)]


def sizes_of(pieces: str) -> Iterator[int]:
    if pieces == "at once":
        return itertools.repeat(1 << 20)
    if pieces == "byte by byte":
        return itertools.repeat(1)
    chance = random.Random(pieces)
    return (chance.randrange(1, 40) for _ in itertools.count())


def played(port: int, script: Script, pieces: str) -> list[str]:
    """What is heard, with `closed` or the answer to a TestRequest at the end."""
    for _ in range(ATTEMPTS):
        with Peer(port) as peer:
            sizes = sizes_of(pieces)
            for step in script.sent:
                peer.say(step(time.time_ns()), sizes)
            count = len(script.heard)
            if script.next_in:
                peer.say(said("1", script.next_in, "112=probe")(time.time_ns()), sizes)
            peer.hear(count + 1)
            if peer.heard or not script.heard:
                return [*peer.heard, "closed"] if peer.is_closed else peer.heard
        time.sleep(0.02)  # The connection before this one is still about to end.
    raise AssertionError("no connection was taken")


def our_number(script: Script) -> int:
    """MsgSeqNum of the answer to the TestRequest."""
    last = 0
    for message in script.heard:
        if " 43=Y" not in message:
            last = int(message.partition("34=")[2].split()[0])
    return last + 1


@pytest.mark.parametrize("pieces", ["at once", "byte by byte", "odd", "odder"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_as_specified(port: int, name: str, pieces: str) -> None:
    script = SCRIPTS[name]
    end = f"0 112=probe 34={our_number(script)}" if script.next_in else "closed"
    heard = played(port, script, pieces)
    if not script.next_in:
        assert heard == [*script.heard, end]
    elif script.heard[-1:] == ["5 34=" + str(our_number(script) - 1)]:
        assert heard[: len(script.heard)] == script.heard
    else:
        assert heard == [*script.heard, end]


def test_a_second_connection_leaves_the_first_alone(port: int) -> None:
    for _ in range(ATTEMPTS):
        with Peer(port) as first, Peer(port) as second:
            first.say(LOGON(time.time_ns()), itertools.repeat(7))
            first.hear(1)
            if first.is_closed:
                time.sleep(0.02)
                continue
            second.say(LOGON(time.time_ns()), itertools.repeat(7))
            second.hear(1)
            first.say(order(2)(time.time_ns()), itertools.repeat(7))
            first.hear(2)
            assert (second.heard, second.is_closed) == ([], True)
            assert first.heard == [ON, ECHO.format(2)]
            return
    raise AssertionError("no connection was taken")
