"""The commands and programs of the documents, run as they stand against a real broker; the answers look as printed."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.conftest import ROOT
from tests.docs import documents
from tests.system.running import PATIENCE_S, Broker, eventually, until_dealable

MISSING = [tool for tool in ("bash", "curl", "jq") if shutil.which(tool) is None]
MARK = "--- next ---"
OPEN_KEYS = {"dropped"}
"""Objects whose keys are facts, not fields."""
MESSAGES_LIMIT = 1_000
"""On a socket, until everything must have come."""
SHAPES = (r"-?\d+(\.\d+)?", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
"""What text may look like: ids and decimals, times."""


@pytest.fixture(scope="module")
def broker(private_folder: Path) -> Iterator[Broker]:
    with Broker(private_folder / "docs" / "var") as broker:
        broker.wait_ready()
        with broker.client() as client:
            until_dealable(client)
        yield broker


def here(broker: Broker, text: str) -> str:
    """A command or a program with this broker's port and run directory, and this Python."""
    text = text.replace("localhost:8080", f"127.0.0.1:{broker.port}")
    text = text.replace('("localhost", 9880)', f'("127.0.0.1", {broker.fix_port})')
    text = text.replace("var/secrets/", f"{broker.run_dir}/secrets/")
    text = text.replace("var/credentials.json", str(broker.run_dir / "credentials.json"))
    return text.replace(".venv/bin/python", sys.executable)


def environment(broker: Broker) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEDGEROW_")}
    return {**kept, "HEDGEROW_RUN_DIR": str(broker.run_dir), "no_proxy": "*", "PYTHONUNBUFFERED": "1"}


def commands(text: str) -> list[str]:
    """The commands of a document that come to an end and ask the broker something."""
    blocks = [fence.text for fence in documents.fences(text) if fence.language == "sh"]
    return [text for text in blocks if not re.match(r"make |\.venv/bin/python", text)]


def run(broker: Broker, blocks: list[str]) -> list[list[Any]]:
    """What each block prints, as JSON values. One shell runs them all, so that variables last."""
    script = "set -euo pipefail\n" + f"echo '{MARK}'\n".join(here(broker, block) for block in blocks)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env=environment(broker),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [documents.json_values(printed) for printed in done.stdout.split(MARK)]


def check_shape(printed: Any, real: Any, path: str = "") -> None:
    """Fails where the real answer has other fields or kinds of values than the printed one. Null stands for any."""
    if printed is None or real is None:
        return
    assert type(printed) is type(real), f"{path}: {real!r}"
    if isinstance(printed, dict):
        if path.rpartition(".")[2] in OPEN_KEYS:
            return
        assert printed.keys() == real.keys(), path
        for key, value in printed.items():
            check_shape(value, real[key], f"{path}.{key}")
    elif isinstance(printed, list):
        assert bool(printed) == bool(real), f"{path}: {real!r}"
        for value in real:
            check_shape(printed[0], value, f"{path}[]")
    elif isinstance(printed, str):
        for shape in SHAPES:
            assert bool(re.fullmatch(shape, printed)) == bool(re.fullmatch(shape, real)), f"{path}: {real!r}"


@pytest.mark.skipif(bool(MISSING), reason=f"not here: apt-get install {' '.join(MISSING)}")
@pytest.mark.parametrize("times", [1, 2], ids=["first", "again"])
def test_commands_of_the_readme(broker: Broker, times: int) -> None:
    (answers,) = run(broker, commands(documents.read("README.md")))
    (answer,) = answers
    assert answer["order"]["client_order_id"] == "my-1"
    assert answer["order"]["status"] == "filled"


@pytest.mark.skipif(bool(MISSING), reason=f"not here: apt-get install {' '.join(MISSING)}")
def test_commands_of_the_api(broker: Broker) -> None:
    """Each block of JSON after a block of commands is what they print."""
    text = documents.api()
    answers = iter(run(broker, commands(text)))
    fences = documents.fences(text)
    compared = 0
    for fence, following in zip(fences, [*fences[1:], documents.Fence("", "")], strict=True):
        if fence.language != "sh":
            continue
        real = next(answers)
        if "TOKEN=" in fence.text:
            continue
        assert len(real) == fence.text.count("curl "), fence.text
        if following.language == "json":
            printed = documents.json_values(following.text)
            assert len(printed) == len(real)
            for one, other in zip(printed, real, strict=True):
                check_shape(one, other)
            compared += 1
        else:
            refusals = [answer["code"] for answer in real if isinstance(answer, dict) and answer.get("code")]
            assert refusals == []
    assert compared >= 10


def test_login(broker: Broker) -> None:
    (printed, *_) = [f for f in documents.fences(documents.read("docs/api/login.md")) if f.language == "json"]
    real = broker.ask("POST", "/login", json=broker.credentials("trader")).json()
    check_shape(json.loads(printed.text), real)


