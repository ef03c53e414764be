"""An edge location as a child process of `keyfront up`. It shares no interpreter lock with the API.

It runs `python -m keyfront.edge`, which reads its configuration only through the CloudFront API. On standard output it
reports its ports and the changes that it has applied. A line on its standard input makes it read again. It stops when
its standard input ends, so it never outlives us.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from keyfront.edge.server.standing import Standing
from keyfront.errors import KeyfrontError
from keyfront.web.draining import Drain

if TYPE_CHECKING:
    from keyfront.edge.server.settings import EdgeSettings

_START_SECONDS: Final = 30
_BEYOND_SECONDS: Final = 10.0
"""How long the child may take to end, after the time for running responses."""
_LAST_SECONDS: Final = 3.0
_GATHER_SECONDS: Final = 0.05
"""How long changes are gathered before the child hears of them."""


OnDecided = Callable[[Sequence[Mapping[str, object]], Mapping[str, int]], None]
"""Called with the latest decisions, and with how many more there were, by `REASON KEY`."""


class EdgeProcess:
    """The child process, from `start` to `stop`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        authority: Path,
        on_applied: Callable[[Mapping[str, str]], None],
        on_decided: OnDecided | None = None,
    ) -> None:
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._tells_soon = False
        self._on_applied = on_applied
        self._on_decided = on_decided
        self._listening = asyncio.create_task(self._listen())
        self.authority = authority
        """The file of the authority that signed its certificate."""
        self._standing = Standing()

    @classmethod
    async def start(
        cls,
        settings: "EdgeSettings",
        on_applied: Callable[[Mapping[str, str]], None],
        *,
        metrics: Path | None = None,
        on_decided: OnDecided | None = None,
    ) -> "EdgeProcess":
        """Start the child and wait until it listens. Raises `KeyfrontError` if it cannot start.

        `on_applied` is called with the ids and ETags of the distributions that the child has applied. `metrics` is
        the folder for its metrics, if there are any. `on_decided` gets its decisions, if the settings report them.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "keyfront.edge"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Ctrl-C reaches the whole foreground group, but the parent decides when the child stops.
            start_new_session=True,
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(metrics)} if metrics else None,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(asdict(settings), default=str).encode() + b"\n")
        try:
            said = await asyncio.wait_for(_said(process), _START_SECONDS)
        except TimeoutError:
            said = {"error": f"the edge did not start within {_START_SECONDS} seconds"}
        except asyncio.CancelledError:
            process.kill()
            raise
        if "error" in said:
            await _end(process, Drain(0))
            raise KeyfrontError(said["error"])
        return cls(process, Path(said["authority"]), on_applied, on_decided)

    @property
    def runs(self) -> bool:
        """Whether the child runs."""
        return self._process.returncode is None

    @property
    def standing(self) -> Standing:
        """The state of its configuration. Once the child has ended, this is the state before the first read."""
        return self._standing if self.runs else Standing()

    async def ended(self) -> int:
        """Wait until the child ends, and return its exit status (negative: the signal that ended it)."""
        # Awaiting the task directly would cancel it when this caller is cancelled.
        await asyncio.wait({self._listening})
        return await self._process.wait()

    def reload(self) -> None:
        """Make the child read its configuration and certificate again."""
        if self.runs:
            self._process.send_signal(signal.SIGHUP)

    def tell_of_changes(self) -> None:
        """Make the child read its configuration soon. Any thread may call it; many calls make one reading."""
        if not self._tells_soon:
            self._tells_soon = True
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._loop.call_later, _GATHER_SECONDS, self._tell)

    def _tell(self) -> None:
        self._tells_soon = False
        if self.runs and self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(b"\n")

    async def stop(self, drain: Drain) -> None:
        """Let running responses end, for as long as `drain` allows, then end the child."""
        await _end(self._process, drain)
        await self._listening

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            message = json.loads(line)
            if message["event"] == "applied":
                self._on_applied(message["distributions"])
            elif message["event"] == "decided" and self._on_decided is not None:
                self._on_decided(message["decisions"], message["counts"])
            elif message["event"] == "standing":
                self._standing = _standing(message)


def _standing(message: Mapping[str, Any]) -> Standing:
    # The child does not report every successful read, so the age counts from the first failure.
    read_at = time.monotonic() - message["age"]
    return Standing(read_at, message["faulty"], message["closed"], tuple(message["keyless"]))


async def _end(process: asyncio.subprocess.Process, drain: Drain) -> None:
    assert process.stdin is not None
    process.stdin.close()
    ended = asyncio.ensure_future(process.wait())
    # The child measures the same time with its own clock.
    if not await drain.wait(ended, beyond=_BEYOND_SECONDS) and process.returncode is None:
        process.terminate()  # the second signal: now it ends at once
        await asyncio.wait({ended}, timeout=_LAST_SECONDS)
    if process.returncode is None:
        process.kill()
    await ended


async def _said(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    return dict(json.loads(line)) if line else {"error": "the edge ended before it listened. Its error is above"}
