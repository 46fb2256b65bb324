import gzip
from collections import Counter
from pathlib import Path

import pytest

from tools.venues.recording import Recording, RecordingError, Row, find_recordings, read_rows

SECOND_NS = 10**9
T0_NS = 1_768_830_563 * SECOND_NS
PLAIN = "time,bid,ask\n2026-01-19T13:49:23Z,1.10,1.2\n2026-01-19T13:49:24.5Z,0,1.2\n"
MIXED = (
    "time,symbol,bid,ask\r\n"
    "2026-01-19T13:49:23.000001Z,GBPUSD,1.34163,0\r\n"
    "2026-01-19T13:49:23.000001Z,EURUSD,1.2,1.1\r\n"
)


def write(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["EURUSD-2026-01-19.csv", "EURUSD.csv", "EURUSD_x.csv.gz"])
def test_without_a_symbol_column_the_name_says_it(tmp_path: Path, name: str) -> None:
    assert list(read_rows(write(tmp_path / name, PLAIN))) == [
        Row(T0_NS, "EURUSD", "1.10", "1.2"),
        Row(T0_NS + 1_500_000_000, "EURUSD", "0", "1.2"),
    ]


@pytest.mark.parametrize("name", ["many.csv", "many.csv.gz"])
def test_with_a_symbol_column_dirt_comes_as_it_is(tmp_path: Path, name: str) -> None:
    assert list(read_rows(write(tmp_path / name, MIXED))) == [
        Row(T0_NS + 1000, "GBPUSD", "1.34163", "0"),
        Row(T0_NS + 1000, "EURUSD", "1.2", "1.1"),
    ]


def test_a_folder_gives_its_recordings_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "README.md", "not this")
    one, two = write(tmp_path / "EURUSD-1.csv", PLAIN), write(tmp_path / "many.csv.gz", MIXED)
    assert find_recordings([tmp_path]) == [
        Recording(one, frozenset({"EURUSD"}), T0_NS, 2),
        Recording(two, frozenset({"EURUSD", "GBPUSD"}), T0_NS + 1000, 2),
    ]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("2026-01-19T13:49:23Z,1.1", "2 fields where the header has 3"),
        ("", "1 fields where the header has 3"),
        ("yesterday,1.1,1.2", "'yesterday' is not a time"),
        ("2026-01-19T13:49:23Z,1.1,NaN", "'NaN' is not a decimal number"),
        ("2026-01-19T13:49:23Z,1e5,1.2", "'1e5' is not a decimal number"),
        ("2026-01-19T13:49:23Z,1.1,\xb2", "is not a decimal number"),
        ("2026-01-19T13:49:23Z,1.123456789,1.2", "more than 8 digits"),
        ("2026-01-19T13:49:23Z," + "1" * 2000 + ",1", "more than 1000 characters"),
    ],
)
def test_a_malformed_row_is_named_by_file_and_line(tmp_path: Path, row: str, fault: str) -> None:
    path = write(tmp_path / "EURUSD.csv", PLAIN + row + "\n")
    with pytest.raises(RecordingError) as error:
        find_recordings([path])
    assert str(error.value).startswith(f"{path}, line 4: ")
    assert fault in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("EURUSD.csv", b"", "there are no rows"),
        ("EURUSD.csv", b"time,bid,ask\n", "there are no rows"),
        ("EURUSD.csv", b"bid,ask\n1,2\n", "line 1: the header must be"),
        ("eurusd.csv", b"time,bid,ask\n", "line 1: there is no symbol column"),
        ("many.csv", b"time,symbol,bid,ask\n2026-01-19T13:49:23Z,EUR/USD,1,2\n", "line 2: 'EUR/USD' is no symbol"),
        ("EURUSD.csv.gz", b"time,bid,ask\n", "cannot be read"),
        ("EURUSD.csv.gz", gzip.compress(PLAIN.encode())[:-12], "cannot be read"),
        ("EURUSD.csv.gz", gzip.compress(PLAIN.encode())[:12] + b"\xff" * 50, "cannot be read"),
    ],
)
def test_a_file_that_is_no_recording(tmp_path: Path, name: str, content: bytes, fault: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RecordingError) as error:
        find_recordings([path])
    assert str(error.value).startswith(str(path))
    assert fault in str(error.value)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="the folder has no"):
        find_recordings([tmp_path])
    with pytest.raises(RecordingError, match="cannot be read"):
        find_recordings([tmp_path / "EURUSD.csv"])


def test_the_recorded_files(shared: Path) -> None:
    recordings = find_recordings([shared / "ticks"])
    assert {recording.path.name: recording.rows_count for recording in recordings} == {
        "EURUSD-2019-01-01.csv": 10_000,
        "EURUSD-2020-01-01.csv": 9_500,
        "FX14-2026-01-19.csv.gz": 63_093,
        "USDJPY-2013-01-01.csv": 1_000,
    }
    (dirty,) = [recording for recording in recordings if recording.path.name.startswith("FX14")]
    assert len(dirty.symbols) == 14
    assert Counter("0" in (row.bid, row.ask) for row in dirty.rows()) == {True: 942, False: 62_151}
