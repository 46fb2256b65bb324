"""The LP registry on the disk: versions, their number, and what becomes of damage and of a full disk."""

import os
import stat
from pathlib import Path

import msgspec
import pytest

from actors.domain.prices.lp_registry import Lp, Registry
from actors.store.lp_config import KEPT_VERSIONS, Damaged, LpConfig


def version(number: int) -> Registry:
    lp = Lp("OANDA", "oanda", {"EURUSD": "EUR_USD"}, weight=number, settings={"url": "https://lp", "depth": True})
    return Registry(number, {"OANDA": lp}, 10 * number, "root", "ChangeLp OANDA")


@pytest.fixture
def config(tmp_path: Path) -> LpConfig:
    return LpConfig(tmp_path / "lp_config")


def test_the_newest_version_holds_and_the_older_stay(config: LpConfig, tmp_path: Path) -> None:
    assert config.load() is None
    for number in (9, 10, 11):
        config.save(version(number))
    assert LpConfig(tmp_path / "lp_config").load() == version(11)
    files = sorted((tmp_path / "lp_config").iterdir())
    assert [file.name for file in files] == ["0000000009.json", "0000000010.json", "0000000011.json"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert msgspec.json.decode(files[0].read_bytes(), type=Registry) == version(9)


def test_only_so_many_are_kept(config: LpConfig, tmp_path: Path) -> None:
    for number in range(1, KEPT_VERSIONS + 4):
        config.save(version(number))
    names = sorted(path.name for path in (tmp_path / "lp_config").iterdir())
    assert (len(names), names[0]) == (KEPT_VERSIONS, "0000000004.json")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 3}', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_named_and_the_version_before_is_not_taken_silently(
    config: LpConfig, tmp_path: Path, content: bytes
) -> None:
    config.save(version(1))
    damaged = tmp_path / "lp_config" / "0000000002.json"
    damaged.write_bytes(content)
    with pytest.raises(Damaged, match="0000000002"):
        config.load()
    damaged.unlink()
    assert config.load() == version(1)


def test_a_file_that_was_cut_off_before_its_rename_is_no_version(config: LpConfig, tmp_path: Path) -> None:
    config.save(version(1))
    (tmp_path / "lp_config" / "0000000002.json.part").write_bytes(b'{"version": 2, "lp')
    assert config.load() == version(1)
    config.save(version(2))
    assert config.load() == version(2)


def test_a_version_that_finds_no_room_is_none(config: LpConfig, tmp_path: Path) -> None:
    config.save(version(1))
    part = tmp_path / "lp_config" / "0000000002.json.part"
    part.mkdir()
    with pytest.raises(OSError, match=os.strerror(21)):
        config.save(version(2))
    assert config.load() == version(1)
