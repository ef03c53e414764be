"""The execution environments of all functions. A call gets a warm one or a new one. Idle ones end."""

import asyncio
import logging
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from keyfront.local.lambdas import reaper, sdks
from keyfront.local.lambdas.function import BusyError, Function, FunctionError
from keyfront.local.lambdas.logbook import Entry
from keyfront.local.lambdas.package import unpack
from keyfront.local.lambdas.runtimes import starting
from keyfront.local.lambdas.sandbox import Call, Plan, Result, Sandbox
from keyfront.local.lambdas.variables import Credentials, variables

_log = logging.getLogger(__name__)

_IDLE_SECONDS: Final = 300
"""Assumed: Lambda's documentation says only that it keeps a process "for some time"."""
_MOST_AT_ONCE: Final = 32
"""The calls of all functions together, each in its own process. An account has 1,000, a new account ten."""

Publish = Callable[[Function, str, list[Entry]], Awaitable[None]]
Assume = Callable[[Function], Awaitable[Credentials]]


class Pool:
    """The environments, until `close`. Use it in one event loop."""

    def __init__(self, endpoint: str, *, publish: Publish, assume: Assume, node_packages: Path | None = None) -> None:
        """Create the pool.

        `endpoint` is the AWS endpoint of functions. `publish` stores log events. `assume` returns credentials.
        `node_packages` is a `node_modules` folder for all Node.js functions.
        """
        self._endpoint, self._publish, self._assume = endpoint, publish, assume
        self._folder = Path(mkdtemp(prefix="keyfront-lambda-"))
        if node_packages is not None:
            sdks.provide(node_packages, self._folder)
        self._idle: dict[Function, list[Sandbox]] = {}
        self._timers: dict[Sandbox, asyncio.TimerHandle] = {}
        self._all: set[Sandbox] = set()
        self._busy: Counter[str] = Counter()
        self._running: set[asyncio.Task[Result]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._reaper: subprocess.Popen[bytes] | None = None
        self._closed = False

    async def call(self, function: Function, call: Call) -> Result:
        """Run a function. Raises `FunctionError` if it cannot run here, and `BusyError` if too many calls run now.

        As on Amazon, a call continues when its caller no longer waits.
        """
        unqualified = f"{function.account}:{function.region}:{function.name}"
        if function.reserved is not None and self._busy[unqualified] >= function.reserved:
            raise BusyError("ReservedFunctionConcurrentInvocationLimitExceeded")
        if self._busy.total() >= _MOST_AT_ONCE:
            raise BusyError("ConcurrentInvocationLimitExceeded")
        self._busy[unqualified] += 1
        running = asyncio.create_task(self._run(function, call, unqualified))
        self._running.add(running)
        running.add_done_callback(self._ran)
        return await asyncio.shield(running)

    async def _run(self, function: Function, call: Call, unqualified: str) -> Result:
        try:
            self._retire(function)
            sandbox = self._warm(function) or await self._cold(function)
            try:
                return await sandbox.call(call)
            except OSError as error:
                raise _unstartable(function, error) from None
            finally:
                self._rest(sandbox)
        finally:
            self._busy[unqualified] -= 1

    def _ran(self, running: "asyncio.Task[Result]") -> None:
        self._running.discard(running)
        if not running.cancelled():
            # Mark the error as read, for a call without a waiting caller.
            running.exception()

    def close(self) -> None:
        """End all processes without waiting, and start no more."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        for sandbox in self._all:
            sandbox.kill()

    async def stop(self) -> None:
        """Call `close`, and wait until all processes have ended."""
        self.close()
        await asyncio.gather(*self._running, return_exceptions=True)
        await asyncio.gather(*(sandbox.stop() for sandbox in self._all), *self._ending)
        if self._reaper is not None and self._reaper.stdin is not None:
            with suppress(BrokenPipeError):
                self._reaper.stdin.close()
            self._reaper.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _retire(self, function: Function) -> None:
        """End idle processes that run this version's earlier code or configuration."""
        for other in [other for other in self._idle if other.arn == function.arn and other != function]:
            for sandbox in self._idle.pop(other):
                self._end(sandbox)

    def _warm(self, function: Function) -> Sandbox | None:
        idle = self._idle.get(function, [])
        while idle:
            sandbox = idle.pop()
            self._timers.pop(sandbox).cancel()
            if sandbox.fresh:
                return sandbox
            self._end(sandbox)
        return None

    async def _cold(self, function: Function) -> Sandbox:
        code = self._folder / "code" / sha256(function.code.digest.encode()).hexdigest() / "task"
        named = "".join(f"{layer.digest}\n" for layer in function.layers)
        added = self._folder / "layers" / sha256(named.encode()).hexdigest() / "opt"
        task = await asyncio.to_thread(unpack, (function.code,), code)
        layers = await asyncio.to_thread(unpack, function.layers, added)
        start = starting(function, task, layers)
        home, stream = Path(mkdtemp(prefix="tmp-", dir=self._folder)), _stream(function)
        given = variables(
            function,
            task=task,
            home=home,
            endpoint=self._endpoint,
            credentials=await self._assume(function),
            log_stream=stream,
        )

        async def publish(entries: list[Entry]) -> None:
            await self._publish(function, stream, entries)

        def ended(pid: int) -> None:
            self._guard(b"-", pid)
            shutil.rmtree(home, ignore_errors=True)

        sandbox = Sandbox(
            function,
            Plan(start.command, task, {**start.variables, **given}, tuple(sdks.notes(task, layers / "python"))),
            publish=publish,
            begun=lambda pid: self._guard(b"+", pid),
            ended=ended,
        )
        if self._closed:
            raise FunctionError("ServiceException", "The endpoint is stopping.", 503)
        self._all.add(sandbox)
        return sandbox

    def _rest(self, sandbox: Sandbox) -> None:
        if not sandbox.fresh or self._closed:
            self._end(sandbox)
            return
        self._idle.setdefault(sandbox.function, []).append(sandbox)
        self._timers[sandbox] = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._expire, sandbox)

    def _expire(self, sandbox: Sandbox) -> None:
        self._idle[sandbox.function].remove(sandbox)
        self._end(sandbox)

    def _end(self, sandbox: Sandbox) -> None:
        if timer := self._timers.pop(sandbox, None):
            timer.cancel()
        self._all.discard(sandbox)
        ending = asyncio.get_running_loop().create_task(sandbox.stop())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    def _guard(self, sign: bytes, pid: int) -> None:
        """Tell the reaper about a process (`+` starts, `-` ends). It ends the process if this program is killed."""
        if self._reaper is None:
            command = [sys.executable, "-I", "-S", str(reaper.__file__)]
            self._reaper = subprocess.Popen(  # noqa: S603 (our own program)
                command, stdin=subprocess.PIPE, start_new_session=True
            )
        if self._reaper.stdin is not None and not self._reaper.stdin.closed:
            with suppress(BrokenPipeError):
                self._reaper.stdin.write(b"%s%d\n" % (sign, pid))
                self._reaper.stdin.flush()


def _stream(function: Function) -> str:
    """Return the log stream's name: date, version and an id. Source: Developer Guide, "Lambda function logs"."""
    from datetime import UTC, datetime
    from uuid import uuid4

    return f"{datetime.now(UTC):%Y/%m/%d}/[{function.version}]{uuid4().hex}"


def _unstartable(function: Function, error: OSError) -> FunctionError:
    _log.debug("%s: no process", function.arn, exc_info=error)
    return FunctionError("InvalidEntrypoint", f"The function {function.name} cannot be started: {error.strerror}")
