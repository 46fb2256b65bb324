"""Fuzzes a parser by coverage with atheris (the `fuzz` extra), until something is raised or the time is over.

    python -m tests.fuzz TARGET [--seconds 60]

The input that breaks it is written to a file `crash-...`, and played again by `python -m tests.fuzz TARGET FILE`.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gateway"]):
    from tests.fuzz.corpus import CORPUS
    from tests.fuzz.targets import TARGETS

INPUT_LIMIT_BYTES = 4_096


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    target = TARGETS[options.target]
    if options.file:
        target(options.file.read_bytes())
        return
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(CORPUS[options.target]):
            (Path(folder) / str(number)).write_bytes(data)
        limits = [f"-max_total_time={options.seconds}", f"-max_len={INPUT_LIMIT_BYTES}", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *limits, folder], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
