"""Where each socket of the bus is. One table for all processes."""

import hashlib
import os
import tempfile
from pathlib import Path

import msgspec

UNIX_PATH_LIMIT_BYTES = 100
"""A Unix socket's path ends at 107 bytes; the rest is for the longest name below."""


class Endpoints(msgspec.Struct, frozen=True):
    """ZeroMQ addresses, by what one finds there."""

    quotes: str
    """Feeds PUB, the aggregator SUB (binds)."""
    ticks: str
    """The aggregator XPUB (binds): the public price stream."""
    aggregator: str
    """The aggregator ROUTER (binds)."""
    engine: str
    """The engine ROUTER (binds)."""
    events: str
    """The engine PUB (binds)."""
    history: str
    """Persistence ROUTER (binds)."""
    fix_clients: str
    """fix-clients ROUTER (binds)."""
    fix_lp: str
    """fix-lp ROUTER (binds)."""


def local(run_dir: Path) -> Endpoints:
    """ipc endpoints below `run_dir`, in a folder that only its owner can enter."""
    folder = socket_folder(run_dir)
    return Endpoints(**{name: f"ipc://{folder}/{name}" for name in Endpoints.__struct_fields__})


def socket_folder(run_dir: Path) -> Path:
    """`run_dir`/sockets, or a private one in the temporary directory where that path would be too long for a socket."""
    folder = run_dir.resolve() / "sockets"
    if len(os.fsencode(folder)) + len("/fix_clients") > UNIX_PATH_LIMIT_BYTES:
        digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"hedgerow-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} is not a folder of this user's own")
    folder.chmod(0o700)
    return folder
