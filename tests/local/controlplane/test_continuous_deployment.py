"""Staging distributions and continuous deployment policies, through boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.local.controlplane import Quotas

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Refusal = Callable[..., tuple[str, int, str]]
Policy = Callable[..., dict[str, Any]]
HEADER = {"Type": "SingleHeader", "SingleHeaderConfig": {"Header": "aws-cf-cd-test", "Value": "yes"}}


def weight(share: float, **members: Any) -> dict[str, Any]:
    return {"Type": "SingleWeight", "SingleWeightConfig": {"Weight": share, **members}}


def policy_for(name: str, traffic: dict[str, Any] | None = None, *, enabled: bool = True) -> dict[str, Any]:
    given = {"StagingDistributionDnsNames": {"Quantity": 1, "Items": [name]}, "Enabled": enabled}
    return {**given, "TrafficConfig": traffic or weight(0.1)}


@pytest.fixture
def staged(cloudfront: CloudFrontClient, make_distribution: Callable[..., str]) -> tuple[str, str]:
    """The ids of a primary distribution and its copy."""
    primary = make_distribution(Comment="first")
    etag = cloudfront.get_distribution(Id=primary)["ETag"]
    copied = cloudfront.copy_distribution(
        PrimaryDistributionId=primary, Staging=True, IfMatch=etag, CallerReference="copy"
    )
    return primary, copied["Distribution"]["Id"]


@pytest.fixture
def domain(cloudfront: CloudFrontClient, staged: tuple[str, str]) -> str:
    return cloudfront.get_distribution(Id=staged[1])["Distribution"]["DomainName"]


def attach(client: CloudFrontClient, distribution: str, policy: str) -> None:
    got = client.get_distribution_config(Id=distribution)
    config: Any = {**got["DistributionConfig"], "ContinuousDeploymentPolicyId": policy}
    client.update_distribution(Id=distribution, IfMatch=got["ETag"], DistributionConfig=config)


def test_a_copy_is_a_staging_distribution_with_the_same_configuration(
    cloudfront: CloudFrontClient, refused: Refusal, staged: tuple[str, str]
) -> None:
    primary, copy = (cloudfront.get_distribution(Id=each) for each in staged)
    first, second = (each["Distribution"]["DistributionConfig"] for each in (primary, copy))
    assert second == {**first, "CallerReference": "copy", "Staging": True}
    summaries = cloudfront.list_distributions()["DistributionList"]["Items"]
    assert {item["Id"]: item["Staging"] for item in summaries} == {staged[0]: False, staged[1]: True}
    call = cloudfront.copy_distribution
    given = {"PrimaryDistributionId": staged[0], "CallerReference": "other", "IfMatch": primary["ETag"]}
    assert refused(call, **given)[0] == "InvalidArgument"
    assert refused(call, **given | {"Staging": True, "CallerReference": "copy"})[0] == "DistributionAlreadyExists"
    assert refused(call, **given | {"Staging": True, "IfMatch": copy["ETag"]})[0] == "PreconditionFailed"
    assert refused(call, **given | {"Staging": True, "PrimaryDistributionId": "E0"})[0] == "NoSuchDistribution"
    again = given | {"Staging": True, "PrimaryDistributionId": staged[1], "IfMatch": copy["ETag"]}
    assert refused(call, **again)[0] == "InvalidArgument"
    disabled = call(**given | {"Staging": True, "Enabled": False})  # type: ignore[arg-type]
    assert disabled["Distribution"]["DistributionConfig"]["Enabled"] is False


def test_a_distribution_stays_what_it_is(
    cloudfront: CloudFrontClient, refused: Refusal, staged: tuple[str, str]
) -> None:
    got = cloudfront.get_distribution_config(Id=staged[1])
    config: Any = got["DistributionConfig"]
    update = cloudfront.update_distribution
    given = {"Id": staged[1], "IfMatch": got["ETag"]}
    assert refused(update, DistributionConfig={**config, "Staging": False}, **given)[0] == "IllegalUpdate"
    config.pop("Staging")
    updated = update(DistributionConfig=config, **given)
    assert updated["Distribution"]["DistributionConfig"]["Staging"] is True


def test_a_policy_is_created_read_changed_listed_and_deleted(
    cloudfront: CloudFrontClient, refused: Refusal, staged: tuple[str, str], domain: str
) -> None:
    session = weight(0.15, SessionStickinessConfig={"IdleTTL": 300, "MaximumTTL": 600})
    config: Any = policy_for(domain, session)
    created = cloudfront.create_continuous_deployment_policy(ContinuousDeploymentPolicyConfig=config)
    made, etag = created["ContinuousDeploymentPolicy"], created["ETag"]
    assert made["ContinuousDeploymentPolicyConfig"] == config
    got = cloudfront.get_continuous_deployment_policy(Id=made["Id"])
    assert (got["ContinuousDeploymentPolicy"], got["ETag"]) == (made, etag)
    alone = cloudfront.get_continuous_deployment_policy_config(Id=made["Id"])
    assert (alone["ContinuousDeploymentPolicyConfig"], alone["ETag"]) == (config, etag)
    changed: Any = policy_for(domain, HEADER)
    updated = cloudfront.update_continuous_deployment_policy(
        Id=made["Id"], IfMatch=etag, ContinuousDeploymentPolicyConfig=changed
    )
    (listed,) = cloudfront.list_continuous_deployment_policies()["ContinuousDeploymentPolicyList"]["Items"]
    assert listed["ContinuousDeploymentPolicy"] == updated["ContinuousDeploymentPolicy"]

    attach(cloudfront, staged[0], made["Id"])
    delete = cloudfront.delete_continuous_deployment_policy
    refusal = refused(delete, Id=made["Id"], IfMatch=updated["ETag"])
    assert refusal[:2] == ("ContinuousDeploymentPolicyInUse", 409)
    assert staged[0] in refusal[2]
    staging = cloudfront.get_distribution_config(Id=staged[1])
    off: Any = {**staging["DistributionConfig"], "Enabled": False}
    etag = cloudfront.update_distribution(Id=staged[1], IfMatch=staging["ETag"], DistributionConfig=off)["ETag"]
    assert refused(cloudfront.delete_distribution, Id=staged[1], IfMatch=etag)[:2] == ("ResourceInUse", 409)
    attach(cloudfront, staged[0], "")
    delete(Id=made["Id"], IfMatch=updated["ETag"])
    cloudfront.delete_distribution(Id=staged[1], IfMatch=etag)
    assert refused(cloudfront.get_continuous_deployment_policy, Id=made["Id"])[0] == "NoSuchContinuousDeploymentPolicy"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"StagingDistributionDnsNames": {"Quantity": 0}}, "one staging"),
        ({"StagingDistributionDnsNames": {"Quantity": 1, "Items": ["d0.cloudfront.net"]}}, "d0.cloudfront.net"),
        ({"TrafficConfig": weight(0.16)}, "0.16"),
        ({"TrafficConfig": weight(-0.1)}, "-0.1"),
        ({"TrafficConfig": {"Type": "SingleWeight"}}, "SingleWeightConfig"),
        ({"TrafficConfig": {**HEADER, "Type": "SingleWeight"}}, "SingleWeightConfig"),
        ({"TrafficConfig": {**HEADER, **weight(0.1)}}, "SingleHeaderConfig"),
        ({"TrafficConfig": {**HEADER, "SingleHeaderConfig": {"Header": "test", "Value": "a"}}}, "aws-cf-cd-"),
        ({"TrafficConfig": weight(0.1, SessionStickinessConfig={"IdleTTL": 299, "MaximumTTL": 600})}, "299"),
        ({"TrafficConfig": weight(0.1, SessionStickinessConfig={"IdleTTL": 601, "MaximumTTL": 600})}, "601"),
        ({"TrafficConfig": weight(0.1, SessionStickinessConfig={"IdleTTL": 300, "MaximumTTL": 3601})}, "3601"),
    ],
)
def test_a_policy_that_breaks_a_rule_is_refused(
    cloudfront: CloudFrontClient, refused: Refusal, domain: str, changes: dict[str, Any], named: str
) -> None:
    given = {**policy_for(domain), **changes}
    refusal = refused(cloudfront.create_continuous_deployment_policy, ContinuousDeploymentPolicyConfig=given)
    assert refusal[:2] == ("InvalidArgument", 400)
    assert named in refusal[2]


def test_a_staging_distribution_has_one_policy_and_an_account_so_many(
    cloudfront: CloudFrontClient, refused: Refusal, with_plane: Callable[..., object], config: Policy
) -> None:
    with_plane(Quotas(continuous_deployment_policies=1, staging_distributions=2))
    made = [
        cloudfront.create_distribution(DistributionConfig=config(Staging=True))["Distribution"]["DomainName"]  # type: ignore[arg-type]
        for _ in range(2)
    ]
    create = cloudfront.create_continuous_deployment_policy
    first: Any = policy_for(made[0])
    create(ContinuousDeploymentPolicyConfig=first)
    for given, code in (
        (first, "ContinuousDeploymentPolicyAlreadyExists"),
        (policy_for(made[0], HEADER), "StagingDistributionInUse"),
        (policy_for(made[1], HEADER), "TooManyContinuousDeploymentPolicies"),
    ):
        assert refused(create, ContinuousDeploymentPolicyConfig=given)[0] == code
    third = config(Staging=True)
    assert refused(cloudfront.create_distribution, DistributionConfig=third)[0] == "TooManyDistributions"


def test_a_promotion_gives_the_primary_the_staging_s_configuration_and_disables_the_policy(
    cloudfront: CloudFrontClient, refused: Refusal, staged: tuple[str, str], domain: str
) -> None:
    primary, staging = staged
    promote = cloudfront.update_distribution_with_staging_config
    etags = [cloudfront.get_distribution(Id=each)["ETag"] for each in staged]
    assert refused(promote, Id=primary, IfMatch=", ".join(etags))[0] == "InvalidArgument"
    config: Any = policy_for(domain)
    policy = cloudfront.create_continuous_deployment_policy(ContinuousDeploymentPolicyConfig=config)
    identifier = policy["ContinuousDeploymentPolicy"]["Id"]
    attach(cloudfront, primary, identifier)
    got = cloudfront.get_distribution_config(Id=staging)
    tried: Any = {**got["DistributionConfig"], "Comment": "tried", "DefaultRootObject": "new.html"}
    cloudfront.update_distribution(Id=staging, IfMatch=got["ETag"], DistributionConfig=tried)

    first, second = (cloudfront.get_distribution(Id=each)["ETag"] for each in staged)
    given = {"Id": primary, "StagingDistributionId": staging}
    assert refused(promote, **given, IfMatch=first)[0] == "InvalidIfMatchVersion"
    assert refused(promote, **given, IfMatch=f"{second}, {first}")[0] == "PreconditionFailed"
    assert refused(promote, Id=primary, StagingDistributionId=primary, IfMatch=first)[0] == "InvalidArgument"
    before = cloudfront.get_distribution_config(Id=primary)["DistributionConfig"]
    promoted: Any = promote(**given, IfMatch=f"{first}, {second}")
    config = promoted["Distribution"]["DistributionConfig"]
    assert (config["Comment"], config["DefaultRootObject"], config["Staging"]) == ("tried", "new.html", False)
    for kept in ("CallerReference", "Aliases", "ContinuousDeploymentPolicyId"):
        assert config[kept] == before[kept]
    now = cloudfront.get_continuous_deployment_policy_config(Id=identifier)
    assert now["ContinuousDeploymentPolicyConfig"]["Enabled"] is False
    assert now["ETag"] != policy["ETag"]


def test_continuous_deployment_and_http_3_exclude_each_other(
    cloudfront: CloudFrontClient, refused: Refusal, staged: tuple[str, str], domain: str, config: Policy
) -> None:
    made: Any = cloudfront.create_continuous_deployment_policy(ContinuousDeploymentPolicyConfig=policy_for(domain))  # type: ignore[arg-type]
    identifier = made["ContinuousDeploymentPolicy"]["Id"]
    given = config(ContinuousDeploymentPolicyId=identifier, HttpVersion="http2and3")
    refusal = refused(cloudfront.create_distribution, DistributionConfig=given)
    assert refusal[0] == "InvalidArgument"
    assert "HTTP/3" in refusal[2]


def test_the_web_acl_stays_while_a_policy_is_enabled(
    cloudfront: CloudFrontClient, refused: Refusal, staged: tuple[str, str], domain: str
) -> None:
    acl = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/shop/473e64fd-f30b-4765-81a0-62ad96dd167a"
    given: Any = policy_for(domain)
    policy = cloudfront.create_continuous_deployment_policy(ContinuousDeploymentPolicyConfig=given)
    identifier = policy["ContinuousDeploymentPolicy"]["Id"]
    attach(cloudfront, staged[0], identifier)
    got = cloudfront.get_distribution_config(Id=staged[0])
    config = {**got["DistributionConfig"], "WebACLId": acl}
    update = cloudfront.update_distribution
    refusal = refused(update, Id=staged[0], IfMatch=got["ETag"], DistributionConfig=config)
    assert refusal[0] == "InvalidArgument"
    assert "web ACL" in refusal[2]
    associate = cloudfront.associate_distribution_web_acl
    assert refused(associate, Id=staged[0], WebACLArn=acl, IfMatch=got["ETag"])[0] == "InvalidArgument"
    disabled: Any = policy_for(domain, enabled=False)
    cloudfront.update_continuous_deployment_policy(
        Id=identifier, IfMatch=policy["ETag"], ContinuousDeploymentPolicyConfig=disabled
    )
    assert associate(Id=staged[0], WebACLArn=acl, IfMatch=got["ETag"])["WebACLArn"] == acl
