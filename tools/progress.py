"""How far a long work has come, on one line of a terminal."""

import sys
import time

WIDTH_CHARACTERS = 30
INTERVAL_S = 0.2


class Bar:
    """Nothing is shown where stderr is no terminal."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._next_s = 0.0
        self._is_terminal = sys.stderr.isatty()

    def show(self, done: int, whole: int) -> None:
        if not self._is_terminal or time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + INTERVAL_S
        filled = WIDTH_CHARACTERS * done // max(1, whole)
        line = f"{self._name} [{'#' * filled}{' ' * (WIDTH_CHARACTERS - filled)}] {100 * done // max(1, whole)} %"
        print(f"\r\x1b[2K{line}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._is_terminal:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
