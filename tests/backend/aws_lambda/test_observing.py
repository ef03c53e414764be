"""What the function writes to standard output, line by line."""

import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from keyfront.backend.aws_lambda.observing import Observer, log

CALL = SimpleNamespace(function_name="downloads", aws_request_id="call-1")


@pytest.fixture(autouse=True)
def own_logger() -> Iterator[None]:
    logger = logging.getLogger("keyfront")
    before = logger.handlers, logger.propagate, logger.level
    yield
    logger.handlers, logger.propagate, logger.level = before


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_has_the_call_its_own_facts_and_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    observer = Observer({})
    observer.begin(CALL)
    log().info("a link for %r", "a\nb", extra={"customer": "mara"})
    observer.begin(CALL)
    try:
        raise ValueError("no")
    except ValueError:
        log().exception("it failed")
    log().debug("nobody reads this")
    first, second = written(capsys)
    assert first["message"] == r"a link for 'a\nb'"
    assert (first["level"], first["customer"], first["cold_start"]) == ("INFO", "mara", True)
    assert (first["function_name"], first["function_request_id"]) == ("downloads", "call-1")
    assert first["timestamp"].endswith("Z")
    assert (second["level"], second["cold_start"], second["exception_name"]) == ("ERROR", False, "ValueError")
    assert "Traceback" in second["exception"]
    assert "customer" not in second


@pytest.mark.parametrize(
    ("environment", "level"),
    [
        ({}, "INFO"),
        ({"AWS_LAMBDA_LOG_LEVEL": "WARN"}, "WARNING"),
        ({"AWS_LAMBDA_LOG_LEVEL": "FATAL", "POWERTOOLS_LOG_LEVEL": "debug"}, "DEBUG"),
        ({"POWERTOOLS_LOG_LEVEL": "loud"}, "INFO"),
    ],
)
def test_the_level_is_that_of_the_settings(environment: dict[str, str], level: str) -> None:
    Observer(environment)
    assert logging.getLevelName(logging.getLogger("keyfront").level) == level


def test_metrics_are_in_the_embedded_format(capsys: pytest.CaptureFixture[str]) -> None:
    observer = Observer({"POWERTOOLS_METRICS_NAMESPACE": "shop"})
    observer.end(SimpleNamespace(outcome="redirect"), 12.5)  # type: ignore[arg-type]
    observer.end(SimpleNamespace(outcome="not_bought"), 12.5)  # type: ignore[arg-type]
    observer.end(SimpleNamespace(outcome=""), None)  # type: ignore[arg-type]
    download, refusal = written(capsys)
    described = download["_aws"]["CloudWatchMetrics"]
    names = [{"Name": "Downloads", "Unit": "Count"}, {"Name": "KeyAge", "Unit": "Seconds"}]
    assert described == [{"Namespace": "shop", "Dimensions": [["service"]], "Metrics": names}]
    assert (download["service"], download["Downloads"], download["KeyAge"]) == ("keyfront", [1], [12.5])
    assert refusal["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service", "reason"]]
    assert (refusal["reason"], refusal["Refusals"]) == ("not_bought", [1])
