"""What the documents say is so: commands, settings, processes, codes, figures and links."""

import ast
import importlib.util
import re
import typing
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors import backlog, engine
from actors.answering import reports
from actors.bus import codec
from actors.domain import checks
from actors.domain.evolution.accounts import KEYS_LIMIT
from actors.domain.ledger import PostingKind
from actors.domain.order import OrderReason, OrderStatus, OrderType, Side
from actors.domain.refusal import Code
from actors.domain.remembered import REMEMBERED_IN_ALL, REMEMBERED_ORDERS
from actors.domain.revision import REVISED_TOGETHER
from actors.store import recorder
from config.settings import Settings
from tests.conftest import ROOT
from tests.docs import documents
from tests.system import test_drill
from tools.venues.recording import find_recordings
from web import app, routes
from web.auth import allowance
from web.auth.allowance import ADDRESS, USER
from web.handling import connected, dealing, handler
from web.live import recent, requests
from web.payloads import problem, schema
from web.trading import history
from web.ws import channels, outlet, stream

API = documents.api()
OPERATIONS = documents.read("docs/operations.md")
ARCHITECTURE = documents.read("docs/architecture.md")
PROTOCOL = documents.read("actors/bus/PROTOCOL.md")
PROCFILE = dict(line.split(": ", 1) for line in documents.read("Procfile").splitlines())


def all_code() -> list[str]:
    return [code for name in documents.documents() for code in documents.code(documents.read(name))]


@pytest.mark.parametrize("name", documents.documents(), ids=str)
def test_links_lead_somewhere(name: Path) -> None:
    astray = []
    for link in documents.links(documents.read(name)):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        path = (ROOT / name).parent / target if target else ROOT / name
        if not path.exists() or (anchor and anchor not in documents.anchors(path.read_text(encoding="utf-8"))):
            astray.append(link)
    assert astray == []


def test_make_targets_exist() -> None:
    named = {target for code in all_code() for target in re.findall(r"^make ([a-z]+)", code, re.MULTILINE)}
    assert {"run", "test", "check", "bench"} <= named
    assert named <= set(re.findall(r"^([a-z]+):", documents.read("Makefile"), re.MULTILINE))


def test_python_modules_exist() -> None:
    named = {module for code in all_code() for module in re.findall(r"python -m ([\w.]+)", code)}
    assert "tools.subscribe" in named
    for module in named:
        spec = importlib.util.find_spec(module)
        assert spec is not None, module
        if spec.submodule_search_locations:
            assert importlib.util.find_spec(f"{module}.__main__"), module


def test_files_exist() -> None:
    """Paths with a folder, in our folders, that a document sets as code."""
    ours = "actors|config|docs|gateway|tests|tools|web"
    named = {path for code in all_code() for path in re.findall(rf"\b(?:{ours})/[\w./*-]*", code)}
    assert "config/lps.toml" in named
    assert [path for path in sorted(named) if not list(ROOT.glob(path.rstrip("/")))] == []


def setting(name: str) -> str:
    return "DATABASE_URL" if name == "database_url" else f"HEDGEROW_{name.upper()}"


def as_text(default: Any) -> str:
    if default is None:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(default)
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_settings_and_their_defaults() -> None:
    rows = documents.tables(OPERATIONS, "setting", "default", "what it is")
    told = {documents.words(name)[0]: (documents.words(default) or [""])[0] for name, default, _ in rows}
    assert told == {setting(name): as_text(field.default) for name, field in Settings.model_fields.items()}


def test_settings_that_any_document_names_exist() -> None:
    named = {name for code in all_code() for name in re.findall(r"\bHEDGEROW_[A-Z_]*[A-Z]", code)}
    assert named <= {setting(name) for name in Settings.model_fields}


def test_words_of_settings_are_all_told() -> None:
    for name, field in Settings.model_fields.items():
        choices = typing.get_args(field.annotation) if typing.get_origin(field.annotation) is typing.Literal else ()
        for choice in choices:
            assert f"`{choice}`" in OPERATIONS, name


