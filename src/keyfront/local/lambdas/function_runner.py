"""Runs the functions that moto keeps, for whoever calls them: Lambda's API, a function URL, an HTTP API."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol, TypeVar
from uuid import uuid4

from keyfront.local.lambdas.function import Function, FunctionError
from keyfront.local.lambdas.logbook import Entry
from keyfront.local.lambdas.pool import Pool
from keyfront.local.lambdas.sandbox import Call, Result
from keyfront.local.lambdas.variables import Credentials

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Perform(Protocol):
    """Does something with what moto has, as a request does; blocks."""

    def __call__(self, work: Callable[[], T], *, changes: bool) -> T: ...


class FunctionRunner:
    """From the first call to `close`, in the endpoint's event loop; its processes are no part of a kept state."""

    def __init__(self, perform: Perform, *, enforce_iam: bool = False) -> None:
        """`perform` does something with what moto has; `enforce_iam`: a role that may not write logs writes none."""
        self._perform, self._enforce_iam = perform, enforce_iam
        self._pool: Pool | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._port = 0
        self._background: set[asyncio.Task[None]] = set()

    def at(self, port: int) -> None:
        """Say that the endpoint answers at this port, in this event loop."""
        self._port, self._loop = port, asyncio.get_running_loop()

    @property
    def url(self) -> str:
        """Where functions find the endpoint."""
        return f"http://127.0.0.1:{self._port}"

    async def find(self, arn: str) -> Function:
        """The function that an ARN names. `FunctionError` when there is none."""
        from keyfront.local.lambdas import saved_functions

        return await asyncio.to_thread(self._perform, lambda: saved_functions.find(arn), changes=False)

    async def call(self, function: Function, payload: bytes, *, arn: str | None = None, **named: Any) -> Result:
        """Run a function on an event (JSON); `arn` is the one that was called, with its qualifier.

        `FunctionError` when it cannot be run.
        """
        if self._pool is None:
            self._pool = Pool(self.url, publish=self._publish, assume=self._assume)
        return await self._pool.call(function, Call(payload, str(uuid4()), arn or function.arn, **named))

    def call_later(self, function: Function, payload: bytes, *, arn: str | None = None, **named: Any) -> None:
        """Run a function on an event and let nobody wait for it."""

        async def run() -> None:
            try:
                await self.call(function, payload, arn=arn, **named)
            except FunctionError as error:
                _log.warning("an event for %s is lost: %s", function.name, error)

        task = asyncio.get_running_loop().create_task(run())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def call_from_thread(self, function: Function, payload: bytes) -> Result:
        """Run a function for another of moto's services, in one of its threads; blocks."""
        if self._loop is None:
            raise FunctionError("ServiceException", "The endpoint has not begun to answer.", 503)
        return asyncio.run_coroutine_threadsafe(self.call(function, payload), self._loop).result()

    def close(self) -> None:
        """Have all processes ended. Call it in the event loop."""
        for task in self._background:
            task.cancel()
        if self._pool is not None:
            self._pool.close()

    async def stop(self) -> None:
        """`close`, and wait until they have ended."""
        self.close()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self._pool is not None:
            await self._pool.stop()

    async def _publish(self, function: Function, stream: str, entries: list[Entry]) -> None:
        from keyfront.local.lambdas import saved_functions

        await asyncio.to_thread(
            self._perform,
            lambda: saved_functions.publish(function, stream, entries, enforce_iam=self._enforce_iam),
            changes=True,
        )

    async def _assume(self, function: Function) -> Credentials:
        from keyfront.local.lambdas import saved_functions

        return await asyncio.to_thread(self._perform, lambda: saved_functions.assume(function), changes=True)
