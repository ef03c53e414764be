"""`keyfront functions`: a function on an event, here and against a CloudFront API on a socket."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from keyfront.local.controlplane import ControlPlane
from keyfront.local.edge_functions import run_function

Run = Callable[..., tuple[int, str, str]]
REWRITE = """function handler(event) {
  console.log('\\x1b[31m' + event.request.uri);
  if (event.request.uri === '/bad') throw new Error('no');
  event.request.uri += 'index.html';
  return event.request;
}
"""


@pytest.fixture
def rewrite(tmp_path: Path) -> Path:
    file = tmp_path / "rewrite.js"
    file.write_text(REWRITE)
    return file


def test_test_shows_the_difference_the_log_and_the_time(run: Run, rewrite: Path) -> None:
    status, out, err = run("functions", "test", rewrite, "--uri", "/docs/")

    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "log: \\x1b[31m/docs/"
    assert '-  "uri": "/docs/",' in lines
    assert '+  "uri": "/docs/index.html",' in lines
    assert lines[-1].endswith("%")
    status, out, _ = run("functions", "test", rewrite, "--uri", "/bad", "--json")
    told = json.loads(out)
    assert (status, told["error"], told["result"]) == (1, "Error: no at line 3", None)


def test_bad_input_is_named(run: Run, rewrite: Path, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    for text, why in (
        ("{", "is not JSON"),
        ("[]", "is not an event"),
        ("{}", "context.eventType of the event is None"),
        ('{"context": {"eventType": "viewer-request"}}', "has no request"),
        ('{"context": {"eventType": "viewer-request"}, "request": {}}', "has no uri"),
        ('{"context": {"eventType": "viewer-response"}, "request": {"uri": "/"}}', "has no response"),
        ('{"context": {"eventType": "viewer-request"}, "request": {"uri": "/", "headers": {"a": 1}}}', "header 'a'"),
    ):
        event.write_text(text)
        status, out, err = run("functions", "test", rewrite, "--event", event)
        assert (status, out) == (2, ""), text
        assert why in err
    event.write_text('{"a": 1}')
    assert "has no pairs" in run("functions", "test", rewrite, "--pairs", event)[2]
    assert "cannot be read" in run("functions", "test", tmp_path / "none.js")[2]


def test_a_read_only_header_is_found_before_the_publication(run: Run, tmp_path: Path) -> None:
    (tmp_path / "f.js").write_text("function handler(e) { e.request.headers.via = {value: 'x'}; return e.request; }")

    status, out, _ = run("functions", "test", tmp_path / "f.js")

    assert status == 1
    assert "read-only header" in out


def test_pairs_are_the_functions_store(run: Run, tmp_path: Path) -> None:
    (tmp_path / "f.js").write_text(
        "import cf from 'cloudfront';\n"
        "async function handler(e) { return {statusCode: 200, body: await cf.kvs().get('a')}; }"
    )
    for pairs in ({"a": "one"}, {"data": [{"key": "a", "value": "one"}]}):
        (tmp_path / "pairs.json").write_text(json.dumps(pairs))
        status, out, _ = run("functions", "test", tmp_path / "f.js", "--pairs", tmp_path / "pairs.json", "--json")
        assert (status, json.loads(out)["result"]["body"]) == (0, "one")


def made(url: str) -> str:
    """A distribution; its id."""
    origin = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
    config: Any = {
        "CallerReference": "1",
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [{"Id": "w", "DomainName": "localhost", "CustomOriginConfig": origin}]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "w",
            "ViewerProtocolPolicy": "allow-all",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
    }
    client = boto3.client("cloudfront", "us-east-1", endpoint_url=url)
    return client.create_distribution(DistributionConfig=config)["Distribution"]["Id"]


def test_watch_publishes_and_associates(run: Run, rewrite: Path, service: Any) -> None:
    service.clear()
    service.plane = ControlPlane(run_function=run_function)
    distribution = made(service.url)

    status, out, err = run("functions", "watch", rewrite, "--distribution", distribution, "--uri", "/x/", "--once")

    assert status == 0, err
    assert '+  "uri": "/x/index.html",' in out
    assert f"rewrite is published, and runs on viewer-request of {distribution}" in err
    assert run("functions", "watch", rewrite, "--distribution", distribution, "--once")[0] == 0
    assert run("functions", "watch", rewrite, "--distribution", "ENONE", "--uri", "/bad", "--once")[2].endswith(
        "it is not published\n"
    )
    assert run("functions", "watch", rewrite, "--distribution", "ENONE", "--once")[0] == 2
