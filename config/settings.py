"""What can be set, by environment variables or a `.env` file in the working directory: one class, typed and named."""

import difflib
import os
import re
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, NoReturn
from urllib.parse import urlsplit

import structlog
from dotenv import dotenv_values
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "HEDGEROW_"


class Settings(BaseSettings):
    """Each field is HEDGEROW_ and its name in capitals, except DATABASE_URL."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    run_dir: Path = Field(Path("var"), description="folder for sockets, journal, secrets and the embedded database")
    http_host: str = Field("127.0.0.1", description="address that the web process listens on")
    http_port: int = Field(8080, ge=1, le=65535, description="port that the web process listens on")
    tls_cert: Path | None = Field(default=None, description="PEM file of the web process's certificate and its chain")
    tls_key: Path | None = Field(default=None, description="PEM file of the certificate's key, mode 0600")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="proxies whose X-Forwarded-For is believed: addresses or networks, with commas between"
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="origins of other pages that may use the API from a browser, with commas between"
    )
    token_ttl_s: int = Field(900, ge=1, le=86_400, description="lifetime of an access token in seconds")
    refresh_ttl_s: int = Field(
        604_800, ge=60, le=2_592_000, description="how long a login lasts that nobody uses, in seconds"
    )
    bcrypt_cost: int = Field(12, ge=10, le=16, description="cost of the passwords' hashes, as a power of two")
    production: bool = Field(
        default=False, description="whether to refuse to start with anything that is fit for development alone"
    )
    web_processes: int = Field(1, ge=1, le=64, description="how many web processes share the port")
    user_requests_per_second: int = Field(
        100, ge=1, le=1_000_000, description="how many requests a second a user may go on sending to a web process"
    )
    address_requests_per_second: int = Field(
        500, ge=1, le=1_000_000, description="how many requests a second one address may go on sending to a web process"
    )
    address_connections: int = Field(
        1_000, ge=1, le=1_000_000, description="how many connections one address may have open to a web process"
    )
    request_timeout_s: int = Field(
        10, ge=1, le=600, description="how long a request's head, its body or a connection's next request may take"
    )
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

    fix_sessions: Path | None = Field(
        default=None, description="TOML file of FIX sessions; without it config/client_sessions.toml"
    )
    lp_sessions: Path | None = Field(
        default=None, description="TOML file of FIX sessions with LPs; without it config/lp_sessions.toml"
    )
    fix_port: int | None = Field(
        default=None, ge=1, le=65535, description="port for FIX clients, instead of the one in the file of sessions"
    )

    @field_validator("oanda_url", "binance_url")
    @classmethod
    def _names_a_host(cls, url: str | None) -> str | None:
        if url is not None and not (urlsplit(url).hostname and urlsplit(url).port != 0):
            raise ValueError("it names no host")
        return url

    @field_validator("trusted_proxies", "allowed_origins", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        return tuple(part.strip() for part in given.split(",")) if isinstance(given, str) else given

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            ip_network(text)
        return given

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            if not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", text):
                raise ValueError(f"{text!r} is no origin such as https://terminal.example.com")
        return given

    @property
    def lp_config(self) -> Path:
        """The folder of the LP registry."""
        return self.run_dir / "lp_config"

    @property
    def venues_file(self) -> Path:
        """Where the simulated LPs write down their addresses and the token that they take."""
        return self.run_dir / "venues.json"

    @property
    def simulated_fix_password(self) -> Path:
        """What the simulated FIX LP and its clients agree on; made by whoever needs it first."""
        return self.run_dir / "secrets" / "simulated-fix-lp"


def load() -> Settings:
    """The settings of this process, or the end of it: one line on stderr that names the setting and what is right."""
    _check_names({**dotenv_values(".env"), **os.environ})
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        _refuse(str(first["loc"][0]).lower(), f"{first['msg'][0].lower()}{first['msg'][1:]}")


def secret(name: str) -> str | None:
    """The value of an environment variable, or of a line in `.env`; None where there is neither, or it is empty."""
    return os.environ.get(name) or dotenv_values(".env").get(name) or None


def _check_names(environment: dict[str, str | None]) -> None:
    fields = {_name(field): field for field in Settings.model_fields}
    for name, value in environment.items():
        if name in fields and not value:
            _refuse(fields[name], "it is set to nothing")
        if name.startswith(PREFIX) and name not in fields:
            known = [field.removeprefix(PREFIX) for field in fields if field.startswith(PREFIX)]
            close = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
            hint = f"Did you mean {PREFIX}{close[0]}?" if close else f"Known after {PREFIX} are: {', '.join(known)}."
            stop(f"{name}: there is no such setting. {hint}")


def _name(field: str) -> str:
    return "DATABASE_URL" if field == "database_url" else PREFIX + field.upper()


def _refuse(field: str, fault: str) -> NoReturn:
    stop(f"{_name(field)}: {fault}. It is the {Settings.model_fields[field].description}.")


def stop(sentence: str) -> NoReturn:
    """The end of a process that cannot do what the settings say, with one line on stderr."""
    sys.stderr.write(f"hedgerow: {sentence}\n")
    raise SystemExit(2)


def configure_logging(level: str) -> None:
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
