"""What a distribution of `keyfront up` can be given: functions, a staging distribution, real-time logs.

Each comes through the API, and its effect is seen by viewers, or in the service that it writes to.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.up.conftest import Up
from tests.waiting import wait_until

TRY = "aws-cf-cd-try: yes"
HANDLER = """
def handler(event, context):
    cf = event["Records"][0]["cf"]
    kind = cf["config"]["eventType"]
    part = cf["response" if kind.endswith("response") else "request"]
    part["headers"]["x-" + kind] = [{"key": "X", "value": "1"}]
    return part
"""


def headers(up: Up) -> str:
    """The head of the response to a signed request."""
    item = up.printed["items"][0]
    head: bytes = up.curl(up.sign(up.url(item["path"])), "--head")[1]
    return head.decode().lower()


def change(cloudfront: Any, distribution: str, **members: Any) -> None:
    """Change members of a distribution, and wait until the edge has them."""
    got = cloudfront.get_distribution_config(Id=distribution)
    config = {**got["DistributionConfig"], **members}
    cloudfront.update_distribution(Id=distribution, IfMatch=got["ETag"], DistributionConfig=config)
    wait_until(lambda: cloudfront.get_distribution(Id=distribution)["Distribution"]["Status"] == "Deployed")


@pytest.fixture(autouse=True)
def _as_it_was(up: Up) -> Iterator[None]:
    """After a test the distribution is set up again as it was before."""
    distribution, cloudfront = up.printed["distribution"]["id"], up.client("cloudfront")
    before = cloudfront.get_distribution_config(Id=distribution)["DistributionConfig"]
    yield
    change(cloudfront, distribution, **before)


def test_a_function_is_published_by_watch_and_writes_its_log(up: Up, tmp_path: Path) -> None:
    (tmp_path / "mark.js").write_text(
        "function handler(e) { console.log('saw ' + e.request.uri); e.response.headers['x-mark'] = {value: '1'};"
        " return e.response; }"
    )
    response = {"statusCode": 200, "headers": {}, "cookies": {}}
    event = {"context": {"eventType": "viewer-response"}, "request": {"uri": "/"}, "response": response}
    (tmp_path / "event.json").write_text(json.dumps(event))
    distribution = up.printed["distribution"]["id"]

    up.keyfront(
        *("functions", "watch", tmp_path / "mark.js", "--distribution", distribution),
        *("--event", tmp_path / "event.json", "--once"),
    )

    wait_until(lambda: "x-mark: 1" in headers(up))
    logs = up.client("logs")

    def said() -> list[str]:
        try:
            found = logs.filter_log_events(logGroupName="/aws/cloudfront/function/mark")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [each["message"].partition(" ")[2] for each in found]

    wait_until(lambda: len(said()) >= 3)
    path = up.printed["items"][0]["path"]
    assert said()[:3] == [f"START DistributionID: {distribution}", f"saw /{path}", "END"]


def test_lambda_edge_runs_on_the_laptops_lambda(up: Up) -> None:
    principals = {"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}
    trust = {"Statement": [{"Effect": "Allow", "Principal": principals, "Action": "sts:AssumeRole"}]}
    role = up.client("iam").create_role(RoleName="edge", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("index.py", HANDLER)
    settings = {"Runtime": "python3.12", "Role": role, "Handler": "index.handler", "Publish": True}
    code = {"ZipFile": archive.getvalue()}
    functions = up.client("lambda")
    for name, more in (("plain", {}), ("configured", {"Environment": {"Variables": {"A": "1"}}})):
        functions.create_function(FunctionName=name, Code=code, **settings, **more)
    distribution = up.printed["distribution"]["id"]

    with pytest.raises(ClientError, match="cannot have environment variables"):
        _associate(up, distribution, "configured")
    with pytest.raises(ClientError, match="cannot retrieve the specified Lambda function"):
        _associate(up, distribution, "missing")
    _associate(up, distribution, "plain")

    wait_until(lambda: "x-viewer-response: 1" in headers(up))
    up.client("cloudfront").create_invalidation(
        DistributionId=distribution,
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "1"},
    )
    wait_until(lambda: "x-origin-response: 1" in headers(up))


def _associate(up: Up, distribution: str, name: str) -> None:
    cloudfront = up.client("cloudfront")
    answer = cloudfront.get_distribution_config(Id=distribution)
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}:1"
    events = ("viewer-request", "origin-request", "origin-response", "viewer-response")
    items = [{"EventType": each, "LambdaFunctionARN": arn, "IncludeBody": False} for each in events]
    behavior = answer["DistributionConfig"]["DefaultCacheBehavior"]
    behavior["LambdaFunctionAssociations"] = {"Quantity": len(items), "Items": items}
    cloudfront.update_distribution(
        Id=distribution, IfMatch=answer["ETag"], DistributionConfig=answer["DistributionConfig"]
    )


def test_a_change_is_tried_with_a_header_and_promoted(up: Up) -> None:
    cloudfront, s3 = up.client("cloudfront"), up.client("s3")
    primary, bucket = up.printed["distribution"]["id"], up.printed["bucket"]
    url = up.url(up.printed["items"][0]["path"])
    got = cloudfront.get_distribution(Id=primary)
    copied = cloudfront.copy_distribution(
        PrimaryDistributionId=primary, Staging=True, IfMatch=got["ETag"], CallerReference="copy"
    )["Distribution"]
    nobody = {"Enabled": False, "Quantity": 0}
    behavior = {**copied["DistributionConfig"]["DefaultCacheBehavior"], "TrustedKeyGroups": nobody}
    change(cloudfront, copied["Id"], DefaultCacheBehavior=behavior)
    policy = cloudfront.create_continuous_deployment_policy(
        ContinuousDeploymentPolicyConfig={
            "StagingDistributionDnsNames": {"Quantity": 1, "Items": [copied["DomainName"]]},
            "Enabled": True,
            "TrafficConfig": {
                "Type": "SingleHeader",
                "SingleHeaderConfig": {"Header": "aws-cf-cd-try", "Value": "yes"},
            },
        }
    )["ContinuousDeploymentPolicy"]["Id"]
    change(cloudfront, primary, ContinuousDeploymentPolicyId=policy)

    # The bucket's policy names the primary distribution alone.
    wait_until(lambda: b"AccessDenied" in up.curl(url, "--header", TRY)[1])
    statement = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    also = json.loads(json.dumps(statement).replace(primary, copied["Id"]))["Statement"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**statement, "Statement": [*statement["Statement"], *also]}))
    wait_until(lambda: up.curl(url, "--header", TRY)[0] == 200)
    assert up.curl(url)[0] == 403

    etags = [cloudfront.get_distribution(Id=each)["ETag"] for each in (primary, copied["Id"])]
    promoted = cloudfront.update_distribution_with_staging_config(
        Id=primary, StagingDistributionId=copied["Id"], IfMatch=", ".join(etags)
    )
    assert promoted["Distribution"]["DistributionConfig"]["Staging"] is False
    wait_until(lambda: up.curl(url)[0] == 200)


def test_records_of_requests_arrive_in_a_stream(up: Up) -> None:
    cloudfront, kinesis = up.client("cloudfront"), up.client("kinesis")
    kinesis.create_stream(StreamName="logs", ShardCount=1)
    stream = kinesis.describe_stream_summary(StreamName="logs")["StreamDescriptionSummary"]["StreamARN"]
    role = "arn:aws:iam::123456789012:role/logs"
    end_point = {"StreamType": "Kinesis", "KinesisStreamConfig": {"RoleARN": role, "StreamARN": stream}}
    fields = ["cs-uri-stem", "sc-status", "cs-method"]
    log = cloudfront.create_realtime_log_config(Name="all", SamplingRate=100, Fields=fields, EndPoints=[end_point])[
        "RealtimeLogConfig"
    ]["ARN"]
    primary = up.printed["distribution"]["id"]
    config = cloudfront.get_distribution_config(Id=primary)["DistributionConfig"]
    change(cloudfront, primary, DefaultCacheBehavior={**config["DefaultCacheBehavior"], "RealtimeLogConfigArn": log})
    up.curl(up.url("nothing-there"))
    shard = kinesis.list_shards(StreamName="logs")["Shards"][0]["ShardId"]

    def records() -> list[bytes]:
        start = kinesis.get_shard_iterator(StreamName="logs", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        return [each["Data"] for each in kinesis.get_records(ShardIterator=start["ShardIterator"])["Records"]]

    wait_until(lambda: records() != [])
    # The fields come in the service's order, not in that of the request.
    assert records()[0].decode().split("\t")[1:] == ["GET", "/nothing-there\n"]
