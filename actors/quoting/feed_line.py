"""One stream of an LP, as its feed has it."""

OVERDUE_NS = 1_000_000_000
"""A heartbeat may come so much later than was promised."""
OVERDUE_WORDS = "the heartbeat is overdue: the prices are taken back until something comes"


class Line:
    def __init__(self) -> None:
        self.symbols: frozenset[str] = frozenset()
        self.connected = False
        self.detail = "not connected yet"
        self.heard_ns = 0
        self.connected_ns = 0
        self.connections = 0
        self.promised_ms = 0
        """Something comes again within this, as the LP has promised on this connection; 0: it has not."""
        self.is_overdue = False
        """What was promised has not come: a line that is cut is not told from a quiet market."""

    @property
    def told(self) -> str:
        """For the operator."""
        return OVERDUE_WORDS if self.is_overdue else self.detail

    def connect(self, up: bool, detail: str, now_ns: int) -> None:
        """The connection is up from now on, or down."""
        self.connected, self.detail = up, detail
        self.promised_ms, self.is_overdue = 0, False
        if up:
            self.connected_ns = now_ns
            self.connections += 1

    def becomes_overdue(self, now_ns: int) -> bool:
        """Whether it is since this look."""
        limit_ns = self.promised_ms * 1_000_000 + OVERDUE_NS
        if self.is_overdue or not self.promised_ms or now_ns - self.heard_ns <= limit_ns:
            return False
        self.is_overdue = True
        return True
