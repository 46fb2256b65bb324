"""FIX sessions with LPs, from lp_sessions.toml beside this module. docs/fix-lps.md says what each setting means."""

import tomllib
from datetime import time
from pathlib import Path
from typing import Any, Literal

import msgspec

_TAG_LIMIT = 100_000
_SAID = frozenset(
    (
        *(8, 9, 10, 34, 35, 43, 49, 50, 52, 56, 57, 97, 122, 142, 143),
        *(1, 11, 15, 21, 38, 40, 41, 44, 54, 55, 59, 60, 126, 146, 262, 263, 264, 265, 267, 269, 790),
    )
)
"""Tags of the header, and of orders and questions as they are."""
_FILE = Path(__file__).with_name("lp_sessions.toml")


class Unreadable(ValueError):
    """The file cannot be what it is; says where and why."""


class LpHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a session is open. With weekdays (Monday is 0) once a week, else daily; numbers begin at 1 at its start."""

    start: time
    end: time
    zone: str
    start_weekday: int | None = None
    end_weekday: int | None = None


class LpProxy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["http", "socks5"]
    host: str
    port: int
    username: str = ""
    password_env: str = ""


class LpTls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The LP's certificate is verified, by the system's authorities or the file `ca`; ours is shown if there is one."""

    ca: str = ""
    certificate: str = ""
    key: str = ""
    server_name: str = ""


class LpSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One session with an LP. Secrets are not here: `…_env` names the variable that holds one."""

    id: str
    lp: str
    """Its name in the LP registry, where its adapter is `fix`."""
    purpose: Literal["quotes", "orders", "both"]
    sender: str
    target: str
    enabled: bool = True
    hosts: tuple[str, ...] = ()
    """Tried one after the other. None: the simulated LP, wherever it listens."""
    port: int = 0
    plain: bool = False
    """Without TLS, where that is the explicit wish."""
    tls: LpTls = LpTls()
    proxy: LpProxy | None = None
    begin_string: str = "FIX.4.4"
    sender_sub: str = ""
    target_sub: str = ""
    sender_location: str = ""
    target_location: str = ""
    username: str = ""
    password_env: str = ""
    account: str = ""
    heartbeat_s: int = 30
    reset_on_logon: bool = False
    next_expected: bool = False
    """Our Logon says which message we expect next (789); an LP that does so too gets none asked for."""
    logon_timeout_ms: int = 10_000
    connect_timeout_ms: int = 10_000
    reconnect_first_ms: int = 250
    reconnect_cap_ms: int = 30_000
    hours: LpHours | None = None
    validation: Literal["strict", "lenient", "off"] = "lenient"
    custom_fields: dict[str, str] = {}
    """By tag, in the dictionary's form: "5001" = "Name STRING"."""
    custom_messages: dict[str, str] = {}
    """By MsgType, what a message has beside the specification's fields: "8" = "5001 5002"."""
    depth: int = 1
    """Levels of the order book to ask for; 0: all."""
    full_refresh: bool = False
    """Asks for a whole snapshot with each change (265=0), and not for increments."""
    snapshots_keep_sides: bool = False
    instrument_fields: dict[str, str] = {}
    """By tag, what is said beside each Symbol: "460" = "4"."""
    order_fields: dict[str, str] = {}
    """By tag, what an order and its cancel say too."""
    send_currency: bool = False
    """Currency (15), the base of the pair, in orders."""
    mass_status: bool = True
    """Asks for all open orders (35=AF) when it has logged on while some are unanswered."""
    trade_reports: bool = False
    """Asks for executions too (35=AD), of an order and now and then of all, with the ExecIDs of the 35=8."""
    security_list: bool = False
    """Asks what the LP lists (35=x), and compares it with the map of symbols and our instruments."""
    security_digits_tag: int = 0
    """The LP's own field in the list for the digits of a price; 0: it has none."""
    collateral_s: int = 0
    """Asks for the account's collateral (35=BB) so often; 0: never."""
    positions: bool = True
    """Compares what the account holds (35=AN) with the books."""
    message_log: bool = True
    log_market_data: bool = False

    @property
    def beside_symbol(self) -> list[tuple[int, bytes]]:
        return _fields(self.instrument_fields)

    @property
    def beside_order(self) -> list[tuple[int, bytes]]:
        """With what is beside its Symbol."""
        return _fields(self.instrument_fields) + _fields(self.order_fields)

    @property
    def has_quotes(self) -> bool:
        return self.purpose != "orders"

    @property
    def has_orders(self) -> bool:
        return self.purpose != "quotes"


def read(file: Path | None = None) -> list[LpSession]:
    """The sessions that are enabled, of `file` or of the one beside this module. Raises Unreadable."""
    path = file or _FILE
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        sessions = [msgspec.convert({"id": name, **entry}, LpSession) for name, entry in tables.items()]
    except (OSError, ValueError, TypeError) as error:
        raise Unreadable(f"{path}: {error}") from None
    enabled = [session for session in sessions if session.enabled]
    uses: dict[tuple[str, str], str] = {}
    for session in enabled:
        fault = _fault(session)
        for use in ("quotes",) * session.has_quotes + ("orders",) * session.has_orders:
            other = uses.setdefault((session.lp, use), session.id)
            if other != session.id:
                fault = f"[{other}] has the {use} of {session.lp} already"
        if fault:
            raise Unreadable(f"{path}: [{session.id}]: {fault}")
    return enabled


def _fields(table: dict[str, str]) -> list[tuple[int, bytes]]:
    return [(int(tag), value.encode("ascii")) for tag, value in table.items()]


def _fault(session: LpSession) -> str:
    if not session.id.replace("_", "").replace("-", "").isalnum():
        return "an id is letters, digits, _ and -"
    if session.hosts and not 0 < session.port <= 65_535:
        return "hosts need a port from 1 to 65535"
    if bool(session.tls.certificate) != bool(session.tls.key):
        return "a certificate needs its key, and a key its certificate"
    if not (session.sender and session.target):
        return "it needs sender and target, the CompIDs"
    limits = {
        "heartbeat_s": (1, 3_600),
        "depth": (0, 1_000),
        "logon_timeout_ms": (100, 600_000),
        "connect_timeout_ms": (100, 600_000),
        "reconnect_first_ms": (1, 600_000),
        "reconnect_cap_ms": (1, 3_600_000),
        "security_digits_tag": (0, 99_999),
        "collateral_s": (0, 86_400),
    }
    for name, (least, most) in limits.items():
        if not least <= getattr(session, name) <= most:
            return f"{name} is from {least} to {most}"
    if not all(tag.isdecimal() for tag in session.custom_fields):
        return "custom_fields are named by their tags"
    added = [*session.instrument_fields.items(), *session.order_fields.items()]
    for tag, value in added:
        if not tag.isdecimal() or not 0 < int(tag) < _TAG_LIMIT or not value.isascii() or not value.isprintable():
            return f"instrument_fields and order_fields are tags with printable values, not {tag} = {value!r}"
        if not value or int(tag) in _SAID or [other for other, _ in added].count(tag) > 1:
            return f"field {tag} is said already, or empty"
    return ""
