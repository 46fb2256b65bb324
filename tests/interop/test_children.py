"""No end of a flow outlives the test that started it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytest.importorskip("quickfix", reason="the interop extra is not installed")

TEST = """
import pathlib, sys, time
from tests.interop.test_flows import Flow
flow = Flow(pathlib.Path(sys.argv[1]), "initiator", "N")
time.sleep(1)
print(*flow.pids, flush=True)
time.sleep(60)
"""
PATIENCE_S = 90


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # It may end before it is read, or while it is.
        return False


def test_a_killed_test_leaves_nobody(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TEST, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as test:
        assert test.stdout
        children = [int(pid) for pid in test.stdout.readline().split()]
        assert [is_alive(pid) for pid in children] == [True, True]
        test.kill()
    deadline = time.monotonic() + PATIENCE_S
    while any(is_alive(pid) for pid in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)