FOR_EVERYBODY = ("quotes", "depth", "bars", "account", "alerts")


def test_messages_of_the_socket(broker: Broker) -> None:
    """Every message that the document shows comes, and looks so."""
    text = documents.read("docs/api/websocket.md")
    shown = [value for f in documents.fences(text) if f.language == "json" for value in documents.json_values(f.text)]
    printed = {message["type"]: message for message in shown}
    assert set(printed) == {"quotes", "order", "fill", "position", "account"}
    seen: dict[str, Any] = {}
    with broker.client() as client, connect(f"ws://127.0.0.1:{broker.port}/ws") as socket:
        token = client.headers["Authorization"].removeprefix("Bearer ")
        asked = [{"op": "auth", "token": token}]
        for cell, _ in documents.tables(text, "request", ""):
            (request,) = documents.json_values(documents.words(cell)[0])
            if request["op"] == "ping" or (request["op"] == "subscribe" and request["channel"] in FOR_EVERYBODY):
                asked.append({name: value for name, value in request.items() if name != "since"})
        waiting = list(asked)
        for number, request in enumerate(asked):
            socket.send(json.dumps({**request, "id": number}))
        order = {"symbol": "EURUSD", "side": "sell", "type": "market", "quantity": "1000"}
        for _ in range(MESSAGES_LIMIT):
            message = json.loads(socket.recv(30))
            if "type" in message:
                seen[message["type"]] = message
            else:
                assert message == {"id": len(asked) - len(waiting), "ok": True}
                waiting.pop()
                if not waiting:
                    assert client.post("/order", json=order).status_code == 201
            if seen.keys() >= printed.keys():
                break
    assert seen.keys() >= printed.keys()
    for kind, message in printed.items():
        check_shape(message, seen[kind], kind)


def first_lines(broker: Broker, command: list[str], wanted: list[str]) -> None:
    """Starts a program that goes on until it is stopped, and waits until lines that match all of `wanted` came."""
    missing = list(wanted)
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(broker), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as program:
        assert program.stdout is not None
        lines: list[str] = []
        for line in program.stdout:
            lines.append(line)
            missing = [pattern for pattern in missing if not re.match(pattern, line)]
            if not missing:
                break
        program.terminate()
    assert missing == [], lines


def test_the_client_in_python(broker: Broker) -> None:
    (program,) = [f.text for f in documents.fences(documents.read("docs/api/websocket.md")) if f.language == "python"]
    wanted = [r"EURUSD \d+\.\d{5} \d+\.\d{5}$", r"\{'id': 3, 'ok': True\}", r"\{'type': 'account', "]
    first_lines(broker, [sys.executable, "-c", here(broker, program)], wanted)


def test_the_fix_client(broker: Broker) -> None:
    """It logs on, and its order is dealt, or refused for a reason of the market's."""
    (program,) = [f.text for f in documents.fences(documents.read("docs/fix.md")) if f.language == "python"]
    assert len([line for line in program.splitlines() if line and "import" not in line]) <= 20
    with broker.client("admin") as admin:
        eventually(lambda: "DEMO" in [one["id"] for one in admin.get("/admin/fix/sessions").json()["sessions"]])
    wanted = [r".*\|35=A\|", r".*\|35=8\|.*\|150=0\|", r".*\|35=8\|.*\|150=F\|.*\|32=1000\|"]
    first_lines(broker, [sys.executable, "-c", here(broker, program)], wanted)


def test_the_subscriber(broker: Broker) -> None:
    blocks = [f.text for f in documents.fences(documents.read("README.md")) if "tools.subscribe" in f.text]
    assert [block.split()[1:] for block in blocks] == [["-m", "tools.subscribe", "EURUSD"]]
    line = r"\d\d:\d\d:\d\d\.\d{3} EURUSD +\d\.\d{5} (OANDA|BINANCE) +\d\.\d{5} (OANDA|BINANCE) +\d{16}$"
    first_lines(broker, here(broker, blocks[0]).split(), [line])


def test_the_run_directory(broker: Broker) -> None:
    """The table of docs/operations.md has everything that is there, with its mode."""
    rows = documents.tables(documents.read("docs/operations.md"), "path", "what it is", "mode")
    told: dict[str, str] = {}
    for paths, _, modes in rows:
        names = [name.rstrip("/") for name in documents.words(paths)]
        told |= dict(zip(names, modes.split(", ") * (len(names) - modes.count(",")), strict=True))
    eventually(lambda: {path.name for path in broker.run_dir.iterdir()} >= told.keys())  # All have started.
    real = {path.name: f"{stat.S_IMODE(path.stat().st_mode):04o}" for path in broker.run_dir.iterdir()}
    assert told == real
