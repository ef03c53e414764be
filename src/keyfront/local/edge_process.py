"""An edge location as a child of `keyfront up`: a process of its own, which shares no interpreter lock with the API.

It is `python -m keyfront.edge`, which learns what to serve through the CloudFront API alone. Its standard output
says where it listens and what it has taken up; the end of its standard input stops it, however we end.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
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
"""How long the child may take to end beyond the time of the answers under way."""
_LAST_SECONDS: Final = 3.0


class EdgeProcess:
    """The child, from `start` to `stop`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        authority: Path,
        on_applied: Callable[[Mapping[str, str]], None],
    ) -> None:
        self._process = process
        self._on_applied = on_applied
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
    ) -> "EdgeProcess":
        """Start the child and wait until it listens; `KeyfrontError` if it cannot.

        `on_applied` is called with the ids and ETags of the distributions that it has taken up. `metrics`: the
        folder into whose files it counts, if its settings want that.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "keyfront.edge"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Ctrl-C reaches the whole foreground group; the parent decides when the child stops.
            start_new_session=True,
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(metrics)} if metrics else None,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(asdict(settings), default=str).encode() + b"\n")
        try:
            said = await asyncio.wait_for(_said(process), _START_SECONDS)
        except TimeoutError:
            said = {"error": f"the edge did not start in {_START_SECONDS} seconds"}
        except asyncio.CancelledError:
            process.kill()
            raise
        if "error" in said:
            await _end(process, Drain(0))
            raise KeyfrontError(said["error"])
        return cls(process, Path(said["authority"]), on_applied)

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    @property
    def standing(self) -> Standing:
        """How its configuration stands; as never read once it has ended."""
        return self._standing if self.runs else Standing()

    async def ended(self) -> int:
        """The exit status, once the child has ended of itself; negative for the signal that ended it."""
        await asyncio.wait({self._listening})  # waiting for it by itself would end it with whoever waits here
        return await self._process.wait()

    def reload(self) -> None:
        """Let the child read configuration and certificate anew."""
        if self.runs:
            self._process.send_signal(signal.SIGHUP)

    async def stop(self, drain: Drain) -> None:
        """Let answers under way end, for as long as `drain` says, then end the child."""
        await _end(self._process, drain)
        await self._listening

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            message = json.loads(line)
            if message["event"] == "applied":
                self._on_applied(message["distributions"])
            elif message["event"] == "standing":
                self._standing = _standing(message)


def _standing(message: Mapping[str, Any]) -> Standing:
    # While nothing is amiss, the child does not say each time that it has read again: its age counts from a fault on.
    read_at = time.monotonic() - message["age"]
    return Standing(read_at, message["faulty"], message["closed"], tuple(message["keyless"]))


async def _end(process: asyncio.subprocess.Process, drain: Drain) -> None:
    assert process.stdin is not None
    process.stdin.close()
    ended = asyncio.ensure_future(process.wait())
    # The child waits by a clock of its own, for as long as we do.
    if not await drain.wait(ended, beyond=_BEYOND_SECONDS) and process.returncode is None:
        process.terminate()  # the second request to end: it waits for nothing any more
        await asyncio.wait({ended}, timeout=_LAST_SECONDS)
    if process.returncode is None:
        process.kill()
    await ended


async def _said(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    return dict(json.loads(line)) if line else {"error": "the edge ended before it listened; its own words are above"}
