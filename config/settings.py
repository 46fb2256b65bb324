"""What can be set, by environment variables or a `.env` file in the working directory: one class, typed and named."""

import difflib
import os
import sys
from pathlib import Path
from typing import Literal, NoReturn

import structlog
from dotenv import dotenv_values
from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "HEDGEROW_"


class Settings(BaseSettings):
    """Each field is HEDGEROW_ and its name in capitals, except DATABASE_URL."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    run_dir: Path = Field(Path("var"), description="folder for sockets, journal, secrets and the embedded database")
    http_host: str = Field("127.0.0.1", description="address that the web process listens on")
    http_port: int = Field(8080, ge=1, le=65535, description="port that the web process listens on")
    token_ttl_s: int = Field(28_800, ge=1, le=86_400, description="lifetime of an access token in seconds")
    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="postgresql:// URL; without it an embedded PostgreSQL is started",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")

    ticks: Path | None = Field(
        default=None, description="file or folder of recorded ticks for the simulated LPs to replay"
    )
    tick_speed: float = Field(
        1.0, ge=0, le=1_000_000, description="factor by which the replay is faster; 0: as fast as it is read"
    )
    tick_repeat: bool = Field(True, description="whether the replay begins again at its end")
    tick_seed: int = Field(1, description="seed of the simulated LPs' price model")

    oanda_url: str | None = Field(
        default=None, pattern=r"^https?://", description="OANDA v20 stream host; without it the simulated one"
    )
    oanda_account: str | None = Field(default=None, description="OANDA account id")
    oanda_token: SecretStr | None = Field(default=None, description="OANDA bearer token")
    binance_url: str | None = Field(
        default=None, pattern=r"^wss?://", description="Binance stream host; without it the simulated one"
    )

    @property
    def venues_file(self) -> Path:
        """Where the simulated LPs write down their addresses and the token that they take."""
        return self.run_dir / "venues.json"


def load() -> Settings:
    """The settings of this process, or the end of it: one line on stderr that names the setting and what is right."""
    _refuse_unknown({**dotenv_values(".env"), **os.environ})
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        name = "DATABASE_URL" if field.upper() == "DATABASE_URL" else PREFIX + field.upper()
        meant = Settings.model_fields[field.lower()].description
        _exit(f"{name}: {first['msg'][0].lower()}{first['msg'][1:]}. It is the {meant}.")


def _refuse_unknown(environment: dict[str, str | None]) -> None:
    known = [name.upper() for name in Settings.model_fields if name != "database_url"]
    for name in environment:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known:
            close = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
            hint = f"Did you mean {PREFIX}{close[0]}?" if close else f"Known after {PREFIX} are: {', '.join(known)}."
            _exit(f"{name}: there is no such setting. {hint}")


def _exit(sentence: str) -> NoReturn:
    sys.stderr.write(f"hedgerow: {sentence}\n")
    raise SystemExit(2)


def configure_logging(process: str, level: str) -> None:
    """Structured lines on stdout, for the supervisor to collect."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
