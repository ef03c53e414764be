"""Operations that give a distribution an alias or a web ACL without its whole configuration.

Sources: API Reference, AssociateAlias, AssociateDistributionWebACL, DisassociateDistributionWebACL; Developer Guide,
"Move an alternate domain name".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyfront.local.controlplane import distributions
from keyfront.local.controlplane.account import LocalAccount, Operation, check_version, found
from keyfront.local.controlplane.continuous_deployment import check_web_acl_stays
from keyfront.local.controlplane.distribution_rules import check_web_acl
from keyfront.local.controlplane.faults import APIError

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import AliasRequest, DistributionConfig, WebACLRequest
    from keyfront.local.controlplane.store import Resource


def associate_alias(account: LocalAccount, request: AliasRequest) -> Mapping[str, object]:
    """AssociateAlias: moves an alias from the distribution that has it. Assumed: an alias without one is added.

    On Amazon a TXT record proves the right to the alias. keyfront does not look for it.
    """
    target, alias = distributions.find(account, request["TargetDistributionId"]), request["Alias"]
    own = target.config["Aliases"].get("Items", [])
    if target.config["Staging"]:
        raise APIError("IllegalUpdate", f"{target.id} is a staging distribution, which cannot have aliases.")
    if target.config["ViewerCertificate"].get("CloudFrontDefaultCertificate"):
        message = (
            f"The distribution {target.id} has CloudFront's default certificate: attach one that covers the alias."
        )
        raise APIError("InvalidArgument", message)
    if alias.lower() in _lower(own):
        return {}
    for other in account.store.distributions:
        aliases = other.config["Aliases"].get("Items", [])
        if other.id != target.id and alias.lower() in _lower(aliases):
            left = [each for each in aliases if each.lower() != alias.lower()]
            distributions.change(account, other, _with_aliases(other.config, left))
    distributions.change(account, target, _with_aliases(target.config, [*own, alias]))
    return {}


def associate_web_acl(account: LocalAccount, request: WebACLRequest) -> Mapping[str, object]:
    """AssociateDistributionWebACL. The edge does not run web ACLs."""
    arn = request.get("WebACLArn", "")
    distribution = _versioned(account, request)
    check_web_acl(arn, "InvalidArgument")
    changed = _with_web_acl(account, distribution, arn)
    return {"Id": changed.id, "WebACLArn": arn, "ETag": changed.etag}


def disassociate_web_acl(account: LocalAccount, request: WebACLRequest) -> Mapping[str, object]:
    """DisassociateDistributionWebACL. Assumed: `EntityNotFound` if the distribution has no web ACL."""
    distribution = _versioned(account, request)
    if not distribution.config["WebACLId"]:
        raise APIError("EntityNotFound", f"The distribution {distribution.id} has no web ACL.")
    changed = _with_web_acl(account, distribution, "")
    return {"Id": changed.id, "ETag": changed.etag}


OPERATIONS: Mapping[str, Operation] = {
    "AssociateAlias": associate_alias,
    "AssociateDistributionWebACL": associate_web_acl,
    "DisassociateDistributionWebACL": disassociate_web_acl,
}


def _versioned(account: LocalAccount, request: WebACLRequest) -> Resource[DistributionConfig]:
    distribution = found(account.store.distributions, request["Id"], "EntityNotFound", "distribution")
    check_version(distribution, request.get("IfMatch"))
    return distribution


def _with_web_acl(
    account: LocalAccount, distribution: Resource[DistributionConfig], arn: str
) -> Resource[DistributionConfig]:
    config: DistributionConfig = {**distribution.config, "WebACLId": arn}
    check_web_acl_stays(account, distribution.config, config)
    return distributions.change(account, distribution, config)


def _lower(aliases: list[str]) -> set[str]:
    return {alias.lower() for alias in aliases}


def _with_aliases(config: DistributionConfig, aliases: list[str]) -> DistributionConfig:
    if not aliases:
        return {**config, "Aliases": {"Quantity": 0}}
    return {**config, "Aliases": {"Quantity": len(aliases), "Items": aliases}}
