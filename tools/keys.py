"""The keys that sign tokens: `python -m tools.keys list | rotate | retire KID`, and `make totp` for a key of its own.

`rotate` adds a key, which signs ten seconds later; tokens of the older ones stay good until `retire`. After
HEDGEROW_REFRESH_TTL_S nobody has a token of the old key any more. If a key has leaked, rotate and retire at once: all
who have logged in with it log in again.
"""

import argparse
import secrets
import sys
from pathlib import Path

from actors.store import private_files
from config import settings as config
from web.auth import keyring


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools.keys", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    commands.add_parser("rotate")
    commands.add_parser("retire").add_argument("kid")
    commands.add_parser("make").add_argument("name", choices=["totp"])
    given = parser.parse_args(arguments)
    folder = config.load().run_dir / "secrets"
    try:
        if given.command == "make":
            return _make(folder / given.name)
        return _sign(keyring.folder_of(folder), given)
    except keyring.UnfitKey as fault:
        return _fail(str(fault))


def _sign(folder: Path, given: argparse.Namespace) -> int:
    if given.command == "list":
        for kid in keyring.load(folder):
            print(kid)
        return 0
    keys = keyring.load(folder)
    if given.command == "rotate":
        if len(keys) >= keyring.KEYS_LIMIT:
            return _fail(f"there are {len(keys)} keys: retire the oldest first")
        print(keyring.make(folder))
        return 0
    if given.kid not in keys:
        return _fail(f"there is no key {given.kid}")
    if len(keys) == 1:
        return _fail("this is the only key: rotate first")
    (folder / given.kid).unlink()
    private_files.sync_folder(folder)
    return 0


def _make(path: Path) -> int:
    if path.exists():
        return _fail(f"{path} is there already: with another key nobody's second factor would work")
    private_files.write(path, secrets.token_hex(keyring.KEY_BYTES))
    return 0


def _fail(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
