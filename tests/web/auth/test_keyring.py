"""The keys that sign tokens: made once, rotated without logging anybody out, and refused when they are weak or open."""

import os
import stat
from pathlib import Path

import pytest

from actors.bus.users import User
from web.auth import keyring
from web.auth.keyring import SETTLED_AFTER_S, Keyring, UnfitKey
from web.auth.tokens import Tokens, Unauthorised

OLD, NEW = "1700000000-00000000", "1700000100-00000000"
KEYS = {OLD: b"0123456789abcdef0123456789abcdef", NEW: b"fedcba9876543210fedcba9876543210"}
ANNA = User(7, "anna", "", "trader", 3)


def test_a_new_key_signs_once_every_process_may_have_seen_it_and_the_old_one_is_still_read() -> None:
    ring = Keyring({OLD: KEYS[OLD]})
    tokens = Tokens(ring, 600)
    before = tokens.issue(ANNA, 1_700_000_099)
    ring.replace(KEYS)
    assert ring.signing(1_700_000_100 + SETTLED_AFTER_S - 1) == (OLD, KEYS[OLD])
    assert ring.signing(1_700_000_100 + SETTLED_AFTER_S) == (NEW, KEYS[NEW])
    after = tokens.issue(ANNA, 1_700_000_200)
    assert tokens.read(before, 1_700_000_200).id == tokens.read(after, 1_700_000_200).id == 7
    ring.replace({NEW: KEYS[NEW]})
    assert tokens.read(after, 1_700_000_201).username == "anna"
    with pytest.raises(Unauthorised):
        tokens.read(before, 1_700_000_201)
    assert repr(ring) == f"Keyring(['{NEW}'])"


def test_a_lone_key_signs_at_once() -> None:
    assert Keyring({NEW: KEYS[NEW]}).signing(0)[0] == NEW


def test_keys_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    folder = keyring.folder_of(tmp_path / "secrets")
    assert keyring.load(folder) == {}
    kid = keyring.make(folder)
    keys = keyring.load(folder)
    assert [*keys] == [kid]
    assert len(keys[kid]) == 64
    assert stat.S_IMODE((folder / kid).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / f"{kid}.part").write_text("left by a crash")
    (folder / "notes").write_text("no key")
    assert keyring.load(folder) == keys
    assert keyring.make(folder) != kid


@pytest.mark.parametrize(
    ("content", "mode", "fault"),
    [
        (os.urandom(32).hex(), 0o644, "0600"),
        ("short", 0o600, "5 bytes"),
        ("x" * 64, 0o600, "1 different bytes"),
        ("secretsecretsecretsecretsecretsecret", 0o600, "5 different bytes"),
        ("", 0o600, "0 bytes"),
    ],
)
def test_a_key_that_is_weak_or_open_to_others_is_refused(tmp_path: Path, content: str, mode: int, fault: str) -> None:
    tmp_path.chmod(0o700)
    path = tmp_path / OLD
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(UnfitKey, match=fault) as refused:
        keyring.load(tmp_path)
    assert not content or content not in str(refused.value)


def test_a_folder_that_is_open_and_too_many_keys_are_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(UnfitKey, match="0700"):
        keyring.load(tmp_path)
    tmp_path.chmod(0o700)
    for number in range(17):
        (tmp_path / f"17000000{number:02d}-00000000").write_text("")
    with pytest.raises(UnfitKey, match="17 keys"):
        keyring.load(tmp_path)
