"""OpenAPI 3.1 of the route table: who may ask is auth/access.py's, the questions and answers handling/contract.py's."""

import inspect
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from web.auth.access import Rule
from web.handling.contract import Contract, contract_of
from web.handling.handler import Handler
from web.payloads import bodies, schema
from web.payloads.answers import OneOrder, ProblemBody
from web.payloads.problem import MEDIA_TYPE as PROBLEM

VERSION = "1.0.0"
ABOUT = "Decimals and ids are strings, times RFC 3339 in UTC; refusals are problem documents (RFC 9457)."
REF = "#/components/schemas/{name}"

ALWAYS = frozenset({400, 413, 422, 429})
WITH_TOKEN = frozenset({401, 403})

PATH_KINDS: Mapping[str, Any] = {
    "client_order_id": schema.ClientOrderId,
    "name": schema.LpName,
    "symbol": schema.Symbol,
    "group": schema.Name,
    "currency": schema.Currency,
}
"""Parameters in paths that are no ids."""
LINKS: Mapping[Any, Mapping[str, str]] = {
    bodies.ExecutionBody: {
        "order_id": "/order/id",
        "client_order_id": "/order/client_order_id",
        "position_id": "/order/position_id",
    },
    OneOrder: {"order_id": "/order/id"},
}
"""Where in an answer the ids lie that other addresses take."""

_GROUP = re.compile(r"\((?:[^()\[]|\[[^\]]*\])*\)")


class Operation(NamedTuple):
    """A method of an address."""

    path: str
    """With parameters in braces."""
    method: str
    rule: Rule
    contract: Contract
    arguments: tuple[str, ...]
    """Names of the parameters in the path."""

    @property
    def name(self) -> str:
        """An identifier: get_order_by_order_id."""
        words = self.path.replace("{", "by_").replace("}", "").replace("@", "")
        return "_".join([self.method.lower(), *re.split(r"[^A-Za-z0-9_]+", words.strip("/"))])


def operations(routes: Iterable[Any]) -> list[Operation]:
    """Of a route table, each with a `path`, a `handler` and `rules`. ValueError where a method has no contract."""
    found = []
    for route in routes:
        for method, rule in route.rules.items():
            agreed = contract_of(route.handler, method)
            if agreed is None:
                raise ValueError(f"{method} {route.path} has no contract")
            arguments = _arguments(route.handler, method)
            found.append(Operation(_template(route.path, arguments), method, rule, agreed, arguments))
    return found


def document(routes: Iterable[Any]) -> dict[str, Any]:
    """The whole document."""
    known = operations(routes)
    kinds = [ProblemBody, *PATH_KINDS.values(), schema.Id]
    for operation in known:
        kinds += [kind for kind in operation.contract.answers.values() if kind is not None]
        kinds += [operation.contract.terms] if operation.contract.terms is not None else []
        kinds += [operation.contract.parameters, *([operation.contract.body] if operation.contract.body else [])]
    made, components = msgspec.json.schema_components(kinds, ref_template=REF)
    written = Writer(dict(zip(kinds, made, strict=True)), components, known)
    paths: dict[str, dict[str, Any]] = {}
    for operation in known:
        paths.setdefault(operation.path, {})[operation.method.lower()] = written.operation(operation)
    bodies_of = {operation.contract.body for operation in known}
    parameters = {kind.__name__ for kind in (each.contract.parameters for each in known) if kind not in bodies_of}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hedgerow",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "headers": {
                name: {"description": about, "schema": {"type": "string"}} for name, about in ANSWER_HEADERS.items()
            },
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {name: kind for name, kind in components.items() if name not in parameters},
        },
    }


