"""Lambda's Runtime API for one process of a function, and that process.

Source: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes". A runtime client (Amazon's
`awslambdaric` for Python) asks it for the next event, and sends back the handler's result.

    async with await Runtime.start(python("app.handler"), directory=folder, environment={...}) as runtime:
        outcome = await runtime.invoke(b'{"rawPath": "/a"}', timeout=3)
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeVar
from uuid import uuid4

from keyfront.local.lambdas import http1
from keyfront.web.local import browser_refusal, host_refusal

_PREFIX: Final = "/2018-06-01/runtime/"
_ERROR_TYPE: Final = "lambda-runtime-function-error-type"
_LONGEST_ANSWER: Final = 6 * 1024 * 1024 + 100
"""The largest buffered result in bytes. Source: Developer Guide, "Lambda quotas". The error names this number."""
_PIPE_READ: Final = 64 * 1024

T = TypeVar("T")
Log = Callable[[bytes], None]


@dataclass(frozen=True)
class Outcome:
    """The outcome of an invocation: the handler's result, or the error document if `error_type` is set."""

    payload: bytes
    error_type: str | None = None


class RuntimeGoneError(Exception):
    """The process ended or was killed before it returned a result. `reason` has Lambda's wording (`exit status 1`)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InitError(Exception):
    """The process could not load the handler. `outcome` has its error document."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.error_type)
        self.outcome = outcome


def python(handler: str) -> list[str]:
    """Return the command that runs a Python handler (`module.function`) on Amazon's runtime client."""
    return [sys.executable, "-m", "awslambdaric", handler]


