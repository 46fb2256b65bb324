"""Real processes: ready, signals, exit codes."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pykka
import pytest
import structlog
import zmq

from actors.bus import sockets
from actors.bus.pump import Outbox
from actors.process import Clock, Context, Running
from tests.conftest import ROOT

WAIT_LIMIT_S = 90

SCRIPT = """
import sys
import pykka
from actors import process
from actors.bus import sockets
from actors.bus.pump import Stop

class Host(pykka.ThreadingActor):
    def __init__(self, fails):
        super().__init__()
        self.fails = fails

    def on_receive(self, message):
        if self.fails == type(message).__name__:
            raise RuntimeError("broken")
        if isinstance(message, Stop):
            print("resting", message.now_ns > 0, flush=True)
        return []

def build(settings, endpoints, context):
    if sys.argv[1] == "build":
        raise OSError("nothing to build on")
    return process.Running(Host.start(sys.argv[1]), {"requests": sockets.router(context, endpoints.engine)}, 10)

process.run("host", build)
"""


@contextmanager
def running(command: list[str], run_dir: Path, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEDGEROW_")}
    environment |= {"PYTHONPATH": str(ROOT), "HEDGEROW_RUN_DIR": str(run_dir), **variables}
    run_dir.parent.mkdir(exist_ok=True)
    whole = [sys.executable, *command]
    pipe = subprocess.PIPE
    with subprocess.Popen(whole, cwd=run_dir.parent, env=environment, text=True, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def until_ready(process: "subprocess.Popen[str]") -> list[str]:
    """The lines up to the one that says so."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "event=ready" in line:
            return lines
    raise AssertionError("".join(lines))


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_asked_to_stop_brings_its_actor_to_rest_and_exits_0(
    tmp_path: Path, asked: signal.Signals
) -> None:
    with running(["-c", SCRIPT, "never"], tmp_path / "run") as process:
        until_ready(process)
        process.send_signal(asked)
        out, err = process.communicate(timeout=WAIT_LIMIT_S)
    assert (process.returncode, err) == (0, "")
    rest, stopped = out.splitlines()
    assert rest == "resting True"
    assert "event=stopped process=host" in stopped


@pytest.mark.parametrize("when", ["build", "Inbox", "Stop"])
def test_a_process_whose_actor_fails_exits_1_and_says_why(tmp_path: Path, when: str) -> None:
    """When it is built, in its work, and at the stop."""
    with running(["-c", SCRIPT, when], tmp_path / "run") as process:
        if when == "Stop":
            until_ready(process)
            process.terminate()
        out, _ = process.communicate(timeout=WAIT_LIMIT_S)
    assert process.returncode == 1
    assert "event=failed process=host" in out
    assert ("nothing to build on" if when == "build" else "RuntimeError: broken") in out


def test_a_process_with_a_wrong_setting_exits_2_with_one_line(tmp_path: Path) -> None:
    with running(["-c", SCRIPT, "never"], tmp_path / "run", HEDGEROW_HTTP_PORT="eighty") as process:
        out, err = process.communicate(timeout=WAIT_LIMIT_S)
    assert (process.returncode, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith("hedgerow: HEDGEROW_HTTP_PORT: ")


def test_the_clock_follows_the_machines_and_never_falls_or_stands_still() -> None:
    """Forward steps at once; after a step back at half speed until the machine's clock has caught up."""
    times = iter([(0, 0), (0, 1_000), (10, 1_010), (20, 5_020), (30, 4_990), (50, 5_010), (130, 5_090), (140, 5_100)])
    now = next(times)
    clock = Clock(0, lambda: now[1], lambda: now[0])
    seen = []
    for now in times:  # noqa: B007 (the clock reads it)
        seen.append(clock())
    assert seen == [1_000, 1_010, 5_020, 5_025, 5_035, 5_090, 5_100]
    assert Clock(9_000, lambda: now[1], lambda: now[0])() == 9_000


class Sender(pykka.ThreadingActor):
    def on_receive(self, message: Any) -> Outbox:
        return [("orders", [b"nobody is there"])]


def test_what_a_socket_did_not_take_is_in_the_log(tmp_path: Path) -> None:
    context: Context = zmq.Context()
    orders = sockets.dealer(context, f"ipc://{tmp_path}/nobody", only_connected=True)
    actor = Sender.start()
    with structlog.testing.capture_logs() as told:
        Running(actor, {"orders": orders}, 1).run(lambda: True)
    actor.stop()
    orders.close()
    context.term()
    assert told == [{"event": "counters", "log_level": "info", "unsent": 1}]


def test_the_run_directory_lets_others_pass_and_not_look(tmp_path: Path) -> None:
    with running(["-c", SCRIPT, "never"], tmp_path / "run") as process:
        until_ready(process)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "run", tmp_path / "run" / "sockets")]
    assert modes == [0o711, 0o700]


def test_a_second_process_of_a_name_leaves_the_sockets_to_the_first(tmp_path: Path) -> None:
    """A bind takes a socket's path away from whoever had it."""
    script = ["-c", SCRIPT, "never"]
    with running(script, tmp_path / "run") as first:
        until_ready(first)
        before = (tmp_path / "run" / "sockets" / "engine").stat().st_ino
        with running(script, tmp_path / "run") as second:
            assert second.wait(WAIT_LIMIT_S) == 1
        assert (tmp_path / "run" / "sockets" / "engine").stat().st_ino == before


def test_a_run_directory_that_is_none_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with running(["-c", SCRIPT, "never"], tmp_path / "file") as process:
        out, err = process.communicate(timeout=WAIT_LIMIT_S)
    said = f"hedgerow: HEDGEROW_RUN_DIR: {tmp_path / 'file'} cannot be used: Not a directory\n"
    assert (process.returncode, out, err) == (2, "", said)


def test_there_is_one_engine_to_a_run_directory(tmp_path: Path) -> None:
    """A second one ends at once; after a kill -9 the next one takes over, and so it does after a stop."""
    engine = ["-m", "actors.engine"]
    with running(engine, tmp_path / "run") as first:
        assert "event_seq=0" in "".join(until_ready(first))
        with running(engine, tmp_path / "run") as second:
            out, err = second.communicate(timeout=WAIT_LIMIT_S)
        said = f"hedgerow: engine runs in {tmp_path / 'run'} already, as process {first.pid}\n"
        assert (second.returncode, out, err) == (1, "", said)
    with running(engine, tmp_path / "run") as third:
        until_ready(third)
        third.terminate()
        assert third.wait(WAIT_LIMIT_S) == 0
    with running(engine, tmp_path / "run") as fourth:
        (recovered, _) = until_ready(fourth)
    assert "event=recovered event_seq=0 " not in recovered
    assert "accounts=1" in recovered
