"""The service's own threads for blocking calls. A thread that hangs delays neither a request nor the shutdown."""

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
"""The most threads, and so the most connections to a database that are useful."""
_GRACE_SECONDS: Final = 0.5
"""Extra time for the called part to reach its own time limit, because its error names the cause."""

_Job = tuple[Callable[[], object], "asyncio.Future[object]", asyncio.AbstractEventLoop]


class Workers:
    """Up to `MOST` threads, started on demand. A caller waits at most `seconds`.

    They are daemon threads, so the process can end while a database hangs. It would wait for the threads of
    `asyncio.to_thread`, of anyio and of `ThreadPoolExecutor`.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._started = 0
        weakref.finalize(self, _dismiss, self._jobs)

    async def run(self, function: Callable[P, T], /, *args: P.args, **options: P.kwargs) -> T:
        """Run `function` in a thread and return its result. Raises `ServiceError` if that takes too long.

        After that time the function may still run to its end; if it has not begun, it is dropped.
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
        """Return the result of a coroutine, for a function that `run` runs. The caller's event loop runs it.

        If it takes too long, it is cancelled, and `ServiceError` is raised.
        """

        async def awaited() -> T:
            return await what

        outcome = asyncio.run_coroutine_threadsafe(awaited(), _here.loop)
        try:
            return outcome.result(self.seconds)
        except TimeoutError:
            if outcome.done():
                # The coroutine raised it.
                raise
            outcome.cancel()
            raise ServiceError(f"a coroutine did not finish within {self.seconds:g} s") from None

    def _staff(self) -> None:
        if self._started < MOST and not self._idle.acquire(blocking=False):
            self._started += 1
            threading.Thread(
                target=_work, args=(self._jobs, self._idle), name=f"keyfront {self._started}", daemon=True
            ).start()

    def _late(self, future: "asyncio.Future[T]") -> None:
        if not future.done():
            future.set_exception(ServiceError(f"a part of the service did not answer within {self.seconds:g} s"))


class _Here(threading.local):
    loop: asyncio.AbstractEventLoop
    """The event loop that this thread works for at the moment."""


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
    except BaseException as error:  # noqa: BLE001  it is raised in `run`
        settle = partial(_settle, future, None, error)
    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        # The loop has ended, so there is no waiter.
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
