"""Stacks with CloudFront's resources: created, changed, replaced, rolled back and deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from keyfront import SigningKey

Told = Callable[..., list[str]]

_PEM = SigningKey.generate("ecdsa").public_key.pem
_OTHER = SigningKey.generate("ecdsa").public_key.pem
_CACHING = "658327ea-f89d-4fab-a63d-7e88639e58f6"


def _key(pem: str = _PEM, name: str = "key") -> dict[str, Any]:
    config = {"Name": name, "CallerReference": name, "EncodedKey": pem}
    return {"Type": "AWS::CloudFront::PublicKey", "Properties": {"PublicKeyConfig": config}}


def _group(*keys: str) -> dict[str, Any]:
    config = {"Name": "group", "Items": [{"Ref": name} for name in keys]}
    return {"Type": "AWS::CloudFront::KeyGroup", "Properties": {"KeyGroupConfig": config}}


def _parameter(value: Any = "x", name: str = "/p", **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Name": name, "Type": "String", "Value": value}, **more}


def _text(resources: dict[str, Any], **more: Any) -> str:
    return json.dumps({"Resources": resources, **more})


def _article() -> dict[str, Any]:
    """The stack of the article: a key to a download, with everything that a CloudFront stack usually has."""
    origin = {
        "Id": "content",
        "DomainName": {"Fn::GetAtt": ["Content", "RegionalDomainName"]},
        "OriginAccessControlId": {"Ref": "Access"},
        "S3OriginConfig": {},
        "OriginCustomHeaders": [{"HeaderName": "X-Shop", "HeaderValue": "1"}],
    }
    behavior = {
        "TargetOriginId": "content",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": {"Ref": "Caching"},
        "TrustedKeyGroups": [{"Ref": "Group"}],
        "FunctionAssociations": [{"EventType": "viewer-request", "FunctionARN": {"Ref": "Rewrite"}}],
    }
    config = {
        "Enabled": True,
        "IPV6Enabled": True,
        "Origins": [origin],
        "DefaultCacheBehavior": behavior,
        "CacheBehaviors": [
            {"PathPattern": "/open/*", **behavior, "TrustedKeyGroups": [], "AllowedMethods": ["GET", "HEAD", "OPTIONS"]}
        ],
        "CustomErrorResponses": [{"ErrorCode": 404, "ResponseCode": "200", "ResponsePagePath": "/open/a.html"}],
        "Restrictions": {"GeoRestriction": {"RestrictionType": "whitelist", "Locations": ["DE"]}},
        "ViewerCertificate": {"CloudFrontDefaultCertificate": True},
    }
    parameters = {
        "CookiesConfig": {"CookieBehavior": "none"},
        "EnableAcceptEncodingGzip": True,
        "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": ["X-A"]},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    caching = {
        "Name": "caching",
        "MinTTL": 0,
        "MaxTTL": 60,
        "DefaultTTL": 30,
        "ParametersInCacheKeyAndForwardedToOrigin": parameters,
    }
    code = "function handler(event) { return event.request }"
    access = {
        "Name": "access",
        "OriginAccessControlOriginType": "s3",
        "SigningBehavior": "always",
        "SigningProtocol": "sigv4",
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": {"Fn::Sub": "${Content.Arn}/*"},
    }
    return {
        "Key": _key(),
        "Group": _group("Key"),
        "Content": {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}},
        "Access": {"Type": "AWS::CloudFront::OriginAccessControl", "Properties": {"OriginAccessControlConfig": access}},
        "Caching": {"Type": "AWS::CloudFront::CachePolicy", "Properties": {"CachePolicyConfig": caching}},
        "Rewrite": {
            "Type": "AWS::CloudFront::Function",
            "Properties": {
                "Name": "rewrite",
                "AutoPublish": True,
                "FunctionCode": code,
                "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"},
            },
        },
        "Distribution": {
            "Type": "AWS::CloudFront::Distribution",
            "Properties": {"DistributionConfig": config, "Tags": [{"Key": "team", "Value": "shop"}]},
        },
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Content"},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            },
        },
    }


def _status(stacks: Any, name: str = "s") -> str:
    return str(stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])


def _physical(stacks: Any, name: str) -> str:
    found = stacks.describe_stack_resource(StackName="s", LogicalResourceId=name)["StackResourceDetail"]
    return str(found["PhysicalResourceId"])


def test_the_articles_stack_is_created_without_drift_and_deleted(laptop: Any, stacks: Any) -> None:
    text = _text(_article(), Outputs={"Domain": {"Value": {"Fn::GetAtt": ["Distribution", "DomainName"]}}})
    stacks.create_stack(StackName="s", TemplateBody=text, Tags=[{"Key": "stage", "Value": "test"}])
    assert _status(stacks) == "CREATE_COMPLETE"
    cloudfront = laptop.client("cloudfront")
    found = cloudfront.get_distribution(Id=_physical(stacks, "Distribution"))["Distribution"]
    config, behavior = found["DistributionConfig"], found["DistributionConfig"]["DefaultCacheBehavior"]
    outputs = stacks.describe_stacks(StackName="s")["Stacks"][0]["Outputs"]
    assert outputs == [{"OutputKey": "Domain", "OutputValue": found["DomainName"]}]
    assert behavior["TrustedKeyGroups"]["Items"] == [_physical(stacks, "Group")]
    assert behavior["FunctionAssociations"]["Items"][0]["FunctionARN"] == _physical(stacks, "Rewrite")
    assert config["CacheBehaviors"]["Items"][0]["AllowedMethods"]["Quantity"] == 3
    assert config["Restrictions"]["GeoRestriction"]["Items"] == ["DE"]
    assert config["Origins"]["Items"][0]["CustomHeaders"]["Items"][0]["HeaderName"] == "X-Shop"
    assert config["IsIPV6Enabled"] is True
    tags = cloudfront.list_tags_for_resource(Resource=found["ARN"])["Tags"]["Items"]
    assert {each["Key"]: each["Value"] for each in tags} == {"team": "shop", "stage": "test"}

    with pytest.raises(ClientError, match="No updates are to be performed"):
        stacks.update_stack(StackName="s", UsePreviousTemplate=True)

    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == []
    assert cloudfront.list_distributions()["DistributionList"].get("Items", []) == []
    assert cloudfront.list_public_keys()["PublicKeyList"].get("Items", []) == []
    assert laptop.client("s3").list_buckets()["Buckets"] == []


def test_a_changed_key_fails_as_on_amazon_and_everything_goes_back(laptop: Any, stacks: Any, told: Told) -> None:
    stacks.create_stack(
        StackName="s", TemplateBody=_text({"P": _parameter("old"), "Key": {**_key(), "DependsOn": "P"}})
    )
    changed = {"P": _parameter("new"), "Key": {**_key(_OTHER), "DependsOn": "P"}}
    stacks.update_stack(StackName="s", TemplateBody=_text(changed))
    assert _status(stacks) == "UPDATE_ROLLBACK_COMPLETE"
    (failed,) = told("s", "UPDATE_FAILED")
    start = (
        'UPDATE_FAILED Key Resource handler returned message: "Invalid request provided: AWS::CloudFront::PublicKey" ('
    )
    assert failed.startswith(start)
    assert failed.endswith("HandlerErrorCode: InvalidRequest)")
    assert laptop.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "old"


def test_a_key_is_rotated_by_one_change(laptop: Any, stacks: Any, told: Told) -> None:
    stacks.create_stack(StackName="s", TemplateBody=_text({"Old": _key(), "Group": _group("Old")}))
    stacks.update_stack(StackName="s", TemplateBody=_text({"New": _key(_OTHER, "new"), "Group": _group("New")}))
    assert _status(stacks) == "UPDATE_COMPLETE"
    events = told("s")
    steps = [events.index(each) for each in ("CREATE_COMPLETE New", "UPDATE_COMPLETE Group", "DELETE_COMPLETE Old")]
    assert steps == sorted(steps)
    keys = laptop.client("cloudfront").list_public_keys()["PublicKeyList"]["Items"]
    assert [each["Name"] for each in keys] == ["new"]
    # The new key is in the group, so the group is deleted first, although it is older.
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == []


@pytest.mark.parametrize(("kind", "more"), [("AWS::No::Such", ""), ("AWS::EC2::VPC", "docs/laptop.md")])
def test_a_type_that_is_not_here_fails_by_its_name(stacks: Any, kind: str, more: str) -> None:
    text = _text({"A": _parameter(), "B": {"Type": kind}})
    change_set = {"ChangeSetName": "c", "ChangeSetType": "CREATE"}
    for create, given in ((stacks.create_stack, {}), (stacks.create_change_set, change_set)):
        with pytest.raises(ClientError) as refused:
            create(StackName="s", TemplateBody=text, **given)
        assert f"Unrecognized resource types: [{kind}]" in str(refused.value)
        assert more in str(refused.value)
    assert stacks.describe_stacks()["Stacks"] == []


def test_a_resource_that_fails_takes_the_stack_back(laptop: Any, stacks: Any, told: Told) -> None:
    wrong = {**_key("no key"), "DependsOn": "P"}
    stacks.create_stack(StackName="s", TemplateBody=_text({"P": _parameter(), "Key": wrong}))
    assert _status(stacks) == "ROLLBACK_COMPLETE"
    assert "DELETE_COMPLETE P" in told("s")
    assert "failed to create: [Key]. Rollback requested by user." in told("s", "ROLLBACK_IN_PROGRESS")[0]
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        stacks.update_stack(StackName="s", TemplateBody=_text({"P": _parameter()}))
    stacks.delete_stack(StackName="s")
    stacks.create_stack(StackName="s", TemplateBody=_text({"P": _parameter(), "Key": wrong}), DisableRollback=True)
    assert _status(stacks) == "CREATE_FAILED"
    assert laptop.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "x"


def test_a_resource_with_another_fixed_property_is_replaced(laptop: Any, stacks: Any, told: Told) -> None:
    ssm = laptop.client("ssm")
    stacks.create_stack(StackName="s", TemplateBody=_text({"P": _parameter(), "Q": _parameter({"Ref": "P"}, "/q")}))
    stacks.update_stack(
        StackName="s", TemplateBody=_text({"P": _parameter(name="/new"), "Q": _parameter({"Ref": "P"}, "/q")})
    )
    assert ssm.get_parameter(Name="/q")["Parameter"]["Value"] == "/new"
    events = told("s")
    assert events.index("UPDATE_COMPLETE P") < events.index("DELETE_COMPLETE P")
    assert {each["Name"] for each in ssm.describe_parameters()["Parameters"]} == {"/new", "/q"}


def test_policies_keep_resources(laptop: Any, stacks: Any, told: Told) -> None:
    kept = _parameter(DeletionPolicy="Retain", UpdateReplacePolicy="Retain")
    stacks.create_stack(StackName="s", TemplateBody=_text({"P": kept}))
    other = _parameter(name="/other", DeletionPolicy="Retain", UpdateReplacePolicy="Retain")
    stacks.update_stack(StackName="s", TemplateBody=_text({"P": other}))
    assert told("s", "DELETE_SKIPPED") == ["DELETE_SKIPPED P"]
    stacks.delete_stack(StackName="s")
    names = {each["Name"] for each in laptop.client("ssm").describe_parameters()["Parameters"]}
    assert names == {"/other", "/p"}


def test_a_change_set_shows_what_it_would_do(stacks: Any) -> None:
    stacks.create_stack(StackName="s", TemplateBody=_text({"P": _parameter(), "Q": _parameter(name="/q")}))
    stacks.create_change_set(
        StackName="s",
        ChangeSetName="c",
        TemplateBody=_text({"P": _parameter(name="/new"), "R": _parameter({"Ref": "P"}, "/r")}),
    )
    described = stacks.describe_change_set(StackName="s", ChangeSetName="c")
    changes = {
        each["ResourceChange"]["LogicalResourceId"]: (
            each["ResourceChange"]["Action"],
            each["ResourceChange"].get("Replacement"),
        )
        for each in described["Changes"]
    }
    assert changes == {"P": ("Modify", "True"), "R": ("Add", None), "Q": ("Remove", None)}
    stacks.execute_change_set(StackName="s", ChangeSetName="c")
    assert _status(stacks) == "UPDATE_COMPLETE"
    stacks.create_change_set(StackName="s", ChangeSetName="again", UsePreviousTemplate=True)
    same = stacks.describe_change_set(StackName="s", ChangeSetName="again")
    assert (same["Status"], same["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert same["StatusReason"].startswith("The submitted information didn't contain changes.")


def test_an_export_in_use_keeps_its_stack(stacks: Any) -> None:
    output = {"P": {"Value": {"Ref": "P"}, "Export": {"Name": "shop-p"}}}
    stacks.create_stack(StackName="s", TemplateBody=_text({"P": _parameter()}, Outputs=output))
    stacks.create_stack(StackName="other", TemplateBody=_text({"Q": _parameter({"Fn::ImportValue": "shop-p"}, "/q")}))
    assert [each["Name"] for each in stacks.list_exports()["Exports"]] == ["shop-p"]
    assert stacks.list_imports(ExportName="shop-p")["Imports"] == ["other"]
    with pytest.raises(ClientError, match="Export shop-p cannot be deleted as it is in use by other"):
        stacks.delete_stack(StackName="s")


def test_capabilities_and_protection_are_needed_as_on_amazon(stacks: Any) -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": trust}}
    with pytest.raises(ClientError) as refused:
        stacks.create_stack(StackName="s", TemplateBody=_text({"R": role}), Capabilities=["CAPABILITY_IAM"])
    assert refused.value.response["Error"]["Code"] == "InsufficientCapabilitiesException"
    assert "CAPABILITY_NAMED_IAM" in str(refused.value)
    stacks.create_stack(StackName="s", TemplateBody=_text({"P": _parameter()}), EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        stacks.delete_stack(StackName="s")


def test_a_secret_of_a_dynamic_reference_is_used_and_shown_nowhere(laptop: Any, stacks: Any) -> None:
    secret = {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {
            "Name": "made",
            "GenerateSecretString": {
                "SecretStringTemplate": '{"user": "a"}',
                "GenerateStringKey": "word",
                "PasswordLength": 20,
            },
        },
    }
    value = {"Fn::Sub": "{{resolve:secretsmanager:${S}:SecretString:word}}"}
    stacks.create_stack(StackName="s", TemplateBody=_text({"S": secret, "P": _parameter(value)}))
    assert _status(stacks) == "CREATE_COMPLETE"
    made = json.loads(laptop.client("secretsmanager").get_secret_value(SecretId="made")["SecretString"])
    assert made["user"] == "a"
    assert len(made["word"]) == 20
    assert laptop.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == made["word"]
    assert made["word"] not in json.dumps(stacks.describe_stack_events(StackName="s"), default=str)


def test_a_replaced_resource_comes_back_when_a_later_one_fails(laptop: Any, stacks: Any, told: Told) -> None:
    ssm = laptop.client("ssm")
    stacks.create_stack(StackName="s", TemplateBody=_text({"P": _parameter(), "Q": _parameter({"Ref": "P"}, "/q")}))
    wrong = {**_key("no key"), "DependsOn": "Q"}
    changed = {"P": _parameter(name="/new"), "Q": _parameter({"Ref": "P"}, "/q"), "Key": wrong}
    stacks.update_stack(StackName="s", TemplateBody=_text(changed))
    assert _status(stacks) == "UPDATE_ROLLBACK_COMPLETE"
    assert {each["Name"] for each in ssm.describe_parameters()["Parameters"]} == {"/p", "/q"}
    assert ssm.get_parameter(Name="/q")["Parameter"]["Value"] == "/p"
    assert _physical(stacks, "P") == "/p"
    with pytest.raises(ClientError, match="No updates are to be performed"):
        stacks.update_stack(StackName="s", UsePreviousTemplate=True)


def test_a_name_of_the_template_must_change_with_its_resource(stacks: Any, told: Told) -> None:
    table = {
        "TableName": "t",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
    }
    store = {"Type": "AWS::CloudFront::KeyValueStore", "Properties": {"Name": "store"}}
    stacks.create_stack(
        StackName="s", TemplateBody=_text({"T": {"Type": "AWS::DynamoDB::Table", "Properties": table}, "S": store})
    )
    assert _status(stacks) == "CREATE_COMPLETE", told("s", "CREATE_FAILED")
    imported = {**table, "ImportSourceSpecification": {"InputFormat": "CSV", "S3BucketSource": {"S3Bucket": "b"}}}
    stacks.update_stack(
        StackName="s", TemplateBody=_text({"T": {"Type": "AWS::DynamoDB::Table", "Properties": imported}, "S": store})
    )
    assert _status(stacks) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Rename t and update the stack again." in told("s", "UPDATE_FAILED")[0]


def _others(comment: str) -> dict[str, Any]:
    """CloudFront's types that the article does not need."""
    none = {"CookieBehavior": "none"}
    forwarded = {
        "Name": "forwarded",
        "Comment": comment,
        "CookiesConfig": none,
        "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": ["X-A", "X-B"]},
        "QueryStringsConfig": {"QueryStringBehavior": "all"},
    }
    cors = {
        "AccessControlAllowCredentials": False,
        "AccessControlAllowHeaders": {"Items": ["*"]},
        "AccessControlAllowMethods": {"Items": ["GET"]},
        "AccessControlAllowOrigins": {"Items": ["https://a.example"]},
        "OriginOverride": True,
    }
    headers = {
        "Name": "headers",
        "Comment": comment,
        "CorsConfig": cors,
        "CustomHeadersConfig": {"Items": [{"Header": "X-A", "Value": comment, "Override": True}]},
        "SecurityHeadersConfig": {"ContentTypeOptions": {"Override": True}},
    }
    stream = {
        "RoleArn": "arn:aws:iam::123456789012:role/r",
        "StreamArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s",
    }
    logs = {
        "Name": "logs",
        "SamplingRate": 100 if comment == "one" else 50,
        "Fields": ["timestamp"],
        "EndPoints": [{"StreamType": "Kinesis", "KinesisStreamConfig": stream}],
    }
    identity = {"CloudFrontOriginAccessIdentityConfig": {"Comment": comment}}
    return {
        "Store": {"Type": "AWS::CloudFront::KeyValueStore", "Properties": {"Name": "store", "Comment": comment}},
        "Identity": {"Type": "AWS::CloudFront::CloudFrontOriginAccessIdentity", "Properties": identity},
        "Forwarded": {
            "Type": "AWS::CloudFront::OriginRequestPolicy",
            "Properties": {"OriginRequestPolicyConfig": forwarded},
        },
        "Headers": {
            "Type": "AWS::CloudFront::ResponseHeadersPolicy",
            "Properties": {"ResponseHeadersPolicyConfig": headers},
        },
        "Logs": {"Type": "AWS::CloudFront::RealtimeLogConfig", "Properties": logs},
    }


