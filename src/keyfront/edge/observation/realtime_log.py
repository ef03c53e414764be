"""Real-time logs: records of sampled requests, written to Kinesis streams of the laptop.

Source: Developer Guide, "Use real-time access logs". A record has the configured fields in their order, with tabs
between them and a line end. A field that the edge does not know is `-`. The edge of a real account writes nothing:
CloudFront does that itself.
"""

import ipaddress
import logging
import queue
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from keyfront.core.paths import readings
from keyfront.edge.behaviors import Behavior
from keyfront.edge.configuration import Configuration, Distribution
from keyfront.edge.observation.log_fields import NONE, encoded, hide_signatures, log_fields
from keyfront.edge.observation.record import Record
from keyfront.edge.request.geography import Country

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

_log = logging.getLogger(__name__)

_STANDARD: Final = {
    "cs-host": "cs(Host)",
    "cs-user-agent": "cs(User-Agent)",
    "cs-referer": "cs(Referer)",
    "cs-cookie": "cs(Cookie)",
}
"""The fields that have another name in standard logs."""
_MOST_WAITING: Final = 10_000
"""How many records wait for their stream. Further records are lost."""
_MOST_AT_ONCE: Final = 500
"""How many records a call of PutRecords may have (Kinesis API Reference)."""
_HEADERS_BYTES: Final = 800
"""The length at which `cs-headers` and `cs-header-names` are cut (Developer Guide)."""
_CLOSE_SECONDS: Final = 3

Line = tuple[str, bytes, str]
"""The ARN of a stream, a record, and its partition key."""


class RealtimeLogs:
    """Writes the records of behaviors with a real-time log configuration, in a thread of its own."""

    def __init__(
        self,
        configuration: Callable[[], Configuration],
        kinesis: "Callable[[str], KinesisClient]",
        country_of: Country = lambda _: "",
    ) -> None:
        """`kinesis` returns a client for a region, `country_of` the country of an address."""
        self._configuration = configuration
        self._kinesis = kinesis
        self._country_of = country_of
        self._waiting: queue.Queue[Line | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._lost = 0
        self._failing: set[str] = set()

    def observe(self, record: Record) -> None:
        """Queue a record, if the request's behavior has a log and the request is in its sample."""
        configuration = self._configuration()
        distribution = configuration.distributions.get(record.outcome.distribution_id)
        behavior = _behavior(distribution, record.viewer.as_sent) if distribution else None
        log = behavior.realtime_log if behavior else None
        if distribution is None or behavior is None or log is None:
            return
        if log.percent < 100 and random.random() * 100 >= log.percent:  # noqa: S311  sampling, not a secret
            return
        values = _values(record, distribution, behavior, configuration)
        values["c-country"] = self._country_of(values["c-ip"])
        text = "\t".join(values.get(name) or NONE for name in log.fields) + "\n"
        try:
            self._waiting.put_nowait((log.stream_arn, text.encode("ascii", "replace"), values["x-edge-request-id"]))
        except queue.Full:
            self._lost += 1
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="keyfront-realtime-logs", daemon=True)
            thread.start()
            self._thread = thread

    def close(self) -> None:
        """Write the records that wait, if their streams take them soon."""
        if self._thread is not None:
            try:
                self._waiting.put(None, timeout=_CLOSE_SECONDS)
            except queue.Full:
                return
            self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        ended = False
        while not ended:
            streams: dict[str, list[Line]] = defaultdict(list)
            lines = [self._waiting.get()]
            while len(lines) < _MOST_AT_ONCE and not self._waiting.empty():
                lines.append(self._waiting.get())
            for line in lines:
                if line is None:
                    ended = True
                else:
                    streams[line[0]].append(line)
            for arn, of_stream in streams.items():
                self._write(arn, of_stream)

    def _write(self, arn: str, lines: Sequence[Line]) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        records: Any = [{"Data": data, "PartitionKey": key} for _, data, key in lines]
        try:
            failed = self._kinesis(arn.split(":")[3]).put_records(StreamARN=arn, Records=records)["FailedRecordCount"]
            why = f"{failed} records were refused" if failed else ""
        except (BotoCoreError, ClientError) as error:
            why = str(error)
        if why and arn not in self._failing:
            _log.warning("real-time logs cannot be written to %s, so their records are lost: %s", arn, why)
            self._failing.add(arn)
        elif not why and (arn in self._failing or self._lost):
            _log.warning("real-time logs are written to %s again; %d waiting records were lost", arn, self._lost)
            self._failing.discard(arn)
            self._lost = 0


def _behavior(distribution: Distribution, path: str) -> Behavior:
    root = distribution.root
    return distribution.behavior(readings(root if root and path == "/" else path)[0].path)


def _values(
    record: Record, distribution: Distribution, behavior: Behavior, configuration: Configuration
) -> dict[str, str]:
    """Return the values that the edge knows, by the names of real-time logs."""
    standard = log_fields(record, distribution.domain_name, cookies=True)
    viewer = record.viewer
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in viewer.headers]
    primary = next((d for d in configuration.distributions.values() if _leads_to(d, distribution)), None)
    return {
        **standard,
        **{name: standard[other] for name, other in _STANDARD.items()},
        "timestamp": f"{record.ended:.3f}",
        "c-ip-version": _version(standard["c-ip"]),
        "cs-accept": encoded(viewer.header(b"accept")),
        "cs-accept-encoding": encoded(viewer.header(b"accept-encoding")),
        "cache-behavior-path-pattern": encoded(behavior.pattern),
        "cs-headers": encoded("\n".join(f"{name}:{hide_signatures(value)}" for name, value in headers))[
            :_HEADERS_BYTES
        ],
        "cs-header-names": encoded("\n".join(name for name, _ in headers))[:_HEADERS_BYTES],
        "cs-headers-count": str(len(headers)),
        "primary-distribution-id": primary.id if primary else NONE,
        "primary-distribution-dns-name": primary.domain_name if primary else NONE,
    }


def _leads_to(primary: Distribution, staging: Distribution) -> bool:
    return primary.traffic is not None and primary.traffic.staging.id == staging.id


def _version(address: str) -> str:
    try:
        return f"IPv{ipaddress.ip_address(address).version}"
    except ValueError:
        return NONE
