"""Processes of a test that end with it, also where it is killed itself."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence

from tests.conftest import ROOT

_FROM_PARENT = 0
"""Standard input: a pipe that nobody writes to, and that closes when the parent ends, however it does."""


def started(module: str, arguments: Sequence[str], stdout: int | None = None) -> subprocess.Popen[str]:
    """The module's `main` must call `end_with_parent`."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=stdout, text=True)


def end_with_parent() -> None:
    def watch() -> None:
        os.read(_FROM_PARENT, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
