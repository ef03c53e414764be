"""Metrics of an edge, for Prometheus: decisions and their reasons, cache results, and the latency of origins.

Several processes each write files into one shared folder (`PROMETHEUS_MULTIPROC_DIR`, set before the process starts).
The process that serves `/metrics` adds them up. This is prometheus_client's multiprocess mode.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from keyfront.edge.observation.record import Record

_SECONDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0)
_OTHER: Final = "other"
_NONE: Final = "none"


class Metrics:
    """The counters of one edge process. An untrusted key-pair id is counted as `other`, since labels never go away."""

    def __init__(self, location: str, registry: CollectorRegistry | None = None) -> None:
        """`registry`: where the metrics are registered. The default is a new one."""
        self.registry = registry or CollectorRegistry()
        self._location = location
        self._requests = Counter(
            "keyfront_edge_requests",
            "Requests, by status and cache result.",
            ("location", "status", "cache"),
            registry=self.registry,
        )
        self._decisions = Counter(
            "keyfront_edge_decisions",
            "Requests, by the reason (allowed, expired, ...) and the key-pair id.",
            ("location", "reason", "key_pair_id"),
            registry=self.registry,
        )
        self._bytes = Counter(
            "keyfront_edge_sent_bytes", "Bytes sent to viewers.", ("location",), registry=self.registry
        )
        self._duration = Histogram(
            "keyfront_edge_first_byte_seconds",
            "Seconds from a request to the first byte of its response.",
            ("location", "cache"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._origin = Histogram(
            "keyfront_edge_origin_seconds",
            "Seconds from a request to an origin to its response's headers, by outcome (a status, or error).",
            ("location", "outcome"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._configured = Gauge(
            "keyfront_edge_configuration_read_timestamp_seconds",
            "When the account was last read without an error. The configuration's age is time() minus this.",
            ("location",),
            multiprocess_mode="max",
            registry=self.registry,
        )
        self._closed = Gauge(
            "keyfront_edge_configuration_too_old",
            "1 while the configuration is too old, so that everything is refused.",
            ("location",),
            multiprocess_mode="mostrecent",
            registry=self.registry,
        )
        self._keyless = Gauge(
            "keyfront_edge_key_groups_without_keys",
            "Trusted key groups without a usable key. Every request that needs them is refused.",
            ("location",),
            multiprocess_mode="mostrecent",
            registry=self.registry,
        )

    def observe(self, record: Record) -> None:
        """Count a request."""
        location, outcome, decision = self._location, record.outcome, record.outcome.decision
        cache = outcome.cache or "None"
        self._requests.labels(location, str(record.status), cache).inc()
        self._bytes.labels(location).inc(record.sent)
        self._duration.labels(location, cache).observe(record.first_byte)
        key = decision.key_pair_id if decision is not None else None
        if key and outcome.reason == "unknown-key":
            key = _OTHER
        self._decisions.labels(location, outcome.reason, key or _NONE).inc()

    def origin(self, seconds: float, outcome: str) -> None:
        """Count a request to an origin. `outcome` is the response's status as text, or `error`."""
        self._origin.labels(self._location, outcome).observe(seconds)

    def configured(self, at: float | None, *, closed: bool, keyless: int) -> None:
        """Record that the last complete reading was at `at` (seconds since the epoch), or never.

        `closed`: whether the configuration is too old. `keyless`: how many key groups have no key.
        """
        if at is not None:
            self._configured.labels(self._location).set(at)
        self._closed.labels(self._location).set(closed)
        self._keyless.labels(self._location).set(keyless)

    def close(self) -> None:
        """Do nothing: every value is written at once."""
