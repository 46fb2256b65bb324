"""All open WebSockets, and their limits in time."""

from collections import Counter
from collections.abc import Iterator
from typing import Protocol

PING_AFTER_S = 20
"""Silence after which a client is asked for a sign of life; with as much again it is taken for gone."""
IDLE_LIMIT_S = 300
"""A client that follows nothing and has asked nothing for so long is sent away."""

GOING_AWAY = 1001
UNAUTHORISED = 4401
"""No token in time, a bad one, or one that has expired or was revoked."""
SILENT = 4407
"""No answer to a ping."""
IDLE = 4409
EVENTS_LOST = 4410
"""Events cannot be had any more, or the account deals on other terms: subscribe anew for a snapshot."""


class Connection(Protocol):
    """What is looked at of a socket. But for `until_s` times are of a clock that nobody sets."""

    until_s: int
    """The end of the time to authenticate, or of the token; since the epoch."""
    asked_s: float
    """When it was last asked for something."""
    heard_s: float
    """When it last gave a sign of life."""
    pinged_s: float

    @property
    def account_id(self) -> int:
        """Of whoever has logged in; 0: none."""

    @property
    def network(self) -> str:
        """Whose it is, as actors/store/throttle.py has addresses."""

    @property
    def is_known(self) -> bool: ...

    @property
    def follows_something(self) -> bool: ...

    def is_void(self) -> bool:
        """Whether its login was revoked."""

    def ping_now(self) -> None: ...

    def part(self, code: int, reason: str) -> None: ...


class Sockets:
    def __init__(self, address_limit: int) -> None:
        """`address_limit`: how many of one network may be open."""
        self._open: dict[Connection, None] = {}
        self._by_network: Counter[str] = Counter()
        self._address_limit = address_limit
        self.closed_slow = 0

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._open))

    def of(self, network: str) -> int:
        """How many are this network's."""
        return self._by_network[network]

    def is_full_for(self, network: str) -> bool:
        return self.of(network) >= self._address_limit

    def add(self, socket: Connection) -> None:
        self._open[socket] = None
        self._by_network[socket.network] += 1

    def remove(self, socket: Connection) -> None:
        if socket in self._open:
            del self._open[socket]
            self._by_network[socket.network] -= 1
            if not self._by_network[socket.network]:
                del self._by_network[socket.network]

    def sweep(self, now_s: int, steady_s: float) -> None:
        """Once a second: sends away who is over a limit, and pings who is silent.

        `now_s` is the time since the epoch, `steady_s` that of a clock that nobody sets.
        """
        for socket in self:
            silence_s = steady_s - socket.heard_s
            if now_s >= socket.until_s or socket.is_void():
                socket.part(UNAUTHORISED, "log in again" if socket.is_known else "not authenticated in time")
            elif silence_s >= 2 * PING_AFTER_S:
                socket.part(SILENT, "no answer to a ping")
            elif steady_s - socket.asked_s >= IDLE_LIMIT_S and not socket.follows_something:
                socket.part(IDLE, "nothing was asked for")
            elif silence_s >= PING_AFTER_S and socket.pinged_s <= socket.heard_s:
                socket.pinged_s = steady_s
                socket.ping_now()

    def send_away(self, account_id: int) -> None:
        """Whoever follows the prices of the account's group of before."""
        for socket in self:
            if socket.account_id == account_id:
                socket.part(EVENTS_LOST, "the account is in another group, subscribe anew")

    def close(self) -> None:
        for socket in self:
            socket.part(GOING_AWAY, "the server is going away")
