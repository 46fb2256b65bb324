"""What the simulated LP does wrong, when it is told to."""

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Faults:
    """All off by default. Chances are in a thousand, drawn from the market's seed; a count is used up as it happens."""

    hold_ms: int = 0
    """Last look: an order waits so long, and is dealt at the price of then."""
    reject_permille: int = 0
    partial_permille: int = 0
    """An order is filled in two executions, the second after another `hold_ms`."""
    slip_points: int = 0
    """Market orders are filled so many points (of the price's last digit) worse than quoted."""
    duplicate_executions: int = 0
    """So many of the next executions are reported twice, with one ExecID, in two messages."""
    silent_orders: int = 0
    """So many of the next orders are dealt with, and nothing is said: an inquiry gets the answer."""
    cut_orders: int = 0
    """So many of the next orders are followed by a cut of the connection, before their reports are sent."""
    lost_orders: int = 0
    """So many of the next orders are cut off before they are taken: the LP knows nothing of them."""
    resting_orders: int = 0
    """So many of the next orders are taken and left, though they are immediate, until they are cancelled."""
    refused_changes: int = 0
    """So many of the next changes and cancels of orders that work are refused; so for the next two."""
    silent_changes: int = 0
    """They are carried out, and nothing is said."""
    lost_changes: int = 0
    """They are cut off before they are taken."""
    busts: int = 0
    """So many of the next executions are taken back (ExecType H) another `hold_ms` later."""
    corrections: int = 0
    """So many of the next executions are corrected (ExecType G) by a point, another `hold_ms` later."""
    gaps: int = 0
    """Before so many of the next application messages a sequence number is left out: a resend shows what it was."""
    low_sequence_numbers: int = 0
    """So many of the next application messages come with a number that was used before."""

    def set(self, text: str) -> None:
        """`NAME=NUMBER`; ValueError says what is right."""
        name, _, value = text.partition("=")
        known = [field.name for field in fields(self)]
        if name not in known:
            raise ValueError(f"there is no fault {name!r}; there are {', '.join(known)}")
        if not (value.isascii() and value.isdecimal()):
            raise ValueError(f"{name} is a whole number, not {value!r}")
        setattr(self, name, int(value))

    def use(self, name: str) -> bool:
        """Whether a counted fault happens now; one less is left."""
        left: int = getattr(self, name)
        if left:
            setattr(self, name, left - 1)
        return left > 0
