"""One end of a flow that our engine serves: it sends numbered orders, and keeps those that it gets with its numbers.

python -m tests.interop.our_side ROLE PORT FOLDER COUNT NEXT_EXPECTED
"""

import asyncio
import random
import sys
import time
from pathlib import Path

from gateway.fix.acceptor import Acceptor
from gateway.fix.codec import Field
from gateway.fix.events import Event, Received
from gateway.fix.initiator import Host, Initiator, Route
from gateway.fix.session import Session
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import SqliteStore
from gateway.fix.times import utc_timestamp
from gateway.venues.interface import Patience
from tests.interop.children import end_with_parent
from tests.interop.flow import ORDERS_PAUSE_S, ORDERS_TOGETHER, SESSION_ID, STORE


class Side:
    def __init__(self, store: SqliteStore):
        self._store = store
        store.db.execute("CREATE TABLE IF NOT EXISTS received (seq INTEGER PRIMARY KEY, number INTEGER)")

    def on_events(self, session: Session, events: list[Event], now_ns: int) -> None:
        for event in events:
            if isinstance(event, Received):
                number = int(event.message.get(11) or b"")
                self._store.db.execute("INSERT INTO received VALUES (?, ?)", (event.seq, number))

    def on_end(self, session: Session, error: Exception | None) -> None:
        if error is not None and not isinstance(error, OSError):
            raise error


def order(number: int, now_ns: int) -> list[Field]:
    return [
        (11, b"%d" % number), (55, b"EUR/USD"), (54, b"1"), (60, utc_timestamp(now_ns)), (38, b"1000"), (40, b"1"),
    ]  # fmt: skip


async def serve(role: Role, port: int, folder: Path, count: int, next_expected: bool) -> None:
    store = SqliteStore(folder / STORE)
    side = Side(store)
    settings = SessionSettings(
        session_id=SESSION_ID,
        role=role,
        sender="HEDGEROW",
        target="QUICKFIX",
        heartbeat_s=5,
        gap_timeout_ms=2_000,
        next_expected=next_expected,
    )
    initiator: Initiator | None = None
    if role is Role.INITIATOR:
        route = Route(
            hosts=[Host("127.0.0.1", port)], tls=None, patience=Patience(backoff_first_ms=50, backoff_cap_ms=300)
        )
        initiator = Initiator(settings, route, store, side, time.time_ns, random.Random())
        running = asyncio.create_task(initiator.run())
    else:
        acceptor = Acceptor([settings], store, side, time.time_ns)
        server = await acceptor.listen("127.0.0.1", port, tls=None)
        running = asyncio.create_task(server.serve_forever())
    (first,) = store.db.execute("SELECT count(*) FROM fix_messages").fetchone()
    for number in range(first, count):
        now_ns = time.time_ns()
        if initiator is not None:
            initiator.session.send(b"D", order(number, now_ns), now_ns)
            initiator.flush()
        else:
            acceptor.sessions[SESSION_ID].send(b"D", order(number, now_ns), now_ns)
            acceptor.commit([SESSION_ID])
        if number % ORDERS_TOGETHER == 0:
            await asyncio.sleep(ORDERS_PAUSE_S)
    await running


if __name__ == "__main__":
    end_with_parent()
    asyncio.run(serve(Role(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5] == "Y"))
