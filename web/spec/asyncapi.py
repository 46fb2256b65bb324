"""AsyncAPI 3.0 of /ws, from the structs that it decodes and those that it sends."""

from collections.abc import Iterable
from typing import Any

import msgspec

from web.spec.openapi import VERSION

REF = "#/components/schemas/{name}"


def document(requests: Iterable[type], messages: Iterable[type]) -> dict[str, Any]:
    """`requests`: what a client may send; `messages`: what it may hear."""
    sent, heard = list(requests), list(messages)
    kinds = [*sent, *heard]
    made, schemas = msgspec.json.schema_components(kinds, ref_template=REF)
    payloads = dict(zip(kinds, made, strict=True))
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Hedgerow, live",
            "version": VERSION,
            "description": (
                "Authenticate first, then subscribe. Each request is answered under its id; after the answer to a "
                "subscription come a snapshot, and then what changes."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {
            "ws": {
                "address": "/ws",
                "messages": {
                    kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"} for kind in sent + heard
                },
            }
        },
        "operations": {
            "ask": _operation("receive", "What a client sends.", sent),
            "tell": _operation("send", "What a client hears.", heard),
        },
        "components": {
            "messages": {kind.__name__: {"name": kind.__name__, "payload": payloads[kind]} for kind in kinds},
            "schemas": schemas,
        },
    }


def _operation(action: str, summary: str, kinds: list[type]) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/ws"},
        "messages": [{"$ref": f"#/channels/ws/messages/{kind.__name__}"} for kind in kinds],
    }
