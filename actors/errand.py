"""Long work of an actor, done by a process of its own. The actor goes on, and asks now and then whether it is done."""

import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).parent.parent
REASON_LIMIT_CHARACTERS = 500


class Failed(Exception):
    """The process ended with an error; what it said last."""


class Errand:
    """Starts at once: a module of this project, with arguments."""

    def __init__(self, module: str, *arguments: str) -> None:
        """Raises OSError where no process can be started."""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        command = [sys.executable, "-m", module, *arguments]
        try:
            self._process = subprocess.Popen(
                command, cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._errors
            )
        except OSError:
            self._output.close()
            self._errors.close()
            raise

    def result(self) -> bytes | None:
        """What it wrote to its standard output, or None while it is at work; raises Failed."""
        code = self._process.poll()
        if code is None:
            return None
        self._output.seek(0)
        self._errors.seek(0)
        output, errors = self._output.read(), self._errors.read()
        self.stop()
        if code:
            reason = errors.decode(errors="replace").strip()[-REASON_LIMIT_CHARACTERS:]
            raise Failed(reason or f"it ended with {code}")
        return output

    def stop(self) -> None:
        """Ends it, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._output.close()
        self._errors.close()
