"""A file that keeps tick numbers rising over restarts, whatever the machine's clock does meanwhile."""

from pathlib import Path

import structlog

from actors.store import private_files

RESERVED = 10_000_000
"""Numbers are taken from the file in blocks of this size: a write for each, and none for a tick."""


class SequenceMark:
    """No number up to the one in the file is used after a restart. It begins at the microsecond of the start, or later.

    A file that cannot be read or written costs this protection, not the prices: it is logged, and the clock is left.
    """

    def __init__(self, path: Path, now_ns: int) -> None:
        self._path = path
        self._log = structlog.get_logger()
        self.first = max(now_ns // 1_000, self._read() + 1)
        self._reserved = 0
        self.cover(self.first)

    def cover(self, seq: int) -> None:
        """Call it before `seq` is published: when it returns, the disk knows that the number may be in use."""
        if seq <= self._reserved:
            return
        self._reserved = seq + RESERVED
        try:
            private_files.write(self._path, f"{self._reserved}\n")
        except OSError as error:
            self._log.error("tick numbers are not kept", path=str(self._path), detail=error.strerror)

    def _read(self) -> int:
        try:
            return int(self._path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0
        except (OSError, ValueError) as error:
            self._log.error("tick numbers cannot be read", path=str(self._path), detail=str(error))
            return 0
