"""Aliases and web ACLs that are moved without a distribution's whole configuration, through boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Refusal = Callable[..., tuple[str, int, str]]
ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/shop/473e64fd-f30b-4765-81a0-62ad96dd167a"


def aliases(client: CloudFrontClient, identifier: str) -> list[str]:
    return list(client.get_distribution_config(Id=identifier)["DistributionConfig"]["Aliases"].get("Items", []))


def test_an_alias_moves_to_another_distribution(cloudfront: CloudFrontClient, named: Callable[..., str]) -> None:
    source, target = named("www.example.com", "shop.example.com"), named("films.example.com")
    before = {each: cloudfront.get_distribution(Id=each)["ETag"] for each in (source, target)}
    cloudfront.associate_alias(TargetDistributionId=target, Alias="WWW.example.com")
    assert aliases(cloudfront, source) == ["shop.example.com"]
    assert aliases(cloudfront, target) == ["films.example.com", "WWW.example.com"]
    for each, etag in before.items():
        assert cloudfront.get_distribution(Id=each)["ETag"] != etag
    cloudfront.associate_alias(TargetDistributionId=target, Alias="shop.example.com")
    assert aliases(cloudfront, source) == []
    # What it has already stays as it is.
    cloudfront.associate_alias(TargetDistributionId=target, Alias="shop.example.com")
    assert len(aliases(cloudfront, target)) == 3


def test_an_alias_is_refused_where_it_cannot_go(
    cloudfront: CloudFrontClient, refused: Refusal, named: Callable[..., str], make_distribution: Callable[..., str]
) -> None:
    source, bare = named("www.example.com"), make_distribution()
    staging = make_distribution(Staging=True)
    call = cloudfront.associate_alias
    assert refused(call, TargetDistributionId=bare, Alias="www.example.com")[0] == "InvalidArgument"
    assert refused(call, TargetDistributionId=staging, Alias="www.example.com")[0] == "IllegalUpdate"
    assert refused(call, TargetDistributionId="E0", Alias="www.example.com")[0] == "NoSuchDistribution"
    assert refused(call, TargetDistributionId=named(), Alias="not a name")[0] == "InvalidArgument"
    assert aliases(cloudfront, source) == ["www.example.com"]


def test_a_web_acl_is_associated_and_taken_away(
    cloudfront: CloudFrontClient, refused: Refusal, make_distribution: Callable[..., str]
) -> None:
    made = make_distribution()
    etag = cloudfront.get_distribution(Id=made)["ETag"]
    done = cloudfront.associate_distribution_web_acl(Id=made, WebACLArn=ACL, IfMatch=etag)
    now = cloudfront.get_distribution(Id=made)
    assert (done["Id"], done["WebACLArn"], done["ETag"]) == (made, ACL, now["ETag"])
    assert now["Distribution"]["DistributionConfig"]["WebACLId"] == ACL
    associate, disassociate = cloudfront.associate_distribution_web_acl, cloudfront.disassociate_distribution_web_acl
    assert refused(associate, Id=made, WebACLArn=ACL, IfMatch=etag)[0] == "PreconditionFailed"
    assert refused(associate, Id=made, WebACLArn="mine", IfMatch=now["ETag"])[0] == "InvalidArgument"
    assert refused(associate, Id="E0", WebACLArn=ACL, IfMatch=etag)[:2] == ("EntityNotFound", 404)
    gone = disassociate(Id=made, IfMatch=now["ETag"])
    assert cloudfront.get_distribution_config(Id=made)["DistributionConfig"]["WebACLId"] == ""
    assert refused(disassociate, Id=made, IfMatch=gone["ETag"])[:2] == ("EntityNotFound", 404)
