"""Real-time log configurations, through boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.local.controlplane import Quotas

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Refusal = Callable[..., tuple[str, int, str]]
STREAM = {
    "RoleARN": "arn:aws:iam::123456789012:role/logs",
    "StreamARN": "arn:aws:kinesis:us-east-1:123456789012:stream/logs",
}
GOOD: dict[str, Any] = {
    "Name": "everything",
    "SamplingRate": 50,
    "Fields": ["sc-status", "timestamp", "c-ip"],
    "EndPoints": [{"StreamType": "Kinesis", "KinesisStreamConfig": STREAM}],
}
ARN = "arn:aws:cloudfront::123456789012:realtime-log-config/everything"


def test_a_log_is_created_read_changed_listed_and_deleted(cloudfront: CloudFrontClient) -> None:
    created: Any = cloudfront.create_realtime_log_config(**GOOD)
    log = created["RealtimeLogConfig"]
    # The fields come back in the order of a record.
    assert log == {**GOOD, "ARN": ARN, "Fields": ["timestamp", "c-ip", "sc-status"]}
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert cloudfront.get_realtime_log_config(Name="everything")["RealtimeLogConfig"] == log
    assert cloudfront.get_realtime_log_config(ARN=ARN)["RealtimeLogConfig"] == log
    # "If you provide both, CloudFront uses the name."
    assert cloudfront.get_realtime_log_config(Name="everything", ARN="arn:x")["RealtimeLogConfig"] == log

    changes: Any = {"SamplingRate": 100, "Fields": ["asn"], "EndPoints": GOOD["EndPoints"]}
    updated: Any = cloudfront.update_realtime_log_config(ARN=ARN, **changes)["RealtimeLogConfig"]
    assert updated == {**log, **changes}

    listed: Any = cloudfront.list_realtime_log_configs()["RealtimeLogConfigs"]
    assert listed == {"MaxItems": 100, "IsTruncated": False, "Marker": "", "Items": [updated]}
    assert cloudfront.delete_realtime_log_config(Name="everything")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "Items" not in cloudfront.list_realtime_log_configs()["RealtimeLogConfigs"]


def test_a_log_that_a_behavior_has_is_listed_with_it_and_cannot_be_deleted(
    cloudfront: CloudFrontClient,
    refused: Refusal,
    make_distribution: Callable[..., str],
    config: Callable[..., dict[str, Any]],
) -> None:
    cloudfront.create_realtime_log_config(**GOOD)
    make_distribution()
    logging = make_distribution(DefaultCacheBehavior={**config()["DefaultCacheBehavior"], "RealtimeLogConfigArn": ARN})
    for named in ({"RealtimeLogConfigName": "everything"}, {"RealtimeLogConfigArn": ARN}):
        found = cloudfront.list_distributions_by_realtime_log_config(**named)["DistributionList"]
        assert [item["Id"] for item in found["Items"]] == [logging]
    assert refused(cloudfront.list_distributions_by_realtime_log_config)[0] == "InvalidArgument"
    code, status, message = refused(cloudfront.delete_realtime_log_config, ARN=ARN)
    assert (code, status) == ("RealtimeLogConfigInUse", 400)
    assert logging in message


def test_a_log_that_does_not_exist_and_one_without_a_name_are_told_apart(
    cloudfront: CloudFrontClient, refused: Refusal
) -> None:
    for call in (cloudfront.get_realtime_log_config, cloudfront.delete_realtime_log_config):
        assert refused(call, Name="other")[:2] == ("NoSuchRealtimeLogConfig", 404)
        assert refused(call)[:2] == ("InvalidArgument", 400)
    assert refused(cloudfront.update_realtime_log_config, ARN=ARN)[:2] == ("NoSuchRealtimeLogConfig", 404)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"Name": ""}, "Name"),
    ({"Name": "two words"}, "two words"),
    ({"Name": "n" * 129}, "129"),
    ({"SamplingRate": 0}, "SamplingRate"),
    ({"SamplingRate": 101}, "101"),
    ({"Fields": []}, "Fields"),
    ({"Fields": ["sc-status", "sc-status"]}, "twice"),
    ({"Fields": ["sc-statuses"]}, "sc-statuses"),
    ({"EndPoints": []}, "EndPoints"),
    ({"EndPoints": GOOD["EndPoints"] * 2}, "EndPoints"),
    ({"EndPoints": [{"StreamType": "Firehose"}]}, "Firehose"),
    ({"EndPoints": [{"StreamType": "Kinesis"}]}, "KinesisStreamConfig"),
    ({"EndPoints": [{"StreamType": "Kinesis", "KinesisStreamConfig": {**STREAM, "RoleARN": "me"}}]}, "RoleARN"),
    ({"EndPoints": [{"StreamType": "Kinesis", "KinesisStreamConfig": {**STREAM, "StreamARN": "x"}}]}, "StreamARN"),
]


@pytest.mark.parametrize(("changes", "named"), BAD)
def test_a_log_that_breaks_a_rule_is_refused(
    cloudfront: CloudFrontClient, refused: Refusal, changes: dict[str, Any], named: str
) -> None:
    code, status, message = refused(cloudfront.create_realtime_log_config, **{**GOOD, **changes})
    assert (code, status) == ("InvalidArgument", 400)
    assert named in message


def test_an_update_needs_every_parameter(cloudfront: CloudFrontClient, refused: Refusal) -> None:
    cloudfront.create_realtime_log_config(**GOOD)
    code, _, message = refused(cloudfront.update_realtime_log_config, Name="everything", SamplingRate=1)
    assert code == "InvalidArgument"
    assert "EndPoints" in message
    assert cloudfront.get_realtime_log_config(Name="everything")["RealtimeLogConfig"]["SamplingRate"] == 50


def test_names_are_unique_and_an_account_has_so_many(
    cloudfront: CloudFrontClient, refused: Refusal, with_plane: Callable[..., object]
) -> None:
    with_plane(Quotas(realtime_log_configs=1))
    cloudfront.create_realtime_log_config(**GOOD)
    assert refused(cloudfront.create_realtime_log_config, **GOOD)[:2] == ("RealtimeLogConfigAlreadyExists", 409)
    other = {**GOOD, "Name": "other"}
    assert refused(cloudfront.create_realtime_log_config, **other)[:2] == ("TooManyRealtimeLogConfigs", 400)
