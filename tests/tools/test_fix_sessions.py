"""Repairing sequence numbers by hand."""

import getpass
from pathlib import Path

import pytest

from gateway.fix.repairs import repaired
from gateway.fix.store import SentMessage, Sequences, SqliteStore
from tools.fix_sessions import main


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "clients.sqlite"
    store = SqliteStore(path)
    with store.transaction():
        store.save("lp", Sequences(5, 8, 3), [SentMessage(seq, b"8", 1, b"", b"37=a\x01") for seq in (2, 4)])
    store.close()
    return path


def numbers(path: Path) -> tuple[Sequences, list[int]]:
    store = SqliteStore(path)
    try:
        return store.load("lp"), [sent.seq for sent in store.sent("lp", 1, 99, 99)]
    finally:
        store.close()


def test_numbers_are_shown(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(path)]) == 0
    assert capsys.readouterr().out == "lp: next out 5, next in 8\n"


def test_a_repair_is_kept_with_its_reason(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(path), "lp", "--next-out", "4", "--reason", "the LP lost ours"]) == 0
    assert numbers(path) == (Sequences(4, 8, 3), [2])
    assert main([str(path), "lp", "--next-in", "9", "--reason", "again"]) == 0
    assert numbers(path) == (Sequences(4, 9, 3), [2])
    out = capsys.readouterr().out
    assert f"{getpass.getuser()} set lp out 5 -> 4, in 8 -> 8: the LP lost ours\n" in out
    assert "set lp out 4 -> 4, in 8 -> 9: again\n" in out


def test_a_reset_begins_anew(path: Path) -> None:
    assert main([str(path), "lp", "--reset", "--reason", "a new day"]) == 0
    (sequences, sent) = numbers(path)
    assert (sequences[:2], sent) == ((1, 1), [])
    assert sequences.began_ns > 3


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["who", "--reset", "--reason", "x"], "there is no session 'who'"),
        (["lp", "--next-out", "0", "--reason", "x"], "a repair needs numbers above 0 and a reason"),
        (["lp", "--reset"], "a repair needs numbers above 0 and a reason"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    path: Path, words: list[str], fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(path), *words]) == 1
    assert capsys.readouterr().err == f"fix_sessions: {fault}\n"
    assert numbers(path) == (Sequences(5, 8, 3), [2, 4])


def test_a_store_in_use_or_missing_is_left_alone(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = SqliteStore(path)
    assert main([str(path), "lp", "--reset", "--reason", "x"]) == 1
    assert "in use by another process" in capsys.readouterr().err
    assert store.load("lp") == Sequences(5, 8, 3)
    assert repaired(store) == []
    store.close()
    assert main([str(path.with_name("none.sqlite"))]) == 1
    assert not path.with_name("none.sqlite").exists()
