"""The description of the API against a broker that runs: nothing is answered that it does not say."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.running import ROOT, Broker

ALL_PHASES = "examples,coverage,fuzzing,stateful"
EXAMPLES = 8
"""Of each operation and phase."""
SEED = 34954923240261420017003206952516029371
"""The same requests each time, as far as the answers are the same: what is found is found again."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("spec")
    plenty = "1000000"
    limits = {"HEDGEROW_USER_REQUESTS_PER_SECOND": plenty, "HEDGEROW_ADDRESS_REQUESTS_PER_SECOND": plenty}
    with Broker(folder / "run" / "var", **limits) as running:
        running.wait_ready()
        yield running


@pytest.mark.parametrize(
    ("role", "operations", "phases"),
    [
        # /logout by itself: else the rest would be said without a session. No link leads there.
        ("trader", "--exclude-path-regex=^/logout", ALL_PHASES),
        ("trader", "--include-path-regex=^/logout", "coverage,fuzzing"),
        # Who may take all LPs out of the registry has /health/ready answer 503, as it should.
        ("admin", "--exclude-path-regex=^/logout|^/health/ready$", ALL_PHASES),
    ],
)
@pytest.mark.timeout(600)
def test_the_description_holds(broker: Broker, role: str, operations: str, phases: str, tmp_path: Path) -> None:
    """All of Schemathesis' checks: examples, edge cases, random requests, and chains of them by the links."""
    with broker.client(role) as client:
        arguments = [
            "--no-color",
            f"--config-file={ROOT / 'tests/system/schemathesis.toml'}",
            "run",
            f"{broker.url}/openapi.json",
            f"--header=Authorization:{client.headers['Authorization']}",
            f"--phases={phases}",
            f"--max-examples={EXAMPLES}",
            "--generation-database=none",
            f"--seed={SEED}",
            "--continue-on-failure",
            operations,
        ]
        ran = subprocess.run(
            [Path(sys.executable).parent / "schemathesis", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        # It was asked as this role until the end, and links were followed.
        assert client.get("/symbols").status_code == (200 if phases == ALL_PHASES else 401)
        followed = re.search(r"API Links: +([0-9]+) covered", ran.stdout)
        assert phases != ALL_PHASES or (followed and int(followed[1]) > 0), ran.stdout
    failed = [line for line in broker.log("web").splitlines() if "request failed" in line]
    assert failed == []
