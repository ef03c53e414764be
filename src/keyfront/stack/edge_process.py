"""The edge as a child of `keyfront up`: a process of its own, so that it shares no interpreter lock with the API.

It learns what to serve through the CloudFront API alone, and tells the endpoint what it has applied. Parent and
child hold a pipe's two ends: settings go in as one line of JSON, the ports come back as one, and when the parent
is gone, however it went, the child sees the end of its input and stops.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from keyfront.errors import KeyfrontError

_START_SECONDS = 30
_STOP_SECONDS = 10


@dataclass(frozen=True)
class EdgePorts:
    """Where viewers reach the edge, and the file of the authority that signed its certificate."""

    http: int
    https: int
    authority: Path


class EdgeProcess:
    """The child, from `start` to `stop`."""

    def __init__(self, process: asyncio.subprocess.Process, ports: EdgePorts) -> None:
        self._process = process
        self.ports = ports

    @classmethod
    async def start(cls, settings: dict[str, object]) -> "EdgeProcess":
        """Start the child and wait until it listens; `KeyfrontError` if it cannot."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "keyfront.stack.edge_process"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Ctrl-C reaches the whole foreground group; the parent decides when the child stops.
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(settings).encode() + b"\n")
        try:
            line = await asyncio.wait_for(process.stdout.readline(), _START_SECONDS)
            answer = json.loads(line or '{"error": "the edge ended before it listened"}')
        except (TimeoutError, ValueError):
            answer = {"error": f"the edge did not start in {_START_SECONDS} seconds"}
        if "error" in answer:
            if process.returncode is None:
                process.kill()
            await process.wait()
            raise KeyfrontError(answer["error"])
        return cls(process, EdgePorts(answer["http"], answer["https"], Path(answer["authority"])))

    async def stop(self) -> None:
        """Let answers under way end, then end the child."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
