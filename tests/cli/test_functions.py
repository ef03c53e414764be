"""`keyfront functions`: a function on an event, here and against a CloudFront API on a socket."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.waiting import wait_until

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


@pytest.fixture
def api(service: Any) -> Any:
    """A CloudFront API that runs functions."""
    service.clear()
    service.plane = ControlPlane(run_function=run_function)
    return service


def associated(url: str, distribution: str) -> dict[str, list[str]]:
    """The names of the functions that each behavior runs, by path pattern."""
    client = boto3.client("cloudfront", "us-east-1", endpoint_url=url)
    config: Any = client.get_distribution_config(Id=distribution)["DistributionConfig"]
    behaviors = [{"PathPattern": "*", **config["DefaultCacheBehavior"]}, *config["CacheBehaviors"].get("Items", [])]
    return {
        each["PathPattern"]: [item["FunctionARN"].rpartition("/")[2] for item in each["FunctionAssociations"]["Items"]]
        for each in behaviors
        if each["FunctionAssociations"]["Quantity"]
    }


def test_watch_takes_the_behavior_and_the_store_that_are_named(run: Run, tmp_path: Path, api: Any) -> None:
    distribution = made(api.url)
    client = boto3.client("cloudfront", "us-east-1", endpoint_url=api.url)
    answer = client.get_distribution_config(Id=distribution)
    config: Any = answer["DistributionConfig"]
    config["CacheBehaviors"] = {"Quantity": 1, "Items": [{**config["DefaultCacheBehavior"], "PathPattern": "/docs/*"}]}
    client.update_distribution(Id=distribution, IfMatch=answer["ETag"], DistributionConfig=config)
    store = client.create_key_value_store(Name="pairs")["KeyValueStore"]["ARN"]
    file = tmp_path / "count.js"
    file.write_text(
        "import cf from 'cloudfront';\n"
        "async function handler(e) { return {statusCode: 200, body: String(await cf.kvs().count())}; }"
    )
    watching = ("functions", "watch", file, "--distribution", distribution, "--once")

    assert "KvsError" in run(*watching)[1]
    assert associated(api.url, distribution) == {}
    status, out, err = run(*watching, "--behavior", "docs/*", "--key-value-store", store)

    assert (status, "is published" in err) == (0, True), out + err
    assert associated(api.url, distribution) == {"/docs/*": ["count"]}
    assert run(*watching)[0] == 0  # it keeps its store, and stays where it runs
    assert associated(api.url, distribution) == {"/docs/*": ["count"]}
    status, _, err = run(*watching, "--behavior", "none/*")
    assert (status, "choose one of '/docs/*', '*'" in err) == (2, True)


@pytest.mark.large
def test_watch_follows_the_files_until_ctrl_c(rewrite: Path, tmp_path: Path, api: Any) -> None:
    event = tmp_path / "event.json"
    given = {"context": {"eventType": "viewer-request"}, "request": {"uri": "/one/"}}
    event.write_text(json.dumps(given))
    command: list[str | Path] = [
        Path(sys.executable).with_name("keyfront"),
        "functions",
        "watch",
        rewrite,
        "--event",
        event,
    ]
    command += ["--distribution", made(api.url), "--endpoint-url", api.url]
    log = tmp_path / "said"
    with log.open("w") as said:
        # A job of a shell ignores SIGINT, and so would its children.
        watching = subprocess.Popen(
            command,
            stdout=said,
            stderr=said,
            cwd=tmp_path,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        wait_until(lambda: "/one/index.html" in log.read_text(), told=log.read_text)
        rewrite.rename(tmp_path / "away.js")
        (tmp_path / "away.js").write_text(REWRITE.replace("index.html", "start.html"))
        (tmp_path / "away.js").rename(rewrite)
        wait_until(lambda: "/one/start.html" in log.read_text(), told=log.read_text)
        rewrite.write_text("function handler( {")
        wait_until(lambda: "it is not published" in log.read_text(), told=log.read_text)
        rewrite.write_text(REWRITE)
        wait_until(lambda: log.read_text().count("/one/index.html") == 2, told=log.read_text)
        event.write_text("{")
        wait_until(lambda: "is not JSON" in log.read_text(), told=log.read_text)
        event.write_text(json.dumps({**given, "request": {"uri": "/two/"}}))
        wait_until(lambda: "/two/index.html" in log.read_text(), told=log.read_text)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(60) == 0
    finally:
        watching.kill()
        watching.wait()
    assert "Traceback" not in log.read_text()
