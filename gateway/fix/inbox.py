"""Where a session's incoming messages are in sequence, and what is kept above a gap."""

from gateway.fix.codec import Message


class Inbox:
    def __init__(self, next_in: int, held_limit_messages: int):
        self.next_in = next_in
        self._held: dict[int, Message | None] = {}
        self._held_limit_messages = held_limit_messages
        self._gap_end = 0
        self.progressed_ns = 0
        """When the gap last shrank, or was asked for."""

    @property
    def has_gap(self) -> bool:
        """Whether messages were asked for that have not come yet."""
        return self.next_in <= self._gap_end

    def hold(self, seq: int, message: Message | None) -> None:
        """Keeps a message until its turn; None for one that was answered when it came. Over the limit it is dropped.

        What was dropped leaves a gap, which is asked for when the next message shows it.
        """
        if seq not in self._held and len(self._held) < self._held_limit_messages:
            self._held[seq] = message

    def ask(self, seq: int, now_ns: int) -> bool:
        """Whether the gap below a message must be asked for: once a gap."""
        if self.has_gap:
            return False
        self._gap_end = seq - 1
        self.progressed_ns = now_ns
        return True

    def advance(self, next_in: int, now_ns: int) -> None:
        self.next_in = next_in
        self.progressed_ns = now_ns

    @property
    def has_next(self) -> bool:
        """Whether the message whose turn it is is kept."""
        return self.next_in in self._held

    def take_held(self) -> tuple[bool, Message | None]:
        """The message whose turn it is, if it is here."""
        found = self.next_in in self._held
        return found, self._held.pop(self.next_in, None)

    def drop_passed(self) -> None:
        """After a jump: what lies below is never taken."""
        self._held = {seq: message for seq, message in self._held.items() if seq >= self.next_in}

    def disconnect(self) -> None:
        """The transport has gone: the next Logon shows the gap again."""
        self._held.clear()
        self._gap_end = 0
