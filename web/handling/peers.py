"""The processes that the web process asks, each over a socket of its own."""

from typing import NamedTuple

import zmq

from actors.bus import sockets
from actors.bus.asking import FRAMES_LIMIT, Asker
from actors.bus.endpoints import Endpoints
from actors.bus.fix_sessions import FixRequest
from actors.bus.requests import AggregatorRequest, EngineRequest, HistoryRequest

Context = zmq.Context[zmq.Socket[bytes]]


class Peers(NamedTuple):
    engine: Asker
    history: Asker
    aggregator: Asker
    fix_desks: tuple[Asker, ...]
    """fix-clients and fix-lp."""


def connect(context: Context, where: Endpoints) -> Peers:
    """Each is asked when it is there, and is away otherwise."""

    def dealer(endpoint: str) -> zmq.Socket[bytes]:
        return sockets.dealer(context, endpoint, only_connected=True)

    return Peers(
        Asker("engine", dealer(where.engine), EngineRequest, FRAMES_LIMIT),
        Asker("persistence", dealer(where.history), HistoryRequest),
        Asker("aggregator", dealer(where.aggregator), AggregatorRequest),
        (
            Asker("fix-clients", dealer(where.fix_clients), FixRequest),
            Asker("fix-lp", dealer(where.fix_lp), FixRequest),
        ),
    )
