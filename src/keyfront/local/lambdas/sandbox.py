"""One execution environment of a function: a process that starts cold and stays warm until an error."""

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from keyfront.local.lambdas import sdks
from keyfront.local.lambdas.function import Function
from keyfront.local.lambdas.logbook import Entry, Logbook, Report, tail
from keyfront.local.lambdas.memory import MIB, used, watch
from keyfront.local.lambdas.runtime_api import InitError, Outcome, Runtime, RuntimeGoneError

_INIT_SECONDS: Final = 10
"""The free time to load a handler. Source: Developer Guide, "Lambda execution environment lifecycle".

Assumed: more time counts as the function's own. Lambda starts the load again instead.
"""


@dataclass(frozen=True)
class Call:
    """An event for a function: JSON, the request's id, and the called ARN."""

    payload: bytes
    request_id: str
    arn: str
    client_context: str | None = None


@dataclass(frozen=True)
class Result:
    """The result of a call: the function's result, or its error document if `failed`."""

    payload: bytes
    failed: bool
    request_id: str
    version: str
    log: bytes
    """The end of the log."""


@dataclass(frozen=True)
class Plan:
    """How to start a process."""

    command: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]
    notes: tuple[str, ...] = ()
    """Lines for its log."""


class Sandbox:
    """One environment, until `stop`. It runs one call at a time. Once it is not `usable`, a new one is needed."""

    def __init__(
        self,
        function: Function,
        plan: Plan,
        *,
        publish: Callable[[list[Entry]], Awaitable[None]],
        begun: Callable[[int], None],
        ended: Callable[[int], None],
    ) -> None:
        """Create the environment. `publish` gets the log after each call. `begun` and `ended` get the process id."""
        self.function = function
        self.usable = True
        self._plan, self._publish = plan, publish
        self._begun, self._ended = begun, ended
        self._stopped = False
        self._logbook = Logbook(function)
        self._runtime: Runtime | None = None
        self._killed_for_memory = False
        self._most = 0

    @property
    def fresh(self) -> bool:
        """Whether it can run a call: no error has occurred, and its process still runs."""
        return self.usable and (self._runtime is None or self._runtime.alive)

    async def call(self, call: Call) -> Result:
        """Run the function on an event. Raises `OSError` if the process cannot be started."""
        cold = self._runtime is None
        began = time.monotonic()
        runtime = self._runtime or await self._start()
        watching = asyncio.create_task(watch(runtime.pid, self.function.memory_mb * MIB, self._too_much_memory))
        try:
            init, overdue = await self._initialise(runtime, began) if cold else (None, 0.0)
            self._logbook.start(call.request_id)
            began = time.monotonic() - overdue
            outcome, status = await self._outcome(runtime, call, overdue)
            seconds = time.monotonic() - began
            if line := sdks.hint(outcome):
                self._logbook.say(line)
        finally:
            watching.cancel()
        self._most = max(self._most, used(runtime.pid, "VmHWM"))
        if self._killed_for_memory:
            self._most = self.function.memory_mb * MIB
        if not self.usable:
            await self.stop()
        fatal = outcome.error_type if status != "success" and not runtime.alive else None
        self._logbook.end(Report(call.request_id, seconds, self._most, init, status, fatal))
        entries = self._logbook.take()
        await self._publish(entries)
        return Result(outcome.payload, status != "success", call.request_id, self.function.version, tail(entries))

    async def stop(self) -> None:
        """End the process."""
        self.usable = False
        if self._runtime is not None and not self._stopped:
            self._stopped = True
            await self._runtime.stop()
            self._ended(self._runtime.pid)

    def kill(self) -> None:
        """End the process without waiting."""
        self.usable = False
        if self._runtime is not None:
            self._runtime.kill()

    async def _start(self) -> Runtime:
        self._logbook.init_start()
        for note in self._plan.notes:
            self._logbook.say(note)
        plan = self._plan
        self._runtime = await Runtime.start(
            plan.command, directory=plan.directory, environment=plan.environment, log=self._logbook.write
        )
        self._begun(self._runtime.pid)
        if not self.usable:
            self._runtime.kill()
        return self._runtime

    async def _initialise(self, runtime: Runtime, began: float) -> tuple[float, float]:
        """Load the handler. Return the seconds that it took, and the seconds that count for the call."""
        with contextlib.suppress(InitError, RuntimeGoneError, TimeoutError):
            async with asyncio.timeout(_INIT_SECONDS + self.function.timeout):
                await runtime.ready()
        took = time.monotonic() - began
        return min(took, _INIT_SECONDS), max(0.0, took - _INIT_SECONDS)

    async def _outcome(self, runtime: Runtime, call: Call, overdue: float) -> tuple[Outcome, str]:
        left = max(0.0, self.function.timeout - overdue)
        try:
            outcome = await runtime.invoke(
                call.payload,
                timeout=left,
                request_id=call.request_id,
                function_arn=call.arn,
                client_context=call.client_context,
            )
        except InitError as error:
            self.usable = False
            return error.outcome, "error"
        except RuntimeGoneError as error:
            self.usable = False
            return self._gone(call, error.reason), "error"
        except TimeoutError:
            self.usable = False
            said = f"Task timed out after {self.function.timeout:.2f} seconds"
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self._logbook.say(f"{now} {call.request_id} {said}\n")
            return _error(call, "Sandbox.Timedout", said), "timeout"
        self.usable = runtime.alive
        return outcome, "success" if outcome.error_type is None else "error"

    def _gone(self, call: Call, reason: str) -> Outcome:
        # Assumed: the type is Runtime.OutOfMemory. Older functions got Runtime.ExitError.
        kind = "Runtime.OutOfMemory" if self._killed_for_memory else "Runtime.ExitError"
        how = "exited without providing a reason" if reason == "exit status 0" else f"exited with error: {reason}"
        return _error(call, kind, f"Runtime {how}")

    def _too_much_memory(self) -> None:
        self._killed_for_memory = True
        if self._runtime is not None:
            self._runtime.kill()


def _error(call: Call, kind: str, said: str) -> Outcome:
    document = {"errorType": kind, "errorMessage": f"RequestId: {call.request_id} Error: {said}"}
    return Outcome(json.dumps(document, separators=(",", ":")).encode(), kind)
