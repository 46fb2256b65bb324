"""The FIX benchmarks, small. Speed is not asserted."""

from pathlib import Path

import pytest

from tools.bench import fix_chain, fix_codec, fix_round_trip
from tools.bench.result import Rounds, Run, Spoiled

ORDERS = 200


def test_both_engines_answer_each_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("quickfix", reason="the interop extra is not installed")
    from tools.bench import fix_peer

    monkeypatch.setattr(fix_round_trip, "WARM_UP_ORDERS", 20)
    result = fix_round_trip.measure(
        tmp_path, lambda _words: None, name="small", orders=ORDERS, in_flight=10, rounds=1, peer=fix_peer
    )
    assert result.value > 0
    assert result.peer_value > 0
    assert result.extra["p50_us"] <= result.extra["p99_us"]
    assert result.extra["unsynced_per_second"] > 0
    assert result.extra["sync_limit_per_second"] > 0


def test_the_round_with_the_middle_ratio_counts() -> None:
    def run(prefix: str, per_second: int, p99_us: int) -> Run:
        return Run(per_second, 1.0, {f"{prefix}p99_us": p99_us})

    ours = [run("", 100, 1), run("", 300, 2), run("", 200, 3)]
    peers = [run("peer_", 100, 4), run("peer_", 100, 5), run("peer_", 100, 6)]
    result = fix_round_trip._middle("small", Rounds(ours, peers), {"orders": 9})
    assert (result.value, result.peer_value, result.ratio) == (200, 100, 2)
    assert result.extra == {
        "orders": 9,
        "p99_us": 3,
        "peer_p99_us": 6,
        "values": [100, 300, 200],
        "peer_values": [100, 100, 100],
        "p99s_us": [1, 2, 3],
        "peer_p99s_us": [4, 5, 6],
    }


def test_a_missing_report_spoils_the_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fix_round_trip, "TIMEOUT_S", 0.5)
    with pytest.raises(Spoiled, match="deal"):
        fix_round_trip.dealt(tmp_path, fix_chain, 10**6, 1, True)


def test_both_codecs_make_the_same_of_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = fix_codec.measure(tmp_path, lambda _words: None, messages=10, rounds=1)
    assert result.extra["message_bytes"] > 200
    monkeypatch.setattr(fix_codec, "_peer_encoded", lambda: b"")
    with pytest.raises(Spoiled, match="the same"):
        fix_codec.measure(tmp_path, lambda _words: None, messages=10, rounds=1)
