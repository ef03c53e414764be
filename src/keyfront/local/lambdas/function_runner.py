"""Runs functions for all callers: Lambda's API, function URLs, HTTP APIs and moto's other services."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import uuid4

from keyfront.local.lambdas import sdks
from keyfront.local.lambdas.function import Function, FunctionError
from keyfront.local.lambdas.logbook import Entry
from keyfront.local.lambdas.pool import Pool
from keyfront.local.lambdas.sandbox import Call, Result
from keyfront.local.lambdas.variables import Credentials

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Perform(Protocol):
    """Runs `work` on moto's state, as a request does. Blocks."""

    def __call__(self, work: Callable[[], T], *, changes: bool) -> T: ...


class FunctionRunner:
    """Runs functions until `close`, in the endpoint's event loop. Their processes are not part of a saved state."""

    def __init__(self, perform: Perform, *, enforce_iam: bool = False, node_sdk: Path | None = None) -> None:
        """Create the runner. `perform` uses moto's state. `enforce_iam`: roles need permission to write logs.

        `node_sdk` is a folder with Amazon's clients for Node.js functions. Raises `InputError` if they are not there.
        """
        self._perform, self._enforce_iam = perform, enforce_iam
        self._node_packages = sdks.node_sdk(node_sdk) if node_sdk is not None else None
        self._pool: Pool | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._port = 0
        self._background: set[asyncio.Task[None]] = set()

    def at(self, port: int) -> None:
        """Set the port of the endpoint. Call it in the endpoint's event loop."""
        self._port, self._loop = port, asyncio.get_running_loop()

    @property
    def url(self) -> str:
        """The address of the endpoint for functions."""
        return f"http://127.0.0.1:{self._port}"

    def perform(self, work: Callable[[], T], *, changes: bool) -> T:
        """Run `work` on moto's state, for another part of the endpoint. Blocks."""
        return self._perform(work, changes=changes)

    async def find(self, arn: str) -> Function:
        """Return the function that an ARN names. Raises `FunctionError` if it does not exist."""
        from keyfront.local.lambdas import saved_functions

        return await asyncio.to_thread(self._perform, lambda: saved_functions.find(arn), changes=False)

    async def policy(self, function: Function) -> list[dict[str, Any]]:
        """Return the statements of a function's resource policy."""
        from keyfront.local.lambdas import saved_functions

        return await asyncio.to_thread(self._perform, lambda: saved_functions.resource_policy(function), changes=False)

    async def call(self, function: Function, payload: bytes, *, arn: str | None = None, **named: Any) -> Result:
        """Run a function on an event (JSON), and return the result. `arn` is the called ARN, with its qualifier.

        Raises `FunctionError` if it cannot run.
        """
        if self._pool is None:
            self._pool = Pool(self.url, publish=self._publish, assume=self._assume, node_packages=self._node_packages)
        return await self._pool.call(function, Call(payload, str(uuid4()), arn or function.arn, **named))

    def call_later(self, function: Function, payload: bytes, *, arn: str | None = None, **named: Any) -> None:
        """Run a function on an event in the background."""

        async def run() -> None:
            try:
                await self.call(function, payload, arn=arn, **named)
            except FunctionError as error:
                _log.warning("an event for function %s is lost: %s", function.name, error)

        task = asyncio.get_running_loop().create_task(run())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def call_from_thread(self, function: Function, payload: bytes) -> Result:
        """Run a function from a thread of moto, for another of its services. Blocks."""
        if self._loop is None:
            raise FunctionError("ServiceException", "The endpoint has not started yet.", 503)
        return asyncio.run_coroutine_threadsafe(self.call(function, payload), self._loop).result()

    def close(self) -> None:
        """End all processes, without waiting. Call it in the event loop."""
        for task in self._background:
            task.cancel()
        if self._pool is not None:
            self._pool.close()

    async def stop(self) -> None:
        """Call `close`, and wait until all processes have ended."""
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
