"""Continuous deployment policies: which requests to a primary distribution go to its staging distribution.

Sources: the API model; Developer Guide, "Quotas and other considerations for continuous deployment", "Learn how
continuous deployment works".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyfront.local.controlplane.account import LocalAccount
from keyfront.local.controlplane.family import Family
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_policy_id
from keyfront.local.controlplane.trust import distributions_with_deployment

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import (
        ContinuousDeploymentConfig,
        DistributionConfig,
        SessionStickiness,
        TrafficConfig,
    )
    from keyfront.local.controlplane.store import Resource

_PREFIX = "aws-cf-cd-"
"""How the name of a header begins that selects the staging distribution (API model)."""
_MOST_WEIGHT = 0.15
_SHORTEST, _LONGEST = 300, 3600
"""The limits of a session in seconds."""


def _accept(_account: LocalAccount, config: ContinuousDeploymentConfig, _before: object) -> ContinuousDeploymentConfig:
    names = config["StagingDistributionDnsNames"].get("Items", [])
    if len(names) != 1:
        # Assumed: the text. A policy has one staging distribution.
        message = f"A continuous deployment policy must have one staging distribution; this one has {len(names)}."
        raise APIError("InvalidArgument", message)
    if "TrafficConfig" in config:
        _check_traffic(config["TrafficConfig"])
    elif config["Enabled"]:
        raise APIError("InvalidArgument", "The parameter TrafficConfig is required for a policy that is enabled.")
    return config


def _check_traffic(traffic: TrafficConfig) -> None:
    member = f"{traffic['Type']}Config"
    for name in ("SingleWeightConfig", "SingleHeaderConfig"):
        if (name in traffic) != (name == member):
            verb = "is required" if name == member else "cannot be used"
            message = f"The parameter {name} {verb} with the traffic type {traffic['Type']}."
            raise APIError("InvalidArgument", message)
    if "SingleWeightConfig" in traffic:
        weight = traffic["SingleWeightConfig"]["Weight"]
        if not 0 <= weight <= _MOST_WEIGHT:
            raise APIError("InvalidArgument", f"The parameter Weight must be 0 to {_MOST_WEIGHT}; it is {weight:g}.")
        if "SessionStickinessConfig" in traffic["SingleWeightConfig"]:
            _check_stickiness(traffic["SingleWeightConfig"]["SessionStickinessConfig"])
    if "SingleHeaderConfig" in traffic:
        header = traffic["SingleHeaderConfig"]["Header"]
        if not header.lower().startswith(_PREFIX):
            message = f"The parameter Header must begin with {_PREFIX}; it is {header[:100]!r}."
            raise APIError("InvalidArgument", message)


def _check_stickiness(session: SessionStickiness) -> None:
    idle, maximum = session["IdleTTL"], session["MaximumTTL"]
    if not _SHORTEST <= idle <= maximum <= _LONGEST:
        raise APIError(
            "InvalidArgument",
            f"IdleTTL and MaximumTTL must be {_SHORTEST} to {_LONGEST} seconds, and IdleTTL not above MaximumTTL; they "
            f"are {idle} and {maximum}.",
        )


def _check(
    account: LocalAccount, config: ContinuousDeploymentConfig, before: Resource[ContinuousDeploymentConfig] | None
) -> None:
    name = config["StagingDistributionDnsNames"]["Items"][0]
    staging = staging_distribution(account, config)
    if staging is None:
        message = (
            f"The parameter StagingDistributionDnsNames has no staging distribution's domain name: {name[:200]!r}."
        )
        raise APIError("InvalidArgument", message)
    for other in account.store.deployment_policies:
        if before is not None and other.id == before.id:
            continue
        if other.config == config:
            message = f"A continuous deployment policy with this configuration already exists: {other.id}."
            raise APIError("ContinuousDeploymentPolicyAlreadyExists", message)
        if staging_distribution(account, other.config) == staging:
            message = f"A continuous deployment policy for this staging distribution already exists: {other.id}."
            raise APIError("StagingDistributionInUse", message)


def staging_distribution(
    account: LocalAccount, config: ContinuousDeploymentConfig
) -> Resource[DistributionConfig] | None:
    """Return the staging distribution of a policy. None if it does not exist."""
    names = {name.lower() for name in config["StagingDistributionDnsNames"].get("Items", [])}
    staging = (each for each in account.store.distributions if each.config["Staging"])
    return next((each for each in staging if account.domain_name(each.id).lower() in names), None)


def policies_with(account: LocalAccount, staging: str) -> list[str]:
    """Return the ids of the policies whose staging distribution has this id."""
    found = ((each.id, staging_distribution(account, each.config)) for each in account.store.deployment_policies)
    return [policy for policy, distribution in found if distribution is not None and distribution.id == staging]


def check_distribution(account: LocalAccount, config: DistributionConfig) -> None:
    """Check the members of a distribution's configuration for continuous deployment. Assumed: the texts."""
    policy = config["ContinuousDeploymentPolicyId"]
    if config["Staging"] and (config["Aliases"].get("Items") or policy):
        what = "a continuous deployment policy" if policy else "alternate domain names (CNAMEs)"
        raise APIError("InvalidArgument", f"A staging distribution cannot have {what}.")
    if policy:
        FAMILY.find(account, policy)
    if (policy or config["Staging"]) and config["HttpVersion"].endswith("3"):
        message = f"Continuous deployment does not support HTTP/3: the HttpVersion is {config['HttpVersion']}."
        raise APIError("InvalidArgument", message)


def check_web_acl_stays(account: LocalAccount, before: DistributionConfig, after: DistributionConfig) -> None:
    """Refuse another web ACL while continuous deployment is enabled for the distribution.

    Source: Developer Guide, "AWS WAF web ACLs". Assumed: the code, and that an earlier web ACL is refused too.
    """
    policy = before["ContinuousDeploymentPolicyId"]
    if not policy or before["WebACLId"] == after["WebACLId"]:
        return
    if FAMILY.find(account, policy).config["Enabled"]:
        message = f"The web ACL cannot change while the continuous deployment policy {policy} is enabled."
        raise APIError("InvalidArgument", message)


FAMILY: Family[ContinuousDeploymentConfig] = Family(
    noun="ContinuousDeploymentPolicy",
    plural="ContinuousDeploymentPolicies",
    title="continuous deployment policy",
    path="continuous-deployment-policy",
    table=lambda store: store.deployment_policies,
    quota=lambda quotas: quotas.continuous_deployment_policies,
    too_many="This account has {quota} continuous deployment policies, which is the quota: delete one first.",
    new_id=new_policy_id,
    accept=_accept,
    check=_check,
    unique=(),
    users=distributions_with_deployment,
    in_use="You cannot delete a continuous deployment policy that is associated with a primary distribution: {users}.",
    beside=lambda policy: {"LastModifiedTime": policy.modified},
)
OPERATIONS = FAMILY.operations()
