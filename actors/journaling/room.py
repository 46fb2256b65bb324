"""Room in the engine's journal: when a journal that has none is tried again."""

RETRY_NS = 1_000_000_000
RETRY_LIMIT_NS = 30_000_000_000
"""A journal without room is tried again after the first, then after twice as long each time, up to the second."""


class Room:
    """Has room until it is said otherwise. Times are the engine's, UTC in ns."""

    def __init__(self) -> None:
        self.lack = ""
        """Why nothing can be written; empty where something can."""
        self._retry_ns, self._pause_ns = 0, RETRY_NS

    def end(self, lack: str, now_ns: int) -> None:
        """A commit had no room."""
        self.lack = lack
        self._retry_ns = now_ns + self._pause_ns
        self._pause_ns = min(2 * self._pause_ns, RETRY_LIMIT_NS)

    def is_due(self, now_ns: int) -> bool:
        """Whether to try now, while there is none; the next try is then due after as long again."""
        if not self.lack or now_ns < self._retry_ns:
            return False
        self._retry_ns = now_ns + self._pause_ns
        return True

    def prove(self) -> None:
        """A commit had room: the next lack is the first again."""
        self._pause_ns = RETRY_NS