class Writer:
    """Writes operations; `kinds` are the schemas of types, `components` those that have a name."""

    def __init__(self, kinds: Mapping[Any, Any], components: Mapping[str, Any], known: Iterable[Operation]) -> None:
        self._kinds = kinds
        self._components = components
        self._known = list(known)

    def operation(self, operation: Operation) -> dict[str, Any]:
        agreed, rule = operation.contract, operation.rule
        written: dict[str, Any] = {"operationId": operation.name, "summary": agreed.summary}
        if parameters := self._parameters(operation):
            written["parameters"] = parameters
        if agreed.body is not None:
            content = {"schema": self._body(agreed)}
            if agreed.example is not None:
                content["example"] = dict(agreed.example)
            written["requestBody"] = {"required": True, "content": {"application/json": content}}
        written["responses"] = self._responses(operation)
        if rule.public:
            written["security"] = []
        else:
            written["x-roles"] = sorted(rule.roles)
            written["x-scope"] = rule.scope
        return written

    def _body(self, agreed: Contract) -> Any:
        body = self._kinds[agreed.body]
        if agreed.terms is None:
            return body
        return {"allOf": [body, {"type": "object", "properties": {"terms": self._kinds[agreed.terms]}}]}

    def _parameters(self, operation: Operation) -> list[dict[str, Any]]:
        agreed = operation.contract
        found = [
            {"name": name, "in": "path", "required": True, "schema": self._kinds[PATH_KINDS.get(name, schema.Id)]}
            for name in operation.arguments
        ]
        query = self._components[agreed.parameters.__name__]
        for name, kind in query["properties"].items():
            found.append(
                {"name": name, "in": "query", "required": name in query["required"], "schema": _not_null(kind)}
            )
        headers = dict(agreed.headers)
        if agreed.keyed:
            headers["Idempotency-Key"] = (
                "The request's identity, as a client_order_id: sent again it is never carried out twice "
                "(draft-ietf-httpapi-idempotency-key-header)."
            )
        if agreed.tagged:
            headers["If-None-Match"] = "The ETag of an answer that you have."
        for name, about in headers.items():
            kind = {"type": "string"} | ({"pattern": HEADERS[name]} if name in HEADERS else {})
            required = agreed.needs_key and name == "Idempotency-Key"
            found.append({"name": name, "in": "header", "required": required, "description": about, "schema": kind})
        return found

    def _responses(self, operation: Operation) -> dict[str, Any]:
        agreed = operation.contract
        written: dict[str, Any] = {}
        for status, kind in agreed.answers.items():
            written[str(status)] = self._answer(operation, status, kind)
        if agreed.tagged:
            written["304"] = {"description": HTTPStatus(304).phrase}
        refusals = ALWAYS | agreed.problems | (frozenset() if operation.rule.public else WITH_TOKEN)
        if operation.arguments:
            refusals |= {404}
        for status in sorted(refusals):
            content = written.get(str(status), {}).get("content", {})
            content[PROBLEM] = {"schema": self._kinds[ProblemBody]}
            written[str(status)] = {
                "description": HTTPStatus(status).phrase,
                "content": content,
                "headers": _headers(status),
            }
        return written

    def _answer(self, operation: Operation, status: int, kind: Any) -> dict[str, Any]:
        answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
        if kind is not None:
            answer["content"] = {
                media: {"schema": {"type": "string"} if media.startswith("text/") else self._kinds[kind]}
                for media in operation.contract.media
            }
        headers = [*RATE_LIMIT, *(["Link"] if has_pages(kind) else [])]
        if operation.contract.tagged or "If-Match" in operation.contract.headers:
            headers.append("ETag")
        answer["headers"] = _named(headers)
        if links := self._links(kind):
            answer["links"] = links
        return answer

    def _links(self, kind: Any) -> dict[str, Any]:
        places = LINKS.get(kind, {})
        return {
            other.name: {
                "operationId": other.name,
                "parameters": {name: f"$response.body#{places[name]}" for name in other.arguments},
            }
            for other in self._known
            if other.arguments and all(name in places for name in other.arguments)
        }


_KEY = schema.CLIENT_ORDER_ID[1:-1]
HEADERS = {"Idempotency-Key": f'^("{_KEY}"|{_KEY})$', "If-Match": r'^(\*|"[1-9][0-9]{0,17}")$'}
"""What headers look like: a key is a string of RFC 8941 with a client_order_id in it, or that alone."""


RATE_LIMIT = ("RateLimit", "RateLimit-Policy")
"""Of each answer (draft-ietf-httpapi-ratelimit-headers-10)."""
ANSWER_HEADERS = {
    "RateLimit": "What is left (r), and in how many seconds all of it is back (t).",
    "RateLimit-Policy": "The whole (q), and in how many seconds it may be used (w).",
    "Retry-After": "Seconds.",
    "Link": 'The next page (RFC 8288), rel="next"; absent on the last.',
    "ETag": "The version of what is answered, where it has one.",
}


def _headers(status: int) -> dict[str, Any]:
    """Of a refusal."""
    return _named([*RATE_LIMIT, *(["Retry-After"] if status in (429, 503) else [])])


def _named(headers: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


def has_pages(kind: Any) -> bool:
    """Whether an answer of this type is a page, with where the next one begins."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct) and "next" in kind.__struct_fields__


def _arguments(handler: type[Handler], method: str) -> tuple[str, ...]:
    return tuple(inspect.signature(getattr(handler, method.lower())).parameters)[1:]


def _template(pattern: str, arguments: tuple[str, ...]) -> str:
    """The route's pattern with each group by its name."""
    names = iter(arguments)
    return _GROUP.sub(lambda _: "{" + next(names) + "}", pattern).replace("\\.", ".")


def _not_null(kind: dict[str, Any]) -> dict[str, Any]:
    """In a query string there is no null: what is optional is left out."""
    choices = [choice for choice in kind.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        return {**{name: value for name, value in kind.items() if name not in ("anyOf", "default")}, **choices[0]}
    if "enum" in kind:
        return {**kind, "enum": [value for value in kind["enum"] if value is not None]} | _no_null_default(kind)
    return kind


def _no_null_default(kind: dict[str, Any]) -> dict[str, Any]:
    return {} if kind.get("default") is None else {"default": kind["default"]}
