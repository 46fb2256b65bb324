"""`make run`, as far as it does not start the broker: tests/system has the rest."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.run import address


def run(run_dir: Path, port: int) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEDGEROW_")}
    environment |= {"HEDGEROW_RUN_DIR": str(run_dir), "HEDGEROW_HTTP_PORT": str(port)}
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "tools.run"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=pipe, stderr=pipe)


def test_a_port_that_is_taken_is_said_before_anything_starts(tmp_path: Path) -> None:
    """Whoever has it might answer like us."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with run(tmp_path / "var", port) as broker:
            out, err = broker.communicate(timeout=90)
    said = f"hedgerow: HEDGEROW_HTTP_PORT: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    assert (broker.returncode, out, err) == (2, "", said)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),  # noqa: S104
        ("::", "http://[::1]:8080"),
        ("::1", "http://[::1]:8080"),
        ("broker.example", "http://broker.example:8080"),
    ],
)
def test_the_address_is_one_for_a_browser(host: str, url: str) -> None:
    assert address(host, 8080) == url
