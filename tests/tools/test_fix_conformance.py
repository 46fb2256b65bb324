"""QuickFIX's acceptance definitions, played against our acceptor."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import ROOT

PLAYERS = 4


@pytest.fixture
def published() -> Path:
    folder = Path(os.environ.get("TEST_SHARED", ROOT.parent / "shared")) / "fix"
    if not folder.is_dir():
        pytest.skip(f"no acceptance definitions: {folder} does not exist (TEST_SHARED names its parent)")
    return folder


@pytest.fixture
def ports() -> Iterator[list[str]]:
    """Of as many acceptors as play at the same time: each has one session."""
    command = [sys.executable, "-m", "tools.fix_conformance", "--port", "0"]
    acceptors = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(PLAYERS)]
    yield [acceptor.stdout.readline().strip().rpartition(":")[2] for acceptor in acceptors if acceptor.stdout]
    for acceptor in acceptors:
        with acceptor:
            acceptor.terminate()


def test_all_definitions_pass(published: Path, ports: list[str]) -> None:
    names = sorted(path.name for path in (published / "defs").glob("*.def"))
    # The two that wait for timers each have a player of their own.
    names.sort(key=lambda name: name.startswith(("4a", "6_")), reverse=True)

    def play(number: int) -> subprocess.CompletedProcess[str]:
        only = [word for name in names[number::PLAYERS] for word in ("--only", name)]
        command = [sys.executable, str(published / "fixat.py"), "--port", ports[number], "--settle", "0.02"]
        return subprocess.run(
            [*command, "--defs", str(published / "defs"), *only], capture_output=True, text=True, check=False
        )

    with ThreadPoolExecutor(PLAYERS) as pool:
        runs = list(pool.map(play, range(PLAYERS)))
    assert [run.stdout for run in runs if run.returncode] == []
    assert sum(run.stdout.count(" PASS\n") for run in runs) == len(names) > 30
