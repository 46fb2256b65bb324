"""An acceptor for QuickFIX's acceptance definitions of FIX 4.4: an application that echoes, on our session engine.

    python -m tools.fix_conformance --port 5001

It is ISLD and expects TW44. NewOrderSingle and SecurityDefinition go back as they came; an order that may be a repeat
and whose ClOrdID was seen is dropped; every other application message is unsupported.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

from gateway.fix.acceptor import Acceptor
from gateway.fix.codec import Field, Message
from gateway.fix.dictionary import fix44
from gateway.fix.events import Event, LoggedOn, Received
from gateway.fix.reasons import BusinessReason
from gateway.fix.session import Session
from gateway.fix.settings import Role, SessionSettings
from gateway.fix.store import SqliteStore

SETTINGS = SessionSettings(
    session_id="ISLD-TW44",
    role=Role.ACCEPTOR,
    sender="ISLD",
    target="TW44",
    reset_on_logon=True,
    logout_timeout_ms=2_000,
)
_ECHOED = (b"D", b"d")


class Echo:
    """The application of the definitions."""

    def __init__(self) -> None:
        self._seen: set[bytes | None] = set()

    def on_events(self, session: Session, events: list[Event], now_ns: int) -> None:
        for event in events:
            match event:
                case LoggedOn():
                    self._seen.clear()
                case Received(message=message) if message.msg_type in _ECHOED:
                    self._echo(session, event, now_ns)
                case Received(message=message):
                    reason = BusinessReason.UNSUPPORTED_MESSAGE_TYPE
                    session.reject(message, reason, "Unsupported Message Type", now_ns)
                case _:
                    pass

    def on_end(self, session: Session, error: Exception | None) -> None:
        if error is not None:
            print(f"{session.settings.session_id}: {error!r}", file=sys.stderr)

    def _echo(self, session: Session, received: Received, now_ns: int) -> None:
        message = received.message
        order_id = message.get(11)
        if message.msg_type == b"D":
            if received.may_repeat and order_id in self._seen:
                return
            self._seen.add(order_id)
        header = [field for field in message.fields if field[0] == 97]
        session.send(message.msg_type, body(message), now_ns, header)


def body(message: Message) -> list[Field]:
    outside = fix44().outside_tags
    return [field for field in message.fields if field[0] not in outside]


async def serve(port: int) -> None:
    acceptor = Acceptor([SETTINGS], SqliteStore(":memory:"), Echo(), time.time_ns)
    server = await acceptor.listen("127.0.0.1", port, tls=None)
    print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(serve(options.port))
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
