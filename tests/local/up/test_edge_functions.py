"""Functions at the edge of `keyfront up`: published by the command, and run by the laptop's Lambda."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.waiting import wait_until

HANDLER = """
def handler(event, context):
    cf = event["Records"][0]["cf"]
    kind = cf["config"]["eventType"]
    part = cf["response" if kind.endswith("response") else "request"]
    part["headers"]["x-" + kind] = [{"key": "X", "value": "1"}]
    return part
"""


def client(up: Any, service: str) -> Any:
    session = boto3.Session("test", "test", region_name="us-east-1")
    return session.client(service, endpoint_url=up.printed["endpoint"])  # type: ignore[call-overload]


def headers(up: Any) -> str:
    """The head of the response to a signed request."""
    item = up.printed["items"][0]
    head: bytes = up.curl(up.sign(up.url(item["path"])), "--head")[1]
    return head.decode().lower()


def test_a_function_is_published_by_watch_and_writes_its_log(up: Any, tmp_path: Path) -> None:
    (tmp_path / "mark.js").write_text(
        "function handler(e) { console.log('saw', e.request.uri); e.response.headers['x-mark'] = {value: '1'};"
        " return e.response; }"
    )
    response = {"statusCode": 200, "headers": {}, "cookies": {}}
    event = {"context": {"eventType": "viewer-response"}, "request": {"uri": "/"}, "response": response}
    (tmp_path / "event.json").write_text(json.dumps(event))
    distribution = up.printed["distribution"]["id"]
    before = client(up, "cloudfront").get_distribution_config(Id=distribution)

    ran = up.keyfront(
        *("functions", "watch", tmp_path / "mark.js", "--distribution", distribution),
        *("--event", tmp_path / "event.json", "--once"),
    )

    assert ran.returncode == 0, ran.stderr
    wait_until(lambda: "x-mark: 1" in headers(up))
    logs = client(up, "logs")

    def said() -> list[str]:
        try:
            found = logs.filter_log_events(logGroupName="/aws/cloudfront/function/mark")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [each["message"].partition(" ")[2] for each in found]

    wait_until(lambda: len(said()) >= 3)
    path = up.printed["items"][0]["path"]
    assert said()[:3] == [f"START DistributionID: {distribution}", f"saw /{path}", "END"]
    _restore(up, distribution, before)


def test_lambda_edge_runs_on_the_laptops_lambda(up: Any) -> None:
    principals = {"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}
    trust = {"Statement": [{"Effect": "Allow", "Principal": principals, "Action": "sts:AssumeRole"}]}
    role = client(up, "iam").create_role(RoleName="edge", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("index.py", HANDLER)
    settings = {"Runtime": "python3.12", "Role": role, "Handler": "index.handler", "Publish": True}
    code = {"ZipFile": archive.getvalue()}
    functions = client(up, "lambda")
    for name, more in (("plain", {}), ("configured", {"Environment": {"Variables": {"A": "1"}}})):
        functions.create_function(FunctionName=name, Code=code, **settings, **more)
    distribution = up.printed["distribution"]["id"]
    before = client(up, "cloudfront").get_distribution_config(Id=distribution)

    with pytest.raises(ClientError, match="cannot have environment variables"):
        _associate(up, distribution, "configured")
    with pytest.raises(ClientError, match="cannot retrieve the specified Lambda function"):
        _associate(up, distribution, "missing")
    _associate(up, distribution, "plain")

    wait_until(lambda: "x-viewer-response: 1" in headers(up))
    client(up, "cloudfront").create_invalidation(
        DistributionId=distribution,
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "1"},
    )
    wait_until(lambda: "x-origin-response: 1" in headers(up))
    _restore(up, distribution, before)


def _associate(up: Any, distribution: str, name: str) -> None:
    cloudfront = client(up, "cloudfront")
    answer = cloudfront.get_distribution_config(Id=distribution)
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}:1"
    events = ("viewer-request", "origin-request", "origin-response", "viewer-response")
    items = [{"EventType": each, "LambdaFunctionARN": arn, "IncludeBody": False} for each in events]
    behavior = answer["DistributionConfig"]["DefaultCacheBehavior"]
    behavior["LambdaFunctionAssociations"] = {"Quantity": len(items), "Items": items}
    cloudfront.update_distribution(
        Id=distribution, IfMatch=answer["ETag"], DistributionConfig=answer["DistributionConfig"]
    )


def _restore(up: Any, distribution: str, before: Any) -> None:
    cloudfront = client(up, "cloudfront")
    etag = cloudfront.get_distribution_config(Id=distribution)["ETag"]
    cloudfront.update_distribution(Id=distribution, IfMatch=etag, DistributionConfig=before["DistributionConfig"])
