"""A process of a measurement: a function that runs in an interpreter of its own and reports what came out."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from config.settings import configure_logging
from tools.bench.result import Spoiled

EXIT_TIMEOUT_S = 10

T = TypeVar("T")
_SPAWN = multiprocessing.get_context("spawn")


class Child:
    """Starts at once; as a context manager it leaves no process behind."""

    def __init__(self, work: Callable[..., Any], *arguments: Any) -> None:
        """`work`, a function of a module, is called in the process; what it returns is its report."""
        self._name = work.__name__
        self._reports, sending = _SPAWN.Pipe(duplex=False)
        self._process = _SPAWN.Process(target=_work, args=(sending, work, arguments), daemon=True)
        self._process.start()
        sending.close()

    def has_reported(self, wait_s: float) -> bool:
        """Whether `report` will not wait; gives it so long to become true."""
        return self._reports.poll(wait_s)

    def report(self, kind: type[T], timeout_s: float) -> T:
        """What `work` returned; raises Spoiled when it failed or has not returned in time."""
        if not self._reports.poll(timeout_s):
            raise Spoiled(f"{self._name} has not finished within {timeout_s} s")
        try:
            return msgspec.msgpack.decode(self._reports.recv_bytes(), type=kind)
        except EOFError:
            raise Spoiled(f"{self._name} failed") from None

    def ask_to_stop(self) -> None:
        """SIGTERM, as a supervisor sends it."""
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL: what is not on the disk now is lost. Returns when the process is gone."""
        self._process.kill()
        self._process.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.terminate()
        self._process.join(EXIT_TIMEOUT_S)
        self.kill()
        self._reports.close()


def _work(reports: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    configure_logging("warning")
    reports.send_bytes(msgspec.msgpack.encode(work(*arguments)))