def test_cloudfronts_other_types_are_changed_in_place(laptop: Any, stacks: Any, told: Told) -> None:
    cloudfront = laptop.client("cloudfront")
    stacks.create_stack(StackName="s", TemplateBody=_text(_others("one")))
    assert _status(stacks) == "CREATE_COMPLETE", told("s", "CREATE_FAILED")
    before = {name: _physical(stacks, name) for name in _others("")}
    stacks.update_stack(StackName="s", TemplateBody=_text(_others("two")))
    assert _status(stacks) == "UPDATE_COMPLETE", told("s", "UPDATE_FAILED")
    assert {name: _physical(stacks, name) for name in before} == before
    policy = cloudfront.get_response_headers_policy(Id=before["Headers"])["ResponseHeadersPolicy"]
    config = policy["ResponseHeadersPolicyConfig"]
    assert config["CustomHeadersConfig"]["Items"][0]["Value"] == "two"
    assert config["CorsConfig"]["AccessControlAllowOrigins"]["Quantity"] == 1
    assert cloudfront.describe_key_value_store(Name="store")["KeyValueStore"]["Comment"] == "two"
    assert cloudfront.get_realtime_log_config(ARN=before["Logs"])["RealtimeLogConfig"]["SamplingRate"] == 50
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == []


def test_monitoring_of_a_distribution(laptop: Any, stacks: Any, told: Told) -> None:
    metrics = {"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Enabled"}}
    monitoring = {
        "Type": "AWS::CloudFront::MonitoringSubscription",
        "Properties": {"DistributionId": {"Ref": "Distribution"}, "MonitoringSubscription": metrics},
    }
    stacks.create_stack(StackName="s", TemplateBody=_text({**_article(), "Monitoring": monitoring}))
    assert _status(stacks) == "CREATE_COMPLETE", told("s", "CREATE_FAILED")
    found = laptop.client("cloudfront").get_monitoring_subscription(DistributionId=_physical(stacks, "Distribution"))
    assert found["MonitoringSubscription"] == metrics
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == []
