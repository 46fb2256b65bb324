"""When a journal without room is tried again."""

from actors.journaling.room import RETRY_LIMIT_NS, RETRY_NS, Room


def test_it_is_tried_ever_more_seldom_until_a_commit_has_room() -> None:
    room, now_ns, pauses = Room(), 0, []
    assert (room.lack, room.is_due(now_ns)) == ("", False)
    for _ in range(7):
        room.end("full", now_ns)
        begun_ns = now_ns
        while not room.is_due(now_ns):
            now_ns += RETRY_NS
        pauses.append((now_ns - begun_ns) // RETRY_NS)
    assert (pauses, RETRY_LIMIT_NS) == ([1, 2, 4, 8, 16, 30, 30], 30 * RETRY_NS)
    room.prove()
    room.end("full", now_ns)
    assert [room.is_due(now_ns + RETRY_NS - 1), room.is_due(now_ns + RETRY_NS)] == [False, True]


def test_a_try_that_fails_is_not_repeated_at_once() -> None:
    room = Room()
    room.end("full", 0)
    assert room.is_due(RETRY_NS)
    assert [room.is_due(RETRY_NS), room.is_due(3 * RETRY_NS)] == [False, True]
    assert room.lack == "full"
