"""Writes gateway/fix/fix44.json from a FIX dictionary in QuickFIX's XML form.

    python -m tools.fix_dictionary FIX44.xml gateway/fix/fix44.json

`gateway/fix/dictionary.py` describes the form that it writes. Of the messages it takes those that Hedgerow uses.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

MESSAGE_TYPES = """
    0 1 2 3 4 5 A
    D F G H AF q r 8 9
    V W X Y c d x y g h
    AN AO AP AD AE AQ AR BB BA BG
    j
"""


class Dictionary:
    """One XML file, and the compact form of its parts."""

    def __init__(self, root: Element):
        self._root = root
        self._numbers = {field.attrib["name"]: field.attrib["number"] for field in root.findall("fields/field")}
        self._components = {part.attrib["name"]: part for part in root.findall("components/component")}

    def compact(self) -> dict[str, object]:
        messages = {part.attrib["msgtype"]: part for part in self._root.findall("messages/message")}
        chosen = {kind: self._members(messages[kind]) for kind in MESSAGE_TYPES.split()}
        return {
            "begin_string": f"FIX.{self._root.attrib['major']}.{self._root.attrib['minor']}",
            "header": self._members(_only(self._root, "header")),
            "trailer": self._members(_only(self._root, "trailer")),
            "components": dict(sorted(self._used(list(chosen.values())).items())),
            "messages": chosen,
            "fields": {field.attrib["number"]: _field(field) for field in self._root.findall("fields/field")},
        }

    def _members(self, parent: Element) -> str:
        return " ".join(self._member(child) for child in parent)

    def _member(self, child: Element) -> str:
        name = child.attrib["name"]
        required = "!" if child.attrib["required"] == "Y" else ""
        if child.tag == "component":
            return f"@{name}{required}"
        group = f"({self._members(child)})" if child.tag == "group" else ""
        return f"{self._numbers[name]}{required}{group}"

    def _used(self, texts: list[str]) -> dict[str, str]:
        """The components that the texts name, and those that they name in turn."""
        used: dict[str, str] = {}
        while texts:
            for word in texts.pop().replace("(", " ").replace(")", " ").replace("!", "").split():
                name = word.removeprefix("@")
                if word.startswith("@") and name not in used:
                    used[name] = self._members(self._components[name])
                    texts.append(used[name])
        return used


def _only(root: Element, name: str) -> Element:
    part = root.find(name)
    if part is None:
        raise SystemExit(f"the dictionary has no {name}")
    return part


def _field(field: Element) -> str:
    values = [value.attrib["enum"] for value in field.findall("value")]
    return " ".join([field.attrib["name"], field.attrib["type"], *values])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("xml", type=Path)
    parser.add_argument("json", type=Path)
    options = parser.parse_args(arguments)
    root = ElementTree.parse(options.xml).getroot()  # noqa: S314 - the developer's own file
    options.json.write_text(json.dumps(Dictionary(root).compact(), indent=1) + "\n", encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
