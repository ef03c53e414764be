"""Structured log lines and metrics for the operator, with Powertools for AWS Lambda.

All our loggers are below `keyfront`, and Powertools handles them. No line contains a token or a signature.
"""

import logging
from collections.abc import Mapping
from typing import Final, Protocol

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from keyfront.backend.service.exchange import ServiceResponse

_NAMESPACE: Final = "keyfront"
_DOWNLOADS: Final = ("redirect", "link", "cookies")


class Context(Protocol):
    """The context that Lambda passes with an event."""

    @property
    def aws_request_id(self) -> str:
        """The call's id, as in Lambda's own log lines."""

    @property
    def function_name(self) -> str:
        """The function's name."""


class Observer:
    """The log and the metrics of one container. `environment` may set the metrics' namespace."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._logger = Logger(service="keyfront")
        self._namespace = environment.get("POWERTOOLS_METRICS_NAMESPACE") or _NAMESPACE
        self._metrics = Metrics(namespace=self._namespace, service="keyfront")
        self._cold = True

    def begin(self, context: Context) -> None:
        """Begin a call. Its id is on every log line that follows."""
        self._logger.append_keys(
            function_name=context.function_name, function_request_id=context.aws_request_id, cold_start=self._cold
        )
        self._cold = False

    def end(self, answer: ServiceResponse, key_age: float | None) -> None:
        """Write the call's metrics: `Downloads`, `Refusals` by `reason`, and the key's age in seconds (`KeyAge`)."""
        if answer.outcome in _DOWNLOADS:
            self._metrics.add_metric(name="Downloads", unit=MetricUnit.Count, value=1)
            if key_age is not None:
                self._metrics.add_metric(name="KeyAge", unit=MetricUnit.Seconds, value=key_age)
            self._metrics.flush_metrics()
        elif answer.outcome:
            with single_metric(name="Refusals", unit=MetricUnit.Count, value=1, namespace=self._namespace) as metric:
                metric.add_dimension(name="service", value="keyfront")
                metric.add_dimension(name="reason", value=answer.outcome)


def log() -> logging.Logger:
    """Return the function's logger."""
    return logging.getLogger("keyfront.backend.aws_lambda")
