"""Drift detection: what was changed or deleted outside of a stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.cloudformation.test_kinds import _resources
from tests.local.cloudformation.test_queries import _text as queries
from tests.local.cloudformation.test_stacks import _OTHER, _article, _others

from keyfront.local.cloudformation.kinds.current import READERS
from keyfront.local.cloudformation.kinds.registry import KINDS

pytestmark = pytest.mark.large


def _detect(stacks: Any, name: str = "s", **given: Any) -> dict[str, Mapping[str, Any]]:
    detection = stacks.detect_stack_drift(StackName=name, **given)["StackDriftDetectionId"]
    done = stacks.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
    assert done["DetectionStatus"] == "DETECTION_COMPLETE"
    drifts = stacks.describe_stack_resource_drifts(StackName=name)["StackResourceDrifts"]
    found = {each["LogicalResourceId"]: each for each in drifts}
    drifted = [each for each in found.values() if each["StackResourceDriftStatus"] in ("MODIFIED", "DELETED")]
    assert done["StackDriftStatus"] == ("DRIFTED" if drifted else "IN_SYNC")
    assert done["DriftedStackResourceCount"] == len(drifted)
    return found


def _statuses(found: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: each["StackResourceDriftStatus"] for name, each in found.items()}


def _monitoring() -> dict[str, Any]:
    metrics = {"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Enabled"}}
    properties = {"DistributionId": {"Ref": "Distribution"}, "MonitoringSubscription": metrics}
    return {"Monitoring": {"Type": "AWS::CloudFront::MonitoringSubscription", "Properties": properties}}


def _more() -> dict[str, Any]:
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    jwt = {"Issuer": "https://a.example", "Audience": ["shop"]}
    authorizer = {"AuthorizerType": "JWT", "Name": "jwt", "IdentitySource": ["$request.header.A"]}
    encryption = [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    settings = {
        "BucketEncryption": {"ServerSideEncryptionConfiguration": encryption},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "CorsConfiguration": {"CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAge": 60}]},
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": True},
    }
    return {
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "s", "SecretString": "x"}},
        "Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}},
        "User": {"Type": "AWS::IAM::User", "Properties": {"UserName": "u"}},
        "Managed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": allow}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": settings},
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "a", "ProtocolType": "HTTP"}},
        "Authorizer": {
            "Type": "AWS::ApiGatewayV2::Authorizer",
            "Properties": {"ApiId": {"Ref": "Api"}, **authorizer, "JwtConfiguration": jwt},
        },
    }


def test_a_new_stack_is_in_sync_whatever_its_types(laptop: Any, stacks: Any) -> None:
    tables = json.loads(queries(10_000_000))["Resources"]
    every = {
        "s": {**_article(), **_others("one"), **_monitoring()},
        "others": _resources(),
        "more": {**_more(), **tables},
    }
    for name, resources in every.items():
        stacks.create_stack(
            StackName=name, TemplateBody=json.dumps({"Resources": resources}), Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        assert stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
        found = _detect(stacks, name)
        wrong = {
            name: (each["PropertyDifferences"], each.get("DriftStatusReason"))
            for name, each in found.items()
            if each["StackResourceDriftStatus"] not in ("IN_SYNC", "NOT_CHECKED")
        }
        assert wrong == {}
        unchecked = {found[name]["ResourceType"] for name, each in _statuses(found).items() if each == "NOT_CHECKED"}
        assert unchecked == {each["Type"] for each in resources.values()} - READERS.keys()
    used = {each["Type"] for resources in every.values() for each in resources.values()}
    elsewhere = {each for each in READERS if each.startswith("AWS::ApiGateway::")}
    assert READERS.keys() - used - elsewhere == {"AWS::Lambda::Alias"}
    assert READERS.keys() <= KINDS.keys()


def test_changes_and_deletions_are_found_and_shown(laptop: Any, stacks: Any) -> None:
    cloudfront, ssm, s3 = laptop.client("cloudfront"), laptop.client("ssm"), laptop.client("s3")
    value = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/p", "Type": "String", "Value": {"Ref": "Secret"}}}
    gone = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/gone", "Type": "String", "Value": "x"}}
    parameters = {"Secret": {"Type": "String", "NoEcho": True}}
    stacks.create_stack(
        StackName="s",
        TemplateBody=json.dumps({"Parameters": parameters, "Resources": {**_article(), "P": value, "Gone": gone}}),
        Parameters=[{"ParameterKey": "Secret", "ParameterValue": "hush-hush"}],
    )
    ssm.put_parameter(Name="/p", Value="hush-hush, changed", Overwrite=True)
    ssm.delete_parameter(Name="/gone")
    made = {
        each["LogicalResourceId"]: each for each in stacks.describe_stack_resources(StackName="s")["StackResources"]
    }
    group = made["Group"]["PhysicalResourceId"]
    config = cloudfront.get_key_group(Id=group)
    other = cloudfront.create_public_key(
        PublicKeyConfig={"CallerReference": "o", "Name": "other", "EncodedKey": _OTHER}
    )["PublicKey"]["Id"]
    changed = {**config["KeyGroup"]["KeyGroupConfig"], "Comment": "by hand"}
    changed["Items"] = [*changed["Items"], other]
    cloudfront.update_key_group(Id=group, IfMatch=config["ETag"], KeyGroupConfig=changed)
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    s3.delete_bucket_policy(Bucket=bucket)

    found = _detect(stacks)
    drifted = {name: status for name, status in _statuses(found).items() if status not in ("IN_SYNC", "NOT_CHECKED")}
    assert drifted == {"P": "MODIFIED", "Gone": "DELETED", "Group": "MODIFIED", "Policy": "DELETED"}
    (added,) = found["Group"]["PropertyDifferences"]
    assert added == {
        "PropertyPath": "/KeyGroupConfig/Items/1",
        "ExpectedValue": "null",
        "ActualValue": other,
        "DifferenceType": "ADD",
    }
    (hidden,) = found["P"]["PropertyDifferences"]
    assert (hidden["PropertyPath"], hidden["DifferenceType"]) == ("/Value", "NOT_EQUAL")
    assert hidden["ExpectedValue"] == "****"
    assert "hush-hush" not in json.dumps(found, default=str)

    info = stacks.describe_stacks(StackName="s")["Stacks"][0]["DriftInformation"]
    assert info["StackDriftStatus"] == "DRIFTED"
    one = stacks.detect_stack_resource_drift(StackName="s", LogicalResourceId="P")["StackResourceDrift"]
    assert one["StackResourceDriftStatus"] == "MODIFIED"
    listed = stacks.describe_stack_resource_drifts(StackName="s", StackResourceDriftStatusFilters=["DELETED"])
    assert {each["LogicalResourceId"] for each in listed["StackResourceDrifts"]} == {"Gone", "Policy"}
    described = stacks.describe_stack_resource(StackName="s", LogicalResourceId="P")["StackResourceDetail"]
    assert described["DriftInformation"]["StackResourceDriftStatus"] == "MODIFIED"
    with pytest.raises(ClientError, match="Resource Nothing does not exist for stack s"):
        stacks.detect_stack_resource_drift(StackName="s", LogicalResourceId="Nothing")
