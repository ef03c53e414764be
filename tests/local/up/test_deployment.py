"""Continuous deployment and real-time logs on a whole machine: through the API, to viewers and a Kinesis stream."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from tests.waiting import wait_until

pytestmark = pytest.mark.large

TRY = "aws-cf-cd-try: yes"


def client(up: Any, service: str) -> Any:
    session = boto3.Session("test", "test", region_name="us-east-1")
    return session.client(service, endpoint_url=up.printed["endpoint"])  # type: ignore[call-overload]


def change(cloudfront: Any, distribution: str, **members: Any) -> None:
    """Change members of a distribution, and wait until the edge has them."""
    got = cloudfront.get_distribution_config(Id=distribution)
    config = {**got["DistributionConfig"], **members}
    cloudfront.update_distribution(Id=distribution, IfMatch=got["ETag"], DistributionConfig=config)
    wait_until(lambda: cloudfront.get_distribution(Id=distribution)["Distribution"]["Status"] == "Deployed")


def test_a_change_is_tried_with_a_header_and_promoted(up: Any) -> None:
    cloudfront, s3 = client(up, "cloudfront"), client(up, "s3")
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


def test_records_of_requests_arrive_in_a_stream(up: Any) -> None:
    cloudfront, kinesis = client(up, "cloudfront"), client(up, "kinesis")
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
