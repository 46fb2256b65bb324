"""A store's write-ahead log: it has its size from the beginning, and is moved into the file beside the writer.

SQLite, "WAL File Format" and "Checkpointing". A log of `MOVE_FROM_PAGES` is moved by a connection of its own, in a
thread, while transactions go on. What they add meanwhile is little: the writer moves it between two transactions, and
the next one writes the log from its start again. While another process reads the store (a backup) the log goes on, and
is moved again.
"""

import os
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

LOG_LIMIT_PAGES = 2_000
"""Before a log so long becomes longer, the writer waits until it is in the file. A transaction may go beyond it."""
LOG_ROOM_BYTES = 8_388_608
"""The log's least size, from the beginning: the sync of a file that grows costs about twice as much."""
MOVE_FROM_PAGES = 1_000

_PAGE_BYTES = 4_096
_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_HEADER_SALT_AT, _FRAME_SALT_AT, _SALT_BYTES = 16, 8, 8
_MOVES = 2
"""The second one takes what came during the first."""
_MOVE = "PRAGMA wal_checkpoint(PASSIVE)"


class WriteAheadLog:
    """Used by the writer's thread.

    `waits` counts how often it had to wait at the limit, `failures` the moves that failed.
    """

    def __init__(self, writer: sqlite3.Connection, path: Path):
        """`path`: the store's file, which the writer has opened in WAL mode."""
        self.waits = self.failures = 0
        log = path.with_name(f"{path.name}-wal")
        _make_room(log)
        self._writer = writer
        self._mover = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._mover.execute("PRAGMA synchronous = FULL")
        self._file = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
        self._thread = ThreadPoolExecutor(1, "write-ahead-log")
        self._moving: Future[None] | None = None
        self._moved, self._moved_pages = b"", 0
        """The salt of the log that is in the file as a whole, and its length."""

    def make_way(self) -> None:
        """Between two transactions: moves what is to be moved.

        Raises sqlite3.Error where that failed and the log is at its limit; before that it is tried again each time.
        """
        salt = os.pread(self._file, _SALT_BYTES, _HEADER_SALT_AT)
        if salt == self._moved and not self._reaches(self._moved_pages + 1, salt):
            return
        is_full = self._reaches(LOG_LIMIT_PAGES, salt)
        if self._moving is None:
            if not self._reaches(MOVE_FROM_PAGES, salt):
                return
            self._moving = self._thread.submit(self._move)
        is_over = self._moving.done()
        if is_over or is_full:
            self.waits += not is_over
            try:
                self._finish(self._moving, salt)
            except sqlite3.Error:
                self.failures += 1
                if is_full:
                    raise

    def _finish(self, moving: Future[None], salt: bytes) -> None:
        self._moving = None
        moving.result()
        is_busy, pages, moved_pages = self._writer.execute(_MOVE).fetchone()
        if moved_pages == pages and not is_busy:
            self._moved, self._moved_pages = salt, pages

    def close(self) -> None:
        """Before the writer is closed, whose end moves the rest."""
        self._thread.shutdown()
        self._mover.close()
        os.close(self._file)

    def _move(self) -> None:
        for _ in range(_MOVES):
            self._mover.execute(_MOVE).fetchone()

    def _reaches(self, pages: int, salt: bytes) -> bool:
        """Whether the log has so many frames: those of an earlier one have another salt, and what is empty has none."""
        at = _HEADER_BYTES + (pages - 1) * (_FRAME_HEADER_BYTES + _PAGE_BYTES) + _FRAME_SALT_AT
        return salt != bytes(_SALT_BYTES) and os.pread(self._file, _SALT_BYTES, at) == salt


def _make_room(log: Path) -> None:
    """Lengthens a log with zeros, which are no frames.

    Page by page, as the log is written: of a large write Linux makes large folios, in which a small write costs more.
    Where the disk has no room for that, it is left as it was.
    """
    with log.open("r+b", buffering=0) as file:
        length = file.seek(0, os.SEEK_END)
        try:
            for _ in range(length, LOG_ROOM_BYTES, _PAGE_BYTES):
                file.write(bytes(_PAGE_BYTES))
            os.fsync(file)
        except OSError:
            file.truncate(length)
