"""VPC origins, through boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.local.controlplane import Quotas

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Refusal = Callable[..., tuple[str, int, str]]
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/0123456789abcdef"
GOOD: dict[str, Any] = {
    "Name": "shop",
    "Arn": BALANCER,
    "HTTPPort": 80,
    "HTTPSPort": 443,
    "OriginProtocolPolicy": "https-only",
    "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
}


@pytest.fixture
def behind(config: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Returns a distribution's configuration with the VPC origin."""

    def make(origin: str, **settings: int) -> dict[str, Any]:
        given = {"VpcOriginId": origin, **settings}
        return config(
            Origins={
                "Quantity": 1,
                "Items": [{"Id": "shop", "DomainName": "internal.example.com", "VpcOriginConfig": given}],
            }
        )

    return make


def test_a_vpc_origin_is_created_read_changed_listed_tagged_and_deleted(cloudfront: CloudFrontClient) -> None:
    tags: Any = {"Items": [{"Key": "team", "Value": "shop"}]}
    created: Any = cloudfront.create_vpc_origin(VpcOriginEndpointConfig=GOOD, Tags=tags)  # type: ignore[arg-type]
    made = created["VpcOrigin"]
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (made["Status"], made["AccountId"], made["VpcOriginEndpointConfig"]) == ("Deployed", "123456789012", GOOD)
    assert made["Arn"] == f"arn:aws:cloudfront::123456789012:vpcorigin/{made['Id']}"
    assert cloudfront.list_tags_for_resource(Resource=made["Arn"])["Tags"] == tags
    got = cloudfront.get_vpc_origin(Id=made["Id"])
    assert (got["VpcOrigin"], got["ETag"]) == (made, created["ETag"])
    changed: Any = {**GOOD, "HTTPPort": 8080}
    updated = cloudfront.update_vpc_origin(Id=made["Id"], IfMatch=created["ETag"], VpcOriginEndpointConfig=changed)
    assert updated["VpcOrigin"]["VpcOriginEndpointConfig"] == changed
    (listed,) = cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]
    assert (listed["Id"], listed["Name"], listed["OriginEndpointArn"]) == (made["Id"], "shop", BALANCER)
    deleted = cloudfront.delete_vpc_origin(Id=made["Id"], IfMatch=updated["ETag"])
    assert deleted["VpcOrigin"]["Id"] == made["Id"]
    assert cloudfront.list_vpc_origins()["VpcOriginList"]["Quantity"] == 0


def test_a_vpc_origin_that_a_distribution_uses_is_found_by_it_and_cannot_be_deleted(
    cloudfront: CloudFrontClient, refused: Refusal, behind: Callable[..., dict[str, Any]]
) -> None:
    created = cloudfront.create_vpc_origin(VpcOriginEndpointConfig=GOOD)  # type: ignore[arg-type]
    identifier = created["VpcOrigin"]["Id"]
    made = cloudfront.create_distribution(DistributionConfig=behind(identifier))["Distribution"]  # type: ignore[arg-type]
    stored = made["DistributionConfig"]["Origins"]["Items"][0]["VpcOriginConfig"]
    assert stored == {"VpcOriginId": identifier, "OriginReadTimeout": 30, "OriginKeepaliveTimeout": 5}
    found = cloudfront.list_distributions_by_vpc_origin_id(VpcOriginId=identifier)["DistributionIdList"]
    assert found["Items"] == [made["Id"]]
    refusal = refused(cloudfront.delete_vpc_origin, Id=identifier, IfMatch=created["ETag"])
    assert refusal[:2] == ("CannotDeleteEntityWhileInUse", 409)
    for settings, code in (
        ({"OriginReadTimeout": 0}, "InvalidOriginReadTimeout"),
        ({"OriginKeepaliveTimeout": 121}, "InvalidOriginKeepaliveTimeout"),
    ):
        refusal = refused(cloudfront.create_distribution, DistributionConfig=behind(identifier, **settings))
        assert refusal[:2] == (code, 400)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Name": ""}, "InvalidArgument"),
        ({"Name": "n" * 65}, "InvalidArgument"),
        ({"Arn": "arn:aws:s3:::bucket"}, "InvalidArgument"),
        ({"HTTPPort": 22}, "InvalidArgument"),
        ({"HTTPSPort": 70000}, "InvalidArgument"),
        ({"OriginProtocolPolicy": "any"}, "MalformedXML"),
    ],
)
def test_a_vpc_origin_that_breaks_a_rule_is_refused(
    careless: CloudFrontClient, refused: Refusal, changes: dict[str, Any], code: str
) -> None:
    refusal = refused(careless.create_vpc_origin, VpcOriginEndpointConfig={**GOOD, **changes})
    assert refusal[:2] == (code, 400)


def test_names_are_unique_and_an_account_has_so_many(
    cloudfront: CloudFrontClient, refused: Refusal, with_plane: Callable[..., object]
) -> None:
    with_plane(Quotas(vpc_origins=1))
    cloudfront.create_vpc_origin(VpcOriginEndpointConfig=GOOD)  # type: ignore[arg-type]
    refusal = refused(cloudfront.create_vpc_origin, VpcOriginEndpointConfig=GOOD)
    assert refusal[:2] == ("EntityAlreadyExists", 409)
    refusal = refused(cloudfront.create_vpc_origin, VpcOriginEndpointConfig={**GOOD, "Name": "other"})
    assert refusal[:2] == ("EntityLimitExceeded", 400)
    assert refused(cloudfront.get_vpc_origin, Id="vo_0")[:2] == ("EntityNotFound", 404)
