"""The FIX benchmarks, small. Speed is not asserted."""

from pathlib import Path

import pytest

from tools.bench import fix_chain, fix_round_trip
from tools.bench.result import Spoiled

ORDERS = 200


def test_both_engines_answer_each_order(tmp_path: Path) -> None:
    pytest.importorskip("quickfix", reason="the interop extra is not installed")
    from tools.bench import fix_peer

    result = fix_round_trip.measure(
        tmp_path, lambda _words: None, name="small", orders=ORDERS, in_flight=10, rounds=1, peer=fix_peer
    )
    assert result.value > 0
    assert result.peer_value > 0
    assert result.extra["p50_us"] <= result.extra["p99_us"]


def test_a_missing_report_spoils_the_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fix_round_trip, "TIMEOUT_S", 0.5)
    with pytest.raises(Spoiled, match="deal"):
        fix_round_trip.dealt(tmp_path, fix_chain, 10**6, 1, True)