def test_processes_are_those_of_the_procfile() -> None:
    rows = documents.tables(ARCHITECTURE, "process", "module", "does")
    modules = {name: documents.words(module)[0] for names, module, _ in rows for name in documents.words(names)}
    assert list(modules) == list(PROCFILE)
    for name, path in modules.items():
        module = PROCFILE[name].split()[2]
        assert path.removesuffix(".py").rstrip("/").replace("/", ".") == module


def told_codes() -> dict[str, str]:
    """The statuses of each code, as docs/api/problems.md has them."""
    rows = documents.tables(API, "code", "status", "what to do") + documents.tables(API, "code", "status", "about")
    return {code: status for cell, status, _ in rows for code in documents.words(cell)}


def test_recordings_of_the_readme(tmp_path: Path) -> None:
    """The file that it names, with the header that it gives for such a name, and any other with the longer header."""
    said = documents.code(documents.read("README.md"))
    (name,) = [code.removeprefix("HEDGEROW_TICKS=") for code in said if code.startswith("HEDGEROW_TICKS=")]
    short, long = [code for code in said if code.startswith("time,")]
    (tmp_path / name).write_text(f"{short}\n2020-01-01T22:00:00Z,1.1,1.2\n")
    (tmp_path / "any.csv").write_text(f"{long}\n2020-01-01T22:00:00Z,GBPUSD,1.3,1.4\n")
    found = find_recordings([tmp_path])
    assert sorted(symbol for recording in found for symbol in recording.symbols) == ["EURUSD", "GBPUSD"]


