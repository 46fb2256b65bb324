"""Recorded quotes from CSV files, plain or gzipped.

The header is `time,bid,ask` or `time,symbol,bid,ask`; without a symbol column the file's name begins with the symbol
(`EURUSD-2020-01-01.csv`). Times are RFC 3339. Prices stay the text that they are, and dirt stays dirt: zero sides and
crossed rows are part of what an LP sends.
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from actors.domain.money import parse_e8
from gateway.venues.timestamp import parse_time_ns

SUFFIXES = (".csv", ".csv.gz")
HEADERS = (["time", "bid", "ask"], ["time", "symbol", "bid", "ask"])
LINE_LIMIT_CHARS = 1000
_SYMBOL = re.compile(r"[A-Z0-9]{3,20}", re.ASCII)


class RecordingError(Exception):
    """A recording that cannot be replayed; the text names the file and the line."""


class Row(NamedTuple):
    time_ns: int
    symbol: str
    bid: str
    ask: str


@dataclass(frozen=True, slots=True)
class Recording:
    """A file that was read through once and is good: its rows are read again from the disk at each replay."""

    path: Path
    symbols: frozenset[str]
    first_ns: int
    rows_count: int

    def rows(self) -> Iterator[Row]:
        """The rows in the order of the file; raises `RecordingError`."""
        return read_rows(self.path)


def find_recordings(paths: Iterable[Path]) -> list[Recording]:
    """The recordings in these files and folders (not their subfolders), every row checked; raises `RecordingError`."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.name.endswith(SUFFIXES))
            if not inside:
                raise RecordingError(f"{path}: the folder has no {' or '.join(SUFFIXES)} file")
            files += inside
        else:
            files.append(path)
    return [_check(file) for file in files]


def _check(path: Path) -> Recording:
    symbols: set[str] = set()
    first_ns = count = 0
    for row in read_rows(path):
        first_ns = first_ns if count else row.time_ns
        count += 1
        symbols.add(row.symbol)
    if not count:
        raise RecordingError(f"{path}: there are no rows")
    return Recording(path, frozenset(symbols), first_ns, count)


def read_rows(path: Path) -> Iterator[Row]:
    """Each row of one file, in order; raises `RecordingError` at the first that is malformed."""
    number = 0
    header: list[str] = []
    symbol: str | None = None
    try:
        with _open(path) as file:
            while text := file.readline(LINE_LIMIT_CHARS):
                number += 1
                if len(text) == LINE_LIMIT_CHARS:
                    raise ValueError(f"it has more than {LINE_LIMIT_CHARS} characters")
                fields = text.rstrip("\r\n").split(",")
                if number > 1:
                    yield _row(fields, header, symbol)
                    continue
                header = fields
                if header not in HEADERS:
                    raise ValueError(f"the header must be {' or '.join(','.join(names) for names in HEADERS)}")
                symbol = None if "symbol" in header else _symbol_of(path)
    except ValueError as error:
        raise RecordingError(f"{path}, line {number}: {error}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise RecordingError(f"{path}, after line {number}: it cannot be read: {error}") from None


def _open(path: Path) -> IO[str]:
    """As text; a byte that is not ASCII becomes a character that no field may have."""
    if path.name.endswith(".gz"):
        return gzip.open(path, "rt", encoding="ascii", errors="replace", newline="\n")
    return path.open("r", encoding="ascii", errors="replace", newline="\n")


def _symbol_of(path: Path) -> str:
    name = re.split(r"[-_.]", path.name)[0]
    if not _SYMBOL.fullmatch(name):
        raise ValueError("there is no symbol column, and the file's name does not begin with a symbol and a dash")
    return name


def _row(fields: list[str], header: list[str], symbol: str | None) -> Row:
    if len(fields) != len(header):
        raise ValueError(f"{len(fields)} fields where the header has {len(header)}")
    if symbol is None:
        symbol = fields[1]
        if not _SYMBOL.fullmatch(symbol):
            raise ValueError(f"{symbol[:40]!r} is no symbol")
    time, bid, ask = fields[0], fields[-2], fields[-1]
    parse_e8(bid)
    parse_e8(ask)
    return Row(parse_time_ns(time), symbol, bid, ask)
