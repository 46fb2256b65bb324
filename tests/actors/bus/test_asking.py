"""Questions and answers over real sockets, and everything that can go wrong with them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq

from actors.bus import codec, sockets
from actors.bus.answers import Instruments, Pong, Refusal, Reply
from actors.bus.asking import Asker, Away, Declined, NoAnswer
from actors.bus.requests import EngineRequest, GetAccount, GetInstruments, Ping
from tests.web.broker import Context, eventually

pytestmark = pytest.mark.anyio

PONG = Pong(ready=True, detail="", seq=1)


class Line:
    """An asker, and by hand the process that it asks."""

    def __init__(self, folder: Path) -> None:
        self.endpoint = f"ipc://{folder}/e"
        self.context: Context = zmq.Context()
        self.asker = Asker("engine", sockets.dealer(self.context, self.endpoint, only_connected=True), EngineRequest)
        self.router: zmq.Socket[bytes] | None = None

    async def answer(self) -> None:
        """Brings the process up, and waits until it is connected."""
        self.router = sockets.router(self.context, self.endpoint)
        dealer = self.asker._socket
        await eventually(lambda: dealer.poll(0, zmq.POLLOUT))

    async def asked(self) -> tuple[bytes, Any]:
        assert self.router is not None
        router = self.router
        await eventually(lambda: router.poll(0))
        identity, frame = router.recv_multipart()
        return identity, codec.decoder(EngineRequest)(frame)

    def reply(self, identity: bytes, request_id: int, body: Any) -> None:
        assert self.router is not None
        self.router.send_multipart([identity, codec.encode(Reply(request_id, body))])


@asynccontextmanager
async def line(folder: Path) -> AsyncIterator[Line]:
    made = Line(folder)
    task = asyncio.create_task(made.asker.inlet.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    made.context.destroy(linger=0)


async def test_answers_find_their_questions_in_any_order(tmp_path: Path) -> None:
    async with line(tmp_path) as made:
        await made.answer()
        asking = [asyncio.create_task(made.asker.ask(Ping(), Pong, 60_000)) for _ in range(100)]
        requests = [await made.asked() for _ in range(100)]
        assert len({request.request_id for _, request in requests}) == 100
        for identity, request in reversed(requests):
            made.reply(identity, request.request_id, Pong(ready=True, detail="", seq=request.request_id))
        pongs = await asyncio.gather(*asking)
        assert [pong.seq for pong in pongs] == [request.request_id for _, request in requests]


async def test_the_questions_of_one_turn_leave_in_one_message_where_the_other_side_takes_several(
    tmp_path: Path,
) -> None:
    async with line(tmp_path) as made:
        made.asker = Asker("engine", made.asker._socket, EngineRequest, 3)
        await made.answer()
        assert made.router is not None
        asking = [asyncio.create_task(made.asker.ask(GetAccount(number), Pong, 50)) for number in range(1, 5)]
        await eventually(lambda: made.router and made.router.poll(0))
        await asyncio.sleep(0.01)
        messages = [made.router.recv_multipart()[1:] for _ in range(2)]
        decode = codec.decoder(EngineRequest)
        bodies = [[decode(frame).body for frame in frames] for frames in messages]
        assert bodies == [[GetAccount(1), GetAccount(2), GetAccount(3)], [GetAccount(4)]]
        assert [type(end) for end in await asyncio.gather(*asking, return_exceptions=True)] == [NoAnswer] * 4


async def test_who_is_away_is_not_asked_and_who_comes_back_is(tmp_path: Path) -> None:
    async with line(tmp_path) as made:
        with pytest.raises(Away):
            await made.asker.ask(Ping(), Pong, 60_000)
        await made.answer()
        asking = asyncio.create_task(made.asker.ask(GetAccount(7), Pong, 60_000))
        identity, request = await made.asked()
        assert request.body == GetAccount(7)
        made.reply(identity, request.request_id, PONG)
        assert await asking == PONG
        assert made.router is not None
        made.router.close()
        dealer = made.asker._socket
        await eventually(lambda: not dealer.poll(0, zmq.POLLOUT))
        with pytest.raises(Away):
            await made.asker.ask(Ping(), Pong, 60_000)


async def test_a_question_without_an_answer_ends_in_time_and_the_late_answer_is_dropped(tmp_path: Path) -> None:
    async with line(tmp_path) as made:
        await made.answer()
        with pytest.raises(NoAnswer):
            await made.asker.ask(Ping(), Pong, 20)
        identity, request = await made.asked()
        made.reply(identity, request.request_id, PONG)
        await eventually(lambda: made.asker.dropped == 1)


async def test_refusals_and_answers_of_the_wrong_kind(tmp_path: Path) -> None:
    async with line(tmp_path) as made:
        await made.answer()
        for body, error in ((Refusal("NO", "no"), Declined), (Instruments([]), NoAnswer)):
            asking = asyncio.create_task(made.asker.ask(Ping(), Pong, 60_000))
            identity, request = await made.asked()
            made.reply(identity, request.request_id, body)
            with pytest.raises(error):
                await asking


async def test_garbage_is_counted_and_life_goes_on(tmp_path: Path) -> None:
    async with line(tmp_path) as made:
        await made.answer()
        asking = asyncio.create_task(made.asker.ask(GetInstruments(), Instruments, 60_000))
        identity, request = await made.asked()
        assert made.router is not None
        for garbage in (b"", b"\x01", b"\x02\x90", b"\x01" + b"\xff" * 50, b"x" * 1000):
            made.router.send_multipart([identity, garbage])
        await eventually(lambda: made.asker.dropped == 5)
        made.reply(identity, request.request_id, Instruments([]))
        made.reply(identity, request.request_id, Instruments([]))
        assert await asking == Instruments([])
        await eventually(lambda: made.asker.dropped == 6)


async def test_so_many_questions_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.bus.asking.OPEN_QUESTIONS_LIMIT", 3)
    async with line(tmp_path) as made:
        await made.answer()
        asking = [asyncio.create_task(made.asker.ask(Ping(), Pong, 60_000)) for _ in range(3)]
        requests = [await made.asked() for _ in asking]
        with pytest.raises(Away, match="behind"):
            await made.asker.ask(Ping(), Pong, 60_000)
        for identity, request in requests:
            made.reply(identity, request.request_id, PONG)
        await asyncio.gather(*asking)
        with pytest.raises(NoAnswer):
            await made.asker.ask(Ping(), Pong, 10)


async def test_an_answer_that_arrives_while_the_next_question_is_sent_is_not_overlooked(tmp_path: Path) -> None:
    """Sending takes ZeroMQ's signal of arrival away; whoever then only waits for it waits for ever."""
    async with line(tmp_path) as made:
        await made.answer()
        asking = asyncio.create_task(made.asker.ask(Ping(), Pong, 5_000))
        identity, request = await made.asked()
        made.reply(identity, request.request_id, PONG)
        time.sleep(0.05)  # the event loop must not look before the next question is sent
        with pytest.raises(NoAnswer):
            await made.asker.ask(Ping(), Pong, 100)
        assert await asking == PONG


async def test_a_question_says_how_long_it_may_wait_if_it_says_when_it_was_sent(tmp_path: Path) -> None:
    async with line(tmp_path) as it:
        await it.answer()
        for sent_ns, expected in ((0, (0, 0)), (17, (17, 60_000))):
            asking = asyncio.create_task(it.asker.ask(Ping(), Pong, 60_000, sent_ns))
            identity, request = await it.asked()
            assert (request.sent_ns, request.deadline_ms) == expected
            it.reply(identity, request.request_id, PONG)
            assert await asking == PONG