def codes_of_web() -> dict[str, str]:
    """The codes that web/ gives to problems of its own, from its source, with their statuses ("" where they vary)."""
    found: dict[str, str] = {}
    for path in [*ROOT.glob("web/*.py"), *ROOT.glob("web/*/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name == "unauthorised":
                found |= {ast.literal_eval(default): "401" for default in node.args.defaults}
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).split(".")[-1]
            given = [each.value if isinstance(each, ast.Constant) else "" for each in node.args]
            if name == "Problem" and given[1]:
                found[str(given[1])] = str(given[0])
            elif name == "unauthorised" and len(given) > 1:
                found[str(given[1])] = "401"
    return found


def test_codes_and_statuses() -> None:
    told, of_web = told_codes(), codes_of_web()
    domain = {code.value: str(problem.of_code(code.value, "").status_code) for code in Code}
    assert set(told) == domain.keys() | of_web.keys()
    assert {code: told[code] for code in domain} == domain
    own = {code: status for code, status in of_web.items() if code not in domain and status}
    assert {code: told[code] for code in own} == own
    assert len(own) > 10


def test_every_address_is_told() -> None:
    for path in [route.path for route in routes.API]:
        address = re.sub(r"\([^)]*\)", lambda _: r"[\w-]+", path)
        assert re.search(rf"(localhost:8080|POST |PUT |GET |DELETE |PATCH ){address}[ ?`\"\n]", API), path


@pytest.mark.parametrize("words", [OrderReason, OrderStatus, OrderType, PostingKind, Side])
def test_words_of_the_domain_are_told(words: type[Enum]) -> None:
    assert [word.value for word in words if f"`{word.value}`" not in API] == []


def test_close_codes() -> None:
    too_big = 1009  # RFC 6455, section 7.4.1
    ours = [
        connected.GOING_AWAY,
        too_big,
        connected.UNAUTHORISED,
        connected.SILENT,
        stream.TOO_SLOW,
        connected.IDLE,
        connected.EVENTS_LOST,
    ]
    assert [int(code) for code, _ in documents.tables(API, "close code", "")] == ours


def test_operations_of_the_socket() -> None:
    tags = {kind.__struct_config__.tag for kind in typing.get_args(requests.Request)}
    told = [documents.json_values(documents.words(cell)[0])[0] for cell, _ in documents.tables(API, "request", "")]
    assert {request["op"] for request in told} == tags
    assert {request["channel"] for request in told if request["op"] == "subscribe"} == set(requests.Channel)
    for request in told:
        msgspec.convert(request, requests.Request)


def test_fields_of_an_order() -> None:
    told = [name for cell, _ in documents.tables(API, "field", "") for name in documents.words(cell)]
    assert sorted(told) == sorted(schema.PlaceOrder.__struct_fields__)


MS_NS = 1_000_000


@pytest.mark.parametrize(
    ("document", "figure"),
    [
        (API, f"has at most {handler.BODY_LIMIT_BYTES:,} bytes"),
        (API, f"your message had more than {routes.MESSAGE_LIMIT_BYTES:,} bytes"),
        (API, f"last {REMEMBERED_ORDERS:,} orders"),
        (API, f"{REMEMBERED_IN_ALL:,} of all accounts"),
        (API, f"`limit` is 1 to {schema.HISTORY_LIMIT} (100 without it)"),
        (API, f"`limit` (1 to {schema.BARS_LIMIT:,}; 500 without it)"),
        (API, f"`limit` (1 to {schema.TICKS_LIMIT:,}; 500 without it)"),
        (API, " or ".join(", ".join(f"`{name}`" for name in history.TIMEFRAME_MINUTES).rsplit(", ", 1))),
        (API, f"not answered for {dealing.COMMAND_TIMEOUT_MS // 1_000} s"),
        (API, f"within {stream.AUTH_LIMIT_S} s of connecting"),
        (API, f"of 1 to {requests.SYMBOLS_LIMIT} symbols"),
        (API, f"at most {requests.RATE_LIMIT} times a second"),
        (API, f"(1 to {requests.RATE_LIMIT} a second)"),
        (API, f"{outlet.UNSENT_LIMIT_BYTES // 2**20} MiB waited for you"),
        (API, f"pings whom it has not heard of for {connected.PING_AFTER_S} s"),
        (API, f"asked nothing for {connected.IDLE_LIMIT_S // 60} minutes"),
        (API, f"last {recent.RECENT_EVENTS_LIMIT:,} events"),
        (API, f"sending {app.RATES_PER_S[USER]} requests a second"),
        (API, f"address {app.RATES_PER_S[ADDRESS]}, with a burst of {allowance.BURST_S} s"),
        (API, f"read on {stream.REFUSED_PAUSE_S} s later"),
        (API, f"follows {channels.ACCOUNTS_LIMIT:,} accounts and alerts"),
        (OPERATIONS, f"last {REMEMBERED_ORDERS:,} orders"),
        (OPERATIONS, f"{REMEMBERED_IN_ALL:,} of all accounts"),
        (OPERATIONS, f"{KEYS_LIMIT:,} keys of money"),
        (OPERATIONS, f"the last {recorder.TICKS_BUFFERED_MAX:,} wait"),
        (ARCHITECTURE, f"for {REVISED_TOGETHER} accounts and symbols"),
        (ARCHITECTURE, f"wait up to {engine.TICKS_WAIT_NS // MS_NS} ms"),
        (ARCHITECTURE, f"at most {checks.STREAM_SILENCE_LIMIT_NS // (1_000 * MS_NS)} s ago"),
        (PROTOCOL, f"up to {reports.REPLIES_PER_MESSAGE} replies"),
        (PROTOCOL, f"at most {codec.MAX_FRAME_BYTES // 2**20} MiB"),
        (PROTOCOL, f"({backlog.BACKLOG_TICKS:,} ticks a symbol, {backlog.FRAME_TICKS:,} an answer)"),
    ],
)
def test_figures(document: str, figure: str) -> None:
    assert figure in " ".join(document.split())


def test_each_fault_of_the_drill_is_told() -> None:
    section = OPERATIONS.partition("## What is seen when an LP is at fault")[2].partition("\n## ")[0]
    told = [row.split(" | ")[0].removeprefix("| ") for row in section.splitlines() if row.startswith("| ")][1:]
    drilled = [name.removeprefix("test_") for name in vars(test_drill) if name.startswith("test_")]
    assert [re.sub(r"\W", "_", fault.lower()) for fault in told] == drilled
