"""Distributions found by their web ACL and by their alternate domain names, through boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/shop/473e64fd-f30b-4765-81a0-62ad96dd167a"


def test_distributions_are_found_by_their_web_acl(
    cloudfront: CloudFrontClient, make_distribution: Callable[..., str]
) -> None:
    bare, guarded = make_distribution(), make_distribution(WebACLId=ACL)
    listed = cloudfront.list_distributions_by_web_acl_id(WebACLId=ACL)["DistributionList"]
    assert [(item["Id"], item["WebACLId"]) for item in listed["Items"]] == [(guarded, ACL)]
    without = cloudfront.list_distributions_by_web_acl_id(WebACLId="null")["DistributionList"]
    assert [item["Id"] for item in without["Items"]] == [bare]
    other = cloudfront.list_distributions_by_web_acl_id(WebACLId=f"{ACL[:-1]}b")["DistributionList"]
    assert (other["Quantity"], other["IsTruncated"]) == (0, False)


@pytest.mark.parametrize(
    ("alias", "conflicts"),
    [
        ("www.example.com", ["*.example.com", "www.example.com"]),
        ("WWW.example.com", ["*.example.com", "www.example.com"]),
        ("shop.example.com", ["*.example.com"]),
        ("*.example.com", ["*.example.com", "www.example.com"]),
        ("a.b.example.com", ["*.example.com"]),
        ("*.b.example.com", ["*.example.com"]),
        ("example.com", []),
        ("wwwexample.com", []),
        ("mine.example.org", []),
    ],
)
def test_aliases_conflict_where_they_have_a_host_in_common(
    cloudfront: CloudFrontClient, named: Callable[..., str], alias: str, conflicts: list[str]
) -> None:
    wild, plain, mine = named("*.example.com"), named("www.example.com"), named("mine.example.org")
    listed = cloudfront.list_conflicting_aliases(DistributionId=mine, Alias=alias)["ConflictingAliasesList"]
    shown = {"*.example.com": f"*******{wild[7:]}", "www.example.com": f"*******{plain[7:]}"}
    assert listed["Quantity"] == len(conflicts)
    assert listed.get("Items", []) == [
        {"Alias": name, "DistributionId": shown[name], "AccountId": "******789012"} for name in conflicts
    ]


def test_conflicting_aliases_come_in_pages(cloudfront: CloudFrontClient, named: Callable[..., str]) -> None:
    for alias in ("*.example.com", "www.example.com"):
        named(alias)
    ask: dict[str, Any] = {"DistributionId": named("mine.example.org"), "Alias": "www.example.com", "MaxItems": 1}
    first = cloudfront.list_conflicting_aliases(**ask)["ConflictingAliasesList"]
    assert (first["MaxItems"], first["Items"][0]["Alias"]) == (1, "*.example.com")
    rest = cloudfront.list_conflicting_aliases(**ask, Marker=first["NextMarker"])["ConflictingAliasesList"]
    assert [item["Alias"] for item in rest["Items"]] == ["www.example.com"]
    assert "NextMarker" not in rest


def test_an_alias_is_asked_for_with_a_distribution_that_could_have_it(
    cloudfront: CloudFrontClient, make_distribution: Callable[..., str], refused: Any
) -> None:
    ask = cloudfront.list_conflicting_aliases
    assert refused(ask, DistributionId="ENOWHERE", Alias="a.b")[:2] == ("NoSuchDistribution", 404)
    assert refused(ask, DistributionId=make_distribution(), Alias="a.b")[0] == "InvalidArgument"
    assert refused(ask, DistributionId="E" * 20, Alias="a.b", MaxItems=0)[0] in (
        "InvalidArgument",
        "NoSuchDistribution",
    )


def test_domains_conflict_as_aliases_do(
    cloudfront: CloudFrontClient, named: Callable[..., str], make_distribution: Callable[..., str]
) -> None:
    other, mine = named("www.example.com", "*.example.com"), named()
    ask: Any = {"Domain": "www.example.com", "DomainControlValidationResource": {"DistributionId": mine}}
    first = cloudfront.list_domain_conflicts(**ask, MaxItems=1)
    found = cloudfront.list_domain_conflicts(**ask, Marker=first["NextMarker"])["DomainConflicts"]
    assert [item["Domain"] for item in (*first["DomainConflicts"], *found)] == ["*.example.com", "www.example.com"]
    assert first["DomainConflicts"][0] == {
        "Domain": "*.example.com",
        "ResourceType": "distribution",
        "ResourceId": f"*******{other[7:]}",
        "AccountId": "******789012",
    }
    free = cloudfront.list_domain_conflicts(**{**ask, "Domain": "example.org"})
    assert free["DomainConflicts"] == []
    with pytest.raises(cloudfront.exceptions.EntityNotFound):
        cloudfront.list_domain_conflicts(**{**ask, "DomainControlValidationResource": {"DistributionTenantId": "dt_1"}})
    with pytest.raises(cloudfront.exceptions.InvalidArgument):
        cloudfront.list_domain_conflicts(
            Domain="www.example.com", DomainControlValidationResource={"DistributionId": make_distribution()}
        )
