"""Runs CloudFront functions for an edge, in a worker process that is replaced when it ends."""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, cast

from keyfront.edge.functions.frames import HEAD, SIZE
from keyfront.home import install
from keyfront.inventory import EdgeFunction

_log = logging.getLogger(__name__)

BUDGET_SECONDS: Final = 0.005
"""The processor time that counts as 100 % compute utilization, on this machine. Assumed: Amazon does not say."""
_encoded: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode
_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
"""What the process needs of the environment. The rest may have credentials."""
_PACKAGES: Final = {"quickjs": "quickjs-ng", "tree_sitter_javascript": "tree-sitter-javascript"}
"""What runs and reads JavaScript: each module, and the package that has it."""
_KILLED: Final = "The function used more than the maximum of processor time and was stopped."


@dataclass(frozen=True, slots=True)
class Execution:
    """What came out of a function's run on one event."""

    value: Any = None
    """What the function returned, as JSON has it."""
    logs: tuple[str, ...] = ()
    error: str = ""
    """Why it has no value; empty if it ran to its end."""
    cpu: float = 0.0
    """Processor time in seconds."""
    origin: Mapping[str, Any] | None = None
    """How it changed the request's origin."""

    @property
    def utilization(self) -> int:
        """The compute utilization in per cent, as TestFunction reports it."""
        return min(100, max(1, round(self.cpu / BUDGET_SECONDS * 100)))


class Runtime:
    """Runs functions until `aclose`, in one event loop. The process starts with the first function.

    If the process ends, one of the calls under way ended it. Each is tried again in a second process, alone, so that
    only the one that ends this process, too, has failed.
    """

    def __init__(self) -> None:
        self._together, self._alone = _Process(), _Process()
        self._one_at_a_time = asyncio.Lock()

    async def run(self, function: EdgeFunction, event: Mapping[str, Any]) -> Execution:
        """Run a function on an event. Never raises for what the function does."""
        content = _encoded(event).encode("utf-8", "replace")
        try:
            try:
                return _execution(await self._together.run(function, content))
            except _EndedError:
                async with self._one_at_a_time:
                    return _execution(await self._alone.run(function, content))
        except _EndedError:
            return Execution(error=_KILLED)
        except OSError as error:
            _log.warning("the process for functions does not start: %s", error)
            return Execution(error=f"The function could not run: {error}.")

    async def aclose(self) -> None:
        """End the processes, and wait for their end."""
        await self._together.aclose()
        await self._alone.aclose()


class _EndedError(Exception):
    """The process ended before it answered."""


class _Process:
    """A process that runs functions. It is started when it is needed, and again after it has ended."""

    def __init__(self) -> None:
        self._link: _Link | None = None
        self._starting = asyncio.Lock()
        self._closed = False

    async def run(self, function: EdgeFunction, event: bytes) -> bytes:
        """Return the answer. Raises `_EndedError`, and `OSError` if the process does not start."""
        link = self._link if self._link is not None and self._link.is_open else await self._connected()
        return await link.run(function, event)

    async def aclose(self) -> None:
        self._closed = True
        if self._link is not None:
            await self._link.aclose()

    async def _connected(self) -> "_Link":
        async with self._starting:
            if self._closed:
                raise OSError("the edge is stopping")
            if self._link is None or not self._link.is_open:
                self._link = await _Link.open()
            return self._link


class _Link(asyncio.Protocol):
    """The connection to one worker process. It answers in the order of the calls."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._buffer = bytearray()
        self._outgoing: list[bytes] = []
        self._numbers: dict[str, tuple[int, EdgeFunction]] = {}
        self._count = 0
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls) -> "_Link":
        if missing := [package for module, package in _PACKAGES.items() if find_spec(module) is None]:
            raise OSError(f"{missing[0]} is not installed: {install('functions')}")
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "keyfront.edge.functions.worker", str(theirs.fileno())]
        try:
            process = await asyncio.to_thread(
                subprocess.Popen,
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        link = cls(process)
        await asyncio.get_running_loop().create_connection(lambda: link, sock=ours)
        return link

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def run(self, function: EdgeFunction, event: bytes) -> bytes:
        assert self._transport is not None
        head = HEAD.pack(b"R", self._number(function), len(event))
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        self._write(head + event)
        return await answer

    async def aclose(self) -> None:
        if self._transport is not None:
            self._transport.close()
        await asyncio.to_thread(self._process.wait)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not of this class

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        while len(buffer) >= SIZE.size:
            end = SIZE.size + SIZE.unpack_from(buffer)[0]
            if len(buffer) < end:
                return
            answer = self._waiting.popleft()
            if not answer.done():
                answer.set_result(bytes(buffer[SIZE.size : end]))
            del buffer[:end]

    def connection_lost(self, error: Exception | None) -> None:
        del error
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(_EndedError)
        self._waiting.clear()
        # It closed its side, so it has ended or is about to.
        asyncio.get_running_loop().run_in_executor(None, self._process.wait)

    def _number(self, function: EdgeFunction) -> int:
        """Return the function's number in the process, and load it if it is new there."""
        known = self._numbers.get(function.arn)
        if known is not None:
            if known[1] is function or known[1] == function:
                return known[0]
            self._send(b"F", known[0], b"")
        self._count += 1
        self._numbers[function.arn] = self._count, function
        self._send(b"L", self._count, _loading(function))
        return self._count

    def _send(self, kind: bytes, number: int, content: bytes) -> None:
        self._write(HEAD.pack(kind, number, len(content)) + content)

    def _write(self, message: bytes) -> None:
        """Write a message together with the others of this turn of the event loop."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing.append(message)

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()


def _loading(function: EdgeFunction) -> bytes:
    store = None
    if (held := function.store) is not None:
        store = json.dumps({"id": held.id, "created": held.created, "modified": held.modified, "values": held.values})
    return json.dumps({"code": function.code, "runtime": function.runtime, "store": store}).encode()


def _execution(answer: bytes) -> Execution:
    try:
        read = json.loads(answer)
    except (ValueError, RecursionError):
        return Execution(error="The function returned a value that is not JSON.")
    return Execution(
        read.get("value"), tuple(map(str, read["logs"])), read.get("error", ""), read["cpu"], read.get("origin")
    )
