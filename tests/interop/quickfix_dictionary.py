"""Our dictionary in the XML form that QuickFIX reads, so that both ends check messages by the same facts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import gateway.fix.dictionary

_SESSION_TYPES = "012345A"
_SOURCE = Path(gateway.fix.dictionary.__file__).with_name("fix44.json")


class _Writer:
    def __init__(self, source: dict[str, Any]):
        self._source = source
        self._names = {tag: rule.split(" ")[0] for tag, rule in source["fields"].items()}

    def root(self) -> Element:
        root = Element("fix", major="4", minor="4", type="FIX", servicepack="0")
        for part in ("header", "trailer"):
            self._add(SubElement(root, part), self._words(self._source[part]))
        messages = SubElement(root, "messages")
        for kind, members in self._source["messages"].items():
            category = "admin" if kind in _SESSION_TYPES else "app"
            message = SubElement(messages, "message", name=f"Type{kind}", msgtype=kind, msgcat=category)
            self._add(message, self._words(members))
        for kind in self._source["fields"]["35"].split(" ")[2:]:
            if kind not in self._source["messages"]:
                SubElement(messages, "message", name=f"Type{kind}", msgtype=kind, msgcat="app")
        components = SubElement(root, "components")
        for name, members in self._source["components"].items():
            self._add(SubElement(components, "component", name=name), self._words(members))
        fields = SubElement(root, "fields")
        for tag, rule in self._source["fields"].items():
            name, kind, *values = rule.split(" ")
            field = SubElement(fields, "field", number=tag, name=name, type=kind)
            for value in values:
                SubElement(field, "value", enum=value, description=f"V{value}")
        return root

    @staticmethod
    def _words(members: str) -> Iterator[str]:
        return iter(members.replace("(", " ( ").replace(")", " ) ").split())

    def _add(self, parent: Element, words: Iterator[str]) -> None:
        """Up to the end or the closing bracket."""
        for word in words:
            if word == ")":
                return
            if word == "(":
                parent[-1].tag = "group"
                self._add(parent[-1], words)
                continue
            required = "Y" if word.endswith("!") else "N"
            name = word.removesuffix("!")
            if name.startswith("@"):
                SubElement(parent, "component", name=name[1:], required=required)
            else:
                SubElement(parent, "field", name=self._names[name], required=required)


def write(path: Path) -> None:
    root = _Writer(json.loads(_SOURCE.read_text("ascii"))).root()
    path.write_bytes(ElementTree.tostring(root))
