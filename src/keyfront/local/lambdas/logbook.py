"""Writes the log of a function and of the platform, in Lambda's format.

Source: Lambda Developer Guide, "Working with Lambda function logs" and "Lambda telemetry API events".
"""

import json
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from keyfront.local.lambdas.function import Function

_TAIL: Final = 4096
"""The bytes of a log that `Invoke` returns. Source: API Reference, "Invoke", `LogType`."""


@dataclass(frozen=True)
class Entry:
    """A log event: milliseconds since the epoch, and the message."""

    timestamp: int
    message: str


@dataclass(frozen=True)
class Report:
    """The metrics of an invocation, in seconds and bytes. `init_seconds` is set for the first one of a process."""

    request_id: str
    seconds: float
    memory: int
    init_seconds: float | None
    status: str
    """`success`, `error`, `failure` or `timeout`."""
    error_type: str | None = None


class Logbook:
    """The log stream of one process, with the lines not published yet."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._json = function.log_format == "JSON"
        self._entries: list[Entry] = []
        self._rest = b""

    def write(self, piece: bytes) -> None:
        """Add output of the function. Each line is an event. A carriage return is a line break within an event."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._add(line.decode("utf-8", "replace").replace("\r", "\n"))

    def init_start(self) -> None:
        """Log the start of a process."""
        function = self._function
        if self._json:
            self._record("initStart", functionName=function.name, functionVersion=function.version, phase="init")
        else:
            self._add(f"INIT_START Runtime Version: {function.runtime}\tRuntime Version ARN: none, on the laptop")

    def start(self, request_id: str) -> None:
        """Log the start of an invocation."""
        if self._json:
            self._record("start", requestId=request_id, version=self._function.version)
        else:
            self._add(f"START RequestId: {request_id} Version: {self._function.version}")

    def say(self, message: str) -> None:
        """Log a line of the platform."""
        self._add(message)

    def end(self, report: Report) -> None:
        """Log the end of an invocation."""
        if self._rest:
            self.write(b"\n")
        milliseconds, init = report.seconds * 1000, report.init_seconds
        # Since August 2025 the init phase is billed too (Lambda pricing).
        billed = math.ceil(milliseconds + (init or 0) * 1000)
        size, used = self._function.memory_mb, min(math.ceil(report.memory / 2**20), self._function.memory_mb)
        if self._json:
            metrics = {"durationMs": round(milliseconds, 3), "billedDurationMs": billed, "memorySizeMB": size}
            metrics |= {"maxMemoryUsedMB": used} | ({} if init is None else {"initDurationMs": round(init * 1000, 2)})
            named = {} if report.error_type is None else {"errorType": report.error_type}
            self._record("report", requestId=report.request_id, metrics=metrics, status=report.status, **named)
            return
        parts = [
            f"REPORT RequestId: {report.request_id}",
            f"Duration: {milliseconds:.2f} ms",
            f"Billed Duration: {billed} ms",
            f"Memory Size: {size} MB",
            f"Max Memory Used: {used} MB",
            *([] if init is None else [f"Init Duration: {init * 1000:.2f} ms"]),
            *([] if report.status == "success" else [f"Status: {report.status}"]),
            *([] if report.error_type is None else [f"Error Type: {report.error_type}"]),
        ]
        self._add(f"END RequestId: {report.request_id}")
        self._add("\t".join(parts) + "\t")

    def take(self) -> list[Entry]:
        """Return the entries since the last call."""
        taken, self._entries = self._entries, []
        return taken

    def _add(self, message: str) -> None:
        if message.strip():
            self._entries.append(Entry(int(time.time() * 1000), message))

    def _record(self, kind: str, **record: object) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._add(json.dumps({"time": now, "type": f"platform.{kind}", "record": record}))


def tail(entries: list[Entry]) -> bytes:
    """Return the end of a log, as `Invoke` returns it."""
    return "".join(f"{entry.message}\n" for entry in entries).encode()[-_TAIL:]
