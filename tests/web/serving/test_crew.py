"""Several web processes on one port, as real processes."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

PATIENCE_S = 90.0
SCRIPT = """
import os, signal, sys, threading
from web.serving import crew

def work():
    os.write(1, f"{os.getpid()}\\n".encode())
    got = signal.sigwait({signal.SIGTERM, signal.SIGUSR1})
    sys.exit(0 if got == signal.SIGTERM else 3)

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})

def begin():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    work()

sys.exit(crew.run(3, begin))
"""


@pytest.fixture
def crew() -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        yield running
        running.kill()


def members(crew: "subprocess.Popen[str]") -> list[int]:
    assert crew.stdout is not None
    return [int(crew.stdout.readline()) for _ in range(3)]


def is_gone(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
        if not found.strip() or found.startswith("Z"):
            return True
        time.sleep(0.05)
    return False


def test_all_stop_when_asked(crew: "subprocess.Popen[str]") -> None:
    pids = members(crew)
    assert len(set(pids)) == 3
    crew.terminate()
    assert crew.wait(PATIENCE_S) == 0
    assert all(map(is_gone, pids))


def test_who_asks_while_they_are_started_is_heard() -> None:
    hasty = SCRIPT.replace("    got = ", "    os.kill(os.getppid(), signal.SIGTERM)\n    got = ")
    ran = subprocess.run(
        [sys.executable, "-c", hasty], cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert ran.returncode == 0, ran.stderr


def test_when_one_fails_all_end(crew: "subprocess.Popen[str]") -> None:
    pids = members(crew)
    subprocess.run(["kill", "-USR1", str(pids[1])], check=True)
    assert crew.wait(PATIENCE_S) == 3
    assert all(map(is_gone, pids))


def test_they_do_not_outlive_their_parent(crew: "subprocess.Popen[str]") -> None:
    pids = members(crew)
    crew.send_signal(signal.SIGKILL)
    crew.wait(PATIENCE_S)
    assert all(map(is_gone, pids))
