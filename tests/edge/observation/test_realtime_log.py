"""Real-time logs: which requests have a record, what is in it, and what happens if it cannot be written."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from tests.waiting import wait_until

from keyfront.edge.configuration import configure
from keyfront.edge.observation.realtime_log import RealtimeLogs
from keyfront.edge.observation.watching import Observation
from keyfront.edge.server.settings import EdgeSettings
from keyfront.inventory import DeploymentPolicy, RealtimeLog
from keyfront.local.controlplane.realtime_log_configs import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.edge.conftest import Laid, Lay

STREAM = "arn:aws:kinesis:eu-central-1:123456789012:stream/logs"
DOMAIN_NAME = "d1.cloudfront.localhost:8443"
ARN = "arn:aws:cloudfront::123456789012:realtime-log-config/all"


class Stream:
    """Stands in for Kinesis: keeps what is put, or refuses it."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str]] = []
        self.refuses = False
        self.held = threading.Event()
        self.held.set()

    def __call__(self, region: str) -> Any:
        self.region = region
        return self

    def put_records(self, *, StreamARN: str, Records: list[dict[str, Any]]) -> dict[str, int]:  # noqa: N803
        self.held.wait(10)
        self.calls.append((self.region, StreamARN))
        if self.refuses:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "Stream logs"}}, "PutRecords")
        self.records += Records
        return {"FailedRecordCount": 0}


class Logged:
    """An edge with a real-time log on every path."""

    def __init__(self, lay: Lay, stream: Stream) -> None:
        self.stream = stream
        self.log = RealtimeLogs(lambda: self.laid.edge.configuration, stream, lambda _: "DE")
        self.laid: Laid = lay(observers=[self.log])
        self.laid.origin.answer("/a", b"0123456789", headers={"Content-Type": "video/mp4"})

    def serve(self, fields: tuple[str, ...], percent: int = 100, **changes: Any) -> None:
        behavior = self.laid.behavior(realtime_log=ARN)
        first = self.laid.behavior("/quiet/*")
        inventory = self.laid.inventory(self.laid.distribution(first, behavior))
        logs = {ARN: RealtimeLog(ARN, STREAM, fields, percent)}
        self.laid.edge.configuration = configure(replace(inventory, realtime_logs=logs, **changes))

    def lines(self, count: int) -> list[list[str]]:
        wait_until(lambda: len(self.stream.records) >= count)
        text = [record["Data"].decode("ascii") for record in self.stream.records]
        assert all(line.endswith("\n") for line in text)
        return [line.removesuffix("\n").split("\t") for line in text]


@pytest.fixture
def logged(lay: Lay) -> Iterator[Logged]:
    made = Logged(lay, Stream())
    yield made
    made.log.close()


def test_a_record_has_the_fields_in_their_order(logged: Logged) -> None:
    logged.serve(("timestamp", "c-ip", "sc-status", "cs-uri-stem", "cs-host", "cs-user-agent", "asn"))
    reply = logged.laid.viewer.get("/a", headers={"User-Agent": "A\tbrowser"})
    ((timestamp, *rest),) = logged.lines(1)
    assert float(timestamp) > 1_700_000_000
    assert rest == ["127.0.0.1", "200", "/a", DOMAIN_NAME, "A%09browser", "-"]
    assert logged.stream.calls == [("eu-central-1", STREAM)]
    assert logged.stream.records[0]["PartitionKey"] == reply.headers["x-amz-cf-id"]


def test_every_field_of_the_api_has_a_place(logged: Logged) -> None:
    logged.serve(FIELDS)
    cookie = "a=1; CloudFront-Signature=secret~"
    logged.laid.viewer.get("/a?Signature=hush&b=2", headers={"Cookie": cookie, "Accept": "*/*"})
    (values,) = logged.lines(1)
    row = dict(zip(FIELDS, values, strict=True))
    assert (row["c-ip-version"], row["cache-behavior-path-pattern"], row["cs-accept"]) == ("IPv4", "*", "*/*")
    assert row["c-country"] == "DE"
    assert (row["cs-method"], row["cs-protocol"], row["x-edge-result-type"]) == ("GET", "http", "Miss")
    assert row["sc-content-type"] == "video/mp4"
    assert row["cs-header-names"].lower().split("%0a") == ["host", "cookie", "accept"]
    assert row["cs-headers-count"] == "3"
    assert row["primary-distribution-id"] == row["cmcd-session-id"] == "-"
    # A reader of the log cannot use its links.
    assert "a=1" in row["cs-cookie"]
    assert not any(secret in value for value in values for secret in ("secret", "hush"))


