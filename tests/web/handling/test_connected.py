"""The limits in time of open sockets."""

from web.handling.connected import EVENTS_LOST, IDLE, IDLE_LIMIT_S, PING_AFTER_S, SILENT, UNAUTHORISED, Sockets


class One:
    """A socket that answers pings when it is asked to."""

    def __init__(self, until_s: int = 10**9, *, follows: bool = False, answers: bool = True) -> None:
        self.network = "192.0.2.1"
        self.until_s = until_s
        self.account_id = 0
        self.asked_s = self.heard_s = self.pinged_s = 0.0
        self.is_known = True
        self.follows_something = follows
        self.answers = answers
        self.pings = 0
        self.parted: list[int] = []

    def is_void(self) -> bool:
        return False

    def ping_now(self) -> None:
        self.pings += 1
        if self.answers:
            self.heard_s = self.pinged_s

    def part(self, code: int, reason: str) -> None:
        self.parted.append(code)


def test_who_is_silent_is_pinged_and_sent_away_when_nothing_comes() -> None:
    sockets, well, dead = Sockets(10), One(follows=True), One(follows=True, answers=False)
    sockets.add(well)
    sockets.add(dead)
    for second in range(1, 2 * PING_AFTER_S):
        sockets.sweep(0, second)
    assert (well.pings, dead.pings, dead.parted) == (1, 1, [])
    sockets.sweep(0, 2 * PING_AFTER_S)
    assert (well.pings, well.parted, dead.parted) == (2, [], [SILENT])


def test_who_follows_nothing_and_asks_nothing_is_idle() -> None:
    sockets, idle, follower = Sockets(10), One(), One(follows=True)
    sockets.add(idle)
    sockets.add(follower)
    for second in range(1, IDLE_LIMIT_S):
        sockets.sweep(0, second)
    assert (idle.parted, follower.parted) == ([], [])
    sockets.sweep(0, IDLE_LIMIT_S)
    assert (idle.parted, follower.parted) == ([IDLE], [])


def test_the_end_of_a_token_goes_by_the_time_of_day() -> None:
    sockets, socket = Sockets(10), One(until_s=100)
    sockets.add(socket)
    sockets.sweep(99, 1)
    assert socket.parted == []
    sockets.sweep(100, 1)
    assert socket.parted == [UNAUTHORISED]


def test_an_account_in_another_group_must_subscribe_anew() -> None:
    sockets, moved, other = Sockets(10), One(), One()
    moved.account_id, other.account_id = 7, 8
    sockets.add(moved)
    sockets.add(other)
    sockets.send_away(7)
    assert (moved.parted, other.parted) == ([EVENTS_LOST], [])


def test_so_many_of_one_network_and_no_more() -> None:
    sockets, mine = Sockets(2), [One(), One()]
    for socket in mine:
        assert not sockets.is_full_for("192.0.2.1")
        sockets.add(socket)
    assert sockets.is_full_for("192.0.2.1")
    assert not sockets.is_full_for("192.0.2.2")
    for socket in (mine[0], mine[0]):
        sockets.remove(socket)
    assert (sockets.of("192.0.2.1"), sockets.is_full_for("192.0.2.1")) == (1, False)
