from pathlib import Path

from actors.store.sequence import RESERVED, SequenceMark
from tests.examples import START_NS

FIRST = START_NS // 1_000


def test_it_begins_at_the_microsecond(tmp_path: Path) -> None:
    assert SequenceMark(tmp_path / "seq", START_NS).first == FIRST


def test_a_clock_that_was_set_back_gives_no_lower_number(tmp_path: Path) -> None:
    """However it ended: what may have been published is on the disk before."""
    path = tmp_path / "seq"
    before = SequenceMark(path, START_NS)
    highest = before.first + 3 * RESERVED
    before.cover(highest)
    again = SequenceMark(path, START_NS - 3_600 * 10**9)
    assert again.first > highest
    assert SequenceMark(path, START_NS).first > again.first


def test_the_disk_is_written_once_for_many_numbers(tmp_path: Path) -> None:
    path = tmp_path / "seq"
    mark = SequenceMark(path, START_NS)
    written = path.stat().st_ino
    mark.cover(mark.first + RESERVED)
    assert path.stat().st_ino == written
    mark.cover(mark.first + RESERVED + 1)
    assert path.stat().st_ino != written


def test_a_damaged_file_or_no_disk_leaves_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "seq"
    path.write_text("12x")
    assert SequenceMark(path, START_NS).first == FIRST
    assert SequenceMark(path, 0).first == FIRST + RESERVED + 1
    blocked = SequenceMark(path / "seq", START_NS)
    blocked.cover(FIRST + 1)
    assert blocked.first == FIRST
