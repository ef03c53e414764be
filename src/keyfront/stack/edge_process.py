"""The edge as a child of `keyfront up`: a process of its own, so that it shares no interpreter lock with the API.

It learns what to serve through the CloudFront API alone, and tells the endpoint what it has applied. Parent and
child share a pipe: settings go in as one line of JSON, the addresses come back as one, and when the parent is
gone, however it went, the child sees the end of its input and stops.
"""

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from keyfront.errors import KeyfrontError

_log = logging.getLogger(__name__)

NAME: Final = "edge"
"""What the endpoint calls the one edge of this machine."""

_START_SECONDS: Final = 30
_STOP_SECONDS: Final = 10
_REPORT_SECONDS: Final = 5


@dataclass(frozen=True)
class EdgePlan:
    """What the child is told."""

    endpoint: str
    http_port: int
    https_port: int
    addressing: Literal["host", "port"]
    directory: str


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
    async def start(cls, plan: EdgePlan) -> "EdgeProcess":
        """Start the child and wait until it listens; `KeyfrontError` if it cannot."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "keyfront.stack.edge_process"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Ctrl-C reaches the whole foreground group; the parent decides when the child stops.
            start_new_session=True,
        )
        try:
            answer = await asyncio.wait_for(_greet(process, plan), _START_SECONDS)
        except TimeoutError:
            answer = {"error": f"the edge did not start in {_START_SECONDS} seconds"}
        except asyncio.CancelledError:
            process.kill()
            raise
        if "error" in answer:
            if process.returncode is None:
                process.kill()
            await process.wait()
            raise KeyfrontError(answer["error"])
        return cls(process, EdgePorts(int(answer["http"]), int(answer["https"]), Path(answer["authority"])))

    async def stop(self) -> None:
        """Let answers under way end, then end the child."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


async def _greet(process: asyncio.subprocess.Process, plan: EdgePlan) -> dict[str, str]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(vars(plan)).encode() + b"\n")
    line = await process.stdout.readline()
    return dict(json.loads(line)) if line else {"error": "the edge ended before it listened; its own words are above"}


async def _child(plan: EdgePlan) -> None:
    """Run an edge until the parent closes our standard input."""
    from keyfront.edge.server import EdgeServer, EdgeSettings
    from keyfront.stack.aws import CREDENTIALS, REGION

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    loop.add_reader(sys.stdin.fileno(), stopping.set)
    server = EdgeServer(
        EdgeSettings(
            endpoint_url=plan.endpoint,
            region=REGION,
            access_key_id=CREDENTIALS[0],
            secret_access_key=CREDENTIALS[1],
            http_port=plan.http_port,
            https_port=plan.https_port,
            addressing=plan.addressing,
            directory=Path(plan.directory),
        ),
        on_applied=_reporter(plan.endpoint),
    )
    try:
        addresses = await server.start()
    except KeyfrontError as error:
        print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201  the parent reads it
        return
    answer = {"http": addresses.http, "https": addresses.https, "authority": str(addresses.authority)}
    print(json.dumps(answer), flush=True)  # noqa: T201  the parent reads it
    await stopping.wait()
    await server.stop()


def _reporter(endpoint: str) -> Callable[[Mapping[str, str]], None]:
    """Tells the endpoint which distributions this edge serves, and with which ETags."""
    import httpx

    client = httpx.Client(base_url=endpoint, timeout=_REPORT_SECONDS, trust_env=False)

    def report(etags: Mapping[str, str]) -> None:
        try:
            client.post(f"/_keyfront/edges/{NAME}/applied", json=dict(etags)).raise_for_status()
        except httpx.HTTPError as error:
            _log.warning("the endpoint could not be told what the edge serves: %s", error)

    return report


def _first_line() -> bytes:
    """One line of standard input, and nothing of what follows: its end is watched for on the descriptor itself."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(sys.stdin.fileno(), 1)):
        line += byte
    return line


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, format="keyfront edge: %(message)s")
    asyncio.run(_child(EdgePlan(**json.loads(_first_line()))))
