"""The command: runs measurements, prints their table, and writes files on request (see README and `make bench`)."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from config import settings as config
from tools.bench import report
from tools.bench.registry import MEASUREMENTS
from tools.bench.result import Spoiled


def main(argv: Sequence[str]) -> int:
    """0, or 1 where a result does not count: nothing is written then."""
    options = _options(argv)
    names = list(dict.fromkeys(options.names)) or list(MEASUREMENTS)
    run_dir = config.load().run_dir
    run_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
    results = []
    try:
        for name in names:
            with tempfile.TemporaryDirectory(prefix="bench-", dir=run_dir) as folder:
                results.append(MEASUREMENTS[name].run(Path(folder), _say))
    except Spoiled as fault:
        _say("")
        print(f"bench: {name} does not count: {fault}", file=sys.stderr)
        return 1
    _say("")
    print(report.table(results))
    if options.json:
        options.json.write_text(report.as_json(results), encoding="utf-8")
    if options.markdown:
        today = datetime.now(UTC).date()
        page = report.markdown(results, MEASUREMENTS, report.machine(), today)
        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text(page, encoding="utf-8")
    return 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    known = ", ".join(MEASUREMENTS)
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description="Measures how fast the broker is.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {known} (all without a name)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the page of all results there")
    options = parser.parse_args(argv)
    for name in options.names:
        if name not in MEASUREMENTS:
            _refuse(f"there is no measurement {name!r}; there are: {known}")
    if options.markdown and options.names:
        _refuse("--markdown writes the page of all measurements: give no names")
    return options


def _refuse(sentence: str) -> None:
    print(f"bench: {sentence}", file=sys.stderr)
    raise SystemExit(2)


def _say(words: str) -> None:
    """Progress, on one line of a terminal; nothing where stderr is none."""
    if sys.stderr.isatty():
        print(f"\r\x1b[2K{words}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
