"""The API's description: /openapi.json, /swagger.yaml, /asyncapi.json, and /docs for people."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from web.handling.contract import contract
from web.handling.handler import Handler
from web.payloads import schema
from web.spec import asyncapi, openapi
from web.spec import page as docs_page

JSON, YAML, HTML = "application/json", "application/yaml", "text/html; charset=utf-8"


class DescribingHandler(Handler):
    """Answers one text, made once. The application's setting `api` is the route table, `live` the words of /ws."""

    async def describe(self, make: Callable[[Any], bytes], setting: str, media_type: str) -> None:
        self.parameters(schema.NoParameters)
        # The first time it takes half a second, in which the loop has other things to do.
        made = await asyncio.to_thread(_made, make, self.settings[setting])
        self.answer_tagged_bytes(made, media_type)


class OpenApiHandler(DescribingHandler):
    """GET /openapi.json."""

    @contract("This description, in OpenAPI 3.1.", {200: dict[str, Any]}, tagged=True)
    async def get(self) -> None:
        await self.describe(_openapi_json, "api", JSON)


class SwaggerHandler(DescribingHandler):
    """GET /swagger.yaml."""

    @contract("This description, in YAML.", {200: dict[str, Any]}, tagged=True, media=(YAML,))
    async def get(self) -> None:
        await self.describe(_openapi_yaml, "api", YAML)


class AsyncApiHandler(DescribingHandler):
    """GET /asyncapi.json."""

    @contract("What is said on /ws, in AsyncAPI 3.0.", {200: dict[str, Any]}, tagged=True)
    async def get(self) -> None:
        await self.describe(_asyncapi_json, "live", JSON)


class DocsHandler(DescribingHandler):
    """GET /docs: a page without scripts."""

    @contract("This description, for people.", {200: str}, tagged=True, media=("text/html",))
    async def get(self) -> None:
        await self.describe(_page, "api", HTML)


@cache
def _made(make: Callable[[Any], bytes], of: Any) -> bytes:
    return make(of)


def _openapi_json(api: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(openapi.document(api)), indent=1)


def _openapi_yaml(api: Any) -> bytes:
    return msgspec.yaml.encode(openapi.document(api))


def _asyncapi_json(live: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(asyncapi.document(*live)), indent=1)


def _page(api: Any) -> bytes:
    return docs_page.page(openapi.document(api)).encode()
