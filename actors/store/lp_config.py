"""The LP registry on the disk: a file for each version in `lp_config`, each written whole or not at all."""

from pathlib import Path

import msgspec

from actors.domain.prices.lp_registry import Registry
from actors.store import private_files

KEPT_VERSIONS = 100
FILE_LIMIT_BYTES = 4_194_304


class Damaged(Exception):
    """The newest file is not what was written; the sentence says which one."""


class LpConfig:
    """The newest version is the one that holds; older ones stay to be looked at, KEPT_VERSIONS in all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self) -> Registry | None:
        """None before the first `save`. Raises Damaged: nobody deals on another set of LPs than was agreed."""
        files = self._files()
        if not files:
            return None
        path = files[-1]
        try:
            if path.stat().st_size > FILE_LIMIT_BYTES:
                raise ValueError(f"it has more than {FILE_LIMIT_BYTES} bytes")
            registry = msgspec.json.decode(path.read_bytes(), type=Registry)
            if registry.version != int(path.stem):
                raise ValueError(f"it says that it is version {registry.version}")
        except (OSError, ValueError, RecursionError) as error:
            raise Damaged(
                f"{path} cannot be read: {error}. Mend it, or move it away to go on with the version before"
            ) from None
        return registry

    def save(self, registry: Registry) -> None:
        """On the disk when it returns. Raises OSError, and then the version before still holds."""
        path = self._folder / f"{registry.version:010}.json"
        text = msgspec.json.format(msgspec.json.encode(registry), indent=2).decode() + "\n"
        try:
            private_files.write(path, text)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        for old in self._files()[:-KEPT_VERSIONS]:
            old.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("*.json") if path.stem.isdecimal())
