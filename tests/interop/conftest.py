"""QuickFIX for the tests beside it, which are skipped where it is not installed (the `interop` extra of setup.cfg)."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def quickfix_echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an acceptor that QuickFIX serves."""
    folder, port = Path(tmp_path_factory.mktemp("quickfix")), free_port()
    command = [sys.executable, "-m", "tests.interop.quickfix_echo", str(folder), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as acceptor:
        assert acceptor.stdout
        assert acceptor.stdout.readline() == "listening\n"
        yield port
        acceptor.kill()
