"""Staging distributions: a copy of a primary distribution, and the way back.

Sources: API Reference, CopyDistribution, UpdateDistributionWithStagingConfig. `continuous_deployment` has the policies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from keyfront.local.controlplane import distributions
from keyfront.local.controlplane.account import LocalAccount, Operation, check_version
from keyfront.local.controlplane.continuous_deployment import FAMILY, staging_distribution
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_etag

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import CopyDistributionRequest, DistributionConfig, PromotionRequest
    from keyfront.local.controlplane.store import Resource


def copy(account: LocalAccount, request: CopyDistributionRequest) -> Mapping[str, object]:
    """CopyDistribution: a staging distribution. Assumed: it has no aliases, which the primary keeps."""
    primary = distributions.find(account, request["PrimaryDistributionId"])
    check_version(primary, request.get("IfMatch"))
    if not request.get("Staging"):
        raise APIError("InvalidArgument", "The parameter Staging must be true: only staging distributions are copies.")
    if primary.config["Staging"]:
        raise APIError("InvalidArgument", f"{primary.id} is a staging distribution: copy its primary distribution.")
    config: DistributionConfig = {
        **primary.config,
        "CallerReference": request["CallerReference"],
        "Aliases": {"Quantity": 0},
        "ContinuousDeploymentPolicyId": "",
        "Staging": True,
        "Enabled": request.get("Enabled", True),
    }
    return distributions.create_from(account, config, {})


def promote(account: LocalAccount, request: PromotionRequest) -> Mapping[str, object]:
    """UpdateDistributionWithStagingConfig: the primary gets the staging's configuration, and the policy is disabled."""
    primary = distributions.find(account, request["Id"])
    identifier = primary.config["ContinuousDeploymentPolicyId"]
    if not identifier:
        raise APIError("InvalidArgument", f"The distribution {primary.id} has no continuous deployment policy.")
    policy = FAMILY.find(account, identifier)
    staging = staging_distribution(account, policy.config)
    if staging is None or request.get("StagingDistributionId", staging.id) != staging.id:
        message = f"The continuous deployment policy {policy.id} has another staging distribution."
        raise APIError("InvalidArgument", message)
    _check_versions(primary, staging, request.get("IfMatch", ""))
    config: DistributionConfig = {
        **staging.config,
        "CallerReference": primary.config["CallerReference"],
        "Aliases": primary.config["Aliases"],
        "ContinuousDeploymentPolicyId": policy.id,
        "Staging": False,
    }
    changed = distributions.change(account, primary, config)
    disabled = replace(policy, config={**policy.config, "Enabled": False}, etag=new_etag(), modified=account.clock())
    account.store.deployment_policies.put(disabled)
    return distributions.answer(account, changed)


OPERATIONS: Mapping[str, Operation] = {"CopyDistribution": copy, "UpdateDistributionWithStagingConfig": promote}


def _check_versions(
    primary: Resource[DistributionConfig], staging: Resource[DistributionConfig], if_match: str
) -> None:
    """Check both ETags: `<primary ETag>, <staging ETag>` (API Reference)."""
    first, _, second = if_match.partition(",")
    check_version(primary, first.strip())
    check_version(staging, second.strip())
