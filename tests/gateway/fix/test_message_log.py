"""The log of a session's messages: whole lines, no secrets, bounded."""

import stat
from pathlib import Path

from gateway.fix import message_log
from gateway.fix.codec import MESSAGE_LIMIT_BYTES
from gateway.fix.message_log import MessageLog
from tests.gateway.fix.peers import START_NS, logon, wire

SECRET = wire(b"A", 1, (98, b"0"), (553, b"me"), (554, b"hunter2"), (925, b"hunter3"))


def log(path: Path, *, with_market_data: bool = False) -> MessageLog:
    return MessageLog(path / "log" / "s.log", lambda: START_NS, with_market_data=with_market_data)


def test_a_line_for_each_message_however_it_is_cut_and_only_for_its_owner(tmp_path: Path) -> None:
    it = log(tmp_path)
    for at in range(len(SECRET)):
        it.tap(False, SECRET[at : at + 1])
    it.tap(True, logon() + logon(2))
    path = tmp_path / "log" / "s.log"
    lines = path.read_text().splitlines()
    assert [line.split(" ")[1] for line in lines] == ["<", ">", ">"]
    assert lines[0].startswith("20260119-12:00:00.000 < 8=FIX.4.4|9=")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert it.failures == 0


def test_passwords_are_masked_in_every_message(tmp_path: Path) -> None:
    log(tmp_path).tap(True, SECRET + SECRET)
    text = (tmp_path / "log" / "s.log").read_text()
    assert "hunter" not in text
    assert text.count("|553=me|554=***|925=***|") == 2


def test_prices_are_left_out_unless_they_are_wanted(tmp_path: Path) -> None:
    prices = wire(b"W", 2, (262, b"q")) + wire(b"X", 3, (262, b"q"))
    log(tmp_path).tap(False, prices)
    assert not (tmp_path / "log" / "s.log").exists()
    log(tmp_path, with_market_data=True).tap(False, prices)
    assert (tmp_path / "log" / "s.log").read_text().count("\n") == 2


def test_what_is_no_message_is_not_kept(tmp_path: Path) -> None:
    it = log(tmp_path)
    it.tap(False, b"\n\x1b[31m554=hunter2" * MESSAGE_LIMIT_BYTES)
    it.tap(False, logon())
    first, second = (tmp_path / "log" / "s.log").read_text().splitlines()
    assert first.endswith("bytes that are no message)")
    assert "35=A" in second


def test_files_are_rotated_and_the_oldest_go(tmp_path: Path) -> None:
    it = log(tmp_path)
    count = 5 * message_log.FILE_LIMIT_BYTES // len(logon() * 1_000)
    for _ in range(count):
        it.tap(True, logon() * 1_000)
    files = sorted((tmp_path / "log").iterdir())
    assert [file.name for file in files] == ["s.log", "s.log.1", "s.log.2", "s.log.3"]
    assert all(file.stat().st_size <= message_log.FILE_LIMIT_BYTES for file in files)


def test_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    it = log(tmp_path)
    (tmp_path / "log" / "s.log").mkdir()
    it.tap(True, logon())
    assert it.failures == 1
