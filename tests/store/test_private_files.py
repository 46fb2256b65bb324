"""Secret files: private from the first byte, and whole."""

from pathlib import Path

import pytest

from actors.store import private_files


def test_file_and_folder_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"
    private_files.write(path, "öne")
    assert path.read_text(encoding="utf-8") == "öne"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert list(path.parent.iterdir()) == [path]


def test_a_file_is_replaced_and_what_a_crash_left_beside_it_too(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)
    part = path.with_name("key.part")
    part.write_text("half of someth")
    part.chmod(0o666)
    private_files.write(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_planted_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "key.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        private_files.write(tmp_path / "key", "secret")
    assert not (tmp_path / "elsewhere").exists()
