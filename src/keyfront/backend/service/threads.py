"""Threads for what blocks: of the service's own, each of which may hang without holding up a request or the end."""

import asyncio
import threading
import weakref
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Final, ParamSpec, TypeVar

from keyfront.errors import ServiceError

T = TypeVar("T")
P = ParamSpec("P")

MOST: Final = 20
"""How many threads there are at most, and so how many connections to a database are of use."""
_GRACE_SECONDS: Final = 0.5
"""What is asked bounds itself, and says more exactly what hangs: it is given the time to."""

_Job = tuple[Callable[[], object], "asyncio.Future[object]", asyncio.AbstractEventLoop]


class Workers:
    """Up to `MOST` threads, started as they are needed. Nobody waits longer than `seconds`.

    They are daemons: a process that is told to end does not wait for a database that hangs, as it would for the threads
    of `asyncio.to_thread`, of anyio and of `ThreadPoolExecutor`.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._started = 0
        weakref.finalize(self, _dismiss, self._jobs)

    async def run(self, function: Callable[P, T], /, *args: P.args, **options: P.kwargs) -> T:
        """The function's result, or what it raises; `ServiceError` when that takes too long.

        The function is then left to end by itself, or not begun at all.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        bound = loop.call_later(self.seconds + _GRACE_SECONDS, self._late, future)
        work = partial(copy_context().run, function, *args, **options)
        self._jobs.put((work, future, loop))  # type: ignore[arg-type]
        self._staff()
        try:
            return await future
        finally:
            bound.cancel()

    def wait(self, what: Awaitable[T]) -> T:
        """The result of a coroutine, for a function that `run` runs: on the event loop that this was called from.

        `ServiceError` when it takes too long; it is cancelled then.
        """

        async def awaited() -> T:
            return await what

        outcome = asyncio.run_coroutine_threadsafe(awaited(), _here.loop)
        try:
            return outcome.result(self.seconds)
        except TimeoutError:
            if outcome.done():
                # The coroutine's own.
                raise
            outcome.cancel()
            raise ServiceError(f"a coroutine did not end within {self.seconds:g} s") from None

    def _staff(self) -> None:
        if self._started < MOST and not self._idle.acquire(blocking=False):
            self._started += 1
            threading.Thread(
                target=_work, args=(self._jobs, self._idle), name=f"keyfront {self._started}", daemon=True
            ).start()

    def _late(self, future: "asyncio.Future[T]") -> None:
        if not future.done():
            future.set_exception(ServiceError(f"what this needs did not answer within {self.seconds:g} s"))


class _Here(threading.local):
    loop: asyncio.AbstractEventLoop
    """The loop for which this thread works at the moment."""


_here: Final = _Here()


def _work(jobs: SimpleQueue[_Job | None], idle: threading.Semaphore) -> None:
    while (job := jobs.get()) is not None:
        work, future, _here.loop = job
        del job
        if not future.done():
            _do(work, future, _here.loop)
        del work, future
        idle.release()


def _do(work: Callable[[], object], future: "asyncio.Future[object]", loop: asyncio.AbstractEventLoop) -> None:
    try:
        settle = partial(_settle, future, work(), None)
    except BaseException as error:  # noqa: BLE001  whoever waits for it raises it
        settle = partial(_settle, future, None, error)
    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        # The loop has ended: nobody waits any more.
        return


def _settle(future: "asyncio.Future[object]", result: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def _dismiss(jobs: SimpleQueue[_Job | None]) -> None:
    for _ in range(MOST):
        jobs.put(None)
