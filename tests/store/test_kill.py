"""kill -9 at any moment of an engine that begins new files, and of the keeper that compresses them."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from actors.store import keeper, segments, snapshots
from actors.store.journal import Journal
from tests.conftest import ROOT
from tools.verify import verify

ROUNDS = 12
WRITER = """
import sys
from pathlib import Path
from actors.domain.order import Side
from actors.store import journal as journals
from tests.examples import order, trading_inputs
from tests.store.turns import live
journals.SEGMENT_LIMIT_BYTES = 8_000
journal = journals.Journal(Path(sys.argv[1]))
state = journal.recover().state
if not state.accounts:
    live(journal, state, trading_inputs("1000000"))
while True:
    live(journal, state, [order("EURUSD", Side.BUY, "1", f"{state.event_seq}-{part}") for part in range(3)])
    print(state.event_seq, flush=True)
"""
KEEPER = """
import sys
from pathlib import Path
from actors.store import keeper
print("keeping", flush=True)
while True:
    keeper.keep(Path(sys.argv[1]))
"""


def test_nothing_that_was_acknowledged_is_lost_whenever_the_processes_are_killed(tmp_path: Path) -> None:
    path, chance, acknowledged = tmp_path / "engine.sqlite", random.Random(5), 0
    for round_number in range(ROUNDS):
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            acknowledged = int(writer.stdout.readline())
            keeping = [sys.executable, "-c", KEEPER, str(path)]
            with subprocess.Popen(keeping, cwd=ROOT, stdout=subprocess.PIPE, text=True) as keeps:
                assert keeps.stdout is not None
                assert keeps.stdout.readline() == "keeping\n"
                time.sleep(chance.uniform(0.2, 0.5))
                assert writer.poll() is keeps.poll() is None
                for kill in chance.sample([writer.kill, keeps.kill], 2):
                    kill()
            for line in writer.stdout:
                acknowledged = int(line) if line.endswith("\n") else acknowledged
        assert writer.returncode == keeps.returncode == -signal.SIGKILL
        found = verify(path, lambda done, whole: None)
        assert acknowledged <= found.events <= acknowledged + 3
        journal = Journal(path)
        recovered = journal.recover()
        journal.close()
        assert not recovered.faults
        assert snapshots.state_hash(recovered.state) == found.state_hash
        if round_number in (0, ROUNDS - 1):
            keeper.keep(path)  # to its end, which on a slow machine no other may have reached
    suffixes = [segment.path.suffix for segment in segments.listed(path)]
    assert suffixes.count(segments.ARCHIVE) > ROUNDS
    assert len(snapshots.listed(path)) == snapshots.SNAPSHOTS_KEPT
