"""The keys that sign tokens: files in a folder, each named by its key id, readable for their owner alone.

The newest signs once it has had time to reach every web process; all that are there are good for reading. So a rotation
(`python -m tools.keys rotate`) logs nobody out, and what an old key signed is void when its file is gone.
"""

import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from actors.store import private_files

KEY_BYTES = 32
KEYS_LIMIT = 16
SETTLED_AFTER_S = 10
"""How old a key is before it signs: by then every web process has looked at the folder."""
KID = re.compile(r"[0-9]{10}-[0-9a-f]{8}")
"""When it was made, in seconds, and something random: a name that can be no path."""


class UnfitKey(ValueError):
    """A key that may not be used. The sentence names its file, and not the key."""


class Keyring:
    """By key id. Never empty."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(sorted(keys.items()))

    def __repr__(self) -> str:
        return f"Keyring({[*self._keys]})"

    def signing(self, now_s: int) -> tuple[str, bytes]:
        """The key id and the key to sign with."""
        settled = [kid for kid in self._keys if _made_s(kid) + SETTLED_AFTER_S <= now_s]
        kid = settled[-1] if settled else next(iter(self._keys))
        return kid, self._keys[kid]

    def get(self, kid: object) -> bytes | None:
        return self._keys.get(kid) if isinstance(kid, str) else None

    def replace(self, keys: Mapping[str, bytes]) -> bool:
        """Whether these are others than before."""
        before, self._keys = self._keys, dict(sorted(keys.items()))
        return self._keys != before


def folder_of(secrets_folder: Path) -> Path:
    return secrets_folder / "signing"


def load(folder: Path) -> dict[str, bytes]:
    """The keys in it, perhaps none; raises UnfitKey. What does not look like a key id is no key."""
    if not folder.is_dir():
        return {}
    if folder.stat().st_mode & 0o077:
        raise UnfitKey(f"{folder} is open to others; its mode must be 0700")
    paths = sorted(path for path in folder.iterdir() if KID.fullmatch(path.name))
    if len(paths) > KEYS_LIMIT:
        raise UnfitKey(f"{folder} holds {len(paths)} keys; {KEYS_LIMIT} are the most: retire the oldest")
    return {path.name: secret(path) for path in paths}


def make(folder: Path) -> str:
    """One more key; gives its id."""
    kid = f"{int(time.time()):010d}-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    private_files.write(folder / kid, secrets.token_hex(KEY_BYTES))
    return kid


def secret(path: Path) -> bytes:
    """What is in a file that only its owner may read; raises UnfitKey where it is too weak, or open to others."""
    key = path.read_bytes().strip()
    if path.stat().st_mode & 0o077:
        raise UnfitKey(f"{path} can be read by others; its mode must be 0600")
    if len(key) < KEY_BYTES:
        raise UnfitKey(f"{path} holds {len(key)} bytes; a key has {KEY_BYTES} or more")
    if len(set(key)) < 8:
        raise UnfitKey(f"{path} holds {len(set(key))} different bytes: that is no random key")
    return key


def _made_s(kid: str) -> int:
    return int(kid.partition("-")[0])
