"""The project's Markdown, taken apart as far as its tests need: fenced blocks, tables, inline code, links, headings."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from tests.conftest import ROOT

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ELSEWHERE = {"node_modules", "var", "build"}


API_PAGES = ("", "/login", "/trading", "/account", "/websocket", "/staff", "/problems")
"""Below docs/api, in the order in which their commands are meant."""


class Fence(NamedTuple):
    """A fenced block: its language (empty where it has none), and the text in it."""

    language: str
    text: str


def documents() -> list[Path]:
    """Every Markdown file of the project, relative to its root."""
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    return sorted(path for path in found if not any(p in _ELSEWHERE or p.startswith(".") for p in path.parts))


def read(name: str | Path) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def api() -> str:
    """All pages about the API."""
    return "\n".join(read(f"docs/api{page}.md") for page in API_PAGES)


def fences(text: str) -> list[Fence]:
    return [Fence(*match) for match in _FENCE.findall(text)]


def code(text: str) -> list[str]:
    """Everything that is set as code: fenced blocks and what stands between backticks."""
    return [fence.text for fence in fences(text)] + re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))


def tables(text: str, *header: str) -> list[list[str]]:
    """The rows of all tables with this header, cell by cell."""
    rows: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if cells == list(header):
            inside = True
        elif not cells:
            inside = False
        elif inside and set("".join(cells)) != {"-"}:
            rows.append(cells)
    return rows


def words(cell: str) -> list[str]:
    """What is set as code in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def links(text: str) -> list[str]:
    """The targets of links and pictures."""
    return re.findall(r"\]\(([^)\s]+)\)", _FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """What `#…` may name: each heading in lower case, without punctuation, with hyphens for blanks."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def json_values(text: str) -> list[Any]:
    """The JSON values that follow one another in a text."""
    values = []
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        values.append(value)
        text = text[end:]
    return values
