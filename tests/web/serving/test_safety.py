"""Production: what it does not start with, setting by setting."""

from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from web.serving.safety import faults


def settings(run_dir: Path, **given: Any) -> Settings:
    return Settings(_env_file=None, run_dir=run_dir, production=True, **given)


def test_the_defaults_will_do(tmp_path: Path) -> None:
    assert [*faults(settings(tmp_path))] == []


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"http_host": "0.0.0.0"}, "HEDGEROW_TLS_CERT is not set"),  # noqa: S104
        ({"http_host": "broker.example.com"}, "HEDGEROW_TLS_CERT is not set"),
        ({"token_ttl_s": 3_601}, "HEDGEROW_TOKEN_TTL_S"),
        ({"bcrypt_cost": 11}, "HEDGEROW_BCRYPT_COST"),
        ({"allowed_origins": "https://a.example,http://b.example"}, "http://b.example is not https"),
        ({"trusted_proxies": "0.0.0.0/0"}, "trusts everybody"),
        ({"database_url": "postgresql://u:p@db.example/x"}, "sslmode is prefer"),
        ({"database_url": "postgresql://u@db.example/x?sslmode=verify-full"}, "no password"),
    ],
)
def test_each_of_these_is_named(tmp_path: Path, given: dict[str, Any], fault: str) -> None:
    (named,) = faults(settings(tmp_path, **given))
    assert fault in named
    assert "u:p" not in named


def test_safe_ones_are_not(tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "http_host": "::1",
        "allowed_origins": "https://a.example",
        "trusted_proxies": "10.0.0.0/8, 192.0.2.1",
        "database_url": "postgresql://u:p@db.example/x?sslmode=verify-full",
    }
    assert [*faults(settings(tmp_path, **given))] == []


def test_the_file_of_the_first_passwords_is_named(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text("{}")
    (fault,) = faults(settings(tmp_path))
    assert "credentials.json still holds" in fault


@pytest.mark.parametrize(
    "given",
    [{"allowed_origins": "*"}, {"allowed_origins": "https://a.example/"}, {"trusted_proxies": "10.0.0.1/8"}],
)
def test_what_is_no_origin_or_network_is_no_setting(tmp_path: Path, given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"origin|host bits"):
        settings(tmp_path, **given)


def test_a_key_that_others_can_read_is_named(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.touch(0o640)
    given = {"tls_cert": tmp_path / "cert.pem", "tls_key": key}
    assert [*faults(settings(tmp_path, **given))] == [
        f"HEDGEROW_TLS_KEY: {key} can be read by others; its mode must be 0600."
    ]
    key.chmod(0o600)
    assert [*faults(settings(tmp_path, **given))] == []
