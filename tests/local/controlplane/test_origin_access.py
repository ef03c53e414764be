"""Origin access identities and origin access controls, through boto3."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.local.controlplane import Quotas

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Refusal = Callable[..., tuple[str, int, str]]
CONTROL = {
    "Name": "bucket",
    "SigningProtocol": "sigv4",
    "SigningBehavior": "always",
    "OriginAccessControlOriginType": "s3",
}


def _control(client: CloudFrontClient, **members: str) -> tuple[str, str]:
    config: Any = {**CONTROL, **members}
    created = client.create_origin_access_control(OriginAccessControlConfig=config)
    return created["OriginAccessControl"]["Id"], created["ETag"]


def _identity(client: CloudFrontClient, reference: str = "one", comment: str = "") -> tuple[str, str]:
    config: Any = {"CallerReference": reference, "Comment": comment}
    created = client.create_cloud_front_origin_access_identity(CloudFrontOriginAccessIdentityConfig=config)
    return created["CloudFrontOriginAccessIdentity"]["Id"], created["ETag"]


def _bucket(domain: str = "shop.s3.us-east-1.amazonaws.com", identity: str = "", control: str = "") -> dict[str, Any]:
    prefixed = f"origin-access-identity/cloudfront/{identity}" if identity else ""
    bucket: dict[str, Any] = {
        "Id": "shop",
        "DomainName": domain,
        "S3OriginConfig": {"OriginAccessIdentity": prefixed},
        "OriginAccessControlId": control,
    }
    return {"Origins": {"Quantity": 1, "Items": [bucket]}}


def test_an_access_control_is_created_read_updated_listed_and_deleted(cloudfront: CloudFrontClient) -> None:
    control, etag = _control(cloudfront)
    assert re.fullmatch("E[A-Z0-9]{13}", control)
    got = cloudfront.get_origin_access_control(Id=control)
    assert got["OriginAccessControl"] == {"Id": control, "OriginAccessControlConfig": CONTROL}
    assert got["ETag"] == etag
    changed: Any = {**CONTROL, "Description": "for the shop", "SigningBehavior": "never"}
    updated = cloudfront.update_origin_access_control(Id=control, IfMatch=etag, OriginAccessControlConfig=changed)
    config = cloudfront.get_origin_access_control_config(Id=control)
    assert (config["OriginAccessControlConfig"], config["ETag"]) == (changed, updated["ETag"])
    listed = cloudfront.list_origin_access_controls()["OriginAccessControlList"]
    assert (listed["IsTruncated"], listed["Items"]) == (False, [{"Id": control, **changed}])
    cloudfront.delete_origin_access_control(Id=control, IfMatch=updated["ETag"])
    with pytest.raises(cloudfront.exceptions.NoSuchOriginAccessControl):
        cloudfront.get_origin_access_control(Id=control)


def test_an_access_control_s_name_is_unique_and_short(cloudfront: CloudFrontClient, refused: Refusal) -> None:
    _control(cloudfront)
    other, etag = _control(cloudfront, Name="n" * 64)
    create = cloudfront.create_origin_access_control
    taken = refused(create, OriginAccessControlConfig=CONTROL)
    assert taken[:2] == ("OriginAccessControlAlreadyExists", 409)
    long = refused(create, OriginAccessControlConfig={**CONTROL, "Name": "n" * 65})
    assert long[:2] == ("InvalidArgument", 400)
    update = cloudfront.update_origin_access_control
    renamed = refused(update, Id=other, IfMatch=etag, OriginAccessControlConfig=CONTROL)
    assert renamed[:2] == ("OriginAccessControlAlreadyExists", 409)


def test_an_access_control_in_use_stays(
    cloudfront: CloudFrontClient, refused: Refusal, make_distribution: Callable[..., str]
) -> None:
    control, etag = _control(cloudfront)
    distribution = make_distribution(**_bucket(control=control))
    code, status, message = refused(cloudfront.delete_origin_access_control, Id=control, IfMatch=etag)
    assert (code, status) == ("OriginAccessControlInUse", 409)
    assert distribution in message
    other_type = {**CONTROL, "OriginAccessControlOriginType": "lambda"}
    update = cloudfront.update_origin_access_control
    moved = refused(update, Id=control, IfMatch=etag, OriginAccessControlConfig=other_type)
    assert moved[:2] == ("IllegalUpdate", 400)


@pytest.mark.parametrize(
    ("kind", "domain"),
    [
        ("mediastore", "shop.data.mediastore.us-east-1.amazonaws.com"),
        ("lambda", "abc.lambda-url.us-east-1.on.aws"),
        ("mediapackagev2", "a.b.mediapackagev2.us-east-1.amazonaws.com"),
    ],
)
def test_an_access_control_goes_with_origins_of_its_type(
    cloudfront: CloudFrontClient, refused: Refusal, config: Callable[..., dict[str, Any]], kind: str, domain: str
) -> None:
    control, _ = _control(cloudfront, OriginAccessControlOriginType=kind)
    given: Any = config()
    given["Origins"]["Items"][0] |= {"OriginAccessControlId": control, "DomainName": domain}
    assert cloudfront.create_distribution(DistributionConfig=given)["Distribution"]["Status"] == "Deployed"
    elsewhere = config(**_bucket(control=control))
    code, status, _ = refused(cloudfront.create_distribution, DistributionConfig=elsewhere)
    assert (code, status) == ("InvalidDomainNameForOriginAccessControl", 400)


def test_an_origin_has_an_access_control_or_an_identity(
    cloudfront: CloudFrontClient, refused: Refusal, config: Callable[..., dict[str, Any]]
) -> None:
    control, identity = _control(cloudfront)[0], _identity(cloudfront)[0]
    given = config(**_bucket(identity=identity, control=control))
    answer = refused(cloudfront.create_distribution, DistributionConfig=given)
    assert answer[:2] == ("IllegalOriginAccessConfiguration", 400)


def test_so_many_distributions_use_an_access_control_and_no_more(
    cloudfront: CloudFrontClient,
    refused: Refusal,
    with_plane: Callable[..., object],
    config: Callable[..., dict[str, Any]],
    make_distribution: Callable[..., str],
) -> None:
    with_plane(Quotas(distributions_per_origin_access_control=1))
    control, _ = _control(cloudfront)
    make_distribution(**_bucket(control=control))
    given = config(**_bucket(control=control))
    answer = refused(cloudfront.create_distribution, DistributionConfig=given)
    assert answer[:2] == ("TooManyDistributionsAssociatedToOriginAccessControl", 400)


def test_an_identity_is_created_read_updated_listed_and_deleted(cloudfront: CloudFrontClient) -> None:
    identity, etag = _identity(cloudfront, comment="for the shop")
    got = cloudfront.get_cloud_front_origin_access_identity(Id=identity)
    made = got["CloudFrontOriginAccessIdentity"]
    assert re.fullmatch("[0-9a-f]{96}", made["S3CanonicalUserId"])
    assert made["CloudFrontOriginAccessIdentityConfig"] == {"CallerReference": "one", "Comment": "for the shop"}
    assert got["ETag"] == etag
    changed: Any = {"CallerReference": "one", "Comment": "for all"}
    updated = cloudfront.update_cloud_front_origin_access_identity(
        Id=identity, IfMatch=etag, CloudFrontOriginAccessIdentityConfig=changed
    )
    config = cloudfront.get_cloud_front_origin_access_identity_config(Id=identity)
    assert config["CloudFrontOriginAccessIdentityConfig"] == changed
    assert config["ETag"] == updated["ETag"] != etag
    listed = cloudfront.list_cloud_front_origin_access_identities()["CloudFrontOriginAccessIdentityList"]
    summary = {"Id": identity, "S3CanonicalUserId": made["S3CanonicalUserId"], "Comment": "for all"}
    assert (listed["Quantity"], listed["Items"]) == (1, [summary])
    cloudfront.delete_cloud_front_origin_access_identity(Id=identity, IfMatch=updated["ETag"])
    with pytest.raises(cloudfront.exceptions.NoSuchCloudFrontOriginAccessIdentity):
        cloudfront.get_cloud_front_origin_access_identity(Id=identity)


def test_the_same_request_again_gets_the_same_identity(cloudfront: CloudFrontClient) -> None:
    assert _identity(cloudfront, "one", "a") == _identity(cloudfront, "one", "a")
    with pytest.raises(cloudfront.exceptions.CloudFrontOriginAccessIdentityAlreadyExists):
        _identity(cloudfront, "one", "b")


def test_an_identity_keeps_its_caller_reference(cloudfront: CloudFrontClient, refused: Refusal) -> None:
    identity, etag = _identity(cloudfront)
    changed = {"CallerReference": "two", "Comment": ""}
    update = cloudfront.update_cloud_front_origin_access_identity
    answer = refused(update, Id=identity, IfMatch=etag, CloudFrontOriginAccessIdentityConfig=changed)
    assert answer[:2] == ("IllegalUpdate", 400)


def test_an_identity_in_use_stays(
    cloudfront: CloudFrontClient, refused: Refusal, make_distribution: Callable[..., str]
) -> None:
    identity, etag = _identity(cloudfront)
    distribution = make_distribution(**_bucket(identity=identity))
    delete = cloudfront.delete_cloud_front_origin_access_identity
    code, status, message = refused(delete, Id=identity, IfMatch=etag)
    assert (code, status) == ("CloudFrontOriginAccessIdentityInUse", 409)
    assert distribution in message


def test_there_are_so_many_controls_and_identities_and_no_more(
    cloudfront: CloudFrontClient, with_plane: Callable[..., object]
) -> None:
    with_plane(Quotas(origin_access_controls=1, origin_access_identities=1))
    _control(cloudfront)
    _identity(cloudfront)
    with pytest.raises(cloudfront.exceptions.TooManyOriginAccessControls):
        _control(cloudfront, Name="other")
    with pytest.raises(cloudfront.exceptions.TooManyCloudFrontOriginAccessIdentities):
        _identity(cloudfront, "two")
