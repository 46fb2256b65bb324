"""Fuzzes a parser: `python -m tools.fuzz NAME [--minutes N]`; without a name it says which there are.

Begins with tests/fuzz/corpus/NAME. What leads somewhere new is added to fuzz/NAME of the run directory, an input that
breaks the parser's contract is left there as crash-…; the exit code is 77 then. Needs the extra `fuzz` (atheris).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from config import settings as config

CORPUS = Path(__file__).parent.parent.parent / "tests" / "fuzz" / "corpus"
INPUT_LIMIT_BYTES = 4_096
INPUT_LIMIT_S = 5


def main(arguments: Sequence[str]) -> int:
    try:
        import atheris
    except ImportError:
        print("fuzz: atheris is not installed: pip install -e '.[fuzz]'", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["actors.domain.money", "gateway", "tools.fuzz"]):
        from tools.fuzz.targets import TARGETS
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description="Fuzzes a parser of what strangers send.")
    parser.add_argument("name", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=1.0)
    options = parser.parse_args(arguments)
    found = config.load().run_dir / "fuzz" / options.name
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    atheris.Setup(
        [
            "fuzz",
            str(found),
            str(CORPUS / options.name),
            f"-max_total_time={round(options.minutes * 60)}",
            f"-max_len={INPUT_LIMIT_BYTES}",
            f"-timeout={INPUT_LIMIT_S}",
            f"-artifact_prefix={found}/",
            "-print_final_stats=1",
        ],
        TARGETS[options.name],
    )
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
