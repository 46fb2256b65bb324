"""Small secret files: written whole or not at all, on the disk when the call returns, readable by their owner alone."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Makes or replaces `path`, mode 0600. A missing folder is made, mode 0700."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    os.replace(part, path)
    sync_folder(path.parent)


def secret(path: Path) -> str:
    """What the file says; where there is none it is made, with a new secret. Several processes may ask at once."""
    if not path.exists():
        mine = path.with_name(f"{path.name}.{os.getpid()}")
        write(mine, secrets.token_hex(16))
        with suppress(FileExistsError):
            os.link(mine, path)
        mine.unlink()
    return path.read_text(encoding="utf-8")


def sync_folder(folder: Path) -> None:
    """Puts on the disk which files the folder holds: a rename is lost in a power cut without it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
