"""`python -m tools.keys`: rotation, and what it does not do."""

from pathlib import Path

import pytest

from tools import keys
from web.auth import keyring


def test_keys_are_rotated_and_retired_and_the_last_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEDGEROW_RUN_DIR", str(tmp_path))
    assert [keys.main(["rotate"]), keys.main(["rotate"])] == [0, 0]
    first, second = capsys.readouterr().out.split()
    assert keys.main(["list"]) == 0
    assert {*capsys.readouterr().out.split()} == {first, second}
    assert [keys.main(["retire", first]), keys.main(["retire", first]), keys.main(["retire", second])] == [0, 1, 1]
    assert [*keyring.load(keyring.folder_of(tmp_path / "secrets"))] == [second]
    assert "only key" in capsys.readouterr().err
    for _ in range(keyring.KEYS_LIMIT - 1):
        assert keys.main(["rotate"]) == 0
    assert keys.main(["rotate"]) == 1


def test_the_second_factors_key_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEDGEROW_RUN_DIR", str(tmp_path))
    assert keys.main(["make", "totp"]) == 0
    made = keyring.secret(tmp_path / "secrets" / "totp")
    assert keys.main(["make", "totp"]) == 1
    assert keyring.secret(tmp_path / "secrets" / "totp") == made
