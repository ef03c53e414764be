"""Distributions: the operations. Their rules are in `distribution_rules`, `origin_rules` and `behavior_rules`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, cast

from keyfront.local.controlplane import continuous_deployment, invalidations, monitoring, tags
from keyfront.local.controlplane.account import LocalAccount, Operation, check_version, found
from keyfront.local.controlplane.defaults import with_defaults
from keyfront.local.controlplane.distribution_rules import check_complete, check_distribution, check_unchanged
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import distribution_arn, new_etag, new_id
from keyfront.local.controlplane.model import location, service_model
from keyfront.local.controlplane.paging import page
from keyfront.local.controlplane.store import Resource
from keyfront.local.controlplane.trust import trusted_key_groups, trusted_signers

if TYPE_CHECKING:
    from botocore.model import StructureShape

    from keyfront.local.controlplane.shapes import (
        DistributionConfig,
        DistributionRequest,
        DistributionWithTagsRequest,
        ListRequest,
    )


def create(account: LocalAccount, request: DistributionRequest) -> Mapping[str, object]:
    """CreateDistribution: a caller reference can be used only once."""
    return create_from(account, request["DistributionConfig"], {})


def create_with_tags(account: LocalAccount, request: DistributionWithTagsRequest) -> Mapping[str, object]:
    """CreateDistributionWithTags."""
    given = request["DistributionConfigWithTags"]
    return create_from(account, given["DistributionConfig"], tags.checked(given["Tags"]))


def get(account: LocalAccount, request: DistributionRequest) -> Mapping[str, object]:
    """GetDistribution."""
    return answer(account, find(account, request["Id"]))


def get_config(account: LocalAccount, request: DistributionRequest) -> Mapping[str, object]:
    """GetDistributionConfig."""
    distribution = find(account, request["Id"])
    return {"DistributionConfig": distribution.config, "ETag": distribution.etag}


def list_all(account: LocalAccount, request: ListRequest) -> Mapping[str, object]:
    """ListDistributions."""
    listing = page(account.store.distributions, request, lambda d: summarise(account, d))
    return {"DistributionList": listing}


def update(account: LocalAccount, request: DistributionRequest) -> Mapping[str, object]:
    """UpdateDistribution: replaces the whole configuration."""
    distribution, given = find(account, request["Id"]), request["DistributionConfig"]
    check_version(distribution, request.get("IfMatch"))
    check_unchanged(distribution.config, given)
    check_complete(given)
    config = with_defaults({**given, "Staging": distribution.config["Staging"]})
    continuous_deployment.check_web_acl_stays(account, distribution.config, config)
    return answer(account, change(account, distribution, config))


def delete(account: LocalAccount, request: DistributionRequest) -> Mapping[str, object]:
    """DeleteDistribution: only a distribution that is disabled at every edge."""
    distribution = find(account, request["Id"])
    check_version(distribution, request.get("IfMatch"))
    if distribution.config["Enabled"]:
        message = "The distribution you are trying to delete has not been disabled: update it with Enabled false."
        raise APIError("DistributionNotDisabled", message)
    if account.propagation.under_way(distribution.id, distribution.etag):
        message = "The distribution you are trying to delete has not been disabled everywhere: it is still InProgress."
        raise APIError("DistributionNotDisabled", message)
    if policies := continuous_deployment.policies_with(account, distribution.id):
        # Assumed: the code. It is one of those that the API model gives to DeleteDistribution.
        message = f"The staging distribution is in use by the continuous deployment policy {', '.join(policies)}."
        raise APIError("ResourceInUse", message)
    invalidations.remove_all(account, distribution.id)
    monitoring.forget(account, distribution.id)
    tags.forget(account, distribution.id)
    account.store.distributions.remove(distribution.id)
    account.propagation.removed(distribution.id)
    return {}


OPERATIONS: Mapping[str, Operation] = {
    "CreateDistribution": create,
    "CreateDistributionWithTags": create_with_tags,
    "GetDistribution": get,
    "GetDistributionConfig": get_config,
    "ListDistributions": list_all,
    "UpdateDistribution": update,
    "DeleteDistribution": delete,
}


def find(account: LocalAccount, identifier: str) -> Resource[DistributionConfig]:
    """Return the distribution. Raise `APIError` `NoSuchDistribution` if it does not exist."""
    return found(account.store.distributions, identifier, "NoSuchDistribution", "distribution")


def change(
    account: LocalAccount, distribution: Resource[DistributionConfig], config: DistributionConfig
) -> Resource[DistributionConfig]:
    """Check and store another configuration, which has its defaults. Return the changed distribution."""
    check_distribution(account, config, distribution.id)
    changed = replace(distribution, config=config, etag=new_etag(), modified=account.clock())
    account.store.distributions.put(changed)
    account.propagation.changed(changed.id, changed.etag)
    return changed


def answer(account: LocalAccount, distribution: Resource[DistributionConfig]) -> Mapping[str, object]:
    """Return the output of the operations that return a distribution."""
    return {"Distribution": _describe(account, distribution), "ETag": distribution.etag}


def create_from(account: LocalAccount, given: DistributionConfig, tagged: dict[str, str]) -> Mapping[str, object]:
    """Check and store a new distribution with tags. Return the output of the operations that create one."""
    config, store = with_defaults(given), account.store
    for other in store.distributions:
        if other.config["CallerReference"] == config["CallerReference"]:
            raise APIError(
                "DistributionAlreadyExists",
                "The caller reference that you are using to create a distribution is associated with another "
                f"distribution. Already exists: {other.id}",
            )
    check_distribution(account, config)
    staging = [each for each in store.distributions if each.config["Staging"]]
    if config["Staging"] and len(staging) >= (quota := account.quotas.staging_distributions):
        message = f"This account has {quota} staging distributions, which is the quota: delete one first."
        raise APIError("TooManyDistributions", message)
    if len(store.distributions) >= account.quotas.distributions:
        message = (
            f"This account has {account.quotas.distributions} distributions, which is the quota: delete one first."
        )
        raise APIError("TooManyDistributions", message)
    now = account.clock()
    distribution = Resource(new_id(), new_etag(), config, now, now)
    store.distributions.put(distribution)
    tags.put(account, distribution.id, tagged)
    account.propagation.changed(distribution.id, distribution.etag)
    return {**answer(account, distribution), "Location": location(f"distribution/{distribution.id}")}


def _describe(account: LocalAccount, distribution: Resource[DistributionConfig]) -> Mapping[str, object]:
    return {
        **_state(account, distribution),
        "InProgressInvalidationBatches": invalidations.in_progress(account, distribution.id),
        "ActiveTrustedSigners": _active_signers(distribution.config),
        "ActiveTrustedKeyGroups": _active_key_groups(account, distribution.config),
        "DistributionConfig": distribution.config,
    }


def summarise(account: LocalAccount, distribution: Resource[DistributionConfig]) -> Mapping[str, object]:
    """Return the distribution as lists show it: `DistributionSummary`."""
    shown = _summary_members()
    config = {name: value for name, value in distribution.config.items() if name in shown}
    return {**config, **_state(account, distribution), "ETag": distribution.etag}


@cache
def _summary_members() -> frozenset[str]:
    return frozenset(cast("StructureShape", service_model().shape_for("DistributionSummary")).members)


def _state(account: LocalAccount, distribution: Resource[DistributionConfig]) -> dict[str, object]:
    """Return the members that a distribution and its summary both have in addition to the configuration."""
    under_way = account.propagation.under_way(distribution.id, distribution.etag)
    state: dict[str, object] = {
        "Id": distribution.id,
        "ARN": distribution_arn(account.number, distribution.id),
        "Status": "InProgress" if under_way else "Deployed",
        "LastModifiedTime": distribution.modified,
        "DomainName": account.domain_name(distribution.id),
    }
    if aliases := distribution.config["Aliases"].get("Items", []):
        state["AliasICPRecordals"] = [{"CNAME": alias, "ICPRecordalStatus": "APPROVED"} for alias in aliases]
    return state


def _active_key_groups(account: LocalAccount, config: DistributionConfig) -> Mapping[str, object]:
    """Return each trusted key group with the current ids of its keys."""
    items: list[Mapping[str, object]] = []
    for identifier in trusted_key_groups(config):
        group = account.store.key_groups.get(identifier)
        keys = group.config["Items"] if group else []
        items.append({"KeyGroupId": identifier, "KeyPairIds": {"Quantity": len(keys), "Items": keys}})
    return _active(items)


def _active_signers(config: DistributionConfig) -> Mapping[str, object]:
    """Return each trusted account, without key pairs: only a root user can make those, in the console."""
    return _active([{"AwsAccountNumber": s, "KeyPairIds": {"Quantity": 0}} for s in trusted_signers(config)])


def _active(items: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    active: dict[str, object] = {"Enabled": bool(items), "Quantity": len(items)}
    return active | {"Items": items} if items else active