def test_a_sample_and_a_behavior_without_a_log_leave_requests_out(logged: Logged) -> None:
    logged.laid.origin.answer("/quiet/a", b"a")
    logged.serve(("cs-uri-stem",), percent=1)
    for _ in range(20):
        logged.laid.viewer.get("/a")
    logged.serve(("cs-uri-stem",))
    logged.laid.viewer.get("/quiet/a")
    last = logged.laid.viewer.get("/a?last").headers["x-amz-cf-id"]
    wait_until(lambda: last in [record["PartitionKey"] for record in logged.stream.records])
    assert 1 <= len(logged.stream.records) <= 11
    assert all(record["Data"] == b"/a\n" for record in logged.stream.records)


def test_a_staging_distribution_s_record_names_its_primary(logged: Logged) -> None:
    laid = logged.laid
    primary = replace(laid.distribution(laid.behavior()), deployment_policy="p1")
    staging = replace(
        laid.distribution(laid.behavior(realtime_log=ARN)),
        id="E2",
        domain_name="d2.cloudfront.localhost",
        staging=True,
    )
    policy = DeploymentPolicy("p1", True, ("d2.cloudfront.localhost",), header=("aws-cf-cd-test", "yes"))
    logs = {ARN: RealtimeLog(ARN, STREAM, ("primary-distribution-id", "primary-distribution-dns-name"), 100)}
    inventory = laid.inventory(primary, staging)
    laid.edge.configuration = configure(replace(inventory, deployment_policies={"p1": policy}, realtime_logs=logs))
    laid.viewer.get("/a", headers={"aws-cf-cd-test": "yes"})
    assert logged.lines(1) == [["E1", DOMAIN_NAME]]


def test_a_stream_that_does_not_exist_is_said_once_and_harms_no_viewer(
    logged: Logged, caplog: pytest.LogCaptureFixture
) -> None:
    logged.stream.refuses = True
    logged.serve(("cs-uri-stem",))
    for count in (1, 2):
        assert logged.laid.viewer.get("/a").status == 200
        wait_until(lambda wanted=count: len(logged.stream.calls) >= wanted)  # type: ignore[misc]
    assert caplog.text.count("cannot be written") == 1
    assert STREAM in caplog.text
    assert "ResourceNotFoundException" in caplog.text
    logged.stream.refuses = False
    logged.laid.viewer.get("/a")
    logged.lines(1)
    wait_until(lambda: "are written to" in caplog.text)


def test_an_edge_of_a_real_account_writes_nothing_and_says_so(
    logged: Logged, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    logged.serve(("c-ip",))
    settings = EdgeSettings(directory=tmp_path)
    observation = Observation.of(settings, str, lambda: logged.laid.edge.configuration, None)
    assert observation.on_decision is None
    for _ in range(2):
        observation.follow(logged.laid.edge.configuration)
    assert observation.on_decision is None
    assert caplog.text.count("only to a laptop's streams") == 1


def test_observers_are_called_only_once_a_behavior_has_a_log(logged: Logged, tmp_path: Any, laid: Laid) -> None:
    settings = EdgeSettings(directory=tmp_path)
    observation = Observation.of(settings, str, lambda: logged.laid.edge.configuration, logged.stream)
    observation.follow(laid.edge.configuration)
    assert not observation.desk.is_watching
    logged.serve(("c-ip",))
    observation.follow(logged.laid.edge.configuration)
    assert observation.desk.is_watching
    assert observation.on_decision is not None
    observation.close()
