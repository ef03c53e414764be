"""What the service answers where a request leaves out what it may leave out: Terraform compares it with the plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Made = dict[str, Any]


def _public_key(client: CloudFrontClient, pem: str) -> Made:
    config: Any = {"CallerReference": "one", "Name": "signer", "EncodedKey": pem.strip()}
    return client.create_public_key(PublicKeyConfig=config)["PublicKey"]["PublicKeyConfig"]  # type: ignore[return-value]


def _key_group(client: CloudFrontClient, pem: str) -> Made:
    config: Any = {"CallerReference": "one", "Name": "signer", "EncodedKey": pem}
    key = client.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]
    made = client.create_key_group(KeyGroupConfig={"Name": "readers", "Items": [key]})
    return {**made["KeyGroup"]["KeyGroupConfig"], "Items": []}


def _origin_access_control(client: CloudFrontClient, _: str) -> Made:
    config: Any = {
        "Name": "bucket",
        "SigningProtocol": "sigv4",
        "SigningBehavior": "always",
        "OriginAccessControlOriginType": "s3",
    }
    made = client.create_origin_access_control(OriginAccessControlConfig=config)
    return made["OriginAccessControl"]["OriginAccessControlConfig"]  # type: ignore[return-value]


def _cache_policy(client: CloudFrontClient, _: str) -> Made:
    made = client.create_cache_policy(CachePolicyConfig={"Name": "short", "MinTTL": 0})
    return made["CachePolicy"]["CachePolicyConfig"]  # type: ignore[return-value]


def _origin_request_policy(client: CloudFrontClient, _: str) -> Made:
    nothing: Any = {
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    config: Any = {"Name": "short", **nothing}
    made = client.create_origin_request_policy(OriginRequestPolicyConfig=config)
    return {**made["OriginRequestPolicy"]["OriginRequestPolicyConfig"], **dict.fromkeys(nothing)}


def _response_headers_policy(client: CloudFrontClient, _: str) -> Made:
    made = client.create_response_headers_policy(ResponseHeadersPolicyConfig={"Name": "short"})
    return made["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]  # type: ignore[return-value]


def _key_value_store(client: CloudFrontClient, _: str) -> Made:
    client.create_key_value_store(Name="prices")
    made: Any = client.describe_key_value_store(Name="prices")["KeyValueStore"]
    return {name: made[name] for name in made if name not in ("Id", "ARN", "LastModifiedTime")}


def _encryption_profile(client: CloudFrontClient, pem: str) -> Made:
    config: Any = {"CallerReference": "one", "Name": "signer", "EncodedKey": pem}
    key = client.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]
    patterns: Any = {"Quantity": 1, "Items": ["card*"]}
    entity: Any = {"PublicKeyId": key, "ProviderId": "shop", "FieldPatterns": patterns}
    given: Any = {"Name": "cards", "CallerReference": "two", "EncryptionEntities": {"Quantity": 1, "Items": [entity]}}
    made = client.create_field_level_encryption_profile(FieldLevelEncryptionProfileConfig=given)
    answer: Any = made["FieldLevelEncryptionProfile"]["FieldLevelEncryptionProfileConfig"]
    assert answer.pop("EncryptionEntities") == given["EncryptionEntities"]
    return answer  # type: ignore[no-any-return]


def _encryption_config(client: CloudFrontClient, _: str) -> Made:
    made = client.create_field_level_encryption_config(FieldLevelEncryptionConfig={"CallerReference": "one"})
    return made["FieldLevelEncryption"]["FieldLevelEncryptionConfig"]  # type: ignore[return-value]


VPC_ORIGIN: dict[str, Any] = {
    "Name": "shop",
    "Arn": "arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0",
    "HTTPPort": 80,
    "HTTPSPort": 443,
    "OriginProtocolPolicy": "https-only",
}


def _vpc_origin(client: CloudFrontClient, _: str) -> Made:
    made: Any = client.create_vpc_origin(VpcOriginEndpointConfig=VPC_ORIGIN)  # type: ignore[arg-type]
    return made["VpcOrigin"]["VpcOriginEndpointConfig"]  # type: ignore[no-any-return]


ANSWERS: list[tuple[Callable[[CloudFrontClient, str], Made], Made]] = [
    # Provider issues 40295 and 47204: with a line end.
    (_public_key, {"CallerReference": "one", "Name": "signer", "EncodedKey": "PEM", "Comment": ""}),
    (_key_group, {"Name": "readers", "Items": []}),
    (
        _origin_access_control,
        {
            "Name": "bucket",
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        },
    ),
    (
        _cache_policy,
        {
            "Comment": "",
            "Name": "short",
            "MinTTL": 0,
            "DefaultTTL": 86400,
            "MaxTTL": 31536000,
            "ParametersInCacheKeyAndForwardedToOrigin": {
                "EnableAcceptEncodingGzip": False,
                "EnableAcceptEncodingBrotli": False,
                "HeadersConfig": {"HeaderBehavior": "none"},
                "CookiesConfig": {"CookieBehavior": "none"},
                "QueryStringsConfig": {"QueryStringBehavior": "none"},
            },
        },
    ),
    (
        _origin_request_policy,
        {"Comment": "", "Name": "short", "HeadersConfig": None, "CookiesConfig": None, "QueryStringsConfig": None},
    ),
    (_response_headers_policy, {"Comment": "", "Name": "short"}),
    # The provider's acceptance test for key value stores: no comment comes back.
    (_key_value_store, {"Name": "prices", "Status": "READY"}),
    (_encryption_profile, {"Name": "cards", "CallerReference": "two"}),
    (_encryption_config, {"CallerReference": "one"}),
    (_vpc_origin, VPC_ORIGIN),
]


@pytest.mark.parametrize(("make", "answer"), ANSWERS, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_left_out_comes_back_as_amazon_answers_it(
    cloudfront: CloudFrontClient, pems: list[str], make: Callable[[CloudFrontClient, str], Made], answer: Made
) -> None:
    pem = pems[0].strip() + "\n"
    assert make(cloudfront, pem) == {name: pem if value == "PEM" else value for name, value in answer.items()}
