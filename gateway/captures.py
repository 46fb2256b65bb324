"""Captures: what an LP sent, byte for byte, with the time at which each piece came.

A segment is a gzip stream of one line of JSON (`Header`) and pieces: time in ns (8 bytes), number of the connection
(4), length (4), all big-endian, and the bytes. A piece without bytes says that the connection has opened: a new parser
begins. A segment whose end was cut off is good up to its last whole piece.
"""

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

SUFFIX = ".capture"
HEADER_LIMIT_BYTES = 65_536
PIECE_LIMIT_BYTES = 16_777_216
READ_BYTES = 65_536
FLUSH_INTERVAL_NS = 1_000_000_000
"""So much is lost at most when the process is killed."""
_GZIP = 31
_PIECE = struct.Struct(">qII")
_FORMAT = "hedgerow-capture-1"


class BadCapture(ValueError):
    """Not a capture, or damaged before its end; the sentence names the file."""


class Header(msgspec.Struct, frozen=True):
    lp: str
    adapter: str
    settings: dict[str, str | int | bool] = {}
    """Those of the LP's entry, which hold no secrets."""
    format: str = _FORMAT


class Piece(NamedTuple):
    time_ns: int
    connection: int
    content: bytes


class CaptureWriter:
    """Writes segments to a folder, each readable for its owner alone, and deletes the oldest of the LP when full."""

    def __init__(self, folder: Path, header: Header, segment_limit_bytes: int, total_limit_bytes: int) -> None:
        self._folder = folder
        self._header = header
        self._segment_limit_bytes = segment_limit_bytes
        self._total_limit_bytes = total_limit_bytes
        self._file: BinaryIO | None = None
        self._zip = zlib.compressobj(wbits=_GZIP)
        self._written_bytes = 0
        self._flushed_ns = 0
        self.pieces = 0
        self.dropped = 0
        """Pieces of more than PIECE_LIMIT_BYTES."""

    def write(self, time_ns: int, connection: int, content: bytes) -> None:
        """Raises OSError."""
        if len(content) > PIECE_LIMIT_BYTES:
            self.dropped += 1
            return
        if self._file is None:
            self._begin(time_ns)
        self._put(self._zip.compress(_PIECE.pack(time_ns, connection, len(content)) + content))
        self.pieces += 1
        if time_ns - self._flushed_ns >= FLUSH_INTERVAL_NS:
            self._flushed_ns = time_ns
            self._put(self._zip.flush(zlib.Z_SYNC_FLUSH))
            if self._file is not None:
                self._file.flush()
        if self._written_bytes >= self._segment_limit_bytes:
            self.close()

    def close(self) -> None:
        """Ends the segment; the next piece begins another."""
        if self._file is None:
            return
        self._put(self._zip.flush(zlib.Z_FINISH))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None

    def _begin(self, time_ns: int) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_room()
        path = self._folder / f"{self._header.lp}-{time_ns:020}{SUFFIX}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._zip = zlib.compressobj(wbits=_GZIP)
        self._written_bytes, self._flushed_ns = 0, time_ns
        self._put(self._zip.compress(msgspec.json.encode(self._header) + b"\n"))

    def _make_room(self) -> None:
        """For one more segment."""
        segments = [(path, path.stat().st_size) for path in sorted(self._folder.glob(f"{self._header.lp}-*{SUFFIX}"))]
        held_bytes = sum(size for _, size in segments)
        for path, size in segments:
            if held_bytes + self._segment_limit_bytes <= self._total_limit_bytes:
                break
            path.unlink()
            held_bytes -= size

    def _put(self, data: bytes) -> None:
        if self._file is not None and data:
            self._file.write(data)
            self._written_bytes += len(data)


def segments(path: Path) -> list[Path]:
    """A segment, or those of a folder, oldest first. Raises `BadCapture` where there is none."""
    found = sorted(path.glob(f"*{SUFFIX}"), key=lambda each: each.name.rpartition("-")[2]) if path.is_dir() else [path]
    if not found:
        raise BadCapture(f"{path}: the folder has no *{SUFFIX} file")
    return found


def read_header(path: Path) -> Header:
    """Raises `BadCapture`."""
    return _Reader(path).header


def read(paths: Iterable[Path]) -> Iterator[Piece]:
    """The pieces of segments, one after another; raises `BadCapture` at damage, not at an end that was cut off."""
    for path in paths:
        yield from _Reader(path).pieces()


class _Reader:
    """One segment, unpacked a little at a time: nothing in it makes it take more memory than a piece may have."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._chunks = self._unpacked()
        self._held = bytearray()
        end = -1
        while (end := self._held.find(b"\n")) < 0 and len(self._held) <= HEADER_LIMIT_BYTES:
            if not (chunk := next(self._chunks, b"")):
                break
            self._held += chunk
        if end < 0:
            raise BadCapture(f"{path}: it has no header of a capture")
        try:
            self.header = msgspec.json.decode(self._held[:end], type=Header)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadCapture(f"{path}: it has no header of a capture: {error}") from None
        if self.header.format != _FORMAT:
            raise BadCapture(f"{path}: its format is {self.header.format[:40]!r}, not {_FORMAT!r}")
        del self._held[: end + 1]

    def pieces(self) -> Iterator[Piece]:
        while self._fill(_PIECE.size):
            time_ns, connection, length = _PIECE.unpack_from(self._held)
            if length > PIECE_LIMIT_BYTES or time_ns < 0:
                raise BadCapture(f"{self._path}: it is damaged: a piece of {length} bytes")
            if not self._fill(_PIECE.size + length):
                return
            yield Piece(time_ns, connection, bytes(self._held[_PIECE.size : _PIECE.size + length]))
            del self._held[: _PIECE.size + length]

    def _fill(self, size: int) -> bool:
        while len(self._held) < size:
            if not (chunk := next(self._chunks, b"")):
                return False
            self._held += chunk
        return True

    def _unpacked(self) -> Iterator[bytes]:
        try:
            with self._path.open("rb") as file:
                unzip = zlib.decompressobj(wbits=_GZIP)
                while not unzip.eof and (packed := unzip.unconsumed_tail or file.read(READ_BYTES)):
                    if unpacked := unzip.decompress(packed, READ_BYTES):
                        yield unpacked
        except (OSError, zlib.error) as error:
            raise BadCapture(f"{self._path}: it cannot be read: {error}") from None