class Runtime:
    """A process that runs one event after another, from `start` to `stop`."""

    _server: asyncio.Server
    _process: asyncio.subprocess.Process
    _exit: "asyncio.Task[int]"

    def __init__(self, log: Log) -> None:
        self._log = log
        self._asked = asyncio.Event()
        """Set when the process asks for an event: it has loaded the handler and has finished the previous event."""
        self._event: asyncio.Future[tuple[Mapping[str, str], bytes]] | None = None
        self._answer: asyncio.Future[Outcome] | None = None
        self._init_error: Outcome | None = None
        self._request_id = ""
        self._connections: set[asyncio.Task[None]] = set()
        self._pipe = -1

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        directory: Path,
        environment: Mapping[str, str],
        log: Log = lambda _: None,
    ) -> Self:
        """Start `command` in `directory`, with only this environment and the address of the Runtime API.

        `log` receives the output of the process as it comes. Raises `OSError` if it cannot be started.
        """
        self = cls(log)
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        self._pipe, writing = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                cwd=directory,
                env={**environment, "AWS_LAMBDA_RUNTIME_API": f"{host}:{port}"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                # All processes that the function starts end with it.
                start_new_session=True,
            )
        except BaseException:
            os.close(self._pipe)
            self._server.close()
            raise
        finally:
            os.close(writing)
        os.set_blocking(self._pipe, False)
        asyncio.get_running_loop().add_reader(self._pipe, self._drain)
        self._exit = asyncio.create_task(self._process.wait())
        return self

    @property
    def pid(self) -> int:
        """The process id. The process leads its own group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can run an event."""
        return not self._exit.done() and self._init_error is None

    async def ready(self) -> None:
        """Wait until the handler is loaded. Raises `InitError` or `RuntimeGoneError`. There is no timeout."""
        await self._until(self._asked.wait())
        if self._init_error is not None:
            raise InitError(self._init_error)

    async def invoke(
        self,
        payload: bytes,
        *,
        timeout: float = 3.0,
        request_id: str | None = None,
        function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function",
        client_context: str | None = None,
    ) -> Outcome:
        """Send an event (JSON) to the process, and return the outcome, within `timeout` seconds. One at a time.

        Raises `InitError`, `RuntimeGoneError` and `TimeoutError`. After a `TimeoutError`, call only `stop`.
        """
        await self.ready()
        self._request_id = request_id or str(uuid4())
        headers = {
            "Lambda-Runtime-Aws-Request-Id": self._request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": function_arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid4().hex[:24]};Sampled=0",
            "Content-Type": "application/json",
        }
        if client_context is not None:
            headers["Lambda-Runtime-Client-Context"] = client_context
        loop = asyncio.get_running_loop()
        self._answer, event = loop.create_future(), self._event
        if event is None or event.done():
            raise RuntimeGoneError("its connection was closed")
        self._asked.clear()
        event.set_result((headers, payload))
        try:
            async with asyncio.timeout(timeout):
                outcome = await self._until(self._answer)
                # Output before the next request for an event belongs to this event.
                with contextlib.suppress(RuntimeGoneError):
                    await self._until(self._asked.wait())
        finally:
            self._drain()
        return outcome

    async def stop(self) -> None:
        """End the process and all that it started, at once."""
        self.kill()
        await self._exit
        if self._pipe >= 0:
            self._drain()
            asyncio.get_running_loop().remove_reader(self._pipe)
            os.close(self._pipe)
            self._pipe = -1
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def kill(self) -> None:
        """End the process without waiting."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _until(self, what: Awaitable[T]) -> T:
        """Return the result of `what`. Raises `RuntimeGoneError` if the process ends first."""
        waiting = asyncio.ensure_future(what)
        try:
            await asyncio.wait({waiting, self._exit}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            raise RuntimeGoneError(_reason(self._exit.result()))
        finally:
            waiting.cancel()

    def _drain(self) -> None:
        """Read the output so far."""
        with contextlib.suppress(BlockingIOError):
            while self._pipe >= 0:
                written = os.read(self._pipe, _PIPE_READ)
                if not written:
                    asyncio.get_running_loop().remove_reader(self._pipe)
                    return
                self._log(written)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await http1.read(reader, writer):
                status, headers, body = await self._respond(request)
                writer.write(http1.answer(status, headers, body))
                await writer.drain()
        except http1.MalformedError as error:
            writer.write(http1.answer(400, {"Connection": "close"}, str(error).encode()))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _respond(self, request: http1.Request) -> tuple[int, Mapping[str, str], bytes]:
        fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()]
        if refusal := host_refusal(fields) or browser_refusal(fields):
            return 403, {}, refusal.encode()
        what = request.path.removeprefix(_PREFIX)
        if (request.method, what) == ("GET", "invocation/next"):
            self._event = asyncio.get_running_loop().create_future()
            self._asked.set()
            headers, payload = await self._event
            return 200, headers, payload
        if (request.method, what) == ("GET", "restore/next"):
            # For SnapStart: the restored snapshot is this process itself.
            return 200, {}, b""
        if (request.method, what) == ("POST", "init/error"):
            self._init_error = Outcome(request.body, request.headers.get(_ERROR_TYPE, "Runtime.Unknown"))
            self._asked.set()
            return 202, {}, b""
        if request.method == "POST" and what == f"invocation/{self._request_id}/response":
            return self._take(_measured(request.body))
        if request.method == "POST" and what == f"invocation/{self._request_id}/error":
            return self._take(Outcome(request.body, request.headers.get(_ERROR_TYPE, "Unhandled")))
        return 404, {}, b"no such call of the Runtime API, or no such request"

    def _take(self, outcome: Outcome) -> tuple[int, Mapping[str, str], bytes]:
        if self._answer is None or self._answer.done():
            return 400, {}, b"the request has its answer"
        self._answer.set_result(outcome)
        return 202, {}, b""


def _reason(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    return "signal: killed" if -code == signal.SIGKILL else f"signal: {signal.strsignal(-code)}".lower()


def _measured(body: bytes) -> Outcome:
    if len(body) <= _LONGEST_ANSWER:
        return Outcome(body)
    said = f"Response payload size exceeded maximum allowed payload size ({_LONGEST_ANSWER} bytes)."
    error = "Function.ResponseSizeTooLarge"
    return Outcome(f'{{"errorMessage":"{said}","errorType":"{error}"}}'.encode(), error)
