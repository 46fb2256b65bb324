import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from actors.bus import endpoints, sockets
from actors.bus.codec import MAX_FRAME_BYTES
from actors.bus.endpoints import UNIX_PATH_LIMIT_BYTES, Endpoints

RECEIVE_TIMEOUT_MS = 60_000


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    made: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    yield made
    made.destroy(linger=0)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_endpoints_are_sockets_below_the_run_directory(tmp_path: Path) -> None:
    run_dir = Path("/tmp") / tmp_path.name
    folder = f"ipc://{run_dir}/sockets"
    names = ("quotes", "ticks", "aggregator", "engine", "events", "history", "fix_clients", "fix_lp")
    expected = [f"{folder}/{name}" for name in names]
    try:
        assert endpoints.local(run_dir) == Endpoints(*expected)
        assert mode(run_dir / "sockets") == 0o700
    finally:
        (run_dir / "sockets").rmdir()
        run_dir.rmdir()


def test_a_folder_that_others_could_enter_is_closed_to_them(tmp_path: Path) -> None:
    folder = tmp_path / "sockets"
    folder.mkdir()
    folder.chmod(0o777)
    assert endpoints.socket_folder(tmp_path) == folder
    assert mode(folder) == 0o700


def test_where_the_path_is_too_long_the_sockets_are_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same folder for the same run directory, another one for another: two brokers run side by side."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    long, other = (tmp_path / (letter * 100) for letter in "ab")
    folder = endpoints.socket_folder(long)
    assert folder.parent == tmp_path
    assert (mode(folder), endpoints.socket_folder(long)) == (0o700, folder)
    assert endpoints.socket_folder(other) != folder


def test_no_name_makes_a_path_longer_than_the_limit() -> None:
    longest = max(Endpoints.__struct_fields__, key=len)
    assert len("/fix_clients") == len(longest) + 1
    assert UNIX_PATH_LIMIT_BYTES < 107


def test_a_link_that_somebody_put_there_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o755)
    (tmp_path / "sockets").symlink_to(elsewhere)
    with pytest.raises(PermissionError):
        endpoints.socket_folder(tmp_path)
    assert mode(elsewhere) == 0o755


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another user")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sockets").mkdir()
    os.chown(tmp_path / "sockets", 65534, 65534)
    with pytest.raises(PermissionError):
        endpoints.socket_folder(tmp_path)


def test_questions_find_the_router_that_comes_later(context: zmq.Context[zmq.Socket[bytes]], tmp_path: Path) -> None:
    where = f"ipc://{endpoints.socket_folder(tmp_path)}/engine"
    asking = sockets.dealer(context, where)
    asking.send(b"question")
    answering = sockets.router(context, where)
    answering.setsockopt(zmq.RCVTIMEO, RECEIVE_TIMEOUT_MS)
    identity, question = answering.recv_multipart()
    answering.send_multipart([identity, b"answer to " + question])
    asking.setsockopt(zmq.RCVTIMEO, RECEIVE_TIMEOUT_MS)
    assert asking.recv() == b"answer to question"


def test_a_message_over_the_limit_never_arrives_and_the_next_one_does(
    context: zmq.Context[zmq.Socket[bytes]], tmp_path: Path
) -> None:
    where = f"ipc://{endpoints.socket_folder(tmp_path)}/engine"
    answering = sockets.router(context, where)
    answering.setsockopt(zmq.RCVTIMEO, RECEIVE_TIMEOUT_MS)
    hostile, asking = sockets.dealer(context, where), sockets.dealer(context, where)
    hostile.send(b"x" * (MAX_FRAME_BYTES + 1))
    asking.send(b"question")
    assert answering.recv_multipart()[1:] == [b"question"]
    asking.send(b"x" * MAX_FRAME_BYTES)
    assert len(answering.recv_multipart()[1]) == MAX_FRAME_BYTES


def test_a_publisher_hears_of_each_subscription(context: zmq.Context[zmq.Socket[bytes]], tmp_path: Path) -> None:
    where = f"ipc://{endpoints.socket_folder(tmp_path)}/ticks"
    publishing = sockets.snapshot_publisher(context, where)
    publishing.setsockopt(zmq.RCVTIMEO, RECEIVE_TIMEOUT_MS)
    followers = [sockets.subscriber(context, where, b"tick:EURUSD\0") for _ in range(2)]
    assert [publishing.recv() for _ in followers] == [b"\x01tick:EURUSD\0"] * 2
    publishing.send(b"tick:EURUSD\0...")
    for follower in followers:
        follower.setsockopt(zmq.RCVTIMEO, RECEIVE_TIMEOUT_MS)
        assert follower.recv() == b"tick:EURUSD\0..."
