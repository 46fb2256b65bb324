"""What a client of the simulated Binance asks for over its WebSocket, and what Binance would say."""

import json
from typing import Any

from tools.venues.binance.faults import Faults

STREAMS_LIMIT = 1024
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS")


def answer(request: str | bytes, streams: set[str], faults: Faults) -> dict[str, Any]:
    """Do what a request asks with the client's streams, and say what Binance would."""
    try:
        asked = json.loads(request)
    except (ValueError, RecursionError):
        return {"error": {"code": 3, "msg": "Invalid JSON"}}
    if not isinstance(asked, dict):
        return _refused("Invalid request: it must be an object")
    request_id = asked.get("id")
    method, names = asked.get("method"), asked.get("params", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return _refused("Invalid request: params must be an array of strings", request_id)
    if method not in METHODS or faults.take("refused_requests"):
        return _refused("Invalid request: unknown method", request_id)
    if method == "LIST_SUBSCRIPTIONS":
        return {"result": sorted(streams), "id": request_id}
    if method == "UNSUBSCRIBE":
        streams.difference_update(names)
        return {"result": None, "id": request_id}
    if len(streams.union(names)) > STREAMS_LIMIT:
        return _refused("Invalid request: too many streams", request_id)
    streams.update(names[1:] if faults.take("forgotten_subscriptions") else names)
    return {"result": None, "id": request_id}


def _refused(sentence: str, request_id: Any = None) -> dict[str, Any]:
    return {"error": {"code": 2, "msg": sentence}, "id": request_id}
