"""OANDA v20 as an execution venue: `gateway.venues.oanda.orders` over the REST client and the transaction stream."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TypeVar
from urllib.parse import quote

import httpx
import msgspec

from gateway.venues.execution import Heard, Holdings, NoAnswer, NotSent, Said, VenueOrder
from gateway.venues.interface import MALFORMED, ConnectionLost, Patience, is_here, refusal
from gateway.venues.oanda import orders
from gateway.venues.oanda.client import Client, Throttled
from gateway.venues.oanda.orders import BadAnswer, BadOrder
from gateway.venues.oanda.rest import Account, Answer, Request, Unanswered, fault_of

T = TypeVar("T")

ARRIVAL_LIMIT_NS = 30_000_000_000
"""v20 gives a request no deadline, and documents none of its own. A request's connection is closed when it is given up;
what was on the way to OANDA's book then gets as long as we wait for a whole answer (`client.ANSWER_TIMEOUT_MS`). An
order that came later still would be seen in the record, and be a break."""
LINE_LIMIT_BYTES = 65_536
NOT_FOUND = 404
NOT_TAKEN = (400, 404, 405)
"""What the document has as the refusal of an order, beside 401 and 403. Any other status (408 of a gateway that has
lost patience, 409, 499) leaves open whether the order was taken."""
_ACCOUNT = "/accounts/{account}"


class OandaExecution:
    """One account. Account and token stay out of its `repr` and of every error."""

    arrival_limit_ns = ARRIVAL_LIMIT_NS

    def __init__(self, account: Account, patience: Patience):
        self._account = account
        self._client = Client(account, patience)
        self._timeout = httpx.Timeout(patience.connect_timeout_ms / 1000, read=patience.silence_timeout_ms / 1000)
        self._precisions: dict[str, orders.Precision] = {}

    async def close(self) -> None:
        await self._client.close()

    async def place(self, order: VenueOrder) -> list[Said]:
        try:
            precision = await self._precision(order.instrument)
            body = orders.order_body(order, precision)
        except NoAnswer as error:
            raise NotSent(str(error)) from None
        except BadOrder as error:
            raise NotSent(str(error), for_good=True) from None
        request = Request("POST", f"{_ACCOUNT}/orders", body=msgspec.json.encode(body), repeatable=False)
        try:
            answer = await self._client.ask(request)
        except ConnectionLost as error:
            if isinstance(error, Unanswered):
                raise NoAnswer(str(error)) from None
            raise NotSent(str(error), for_good=error.refused and not isinstance(error, Throttled)) from None
        with _reading():
            placed = answer.read(orders.Placed)
            said = placed.said()
        if said or answer.is_success:
            return said
        if placed.order_reject_transaction is not None:
            raise NoAnswer("an order of this client id was sent before")
        detail = f"HTTP {answer.status}: {fault_of(answer).error_message}"
        if answer.status not in NOT_TAKEN:
            raise NoAnswer(detail)
        raise NotSent(detail, for_good=True)

    async def cancel(self, client_id: str) -> list[Said]:
        """Nothing where there is no such order that works: what became of it, an inquiry says."""
        answer = await self._ask(Request("PUT", f"{_order(client_id)}/cancel"))
        if not answer.is_success:
            return []
        with _reading():
            return answer.read(orders.Placed).said()

    async def inquire(self, client_id: str, cursor: str) -> list[Said] | None:
        """The order by its client id, and the transactions that filled and ended it.

        A 404 may also mean that the account is not known, and an order that was refused is none: so the account's
        record is read too before the answer is None.
        """
        answer = await self._ask(Request("GET", _order(client_id)))
        if answer.is_success:
            with _reading():
                order = answer.read(orders.OneOrder).order
            numbers = [it for it in (order.filling_transaction_id, order.cancelling_transaction_id) if it]
            said = orders.said_in([await self._transaction(number) for number in numbers])
            return said or [Said(client_id, "accepted", order.id)]
        if answer.status != NOT_FOUND:
            raise NoAnswer(f"HTTP {answer.status}: {fault_of(answer).error_message}")
        found: list[Said] = []
        while cursor:
            heard = await self.heard_since(cursor)
            found += [said for said in heard.said if said.client_id == client_id]
            if heard.cursor == cursor:
                break
            cursor = heard.cursor
        return found or None

    async def heard_since(self, cursor: str) -> Heard:
        if not cursor:
            return Heard((await self._get("/summary", orders.Summary)).last_transaction_id, [])
        page = await self._get("/transactions/sinceid", orders.Transactions, id=cursor)
        with _reading():
            said = orders.said_in(page.transactions)
            reached = max((it.number for it in page.transactions), default=int(cursor))
        return Heard(str(reached), said)

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[AsyncIterator[str]]:
        url = self._account.stream_url.rstrip("/") + self._account.path(f"{_ACCOUNT}/transactions/stream")
        async with httpx.AsyncClient(timeout=self._timeout, trust_env=not is_here(url)) as http:
            try:
                request = http.build_request("GET", url, headers=self._account.headers())
                response = await http.send(request, stream=True)
            except httpx.HTTPError as error:
                raise NoAnswer(self._words(error)) from None
            try:
                if not response.is_success:
                    raise NoAnswer(str(refusal(response.status_code)))
                async with aclosing(self._reached(response)) as reached:
                    yield reached
            finally:
                await response.aclose()

    async def holdings(self) -> Holdings:
        answer = await self._get("/openPositions", orders.Positions)
        with _reading():
            return Holdings(answer.last_transaction_id, answer.quantities_e8())

    async def _reached(self, response: httpx.Response) -> AsyncGenerator[str, None]:
        """The number of each transaction of the stream, and the last one's in each heartbeat."""
        partial = b""
        try:
            async for chunk in response.aiter_bytes():
                *lines, partial = (partial + chunk).split(b"\n")
                if len(partial) > LINE_LIMIT_BYTES:
                    raise NoAnswer(f"a line of the transaction stream has more than {LINE_LIMIT_BYTES} bytes")
                for line in lines:
                    if line and not line.isspace():
                        yield _place_of(line)
        except httpx.HTTPError as error:
            raise NoAnswer(self._words(error)) from None
        raise NoAnswer("OANDA ended the transaction stream")

    async def _precision(self, instrument: str) -> orders.Precision:
        if instrument not in self._precisions:
            listed = await self._get("/instruments", orders.Instruments)
            self._precisions = listed.precisions()
        found = self._precisions.get(instrument)
        if found is None:
            raise BadOrder(f"OANDA does not list {instrument}")
        return found

    async def _transaction(self, number: str) -> orders.Transaction:
        with _reading():
            path = f"/transactions/{orders.transaction_number(number)}"
        return (await self._get(path, orders.OneTransaction)).transaction

    async def _get(self, path: str, kind: type[T], **params: str) -> T:
        answer = await self._ask(Request("GET", _ACCOUNT + path, params))
        if not answer.is_success:
            raise NoAnswer(f"HTTP {answer.status}: {fault_of(answer).error_message}")
        with _reading():
            return answer.read(kind)

    async def _ask(self, request: Request) -> Answer:
        try:
            return await self._client.ask(request)
        except ConnectionLost as error:
            raise NoAnswer(str(error)) from None

    def _words(self, error: Exception) -> str:
        return self._account.without_secrets(f"{type(error).__name__}: {error}")


def _order(client_id: str) -> str:
    return f"{_ACCOUNT}/orders/@{quote(client_id, safe='')}"


def _place_of(line: bytes) -> str:
    with _reading():
        try:
            streamed = msgspec.json.decode(line, type=orders.Streamed)
        except MALFORMED:
            raise BadAnswer("a line of the transaction stream is none") from None
        return str(orders.transaction_number(streamed.last_transaction_id or streamed.id))


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (BadAnswer, ConnectionLost) as error:
        raise NoAnswer(str(error)) from None
