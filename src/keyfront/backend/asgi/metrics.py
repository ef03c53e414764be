"""Metrics of the download service, for Prometheus.

Several processes each write files into one shared folder (`PROMETHEUS_MULTIPROC_DIR`, set before the process starts).
The process that serves `/metrics` adds them up. This is prometheus_client's multiprocess mode.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from keyfront.backend.asgi.adapter import ASGIRequest
from keyfront.backend.service.exchange import ServiceResponse
from keyfront.web.serving import PortError

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_NONE: Final = "none"
"""The outcome of health checks and other requests that are neither a download nor a refusal."""


class RequestMetrics:
    """Counts the requests of one process. `key_age` returns the age of the signing key in seconds, if there is one."""

    def __init__(self, key_age: Callable[[], float | None]) -> None:
        self._key_age = key_age
        registry = CollectorRegistry()
        self._requests = Counter(
            "keyfront_backend_requests",
            "Requests, by status and by outcome (redirect, link, cookies, or the slug of a refusal).",
            ("status", "outcome"),
            registry=registry,
        )
        self._seconds = Histogram(
            "keyfront_backend_response_seconds",
            "Seconds from a request to the end of its response, by outcome.",
            ("outcome",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._key_read = Gauge(
            "keyfront_backend_key_read_timestamp_seconds",
            "When the signing key was last fetched. The key's age is time() minus this.",
            multiprocess_mode="mostrecent",
            registry=registry,
        )

    def observe(self, _: ASGIRequest, answer: ServiceResponse, seconds: float) -> None:
        """Count a request."""
        outcome = answer.outcome or _NONE
        self._requests.labels(str(answer.status), outcome).inc()
        self._seconds.labels(outcome).observe(seconds)
        age = self._key_age()
        if age is not None:
            self._key_read.set(time.time() - age)


def serve_metrics(folder: Path, host: str, port: int) -> int:
    """Serve the metrics in `folder` to Prometheus, in a thread. Return the port (for 0, any free one).

    Raises `PortError` if it cannot listen there.
    """
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    try:
        server, _ = start_http_server(port, host, registry)
    except OSError as error:
        raise PortError(
            f"cannot listen on {host} port {port}: {error.strerror or error}; choose another with --metrics-port"
        ) from None
    return int(server.server_port)
