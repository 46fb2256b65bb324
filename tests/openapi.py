"""A Swagger 2 document as a judge: whether a request may be sent, and whether an answer is one that it describes.

Stricter than the document itself: what it does not name is refused, and its formats in prose are patterns here.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jsonschema

_OF_HTTP = {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"}
_EVERYWHERE = {"accept-datetime-format"}
"""OANDA's own client sends it with every request."""
_PATTERNS = {
    "A decimal number": r"^-?\d+(\.\d+)?$",
    "The RFC 3339": r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z|\d{1,10}\.\d{9})$",
    "A string containing the base": r"^[A-Z0-9]+_[A-Z0-9]+$",
    '"-"-delimited': r"^\d+-\d+-\d+-\d+$",
    "String representation of the numerical": r"^\d+$",
    "A string containing an ISO 4217": r"^[A-Z]{3}$",
    "The string 'Bearer '": r"^Bearer \S+$",
}
_OPEN = {"Order", "OrderRequest", "Transaction"}
"""Definitions that are only the common part of what is really sent."""


class Document:
    def __init__(self, path: Path):
        self._whole = json.loads(path.read_text(encoding="utf-8"))
        self._definitions = {
            name: _strict(schema, name in _OPEN) for name, schema in self._whole["definitions"].items()
        }

    def check_request(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        """`target` as in the request line. Raises AssertionError or jsonschema's ValidationError."""
        parts = urlsplit(target)
        operation, values = self._operation(method, parts.path.removeprefix(self._whole["basePath"]))
        given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        allowed = [self._resolved(parameter, "parameters") for parameter in operation.get("parameters", [])]
        named: dict[str, Mapping[str, str]] = {
            "query": given,
            "path": values,
            "header": {name.lower(): value for name, value in headers.items()},
        }
        for parameter in allowed:
            place, name = parameter["in"], parameter["name"]
            if place == "body":
                self.check(json.loads(body), parameter["schema"])
                continue
            key = name.lower() if place == "header" else name
            assert key in named[place] or not parameter.get("required"), f"{name} is required"
            if key in named[place]:
                self.check(_typed(named[place][key], parameter), _strict(_schema_of(parameter)))
        known = {(parameter["in"], parameter["name"].lower()) for parameter in allowed}
        assert {("query", name.lower()) for name in given} <= known, f"not in the document: {sorted(given)}"
        assert {("header", name) for name in named["header"].keys() - _OF_HTTP - _EVERYWHERE} <= known, sorted(
            named["header"]
        )
        assert body == b"" or any(place == "body" for place, _ in known), "a body that nobody asked for"

    def check_answer(self, method: str, path: str, status: int, body: Any) -> None:
        operation, _ = self._operation(method, path)
        responses = operation["responses"]
        assert str(status) in responses, f"HTTP {status} is not in the document for {method} {path}"
        self.check(body, self._resolved(responses[str(status)], "responses")["schema"])

    def check_definition(self, name: str, value: Any) -> None:
        self.check(value, {"$ref": f"#/definitions/{name}"})

    def check(self, value: Any, schema: Mapping[str, Any]) -> None:
        whole = {**_strict(schema), "definitions": self._definitions}
        jsonschema.Draft4Validator(whole).validate(value)

    def _operation(self, method: str, path: str) -> tuple[dict[str, Any], dict[str, str]]:
        fitting: list[tuple[int, dict[str, Any], dict[str, str]]] = []
        for template, operations in self._whole["paths"].items():
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
            if (match := re.fullmatch(pattern, path)) and method.lower() in operations:
                values = {name: unquote(value) for name, value in match.groupdict().items()}
                fitting.append((len(values), operations[method.lower()], values))
        assert fitting, f"{method} {path} is not in the document"
        _, operation, values = min(fitting, key=lambda entry: entry[0])
        return operation, values

    def _resolved(self, entry: dict[str, Any], kind: str) -> dict[str, Any]:
        if "$ref" not in entry:
            return entry
        resolved: dict[str, Any] = self._whole[kind][entry["$ref"].rsplit("/", 1)[1]]
        return resolved


def _strict(schema: Any, is_open: bool = False) -> Any:
    """The same in JSON Schema, nothing allowed beyond what is named."""
    if isinstance(schema, list):
        return [_strict(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _strict(value) for name, value in schema.items() if name not in ("description", "format")}
    if "properties" in schema:
        made["properties"] = {name: _strict(value) for name, value in schema["properties"].items()}
        made["additionalProperties"] = is_open
    for beginning, pattern in _PATTERNS.items():
        if isinstance(schema.get("format"), str) and schema["format"].startswith(beginning):
            made["pattern"] = pattern
    return made


def _schema_of(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {name: parameter[name] for name in ("type", "items", "enum", "format") if name in parameter}


def _typed(text: str, parameter: Mapping[str, Any]) -> Any:
    """A parameter's text as the value that it stands for."""
    if parameter["type"] == "integer":
        return int(text)
    if parameter["type"] == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return text.split(",") if parameter["type"] == "array" else text


def lines_of(body: bytes) -> Iterable[Any]:
    """A stream's JSON objects."""
    return [json.loads(line) for line in body.splitlines() if line.strip()]
