"""Distributions, through boto3: their life, and what the service adds to them."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.local.controlplane.defaults import with_defaults

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Make = Callable[..., dict[str, Any]]
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/6c5f2e58-0000-4000-8000-000000000000"


def test_a_distribution_is_created_with_everything_that_was_left_out(
    cloudfront: CloudFrontClient, config: Make
) -> None:
    given: Any = config(Comment="the shop")
    created = cloudfront.create_distribution(DistributionConfig=given)
    made = created["Distribution"]
    assert re.fullmatch("E[A-Z0-9]{13}", made["Id"])
    assert made["ARN"] == f"arn:aws:cloudfront::123456789012:distribution/{made['Id']}"
    assert made["DomainName"] == f"{made['Id'].lower()}.cloudfront.net"
    assert (made["Status"], made["InProgressInvalidationBatches"]) == ("Deployed", 0)
    assert made["ActiveTrustedKeyGroups"] == made["ActiveTrustedSigners"] == {"Enabled": False, "Quantity": 0}
    assert created["Location"].endswith(f"/2020-05-31/distribution/{made['Id']}")
    assert made["DistributionConfig"] == {
        "CallerReference": given["CallerReference"],
        "Aliases": {"Quantity": 0},
        "DefaultRootObject": "",
        "Origins": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "shop",
                    "DomainName": "localhost",
                    "OriginPath": "",
                    "CustomHeaders": {"Quantity": 0},
                    "CustomOriginConfig": {
                        "HTTPPort": 8000,
                        "HTTPSPort": 443,
                        "OriginProtocolPolicy": "http-only",
                        "OriginSslProtocols": {"Quantity": 3, "Items": ["TLSv1", "TLSv1.1", "TLSv1.2"]},
                        "OriginReadTimeout": 30,
                        "OriginKeepaliveTimeout": 5,
                    },
                    "ConnectionAttempts": 3,
                    "ConnectionTimeout": 10,
                    "OriginShield": {"Enabled": False},
                    "OriginAccessControlId": "",
                }
            ],
        },
        "OriginGroups": {"Quantity": 0},
        "DefaultCacheBehavior": {
            "TargetOriginId": "shop",
            "TrustedSigners": {"Enabled": False, "Quantity": 0},
            "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
            "ViewerProtocolPolicy": "allow-all",
            "AllowedMethods": {
                "Quantity": 2,
                "Items": ["HEAD", "GET"],
                "CachedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"]},
            },
            "SmoothStreaming": False,
            "Compress": False,
            "LambdaFunctionAssociations": {"Quantity": 0},
            "FunctionAssociations": {"Quantity": 0},
            "FieldLevelEncryptionId": "",
            "GrpcConfig": {"Enabled": False},
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
        "CacheBehaviors": {"Quantity": 0},
        "CustomErrorResponses": {"Quantity": 0},
        "Comment": "the shop",
        "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
        "PriceClass": "PriceClass_All",
        "Enabled": True,
        "ViewerCertificate": {
            "CloudFrontDefaultCertificate": True,
            "SSLSupportMethod": "vip",
            "MinimumProtocolVersion": "TLSv1",
            "CertificateSource": "cloudfront",
        },
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
        "WebACLId": "",
        "HttpVersion": "http2",
        "IsIPV6Enabled": True,
        "ContinuousDeploymentPolicyId": "",
        "Staging": False,
    }


def test_what_get_config_answers_is_what_update_takes(cloudfront: CloudFrontClient, make_distribution: Make) -> None:
    made: Any = make_distribution()
    got: Any = cloudfront.get_distribution_config(Id=made)
    again = cloudfront.update_distribution(Id=made, IfMatch=got["ETag"], DistributionConfig=got["DistributionConfig"])
    assert again["Distribution"]["DistributionConfig"] == got["DistributionConfig"]
    assert again["ETag"] != got["ETag"]
    assert cloudfront.get_distribution(Id=made)["ETag"] == again["ETag"]


def test_a_distribution_is_disabled_and_deleted(cloudfront: CloudFrontClient, make_distribution: Make) -> None:
    made: Any = make_distribution()
    got: Any = cloudfront.get_distribution_config(Id=made)
    got["DistributionConfig"]["Enabled"] = False
    updated = cloudfront.update_distribution(Id=made, IfMatch=got["ETag"], DistributionConfig=got["DistributionConfig"])
    assert updated["Distribution"]["DistributionConfig"]["Enabled"] is False
    assert updated["Distribution"]["LastModifiedTime"] is not None
    answer = cloudfront.delete_distribution(Id=made, IfMatch=updated["ETag"])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(cloudfront.exceptions.NoSuchDistribution):
        cloudfront.get_distribution(Id=made)


def test_a_list_has_a_summary_of_each_distribution(cloudfront: CloudFrontClient, make_distribution: Make) -> None:
    made: Any = make_distribution(Comment="first")
    got = cloudfront.get_distribution(Id=made)
    listed = cloudfront.list_distributions()["DistributionList"]
    assert (listed["Marker"], listed["MaxItems"], listed["IsTruncated"], listed["Quantity"]) == ("", 100, False, 1)
    summary: Any = listed["Items"][0]
    config: Any = got["Distribution"]["DistributionConfig"]
    assert summary["ETag"] == got["ETag"]
    for member in ("Id", "ARN", "Status", "LastModifiedTime", "DomainName"):
        assert summary[member] == got["Distribution"][member]
    for member in ("Origins", "DefaultCacheBehavior", "ViewerCertificate", "Comment", "Enabled", "Aliases"):
        assert summary[member] == config[member]
    assert "CallerReference" not in summary


def test_trusted_key_groups_are_listed_once_with_their_keys(
    cloudfront: CloudFrontClient,
    config: Make,
    make_key: Callable[[], str],
    make_group: Callable[..., str],
) -> None:
    first, second = make_key(), make_key()
    one, both = make_group(first), make_group(first, second)

    def trust(*groups: str) -> dict[str, Any]:
        trusted = {"Enabled": True, "Quantity": len(groups), "Items": list(groups)}
        return {**config()["DefaultCacheBehavior"], "TrustedKeyGroups": trusted}

    behaviors = [{**trust(both, one), "PathPattern": "/a/*"}, {**trust(one), "PathPattern": "/b/*"}]
    given: Any = config(
        CacheBehaviors={"Quantity": 2, "Items": behaviors},
        DefaultCacheBehavior=trust(both),
    )
    made = cloudfront.create_distribution(DistributionConfig=given)["Distribution"]
    assert made["ActiveTrustedKeyGroups"] == {
        "Enabled": True,
        "Quantity": 2,
        "Items": [
            {"KeyGroupId": both, "KeyPairIds": {"Quantity": 2, "Items": [first, second]}},
            {"KeyGroupId": one, "KeyPairIds": {"Quantity": 1, "Items": [first]}},
        ],
    }


def test_trusted_signers_are_listed_without_key_pairs(cloudfront: CloudFrontClient, config: Make) -> None:
    signers = {"Enabled": True, "Quantity": 2, "Items": ["self", "210987654321"]}
    given: Any = config(DefaultCacheBehavior={**config()["DefaultCacheBehavior"], "TrustedSigners": signers})
    made = cloudfront.create_distribution(DistributionConfig=given)["Distribution"]
    assert made["ActiveTrustedSigners"] == {
        "Enabled": True,
        "Quantity": 2,
        "Items": [{"AwsAccountNumber": account, "KeyPairIds": {"Quantity": 0}} for account in ("self", "210987654321")],
    }


def test_a_certificate_is_told_in_both_forms_and_allows_aliases(cloudfront: CloudFrontClient, config: Make) -> None:
    given: Any = config(
        Aliases={"Quantity": 2, "Items": ["shop.example.com", "*.books.example.com"]},
        ViewerCertificate={"ACMCertificateArn": CERTIFICATE, "SSLSupportMethod": "sni-only"},
    )
    made = cloudfront.create_distribution(DistributionConfig=given)["Distribution"]
    assert made["DistributionConfig"]["ViewerCertificate"] == {
        "CloudFrontDefaultCertificate": False,
        "ACMCertificateArn": CERTIFICATE,
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1",
        "Certificate": CERTIFICATE,
        "CertificateSource": "acm",
    }
    assert made["DistributionConfig"]["Aliases"] == given["Aliases"]
    assert made["AliasICPRecordals"] == [
        {"CNAME": name, "ICPRecordalStatus": "APPROVED"} for name in given["Aliases"]["Items"]
    ]


def test_an_alias_is_free_for_another_distribution_once_it_is_given_up(
    cloudfront: CloudFrontClient, config: Make
) -> None:
    certificate = {"ACMCertificateArn": CERTIFICATE, "SSLSupportMethod": "sni-only"}
    named = {"Aliases": {"Quantity": 1, "Items": ["Shop.Example.com"]}, "ViewerCertificate": certificate}
    first = cloudfront.create_distribution(DistributionConfig=config(**named))  # type: ignore[arg-type]
    other: Any = config(Aliases={"Quantity": 1, "Items": ["shop.example.com"]}, ViewerCertificate=certificate)
    with pytest.raises(cloudfront.exceptions.CNAMEAlreadyExists, match=first["Distribution"]["Id"]):
        cloudfront.create_distribution(DistributionConfig=other)
    kept = cloudfront.update_distribution(
        Id=first["Distribution"]["Id"],
        IfMatch=first["ETag"],
        DistributionConfig=first["Distribution"]["DistributionConfig"],
    )
    freed: Any = {**first["Distribution"]["DistributionConfig"], "Aliases": {"Quantity": 0}}
    cloudfront.update_distribution(Id=first["Distribution"]["Id"], IfMatch=kept["ETag"], DistributionConfig=freed)
    assert cloudfront.create_distribution(DistributionConfig=other)["Distribution"]["Status"] == "Deployed"


def test_the_older_cache_settings_get_their_defaults(cloudfront: CloudFrontClient, config: Make) -> None:
    behavior = config()["DefaultCacheBehavior"]
    del behavior["CachePolicyId"]
    behavior |= {"ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}, "MinTTL": 100_000}
    given: Any = config(DefaultCacheBehavior=behavior)
    made = cloudfront.create_distribution(DistributionConfig=given)["Distribution"]["DistributionConfig"]
    default = made["DefaultCacheBehavior"]
    assert (default["MinTTL"], default["DefaultTTL"], default["MaxTTL"]) == (100_000, 100_000, 31_536_000)
    assert default["ForwardedValues"] == {
        "QueryString": False,
        "Cookies": {"Forward": "none"},
        "Headers": {"Quantity": 0},
        "QueryStringCacheKeys": {"Quantity": 0},
    }
    assert "CachePolicyId" not in default


def test_a_disabled_log_keeps_no_bucket(cloudfront: CloudFrontClient, config: Make) -> None:
    logging = {"Enabled": False, "IncludeCookies": True, "Bucket": "logs.s3.amazonaws.com", "Prefix": "cdn/"}
    made = cloudfront.create_distribution(DistributionConfig=config(Logging=logging))  # type: ignore[arg-type]
    kept = made["Distribution"]["DistributionConfig"]["Logging"]
    assert kept == {"Enabled": False, "IncludeCookies": True, "Bucket": "", "Prefix": ""}


def test_defaults_leave_what_they_were_given_alone_and_add_nothing_twice(config: Make) -> None:
    given: Any = config()
    untouched = copy.deepcopy(given)
    once = with_defaults(given)
    assert given == untouched
    assert with_defaults(once) == once


def test_the_account_and_the_domain_name_come_from_the_settings(
    cloudfront: CloudFrontClient, with_plane: Callable[..., object], config: Make
) -> None:
    with_plane(account="000000000000", domain_name=lambda identifier: f"{identifier.lower()}.cloudfront.localhost:8443")
    made = cloudfront.create_distribution(DistributionConfig=config())["Distribution"]  # type: ignore[arg-type]
    assert made["ARN"].startswith("arn:aws:cloudfront::000000000000:distribution/")
    assert made["DomainName"] == f"{made['Id'].lower()}.cloudfront.localhost:8443"


def test_the_value_of_a_custom_header_is_in_no_message(cloudfront: CloudFrontClient, config: Make) -> None:
    given: Any = config()
    secret = {"HeaderName": "x-secret", "HeaderValue": "hush" * 500}
    given["Origins"]["Items"][0]["CustomHeaders"] = {"Quantity": 1, "Items": [secret]}
    with pytest.raises(cloudfront.exceptions.InvalidArgument, match="x-secret is too long") as raised:
        cloudfront.create_distribution(DistributionConfig=given)
    assert "hush" not in str(raised.value)


def test_the_region_of_an_origin_shield_that_is_off_may_be_empty(
    careless: CloudFrontClient, config: Callable[..., dict[str, Any]], refused: Any
) -> None:
    given: Any = config()
    origin = given["Origins"]["Items"][0]
    origin["OriginShield"] = {"Enabled": True, "OriginShieldRegion": ""}
    assert refused(careless.create_distribution, DistributionConfig=given)[:2] == ("InvalidArgument", 400)
    origin["OriginShield"] = {"Enabled": False, "OriginShieldRegion": "nowhere"}
    assert refused(careless.create_distribution, DistributionConfig=given)[:2] == ("MalformedXML", 400)
    origin["OriginShield"] = {"Enabled": False, "OriginShieldRegion": ""}
    made = careless.create_distribution(DistributionConfig=given)["Distribution"]["DistributionConfig"]
    assert made["Origins"]["Items"][0]["OriginShield"] == {"Enabled": False}
