"""The measurements of the REST API, small."""

from pathlib import Path

import pytest

from tools.bench import http, http_chain
from tools.bench.http_chain import Answered, Load
from tools.bench.result import Spoiled

REQUESTS = 300


def quiet(_: str) -> None:
    """Nobody waits."""


def forgetful(load: Load, echoed: bytes) -> Answered:
    """Says that it was answered once more often than it asked."""
    seconds, as_wanted, latencies_ns = http_chain.client(load._replace(requests=load.requests - 1), echoed)
    return Answered(seconds, as_wanted + 1, latencies_ns)


@pytest.mark.parametrize("kind", ["order", "positions"])
def test_each_request_is_answered(tmp_path: Path, kind: str) -> None:
    result = http.measure(kind, tmp_path, quiet, requests=REQUESTS, connections=5, rounds=1)
    assert (result.name, result.extra["requests"]) == (f"http_{kind}", REQUESTS)
    assert {"p50_us", "p99_us", "peer_p99_us"} <= result.extra.keys()


def test_an_acknowledged_order_that_the_journal_lacks_spoils_http_order(tmp_path: Path) -> None:
    with pytest.raises(Spoiled, match=f"the journal has {REQUESTS - 1} of {REQUESTS} orders"):
        http.measure("order", tmp_path, quiet, requests=REQUESTS, connections=5, rounds=1, client=forgetful)


def test_two_web_processes_are_one_broker(tmp_path: Path) -> None:
    result = http.measure_scale(tmp_path, quiet, requests=REQUESTS, connections=20, rounds=1)
    assert (result.name, result.extra["web_processes"]) == ("http_scale", 2)
    assert {"p99_us", "peer_p99_us"} <= result.extra.keys()
