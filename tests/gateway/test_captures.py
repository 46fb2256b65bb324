"""Captures: what was written is read, in segments, bounded, private; a torn tail ends them, damage is said."""

import gzip
import random
import stat
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import captures
from gateway.captures import BadCapture, CaptureWriter, Header, Piece

HEADER = Header("OANDA", "oanda", {"url": "https://lp", "depth": True})
SECOND_NS = 1_000_000_000
MIB = 1_048_576


def written(folder: Path, pieces: list[Piece], segment_bytes: int = MIB, total_bytes: int = 100 * MIB) -> list[Path]:
    writer = CaptureWriter(folder, HEADER, segment_bytes, total_bytes)
    for piece in pieces:
        writer.write(*piece)
    writer.close()
    return captures.segments(folder)


def noise(count: int) -> list[Piece]:
    """Pieces that do not pack."""
    return [Piece(n * SECOND_NS, 1, random.Random(n).randbytes(400)) for n in range(1, count + 1)]


PIECES = [Piece(5, 1, b""), Piece(6, 1, b'{"a'), Piece(7, 2, b""), Piece(2 * SECOND_NS, 1, b'":1}\n\0\xff')]


def test_what_was_written_is_read_and_is_the_owners_alone(tmp_path: Path) -> None:
    (path,) = written(tmp_path / "captures", PIECES)
    assert list(captures.read([path])) == PIECES
    assert captures.read_header(path) == HEADER
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_segments_follow_one_another_and_the_oldest_make_room(tmp_path: Path) -> None:
    pieces = noise(60)
    paths = written(tmp_path / "all", pieces, segment_bytes=2_000)
    assert len(paths) > 4
    assert list(captures.read(paths)) == pieces
    kept = written(tmp_path / "few", pieces, segment_bytes=2_000, total_bytes=6_000)
    assert sum(path.stat().st_size for path in kept) <= 6_000 + 2_000
    assert list(captures.read(kept)) == pieces[-len(list(captures.read(kept))) :]


def test_a_capture_that_is_being_written_is_read_up_to_its_last_second(tmp_path: Path) -> None:
    writer = CaptureWriter(tmp_path, HEADER, MIB, MIB)
    for piece in noise(10):
        writer.write(*piece)
    assert list(captures.read(captures.segments(tmp_path))) == noise(10)
    writer.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    (path,) = written(tmp_path_factory.mktemp("whole"), noise(20))
    return path.read_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(data=st.data())
def test_wherever_the_tail_is_torn_off_the_pieces_before_it_are_read(
    data: st.DataObject, whole: bytes, tmp_path: Path
) -> None:
    kept = data.draw(st.integers(0, len(whole)))
    path = tmp_path / "torn.capture"
    path.write_bytes(whole[:kept])
    with suppress(BadCapture):  # Of a header that is not whole.
        read = list(captures.read([path]))
        assert read == noise(20)[: len(read)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(place=st.integers(0, 10_000), value=st.integers(0, 255))
def test_damage_raises_nothing_but_its_own_error(place: int, value: int, whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged.capture"
    damaged = bytearray(whole)
    damaged[place % len(whole)] = value
    path.write_bytes(damaged)
    with suppress(BadCapture):
        list(captures.read([path]))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello\n",
        gzip.compress(b"hello\n"),
        gzip.compress(b"x" * (captures.HEADER_LIMIT_BYTES * 3)),
        gzip.compress(b'{"lp": "A", "adapter": "b", "format": "other"}\n'),
    ],
)
def test_another_file_is_not_taken_for_a_capture(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.capture"
    path.write_bytes(content)
    with pytest.raises(BadCapture, match=r"x\.capture"):
        captures.read_header(path)


def test_a_piece_that_is_too_large_is_damage_and_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.capture"
    header = b'{"lp":"A","adapter":"b","format":"hedgerow-capture-1"}\n'
    path.write_bytes(gzip.compress(header + b"\0" * 12 + b"\xff" * 4))
    with pytest.raises(BadCapture, match="4294967295 bytes"):
        list(captures.read([path]))


def test_a_folder_without_captures_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadCapture, match=r"no \*\.capture"):
        captures.segments(tmp_path)
