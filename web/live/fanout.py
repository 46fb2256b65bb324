"""One kind of news to many clients: its JSON is made once, conflation has one clock, and equal clients share a write.

News is of something (`key`: a symbol), and may look otherwise from one view than from another (`view`: a group's
prices). Clients that follow the same keys, from the same view, at the same rate are a cohort: at its turn one frame is
made of the last values that have changed since its turn before, and written to each of its clients. They are written to
in one go: readers on this machine that are awake already cost less to write to than those that must be woken.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Generic, Protocol, TypeVar

from web.live.frame import text_frame_of
from web.live.requests import RATE_LIMIT

TURNS_PER_SECOND = RATE_LIMIT
EVERY_CHANGE = 0
"""The turns between two messages of a client that asked for every change."""

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
V = TypeVar("V", bound=Hashable)


class Client(Protocol):
    """Takes frames to send. It bounds what it holds back itself, and closes where that is too much."""

    def send(self, frames: bytes) -> None: ...


def turns_for(max_rate: int) -> int:
    """Turns from one message to the next, so that there are at most `max_rate` (1 to RATE_LIMIT) a second."""
    return -(-RATE_LIMIT // max_rate)


class _Cohort(Generic[K, V]):
    def __init__(self, keys: tuple[K, ...], view: V, turns: int) -> None:
        self.keys = keys
        self.view = view
        self.turns = turns
        self.version = 0
        self.members: dict[Client, None] = {}
        self.joining: dict[Client, int] = {}
        """Clients that came since the last turn, with the version that they have."""


Place = tuple[tuple[K, ...], V, int]
Cohorts = dict[Place[K, V], _Cohort[K, V]]
Wanted = dict[K, tuple[int, V]]
"""What a client follows: by key the turns between two messages, and the view."""


class Fanout(Generic[K, T, V]):
    """Who follows what, how often. `observe` and `turn` send; everything else is asked by clients."""

    def __init__(self, kind: str, latest: Mapping[K, T], render: Callable[[T, V], bytes]) -> None:
        """`kind`: of the message, and of the list in it. `latest`: the last values. `render`: JSON of one of them."""
        self._head = b'{"type":"%b","%b":[' % (kind.encode(), kind.encode())
        self._latest = latest
        self._render = render
        self._version = 0
        self._changed: dict[K, int] = {}
        """By key, the version at which its value changed."""
        self._texts: dict[V, dict[K, bytes]] = {}
        """By view and key, the JSON of the last value, once it has been asked for."""
        self._turns = 0
        self._wanted: dict[Client, Wanted[K, V]] = {}
        self._eager: Cohorts[K, V] = {}
        self._paced: Cohorts[K, V] = {}

    @property
    def clients(self) -> int:
        return len(self._wanted)

    def wanted(self, client: Client) -> frozenset[K]:
        """What the client follows."""
        return frozenset(self._wanted.get(client, ()))

    def observe(self, news: list[tuple[K, T]]) -> None:
        """Takes note of new values, which `latest` has by now. Who wants every one of them gets them now."""
        self._version += 1
        for key, _ in news:
            self._changed[key] = self._version
            for texts in self._texts.values():
                texts.pop(key, None)
        for cohort in list(self._eager.values()):
            wanted = frozenset(cohort.keys)
            each = [self._render(value, cohort.view) for key, value in news if key in wanted]
            self._send(cohort.members, self._frame(each))

    def refresh(self) -> None:
        """All values look otherwise from now on."""
        self._texts.clear()
        self.observe([(key, value) for key, value in self._latest.items()])

    def turn(self) -> None:
        """A tenth of a second has passed."""
        self._turns += 1
        for cohort in list(self._paced.values()):
            if self._turns % cohort.turns:
                continue
            self._send(cohort.members, self._since(cohort, cohort.version))
            for client, version in cohort.joining.items():
                self._send((client,), self._since(cohort, version))
                cohort.members[client] = None
            cohort.joining.clear()
            cohort.version = self._version

    def subscribe(self, client: Client, keys: Iterable[K], view: V, turns: int) -> None:
        """From now on the client gets these at this rate, their last values at once."""
        keys = list(keys)
        self._regroup(client, self._wanted.get(client, {}) | dict.fromkeys(keys, (turns, view)))
        self._send((client,), self._frame([self._text(key, view) for key in keys if key in self._latest]))

    def unsubscribe(self, client: Client, keys: Iterable[K]) -> None:
        gone = set(keys)
        kept = {key: how for key, how in self._wanted.get(client, {}).items() if key not in gone}
        self._regroup(client, kept)

    def leave(self, client: Client) -> None:
        self._regroup(client, {})

    def _regroup(self, client: Client, wanted: Wanted[K, V]) -> None:
        """Moves the client to the cohorts that fit. What an old one still held back for it is sent first."""
        for place in _places(self._wanted.pop(client, {})):
            cohorts = self._cohorts_of(place)
            cohort = cohorts[place]
            version = cohort.joining.pop(client, cohort.version)
            cohort.members.pop(client, None)
            if wanted and cohort.turns != EVERY_CHANGE:
                self._send((client,), self._since(cohort, version))
            if not (cohort.members or cohort.joining):
                del cohorts[place]
        if not wanted:
            return
        self._wanted[client] = wanted
        for place in _places(wanted):
            cohort = self._cohorts_of(place).setdefault(place, _Cohort(*place))
            if cohort.turns == EVERY_CHANGE:
                cohort.members[client] = None
            else:
                cohort.joining[client] = self._version

    def _cohorts_of(self, place: Place[K, V]) -> Cohorts[K, V]:
        return self._eager if place[2] == EVERY_CHANGE else self._paced

    def _since(self, cohort: _Cohort[K, V], version: int) -> bytes:
        changed, view = self._changed, cohort.view
        return self._frame([self._text(key, view) for key in cohort.keys if changed.get(key, 0) > version])

    def _text(self, key: K, view: V) -> bytes:
        texts = self._texts.setdefault(view, {})
        text = texts.get(key)
        if text is None:
            text = texts[key] = self._render(self._latest[key], view)
        return text

    def _frame(self, texts: list[bytes]) -> bytes:
        return text_frame_of(b"%b%b]}" % (self._head, b",".join(texts))) if texts else b""

    @staticmethod
    def _send(clients: Iterable[Client], frames: bytes) -> None:
        if frames:
            for client in list(clients):
                client.send(frames)


def _places(wanted: Wanted[K, V]) -> list[Place[K, V]]:
    """The cohorts of a client that follows this: one for each rate and view."""
    keys_of: dict[tuple[int, V], list[K]] = {}
    for key, how in wanted.items():
        keys_of.setdefault(how, []).append(key)
    return [(tuple(sorted(keys, key=repr)), view, turns) for (turns, view), keys in keys_of.items()]
