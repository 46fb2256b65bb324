"""Snapshots of the engine's state, a file each beside the journal: recovery begins with the newest that is sound.

The SHA-256 of the encoded state is both the file's checksum and the state's hash.
"""

import contextlib
import hashlib
import os
import re
import struct
from pathlib import Path
from typing import NamedTuple

import msgspec

from actors.domain.snapshot import Snapshot, restore, snapshot
from actors.domain.state import State
from actors.store import private_files
from actors.store.collector import without_collector
from actors.store.record import Damaged

SNAPSHOTS_KEPT = 2
SYNCED_BYTES = 2_097_152
"""So much is written at a time: a commit of the engine waits behind it, on the same disk, and not behind it all."""
SUFFIX = ".snapshot"
PART = ".part"
_MAGIC = b"HEDGESN2"
_HEAD = struct.Struct(">8sqq32s8s")
"""Magic, batch, its time, SHA-256 of the state that follows, and a checksum of all that."""

_encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Snapshot).decode


class Kept(NamedTuple):
    """A snapshot's file."""

    batch_seq: int
    path: Path


class Loaded(NamedTuple):
    """A state as of the end of a batch. Batch 0: the empty state, without a file."""

    state: State
    batch_seq: int
    now_ns: int
    state_hash: str


def state_hash(state: State) -> str:
    """Two states are the same where these 64 hexadecimal digits are: SHA-256 over MessagePack of `snapshot`."""
    return hash_of(_encoded(state))


def hash_of(encoded: bytes) -> str:
    """Of what a `Snapshot` is in MessagePack."""
    return hashlib.sha256(encoded).hexdigest()


def listed(journal: Path) -> list[Kept]:
    """Newest first."""
    pattern = re.compile(re.escape(journal.stem) + r"-(\d{12})" + re.escape(SUFFIX))
    names = os.listdir(journal.parent) if journal.parent.is_dir() else []
    found = [Kept(int(match[1]), journal.with_name(name)) for name in names if (match := pattern.fullmatch(name))]
    return sorted(found, reverse=True)


def save(journal: Path, batch_seq: int, now_ns: int, state: State) -> str:
    """Keeps the state as of a batch, and gives its hash. It is there whole or not at all. Raises OSError."""
    blob = _encoded(state)
    digest = hashlib.sha256(blob).digest()
    path = journal.with_name(f"{journal.stem}-{batch_seq:012}{SUFFIX}")
    part = path.with_name(f"{path.name}.{os.getpid()}{PART}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "wb") as file:
            file.write(_head(batch_seq, now_ns, digest))
            for start in range(0, len(blob), SYNCED_BYTES):
                file.write(blob[start : start + SYNCED_BYTES])
                file.flush()
                os.fdatasync(descriptor)
            os.fsync(descriptor)
        os.replace(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    private_files.sync_folder(path.parent)
    for old in listed(journal)[SNAPSHOTS_KEPT:]:
        old.path.unlink(missing_ok=True)
    return digest.hex()


def forget_parts(journal: Path) -> None:
    """Removes what those left who were killed while they saved."""
    for part in journal.parent.glob(f"{journal.stem}-*{SUFFIX}.*{PART}"):
        part.unlink(missing_ok=True)


def read(kept: Kept) -> tuple[int, str, bytes]:
    """Time, hash and bytes of the state in a file; raises Damaged, or OSError."""
    with kept.path.open("rb") as file:
        head, blob = file.read(_HEAD.size), file.read()
    try:
        _, batch_seq, now_ns, digest, _ = _HEAD.unpack(head)
    except struct.error:
        raise Damaged(f"{kept.path}: it is cut off") from None
    if head != _head(batch_seq, now_ns, digest) or batch_seq != kept.batch_seq:
        raise Damaged(f"{kept.path}: its first {_HEAD.size} bytes are not as they were written")
    if hashlib.sha256(blob).digest() != digest:
        raise Damaged(f"{kept.path}: the checksum of the state is wrong")
    return now_ns, digest.hex(), blob


def load(kept: Kept) -> Loaded:
    """Raises Damaged, or OSError."""
    now_ns, digest, blob = read(kept)
    try:
        return Loaded(restore(decode(blob)), kept.batch_seq, now_ns, digest)
    except msgspec.DecodeError as error:
        raise Damaged(f"{kept.path}: it is of another version of the engine: {error}") from None


def latest(journal: Path, upto: int) -> tuple[Loaded, list[str]]:
    """The newest sound snapshot of a batch up to `upto`, or the empty state; and what is wrong with newer ones."""
    faults: list[str] = []
    for kept in listed(journal):
        if kept.batch_seq <= upto:
            try:
                return load(kept), faults
            except (Damaged, OSError) as fault:
                faults.append(str(fault))
    state = State()
    return Loaded(state, 0, 0, state_hash(state)), faults


def _encoded(state: State) -> bytes:
    with without_collector():
        return _encode(snapshot(state))


def _head(batch_seq: int, now_ns: int, digest: bytes) -> bytes:
    values = _MAGIC, batch_seq, now_ns, digest
    start = _HEAD.pack(*values, bytes(8))[:-8]
    return start + hashlib.blake2b(start, digest_size=8).digest()
