import os
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from config import settings as config
from config.settings import Settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without a `.env`, and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name == "DATABASE_URL" or name.startswith("HEDGEROW_"):
            monkeypatch.delenv(name)


def test_without_any_setting_everything_has_a_default() -> None:
    loaded = config.load()
    assert loaded.model_dump(include={"run_dir", "http_host", "http_port", "log_level", "tick_speed"}) == {
        "run_dir": Path("var"),
        "http_host": "127.0.0.1",
        "http_port": 8080,
        "log_level": "info",
        "tick_speed": 1.0,
    }
    assert (loaded.database_url, loaded.oanda_token, loaded.ticks) == (None, None, None)
    assert loaded.venues_file == Path("var/venues.json")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "HEDGEROW_RUN_DIR": "/srv/broker",
        "HEDGEROW_HTTP_PORT": "9000",
        "HEDGEROW_TICK_SPEED": "2.5",
        "HEDGEROW_OANDA_URL": "https://stream-fxpractice.oanda.com",
        "HEDGEROW_OANDA_TOKEN": "a-token",
        "DATABASE_URL": "postgresql://broker:secret@db/broker",
    }.items():
        monkeypatch.setenv(name, value)
    loaded = config.load()
    assert (loaded.run_dir, loaded.http_port, loaded.tick_speed) == (Path("/srv/broker"), 9000, 2.5)
    assert loaded.oanda_url == "https://stream-fxpractice.oanda.com"
    assert loaded.oanda_token == SecretStr("a-token")
    assert loaded.database_url == SecretStr("postgresql://broker:secret@db/broker")


def test_dotenv_is_honoured_and_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("HEDGEROW_HTTP_PORT=9001\nHEDGEROW_LOG_LEVEL=debug\nDATABASE_URL=postgresql://x\nOTHER=1\n")
    monkeypatch.setenv("HEDGEROW_HTTP_PORT", "9002")
    loaded = config.load()
    assert (loaded.http_port, loaded.log_level) == (9002, "debug")
    assert loaded.database_url == SecretStr("postgresql://x")


def test_secrets_are_not_shown() -> None:
    loaded = Settings(oanda_token=SecretStr("a-token"), database_url=SecretStr("postgresql://u:secret@db/x"))
    assert "a-token" not in f"{loaded!r} {loaded}"
    assert "secret@" not in f"{loaded!r} {loaded}"


def test_settings_do_not_change() -> None:
    loaded = config.load()
    with pytest.raises(ValidationError):
        setattr(loaded, "http_port", 1)  # noqa: B010 - mypy forbids it in the open, as it should


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEDGEROW_HTTP_PORT", "eighty"),
        ("HEDGEROW_HTTP_PORT", "0"),
        ("HEDGEROW_HTTP_PORT", "65536"),
        ("HEDGEROW_HTTP_PORT", ""),
        ("HEDGEROW_TICK_SPEED", "-1"),
        ("HEDGEROW_TICK_SPEED", "nan"),
        ("HEDGEROW_TICK_SPEED", "inf"),
        ("HEDGEROW_LOG_LEVEL", "loud"),
        ("HEDGEROW_TOKEN_TTL_S", "86401"),
        ("HEDGEROW_OANDA_URL", "stream.example"),
        ("HEDGEROW_BINANCE_URL", "https://stream.example"),
        ("HEDGEROW_BINANCE_URL", "wss://"),
        ("HEDGEROW_BINANCE_URL", "ws://[stream.example"),
        ("HEDGEROW_OANDA_URL", "https://stream.example:port"),
        ("HEDGEROW_RUN_DIR", ""),
        ("DATABASE_URL", ""),
    ],
)
def test_a_malformed_setting_ends_the_process_with_one_line_that_names_it(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        config.load()
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"hedgerow: {name}: ")
    meant = Settings.model_fields[name.removeprefix("HEDGEROW_").lower()].description
    assert err.endswith(f" It is the {meant}.\n")


@pytest.mark.parametrize("in_dotenv", [False, True])
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("HEDGEROW_HTTP_PROT", "Did you mean HEDGEROW_HTTP_PORT?"),
        ("HEDGEROW_RUNDIR", "Did you mean HEDGEROW_RUN_DIR?"),
        ("HEDGEROW_XYZZY", "Known after HEDGEROW_ are: RUN_DIR, HTTP_HOST, "),
    ],
)
def test_an_unknown_setting_ends_the_process_with_one_line_that_names_it(
    name: str, hint: str, in_dotenv: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if in_dotenv:
        Path(".env").write_text(f"{name}=1\n")
    else:
        monkeypatch.setenv(name, "1")
    with pytest.raises(SystemExit) as ended:
        config.load()
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"hedgerow: {name}: there is no such setting. {hint}")


def test_a_setting_that_is_wrong_does_not_show_a_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A token that was given for the address by mistake stays out of the log."""
    monkeypatch.setenv("HEDGEROW_OANDA_URL", "secret-token-value")
    with pytest.raises(SystemExit):
        config.load()
    assert "secret-token-value" not in capsys.readouterr().err
