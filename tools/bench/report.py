"""Results as a table for the terminal, as JSON, and as docs/benchmarks.md."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from tools.bench.result import Measurement, Result

HEADINGS = ("measurement", "value", "peer", "ratio", "all rounds", "the peer's", "latency")
PERCENTILES = ("p50", "p99")


def table(results: Sequence[Result]) -> str:
    """In columns, for a terminal."""
    rows = [HEADINGS, *(_row(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def as_json(results: Sequence[Result]) -> str:
    return json.dumps([result.as_json() for result in results], indent=2) + "\n"


def markdown(results: Sequence[Result], measurements: Mapping[str, Measurement], machine: str, day: date) -> str:
    """The whole page: the table, the machine, and what each measurement is."""
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *(_row(result) for result in results)]
    parts = [
        "# Benchmarks",
        "`make bench` measures and writes this page. Each value is the best of a few rounds in which ours and the peer "
        "take turns, or the middle one where that is said; a result that fails its check is not written down. How far "
        "the rounds lie apart shows how quiet the machine and its disk were.",
        f"{day.isoformat()}, on {machine}.",
        "\n".join(f"| {' | '.join(row)} |" for row in rows),
        *(f"## {result.name}\n\n{measurements[result.name].about}" for result in results),
    ]
    return "\n\n".join(parts) + "\n"


def machine() -> str:
    """Processor, cores and Python of this machine."""
    return f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _row(result: Result) -> tuple[str, ...]:
    return (
        result.name,
        f"{result.value:,.0f} {result.unit}",
        f"{result.peer_value:,.0f} {result.unit}, {result.peer}",
        f"{result.ratio:.3f}",
        _thousands(result.extra["values"]),
        _thousands(result.extra["peer_values"]),
        "; ".join(text for text in (_percentiles(result, ""), _percentiles(result, "peer_")) if text),
    )


def _percentiles(result: Result, whose: str) -> str:
    keys = [key for key in PERCENTILES if f"{whose}{key}_us" in result.extra]
    text = ", ".join(f"{key} {result.extra[f'{whose}{key}_us'] / 1_000:.1f} ms" for key in keys)
    return f"the peer's {text}" if whose and text else text


def _thousands(values: Sequence[int]) -> str:
    return " ".join(f"{value / 1_000:,.0f}k" if value >= 1_000 else str(value) for value in values)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
