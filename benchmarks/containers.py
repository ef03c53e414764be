"""One container of a function on Amazon's runtime client, measured from its start to its last response."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

from benchmarks.contest import PeerError
from keyfront.local.lambdas.runtime_api import InitError, Outcome, Runtime, RuntimeGoneError

_SECONDS: Final = 60.0
_EVENT: Final = json.dumps(
    {
        "version": "2.0",
        "rawPath": "/download/books/small-lights.epub",
        "rawQueryString": "",
        "headers": {"host": "api.example.com", "accept": "*/*"},
        "requestContext": {
            "http": {"method": "GET", "path": "/download/books/small-lights.epub", "sourceIp": "192.0.2.7"},
            "stage": "$default",
            "authorizer": {"jwt": {"claims": {"sub": "mara"}, "scopes": None}},
        },
        "isBase64Encoded": False,
    }
).encode()


@dataclass(frozen=True)
class Function:
    """A function: its command, folder and environment."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Life:
    """The measurements of a container, in milliseconds and megabytes."""

    first: float
    """From the start of the process to its first response."""
    warm: list[float]
    """The later responses."""
    memory: float
    """The peak resident memory."""


def lived(function: Function, calls: int) -> Life:
    """Start the function, get one 303 and then `calls` more. Raises `PeerError` with its last output otherwise."""
    return asyncio.run(_lived(function, calls))


async def _lived(function: Function, calls: int) -> Life:
    said = bytearray()
    begun = perf_counter()
    runtime = await Runtime.start(
        function.command, directory=function.folder, environment=function.environment, log=said.extend
    )
    try:
        _checked(await runtime.invoke(_EVENT, timeout=_SECONDS), said)
        first = perf_counter() - begun
        warm = []
        for _ in range(calls):
            begun = perf_counter()
            outcome = await runtime.invoke(_EVENT, timeout=_SECONDS)
            warm.append((perf_counter() - begun) * 1e3)
            _checked(outcome, said)
        memory = _most_resident(runtime.pid)
    except (InitError, RuntimeGoneError, TimeoutError) as error:
        raise PeerError(f"{type(error).__name__}: {_last(said) or error}") from None
    finally:
        await runtime.stop()
    return Life(first * 1e3, warm, memory)


def _checked(outcome: Outcome, said: bytearray) -> None:
    answer = json.loads(outcome.payload)
    if outcome.error_type is not None or not isinstance(answer, dict) or answer.get("statusCode") != 303:
        raise PeerError(f"the response is not a 303: {_last(said) or outcome.payload[:200]!r}")


def _last(said: bytearray) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""


def _most_resident(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise PeerError("this machine does not report the memory of a process")
