"""Structured log lines and metrics for the operator: JSON on standard output, which Lambda sends to CloudWatch.

The lines have the members and the settings of Powertools for AWS Lambda, and metrics are in CloudWatch's embedded
metric format. Powertools itself would take a sixth of the time to start (see `benchmarks/README.md`). No line contains
a token or a signature.

Sources: CloudWatch User Guide, "Specification: Embedded metric format"; Lambda Developer Guide, "Log and monitor
Python Lambda functions".
"""

import json
import logging
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple, Protocol

from keyfront.backend.service.exchange import ServiceResponse

_SERVICE: Final = "keyfront"
_DOWNLOADS: Final = ("redirect", "link", "cookies")
_LEVELS: Final = {"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}
"""Lambda's names of levels that Python calls something else."""
_OF_EVERY_RECORD: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})


class Context(Protocol):
    """The context that Lambda passes with an event."""

    @property
    def aws_request_id(self) -> str:
        """The call's id, as in Lambda's own log lines."""

    @property
    def function_name(self) -> str:
        """The function's name."""


class Metric(NamedTuple):
    """One value of a CloudWatch metric."""

    name: str
    unit: str
    value: float


class Observer:
    """The log and the metrics of one container. `environment` may set the log level and the metrics' namespace."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._namespace = environment.get("POWERTOOLS_METRICS_NAMESPACE") or _SERVICE
        self._lines = _Lines()
        self._cold = True
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(self._lines)
        logger = logging.getLogger(_SERVICE)
        logger.handlers.clear()
        logger.addHandler(handler)
        logger.propagate = False  # the runtime client's own handler would write each line again
        logger.setLevel(_level(environment))

    def begin(self, context: Context) -> None:
        """Begin a call. Its id is on every log line that follows."""
        self._lines.call = {
            "cold_start": self._cold,
            "function_name": context.function_name,
            "function_request_id": context.aws_request_id,
        }
        self._cold = False

    def end(self, answer: ServiceResponse, key_age: float | None) -> None:
        """Write the call's metrics: `Downloads`, `Refusals` by `reason`, and the key's age in seconds (`KeyAge`)."""
        if answer.outcome in _DOWNLOADS:
            metrics = [Metric(name="Downloads", unit="Count", value=1)]
            if key_age is not None:
                metrics.append(Metric(name="KeyAge", unit="Seconds", value=key_age))
            self._write(metrics, {"service": _SERVICE})
        elif answer.outcome:
            refusals = Metric(name="Refusals", unit="Count", value=1)
            self._write([refusals], {"service": _SERVICE, "reason": answer.outcome})

    def _write(self, metrics: list[Metric], dimensions: Mapping[str, str]) -> None:
        described = {
            "Namespace": self._namespace,
            "Dimensions": [[*dimensions]],
            "Metrics": [{"Name": each.name, "Unit": each.unit} for each in metrics],
        }
        embedded = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [described]}
        values = {each.name: [each.value] for each in metrics}
        sys.stdout.write(f"{json.dumps({'_aws': embedded, **dimensions, **values})}\n")
        sys.stdout.flush()


class _Lines(logging.Formatter):
    """Writes a log record as a JSON object."""

    def __init__(self) -> None:
        super().__init__()
        self.call: Mapping[str, object] = {}
        """The members that every line of the current call has."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for a record, with the members of its `extra`."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "level": record.levelname,
            "location": f"{record.funcName}:{record.lineno}",
            "message": record.getMessage(),
            "timestamp": when.replace("+00:00", "Z"),
            "service": _SERVICE,
            **self.call,
            **{name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD},
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = self.formatException(record.exc_info)
            line["exception_name"] = record.exc_info[0].__name__
        return json.dumps(line, default=str)


def log() -> logging.Logger:
    """Return the function's logger."""
    return logging.getLogger("keyfront.backend.aws_lambda")


def _level(environment: Mapping[str, str]) -> str:
    """Return the log level of the settings: `POWERTOOLS_LOG_LEVEL`, or else Lambda's own. The default is `INFO`."""
    said = environment.get("POWERTOOLS_LOG_LEVEL") or environment.get("AWS_LAMBDA_LOG_LEVEL") or ""
    level = _LEVELS.get(said.strip().upper(), said.strip().upper())
    return level if level in logging.getLevelNamesMapping() else "INFO"
