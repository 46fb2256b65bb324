"""Passwords: only the right one is right, whatever its length and letters."""

import pytest

from actors.store.passwords import check_password, hash_password

LONG = "x" * 100


@pytest.mark.parametrize("password", ["", LONG, "zero\0byte", "пароль", "\ud800"])
def test_the_password_is_right_and_another_is_not(password: str) -> None:
    kept = hash_password(password)
    assert kept.startswith("$2b$12$")
    assert check_password(password, kept)
    assert not check_password(password + "y", kept)


def test_a_hash_that_is_none_fits_nothing() -> None:
    for kept in ("", "plain", "$2b$12$", "$2b$12$" + "é" * 53):
        assert not check_password("plain", kept)
