"""The store: what a transaction keeps, and what is there after SIGKILL."""

import contextlib
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.fix.store import (
    KEPT_MESSAGES,
    SentMessage,
    Sequences,
    SqliteStore,
    StoreHeld,
)
from tests.conftest import ROOT

FIRST = SentMessage(1, b"D", 5, b"", b"11=a\x01")
SECOND = SentMessage(3, b"8", 6, b"97=Y\x01", b"37=b\x01")
WRITER = """
import sys
from pathlib import Path
from gateway.fix.store import SqliteStore
from tests.gateway.fix.peers import Desk, ORDER, START_NS
desk = Desk(store=SqliteStore(Path(sys.argv[1]))).logged_on()
while True:
    for _ in range(3):
        seq = desk.session.send(b"D", ORDER, START_NS)
    desk.said()
    print(seq, flush=True)
"""


def test_sequences_and_messages_are_kept_together(tmp_path: Path) -> None:
    path = tmp_path / "fix" / "sessions.sqlite"
    store = SqliteStore(path)
    assert store.load("a") == Sequences(1, 1, 0)
    with store.transaction():
        store.save("a", Sequences(4, 2, 9), [FIRST, SECOND])
    with contextlib.suppress(ZeroDivisionError), store.transaction():
        store.save("a", Sequences(9, 9, 9), [FIRST._replace(seq=4)])
        raise ZeroDivisionError
    store.close()
    again = SqliteStore(path)
    assert again.load("a") == Sequences(4, 2, 9)
    assert again.sent("a", 1, 9, 10) == [FIRST, SECOND]
    assert again.sent("a", 2, 9, 10) == [SECOND]
    assert again.sent("a", 1, 9, 1) == [FIRST]
    assert again.sent("b", 1, 9, 10) == []
    with again.transaction():
        again.forget("a", 2)
    assert again.sent("a", 1, 9, 10) == [FIRST]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again.close()
    assert [one.name for one in path.parent.iterdir() if one.name.endswith("-wal")] == []


@pytest.mark.parametrize("turns", [1, 7, 20])
def test_what_was_given_to_the_transport_is_there_after_a_kill(tmp_path: Path, turns: int) -> None:
    path = tmp_path / "sessions.sqlite"
    with subprocess.Popen([sys.executable, "-c", WRITER, path], cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        told = [int(writer.stdout.readline()) for _ in range(turns)]
        writer.kill()
        told += [int(line) for line in writer.stdout.read().split()]
    store = SqliteStore(path)
    next_out = store.load("us").next_out
    assert next_out > told[-1]
    assert [sent.seq for sent in store.sent("us", 1, next_out, 10**6)] == list(range(2, next_out))
    store.close()


def test_a_commit_that_a_power_cut_tore_was_never_there(tmp_path: Path) -> None:
    """Each page that the last commit wrote is lost in turn."""
    path, log = tmp_path / "sessions.sqlite", tmp_path / "sessions.sqlite-wal"
    store = SqliteStore(path)
    with store.transaction():
        store.save("a", Sequences(2, 1, 0), [FIRST])
    before = log.read_bytes()
    with store.transaction():
        store.save("a", Sequences(4, 1, 0), [SECOND])
    after, file = log.read_bytes(), path.read_bytes()
    store.close()
    written = [at for at in range(0, len(after), 512) if after[at : at + 512] != before[at : at + 512]]
    assert len(written) > 2
    for number, at in enumerate(written):
        torn = tmp_path / f"torn-{number}.sqlite"
        torn.write_bytes(file)
        torn.with_name(f"{torn.name}-wal").write_bytes(after[:at] + before[at : at + 512] + after[at + 512 :])
        again = SqliteStore(torn)
        assert again.load("a") == Sequences(2, 1, 0)
        assert again.sent("a", 1, 9, 10) == [FIRST]
        again.close()


def test_a_log_that_has_no_frame_yet_is_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    store = SqliteStore(path)
    with store.transaction():
        store.save("a", Sequences(2, 1, 0), [FIRST])
    store.close()
    store = SqliteStore(path)
    copied = tmp_path / "copied.sqlite"
    for suffix in ("", "-wal"):
        copied.with_name(copied.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
    store.close()
    again = SqliteStore(copied)
    assert again.load("a") == Sequences(2, 1, 0)
    with again.transaction():
        again.save("a", Sequences(4, 1, 0), [SECOND])
    assert again.sent("a", 1, 9, 10) == [FIRST, SECOND]
    again.close()


def test_of_a_session_the_newest_messages_are_kept() -> None:
    store = SqliteStore(":memory:")
    with store.transaction():
        store.save("a", Sequences(), [FIRST])
        store.save("b", Sequences(), [FIRST, SECOND])
        for seq in range(KEPT_MESSAGES + 1, KEPT_MESSAGES + 1_000):
            store.save("b", Sequences(), [FIRST._replace(seq=seq)])
    assert [sent.seq for sent in store.sent("a", 1, 10**9, 10)] == [1]
    assert next(sent.seq for sent in store.sent("b", 1, 10**9, 1)) == KEPT_MESSAGES + 1


def test_a_disk_without_room_for_the_log_serves_as_it_is(tmp_path: Path) -> None:
    """A limit for the size of a file stands for the end of the disk."""
    path = tmp_path / "sessions.sqlite"
    code = """
import resource, signal, sys
from pathlib import Path
from gateway.fix.store import Sequences, SqliteStore
from gateway.fix.write_ahead import LOG_ROOM_BYTES
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (LOG_ROOM_BYTES // 2, resource.RLIM_INFINITY))
store = SqliteStore(Path(sys.argv[1]))
with store.transaction():
    store.save("a", Sequences(4, 2, 9), [])
print(Path(sys.argv[1] + "-wal").stat().st_size < LOG_ROOM_BYTES // 2)
"""
    ran = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "True\n"
    store = SqliteStore(path)
    assert store.load("a") == Sequences(4, 2, 9)
    store.close()


def test_a_store_has_one_holder(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    store = SqliteStore(path)
    with pytest.raises(StoreHeld, match="in use by another process"):
        SqliteStore(path)
    store.close()
    SqliteStore(path).close()
