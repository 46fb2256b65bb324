"""QuickFIX for the tests beside it, which are skipped where it is not installed (the `interop` extra of setup.cfg)."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop import children
from tests.ports import free_port


@pytest.fixture(scope="session")
def quickfix_echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an acceptor that QuickFIX serves."""
    folder, port = Path(tmp_path_factory.mktemp("quickfix")), free_port()
    with children.started("tests.interop.quickfix_echo", [str(folder), str(port)], subprocess.PIPE) as acceptor:
        assert acceptor.stdout
        assert acceptor.stdout.readline() == "listening\n"
        yield port
        acceptor.kill()
