"""An OpenAPI document as a page for people: HTML alone, so that no script and no foreign host is needed."""

from collections.abc import Mapping
from html import escape
from typing import Any

import msgspec

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .6rem .8rem; border: 1px solid #8884; border-radius: 4px; }
details { border-top: 1px solid #8884; padding: .4rem 0; }
summary { cursor: pointer; }
summary b { display: inline-block; width: 4.5rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .15rem .8rem .15rem 0; border-bottom: 1px solid #8882; }
"""


def page(document: Mapping[str, Any]) -> str:
    info = document["info"]
    operations = "".join(
        _operation(path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    kinds = "".join(_kind(name, kind) for name, kind in sorted(document["components"]["schemas"].items()))
    title = f"{escape(info['title'])} {escape(info['version'])}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<link rel="icon" href="/assets/favicon.svg"><meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style></head><body>"
        f"<h1>{title}</h1><p>{escape(info['description'])}</p>"
        '<p><a href="/openapi.json">OpenAPI, JSON</a> · <a href="/swagger.yaml">OpenAPI, YAML</a> · '
        '<a href="/asyncapi.json">AsyncAPI of /ws</a></p>'
        f"<h2>Addresses</h2>{operations}<h2>Types</h2>{kinds}</body></html>"
    )


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    roles = ", ".join(operation.get("x-roles", [])) or "everybody"
    parts = [f"<p>For: {escape(roles)}.</p>"]
    if parameters := operation.get("parameters"):
        rows = "".join(
            f"<tr><td><code>{escape(each['name'])}</code></td><td>{each['in']}</td>"
            f"<td>{'required' if each['required'] else ''}</td><td>{_type(each['schema'])}</td>"
            f"<td>{escape(each.get('description', each['schema'].get('description', '')))}</td></tr>"
            for each in parameters
        )
        parts.append(f"<table>{rows}</table>")
    if body := operation.get("requestBody"):
        content = body["content"]["application/json"]
        parts.append(f"<p>Body: {_type(content['schema'])}</p>")
        if "example" in content:
            parts.append(f"<pre>{_json(content['example'])}</pre>")
    answers = "".join(
        f"<tr><td>{status}</td><td>{escape(answer['description'])}</td><td>{_contents(answer)}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    parts.append(f"<table>{answers}</table>")
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><b>{method.upper()}</b> '
        f"<code>{escape(path)}</code> {escape(operation['summary'])}</summary>{''.join(parts)}</details>"
    )


def _kind(name: str, kind: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{'required' if field in kind.get('required', []) else ''}</td>"
        f"<td>{_type(each)}</td><td>{escape(each.get('description', ''))}</td></tr>"
        for field, each in kind.get("properties", {}).items()
    )
    values = ", ".join(map(str, kind.get("enum", [])))
    return (
        f'<details id="type-{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"<p>{escape(kind.get('description', ''))}</p><p>{escape(values)}</p><table>{rows}</table></details>"
    )


def _contents(answer: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{_type(content['schema'])} <code>{escape(media)}</code>"
        for media, content in answer.get("content", {}).items()
    )


def _type(kind: Mapping[str, Any]) -> str:
    if reference := kind.get("$ref"):
        name = escape(reference.rsplit("/", 1)[1])
        return f'<a href="#type-{name}">{name}</a>'
    if choices := kind.get("anyOf"):
        return " or ".join(_type(choice) for choice in choices)
    if parts := kind.get("allOf"):
        return ", ".join(_type(part) for part in parts)
    if named := kind.get("properties"):
        return ", ".join(f"<code>{escape(name)}</code>: {_type(each)}" for name, each in named.items())
    if kind.get("type") == "array":
        return f"list of {_type(kind.get('items', {}))}"
    if "enum" in kind:
        return escape(" | ".join(map(str, kind["enum"])))
    bounds = [f"{word} {kind[word]}" for word in ("minimum", "maximum", "pattern", "format") if word in kind]
    return escape(" ".join([kind.get("type", "any"), *bounds]))


def _json(value: Any) -> str:
    return escape(msgspec.json.format(msgspec.json.encode(value), indent=1).decode())
